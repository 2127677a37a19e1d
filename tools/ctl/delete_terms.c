/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object is gone when the command returns: there is nothing to wait for and no grace. What asks
 * for less than that is refused, the rest is accepted.
 */
#include "ctl/delete_terms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/label_selector.h"

static int read_grace(struct ctl *c, struct delete_terms *t)
{
	const char *text = args_text(&c->args, "grace-period");
	const bool force = args_switch(&c->args, "force");
	char *end;
	long seconds;

	errno = 0;
	seconds = strtol(text, &end, 10);
	if (errno || end == text || *end)
		return ctl_usage_error(c,
				       "invalid argument \"%s\" for \"--grace-period\" flag: must "
				       "be a number",
				       text);
	if (args_switch(&c->args, "now") && seconds != -1)
		return ctl_error("--now and --grace-period cannot be specified together");
	if (force && seconds > 0)
		return ctl_error("--force and --grace-period greater than 0 cannot be specified "
				 "together");
	t->forced = force;
	return 0;
}

static int check_accepted(struct ctl *c)
{
	const char *timeout = args_text(&c->args, "timeout");
	const char *cascade = args_text(&c->args, "cascade");

	if (timeout && duration_ms(timeout) < 0)
		return ctl_usage_error(c,
				       "invalid argument \"%s\" for \"--timeout\" flag: time: "
				       "invalid duration \"%s\"",
				       timeout, timeout);
	if (strcmp(cascade, "background") != 0 && strcmp(cascade, "foreground") != 0 &&
	    strcmp(cascade, "orphan") != 0)
		return ctl_error("invalid cascade value (%s). Must be \"background\", "
				 "\"foreground\", or \"orphan\"",
				 cascade);
	return 0;
}

int delete_terms_read(struct ctl *c, struct delete_terms *out)
{
	const char *output = args_text(&c->args, "output");
	struct delete_terms t = {
		.all = args_switch(&c->args, "all"),
		.everywhere = args_switch(&c->args, "all-namespaces"),
		.ignore = args_switch(&c->args, "ignore-not-found"),
		.only_names = output && strcmp(output, "name") == 0,
	};

	if (output && output[0] && !t.only_names)
		return ctl_error("unexpected -o output mode: %s. We only support '-o name'",
				 output);
	if (dry_run_parse(c, &t.dry) || label_selector_read(c, &t.selector))
		return 1;
	if (t.all && t.selector)
		return ctl_error("cannot set --all and --selector at the same time");
	if (read_grace(c, &t) || check_accepted(c))
		return 1;
	*out = t;
	return 0;
}
