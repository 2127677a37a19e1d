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
#include "ctl/error_format.h"
#include "ctl/interrupt.h"
#include "ctl/scope.h"
#include "ctl/similar.h"
#include "manifest/pattern.h"

#define SIMILAR_DISTANCE 2
#define LABEL_MAX_BYTES	 63
#define TIMEOUT_MAX_S	 1000000
#define WHY_LABEL	 "must be a lowercase RFC 1123 label, such as my-name"

static const char *const error_forms[] = {"human", "json", "yaml", NULL};

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
	 .help = "The project of this request; else $DATUM_PROJECT, else \"default\""},
	{.name = "organization",
	 .type = FLAG_TEXT,
	 .value = "ORGANIZATION",
	 .hidden = true,
	 .help = "Not supported"},
	{.name = "platform-wide", .type = FLAG_SWITCH, .hidden = true, .help = "Not supported"},
	{.name = "socket",
	 .type = FLAG_TEXT,
	 .value = "PATH",
	 .help = "The daemon's socket; else $SPILLWAY_SOCKET, else " DEFAULT_SOCKET},
	{.name = "request-timeout",
	 .type = FLAG_TEXT,
	 .value = "TIME",
	 .initial = "0",
	 .help = "How long an answer of the daemon is waited for (30s, 2m); 0: two minutes"},
	{.name = "warnings-as-errors",
	 .type = FLAG_SWITCH,
	 .help = "Exit code 1 when there were warnings"},
	{.name = "error-format",
	 .type = FLAG_TEXT,
	 .value = "FORM",
	 .initial = "human",
	 .choices = error_forms,
	 .help = "The form of errors: human, json or yaml"},
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
	return c->verb && c->verb->failure ? c->verb->failure : 1;
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

/* As kubectl's: with a unit, or a number of seconds. */
static int read_timeout(struct ctl *c)
{
	const char *text = args_text(&c->args, "request-timeout");
	char *end;
	long seconds = strtol(text, &end, 10);

	c->timeout_ms = *end ? duration_ms(text) : seconds * 1000;
	if (text[0] >= '0' && text[0] <= '9' && c->timeout_ms >= 0 && seconds < TIMEOUT_MAX_S)
		return 0;
	return ctl_error("invalid argument \"%s\" for \"--request-timeout\" flag: must be a "
			 "duration, such as 30s or 2m",
			 text);
}

/* As kubectl: what was asked for is done all the same. */
static int judge_warnings(const struct ctl *c, int code)
{
	if (code || !c->warnings || !args_switch(&c->args, "warnings-as-errors"))
		return code;
	(void)ctl_error("%zu warning%s received", c->warnings, c->warnings == 1 ? "" : "s");
	return c->verb->failure ? c->verb->failure : 1;
}

static int run_verb(struct ctl *c)
{
	if (args_switch(&c->args, "help")) {
		help_print(c->verb);
		return 0;
	}
	c->socket_path = socket_path(&c->args);
	c->namespace = args_text(&c->args, "namespace");
	c->namespace_given = args_given(&c->args, "namespace");
	if (scope_read(c) || read_timeout(c))
		return c->verb->failure ? c->verb->failure : 1;
	if (!is_label(c->namespace))
		return ctl_usage_error(c, "invalid namespace \"%s\": " WHY_LABEL, c->namespace);
	if (!is_label(c->project))
		return ctl_usage_error(c, "invalid project \"%s\": " WHY_LABEL, c->project);
	return judge_warnings(c, c->verb->run(c));
}

static int read_and_run(struct arena *a, int argc, char **argv)
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

int ctl_main(struct arena *a, int argc, char **argv)
{
	enum error_format format;

	if (error_format_find(argc, argv, &format))
		return 1;
	error_format_begin(format);
	interrupt_begin();
	return error_format_end(a, read_and_run(a, argc, argv));
}
