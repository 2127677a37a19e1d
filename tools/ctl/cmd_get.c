/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway get`: stored objects as a table, as names, or as they are. */
#include <stdio.h>

#include "ctl/columns.h"
#include "ctl/output.h"
#include "ctl/services.h"
#include "ctl/target.h"

#define FORMS                                                                                      \
	(OUTPUT_BIT(OUTPUT_WIDE) | OUTPUT_BIT(OUTPUT_NAME) | OUTPUT_BIT(OUTPUT_JSON) |             \
	 OUTPUT_BIT(OUTPUT_YAML))

static const struct flag flags[] = {
	OUTPUT_FLAG("wide, yaml, json, name"),
	{.name = "all-namespaces",
	 .letter = 'A',
	 .type = FLAG_SWITCH,
	 .help = "Objects of all namespaces"},
	{.name = "no-headers", .type = FLAG_SWITCH, .help = "Tables without the line of titles"},
	{.name = NULL},
};

static void print_names(struct ctl *c, const struct found_list *found)
{
	const struct found *f;

	for (size_t i = 0; i < found->count; i++) {
		f = &found->items[i];
		puts(ctl_object_title(c->arena, f->kind,
				      node_text_at(f->object, "metadata.name", "")));
	}
}

/* Prints the objects from `first` on that are of one kind; returns where the next kind begins. */
static size_t print_kind(const struct columns_view *v, const struct found_list *found, size_t first)
{
	const struct kind *kind = found->items[first].kind;
	struct table t;
	size_t i;

	table_init(&t, v->c->arena);
	if (!args_switch(&v->c->args, "no-headers"))
		columns_head(v, kind, &t);
	for (i = first; i < found->count && found->items[i].kind == kind; i++)
		columns_row(v, kind, found->items[i].object, &t);
	table_print(&t, stdout);
	return i;
}

static void print_tables(struct columns_view *v, const struct found_list *found)
{
	size_t next;

	if (v->wide)
		columns_note_services(v, services_try(v->c));
	for (size_t i = 0; i < found->count; i = next) {
		if (i)
			putchar('\n');
		next = print_kind(v, found, i);
	}
}

static int print(struct columns_view *v, const struct targets *targets, enum output_form form,
		 const struct found_list *found)
{
	switch (form) {
	case OUTPUT_JSON:
	case OUTPUT_YAML:
		if (!targets->one_object)
			return output_list(v->c, found, form);
		return found->count ? output_tree(found->items[0].object, form) : 1;
	case OUTPUT_NAME:
		print_names(v->c, found);
		return 0;
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		print_tables(v, found);
		return 0;
	}
	return 1;
}

static int run(struct ctl *c)
{
	bool everywhere = args_switch(&c->args, "all-namespaces");
	const char *namespace = everywhere ? NULL : c->namespace;
	struct columns_view view = {.c = c, .namespaces = everywhere};
	struct found_list found = {0};
	struct refusals refused = {0};
	struct targets targets;
	enum output_form form;
	int code;

	if (output_parse(c, FORMS, &form) || targets_parse(c, &targets))
		return 1;
	for (size_t i = 0; i < targets.count; i++) {
		if (everywhere && targets.items[i].name)
			return ctl_error("a resource cannot be retrieved by name across all "
					 "namespaces");
		if (target_fetch(c, &targets.items[i], namespace, &found, &refused))
			return 1;
	}
	view.wide = form == OUTPUT_WIDE;
	view.kind_in_name = targets.many_kinds;
	if (targets.items[0].kind->scope == SCOPE_CLUSTER && targets.count == 1)
	namespace = NULL; /* there is nothing to find in one */
	if (!found.count && !refused.count && (form == OUTPUT_TABLE || form == OUTPUT_WIDE)) {
		say_nothing_found(namespace);
		return 0;
	}
	code = print(&view, &targets, form, &found);
	return refusals_print(&refused) ? 1 : code;
}

const struct verb verb_get = {
	.name = "get",
	.usage = "KIND [NAME...] [-A] [-o FORM]\nKIND/NAME... [-o FORM]",
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
		"  spillway get all -A",
	.flags = flags,
	.words = WORDS_KIND,
	.run = run,
};
