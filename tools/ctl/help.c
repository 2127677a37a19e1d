/* SPDX-License-Identifier: BSD-2-Clause */
/* Help is printed from the tables, so that it cannot tell other than what is parsed. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ctl/ctl.h"

#define SUMMARY_COLUMN 13
#define FLAG_COLUMN    30

static void print_flag(const struct flag *f)
{
	struct strbuf left = {0};

	if (f->letter)
		strbuf_printf(&left, "  -%c, --%s", f->letter, f->name);
	else
		strbuf_printf(&left, "      --%s", f->name);
	if (f->type != FLAG_SWITCH)
		strbuf_printf(&left, f->bare ? "[=%s]" : " %s", f->value);
	printf("%-*s %s", FLAG_COLUMN - 1, left.text, f->help);
	if (f->initial)
		printf(f->type == FLAG_NUMBER ? " (default %s)" : " (default \"%s\")", f->initial);
	putchar('\n');
	strbuf_done(&left);
}

static void print_flags(const char *title, const struct flag *table)
{
	printf("\n%s:\n", title);
	for (const struct flag *f = table; f->name; f++) {
		if (!f->hidden)
			print_flag(f);
	}
}

/* One line for each form of use. */
static void print_usage(const struct verb *v)
{
	const char *line = v->usage;
	size_t len;

	fputs("\nUsage:\n", stdout);
	do {
		len = strcspn(line, "\n");
		printf("  spillway %s%s%.*s\n", v->name, len ? " " : "", (int)len, line);
		line += len;
	} while (*line++);
}

static void print_verb(const struct verb *v)
{
	printf("%s.\n", v->summary);
	if (v->details)
		printf("\n%s\n", v->details);
	print_usage(v);
	if (v->flags)
		print_flags("Flags", v->flags);
	print_flags("General flags", general_flags);
}

static void print_overview(void)
{
	fputs("spillway controls the Spillway load balancer on this host.\n\nVerbs:\n", stdout);
	for (const struct verb *const *v = verbs; *v; v++) {
		if (!(*v)->hidden)
			printf("  %-*s %s\n", SUMMARY_COLUMN, (*v)->name, (*v)->summary);
	}
	fputs("\nUsage:\n  spillway [flags] VERB [words] [flags]\n", stdout);
	print_flags("General flags", general_flags);
	fputs("\nUse \"spillway VERB --help\" for more about a verb.\n", stdout);
}

void help_print(const struct verb *verb)
{
	if (verb)
		print_verb(verb);
	else
		print_overview();
}
