/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway api-resources`: the kinds. From the same table as everything else, without a daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/table.h"
#include "ctl/target.h"

#define VERBS "create,delete,get,list,update"

static const struct flag flags[] = {
	{.name = "output",
	 .letter = 'o',
	 .type = FLAG_TEXT,
	 .value = "FORM",
	 .offers = "wide, name",
	 .help = "Output form, one of: wide, name"},
	{.name = "api-group",
	 .type = FLAG_TEXT,
	 .value = "GROUP",
	 .help = "Only kinds of this group; \"\" is the core group"},
	{.name = "namespaced",
	 .type = FLAG_SWITCH,
	 .initial = "true",
	 .help = "Given: only kinds with a namespace, or with =false those without"},
	{.name = "categories",
	 .type = FLAG_TEXT,
	 .value = "CATEGORY",
	 .help = "Only kinds of this category"},
	{.name = "sort-by",
	 .type = FLAG_TEXT,
	 .value = "ORDER",
	 .offers = "name, kind",
	 .help = "Sort by name or kind"},
	{.name = "no-headers", .type = FLAG_SWITCH, .help = "Tables without the line of titles"},
	{.name = NULL},
};

static bool is_wanted(const struct ctl *c, const struct kind *k)
{
	const char *group = args_text(&c->args, "api-group");
	const char *wanted = args_text(&c->args, "categories");

	if (group && strcmp(group, k->group) != 0)
		return false;
	if (wanted && strcmp(wanted, target_category(k)) != 0)
		return false;
	return !args_given(&c->args, "namespaced") ||
	       args_switch(&c->args, "namespaced") == (k->scope == SCOPE_NAMESPACE);
}

/* By group, the core group first, then by name. */
static int compare_groups(const void *a, const void *b)
{
	const struct kind *const *x = a, *const *y = b;
	int order = strcmp((*x)->group, (*y)->group);

	return order ? order : strcmp((*x)->plural, (*y)->plural);
}

static int compare_names(const void *a, const void *b)
{
	const struct kind *const *x = a, *const *y = b;

	return strcmp((*x)->plural, (*y)->plural);
}

static int compare_kinds(const void *a, const void *b)
{
	const struct kind *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static const char *shorts_text(struct arena *a, const struct kind *k)
{
	const char *text = "";

	for (const char *const *s = k->shorts; *s; s++)
		text = arena_printf(a, "%s%s%s", text, text[0] ? "," : "", *s);
	return text;
}

static void add_row(struct ctl *c, struct table *t, const struct kind *k, bool wide)
{
	table_row(t);
	table_cell(t, k->plural);
	table_cell(t, shorts_text(c->arena, k));
	table_cell(t, kind_api_version(c->arena, k, NULL));
	table_cell(t, k->scope == SCOPE_NAMESPACE ? "true" : "false");
	table_cell(t, k->name);
	if (!wide)
		return;
	table_cell(t, VERBS);
	table_cell(t, target_category(k));
}

static void print_table(struct ctl *c, const struct kind **list, size_t count, bool wide)
{
	struct table t;

	table_init(&t, c->arena);
	if (!args_switch(&c->args, "no-headers"))
		table_head(&t, wide ? "NAME SHORTNAMES APIVERSION NAMESPACED KIND VERBS CATEGORIES"
				    : "NAME SHORTNAMES APIVERSION NAMESPACED KIND");
	for (size_t i = 0; i < count; i++)
		add_row(c, &t, list[i], wide);
	table_print(&t, stdout);
}

static int check(struct ctl *c, const char *form, const char *order)
{
	if (c->args.word_count) {
		(void)ctl_error("unexpected arguments: [%s]", c->args.words[0]);
		fprintf(stderr, "See 'spillway %s -h' for help and examples\n", c->verb->name);
		return 1;
	}
	if (form[0] && strcmp(form, "wide") != 0 && strcmp(form, "name") != 0)
		return ctl_error("--output %s is not available", form);
	if (order[0] && strcmp(order, "name") != 0 && strcmp(order, "kind") != 0)
		return ctl_error("--sort-by accepts only name or kind");
	return 0;
}

static const char *text_or_none(const struct ctl *c, const char *flag)
{
	const char *text = args_text(&c->args, flag);

	return text ? text : "";
}

static int run(struct ctl *c)
{
	const char *form = text_or_none(c, "output"), *order = text_or_none(c, "sort-by");
	int (*compare)(const void *, const void *) = compare_groups;
	const struct kind *list[KIND_MAX];
	size_t count = 0;

	if (check(c, form, order))
		return 1;
	for (size_t i = 0; i < KIND_MAX; i++) {
		if (is_wanted(c, &kinds[i]))
			list[count++] = &kinds[i];
	}
	if (order[0])
		compare = order[0] == 'n' ? compare_names : compare_kinds;
	qsort(list, count, sizeof(list[0]), compare);
	if (strcmp(form, "name") != 0)
		print_table(c, list, count, strcmp(form, "wide") == 0);
	for (size_t i = 0; strcmp(form, "name") == 0 && i < count; i++)
		puts(kind_resource(c->arena, list[i]));
	return 0;
}

const struct verb verb_api_resources = {
	.name = "api-resources",
	.usage = "[--api-group GROUP] [--namespaced[=false]] [-o wide|name]",
	.summary = "Show the kinds there are",
	.details = "Needs no daemon.",
	.flags = flags,
	.run = run,
};
