/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway get`: stored objects as a table, as names, as they are, or parts of them. */
#include <stdio.h>
#include <string.h>

#include "ctl/get.h"
#include "ctl/http.h"
#include "ctl/sort_by.h"

static const struct flag flags[] = {
	{.name = "output",
	 .letter = 'o',
	 .type = FLAG_TEXT,
	 .value = "FORM",
	 .offers = "wide, yaml, json, name, jsonpath=, jsonpath-as-json=, custom-columns=",
	 .help = "Output form, one of: wide, yaml, json, name, jsonpath=TEMPLATE, "
		 "jsonpath-as-json=TEMPLATE, custom-columns=TITLE:PATH,..."},
	{.name = "all-namespaces",
	 .letter = 'A',
	 .type = FLAG_SWITCH,
	 .help = "Objects of all namespaces"},
	{.name = "watch",
	 .letter = 'w',
	 .type = FLAG_SWITCH,
	 .help = "Go on with what is created, changed or deleted, until ^C"},
	{.name = "watch-only", .type = FLAG_SWITCH, .help = "The same without what is there now"},
	SELECTOR_FLAGS,
	{.name = "sort-by",
	 .type = FLAG_TEXT,
	 .value = "PATH",
	 .help = "Sort by this field, such as .metadata.creationTimestamp"},
	{.name = "show-labels", .type = FLAG_SWITCH, .help = "A column with the labels"},
	{.name = "ignore-not-found",
	 .type = FLAG_SWITCH,
	 .help = "A name that is not there is no failure"},
	{.name = "no-headers", .type = FLAG_SWITCH, .help = "Tables without the line of titles"},
	{.name = NULL},
};

static int parse(struct get *g)
{
	struct ctl *c = g->c;
	const bool everywhere = args_switch(&c->args, "all-namespaces");

	if (get_parse_form(g) || targets_parse(c, &g->targets) ||
	    object_selector_of_flags(c, &g->selector))
		return 1;
	for (size_t i = 0; i < g->targets.count; i++) {
		if (!g->targets.items[i].name)
			continue;
		if (everywhere)
			return ctl_error("a resource cannot be retrieved by name across all "
					 "namespaces");
		if (object_selector_is_set(&g->selector))
			return ctl_error("name cannot be provided when a selector is specified");
	}
	g->namespace = everywhere ? NULL : c->namespace;
	g->view.namespaces = everywhere;
	g->view.kind_in_name = g->targets.many_kinds;
	return 0;
}

static void keep_selected(const struct object_selector *s, struct found_list *found)
{
	size_t kept = 0;

	for (size_t i = 0; i < found->count; i++) {
		if (object_selector_matches(s, found->items[i].object))
			found->items[kept++] = found->items[i];
	}
	found->count = kept;
}

/* Only what is not there is left out: other refusals are failures. */
static void drop_not_found(struct refusals *refused)
{
	size_t kept = 0;

	for (size_t i = 0; i < refused->count; i++) {
		if (refused->items[i].code != 404)
			refused->items[kept++] = refused->items[i];
	}
	refused->count = kept;
}

static int fetch(struct get *g, struct found_list *found, struct refusals *refused)
{
	const char *path = args_text(&g->c->args, "sort-by");

	for (size_t i = 0; i < g->targets.count; i++) {
		if (target_fetch(g->c, &g->targets.items[i], g->namespace, found, refused))
			return 1;
	}
	keep_selected(&g->selector, found);
	return path && path[0] ? sort_by(g->c, path, found) : 0;
}

static bool is_table(enum output_form form)
{
	return form == OUTPUT_TABLE || form == OUTPUT_WIDE;
}

static int run(struct ctl *c)
{
	struct get g = {.c = c, .view = {.c = c}};
	struct found_list found = {0};
	struct refusals refused = {0};
	bool lenient;
	int code = 0;

	if (parse(&g))
		return 1;
	if (args_switch(&c->args, "watch") || args_switch(&c->args, "watch-only"))
		return get_watch(&g);
	if (fetch(&g, &found, &refused))
		return 1;
	lenient = args_switch(&c->args, "ignore-not-found");
	if (g.targets.items[0].kind->scope == SCOPE_CLUSTER && g.targets.count == 1)
		g.namespace = NULL; /* there is nothing to find in one */
	if (!found.count && !refused.count && is_table(g.form) && !lenient)
		say_nothing_found(g.namespace);
	else if (found.count || (!g.targets.one_object && !is_table(g.form)))
		code = get_print(&g, &found);
	if (lenient)
		drop_not_found(&refused);
	return refusals_print(&refused) ? 1 : code;
}

const struct verb verb_get = {
	.name = "get",
	.usage = "KIND [NAME...] [-A] [-l LABELS] [-w] [-o FORM]\nKIND/NAME... [-o FORM]",
	.summary = "Show stored objects",
	.details =
		"KIND is a kind's plural, singular or short name, several joined by commas, or "
		"all.\n"
		"Of Backends, -o wide also counts the endpoints, and those that are up of those\n"
		"in use.\n"
		"\n"
		"Examples:\n"
		"  spillway get backends\n"
		"  spillway get be web -o yaml\n"
		"  spillway get gateway/edge be/web\n"
		"  spillway get be -l app=web -w\n"
		"  spillway get be -o jsonpath='{range .items[*]}{.metadata.name}{\"\\n\"}{end}'\n"
		"  spillway get be -o custom-columns=NAME:.metadata.name,FALLBACK:.spec.fallback\n"
		"  spillway get all -A",
	.flags = flags,
	.words = WORDS_KIND,
	.run = run,
};
