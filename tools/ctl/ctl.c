/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the command line to a verb: general flags stand before or behind the verb, the verb's own
 * behind it. A mistyped verb is answered with those that look alike.
 */
#include "ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ctl/similar.h"
#include "manifest/pattern.h"

#define SIMILAR_DISTANCE 2
#define LABEL_MAX_BYTES	 63
#define WHY_LABEL	 "must be a lowercase RFC 1123 label, such as my-name"

const struct flag general_flags[] = {
	{.name = "namespace",
	 .letter = 'n',
	 .type = FLAG_TEXT,
	 .value = "NS",
	 .initial = "default",
	 .help = "The namespace of this request"},
	{.name = "project",
	 .type = FLAG_TEXT,
	 .value = "PROJECT",
	 .initial = "default",
	 .help = "The project of this request"},
	{.name = "socket",
	 .type = FLAG_TEXT,
	 .value = "PATH",
	 .help = "The daemon's socket; else $SPILLWAY_SOCKET, else " DEFAULT_SOCKET},
	{.name = "help", .letter = 'h', .type = FLAG_SWITCH, .help = "Help for this command"},
	{.name = NULL},
};

static void say_error(const char *fmt, va_list ap)
{
	(void)fflush(stdout);
	fputs("error: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

int ctl_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_error(fmt, ap);
	va_end(ap);
	return 1;
}

int ctl_usage_error(const struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_error(fmt, ap);
	va_end(ap);
	fprintf(stderr, "See 'spillway %s%s--help' for usage.\n", c->verb ? c->verb->name : "",
		c->verb ? " " : "");
	return 1;
}

static int unknown_verb(const char *name)
{
	bool titled = false;

	(void)ctl_error("unknown command \"%s\" for \"spillway\"", name);
	for (const struct verb *const *v = verbs; *v; v++) {
		if ((*v)->hidden || (similar_distance(name, (*v)->name) > SIMILAR_DISTANCE &&
				     strncmp((*v)->name, name, strlen(name)) != 0))
			continue;
		if (!titled)
			fputs("\nDid you mean this?\n", stderr);
		titled = true;
		fprintf(stderr, "\t%s\n", (*v)->name);
	}
	if (!titled)
		fputs("See 'spillway --help' for usage.\n", stderr);
	return 1;
}

/* What the environment says where no flag does. */
static const char *socket_path(const struct args *args)
{
	const char *from_env = getenv("SPILLWAY_SOCKET");
	const char *path = args_text(args, "socket");

	if (path)
		return path;
	return from_env && from_env[0] ? from_env : DEFAULT_SOCKET;
}

static bool is_label(const char *text)
{
	const size_t len = strlen(text);

	return len <= LABEL_MAX_BYTES && pattern_label.match(text, len);
}

static int run_verb(struct ctl *c)
{
	if (args_switch(&c->args, "help")) {
		help_print(c->verb);
		return 0;
	}
	c->socket_path = socket_path(&c->args);
	c->project = args_text(&c->args, "project");
	c->namespace = args_text(&c->args, "namespace");
	c->namespace_given = args_given(&c->args, "namespace");
	if (!is_label(c->namespace))
		return ctl_usage_error(c, "invalid namespace \"%s\": " WHY_LABEL, c->namespace);
	if (!is_label(c->project))
		return ctl_usage_error(c, "invalid project \"%s\": " WHY_LABEL, c->project);
	return c->verb->run(c);
}

int ctl_main(struct arena *a, int argc, char **argv)
{
	struct ctl c = {.arena = a, .args = {.arena = a, .tables = {general_flags}}};
	const char *why = NULL;
	int used = args_parse(&c.args, argc, argv, ARGS_UNTIL_WORD, &why);

	if (used < 0)
		return ctl_usage_error(&c, "%s", why);
	if (used == argc) {
		help_print(NULL);
		return 0;
	}
	c.verb = verb_find(argv[used]);
	if (!c.verb)
		return unknown_verb(argv[used]);
	c.args.tables[1] = c.verb->flags;
	if (args_parse(&c.args, argc - used - 1, argv + used + 1, ARGS_ALL, &why) < 0)
		return ctl_usage_error(&c, "%s", why);
	return run_verb(&c);
}
