/* SPDX-License-Identifier: BSD-2-Clause */
/* The forms of `get`. An answer is a List where kubectl makes one, a watch prints each object alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/get.h"
#include "ctl/jsonpath.h"
#include "ctl/services.h"
#include "manifest/quote.h"

#define FORMS                                                                                      \
	(OUTPUT_BIT(OUTPUT_WIDE) | OUTPUT_BIT(OUTPUT_NAME) | OUTPUT_BIT(OUTPUT_JSON) |             \
	 OUTPUT_BIT(OUTPUT_YAML) | OUTPUT_BIT(OUTPUT_JSONPATH) |                                   \
	 OUTPUT_BIT(OUTPUT_JSONPATH_JSON) | OUTPUT_BIT(OUTPUT_COLUMNS))

/* An expression may stand without its braces; text that begins like one is no use otherwise. */
static const char *with_braces(struct arena *a, const char *text)
{
	if (!strchr(text, '{') && (*text == '.' || *text == '[' || *text == '$' || *text == '@'))
		return arena_printf(a, "{%s}", text);
	return text;
}

static int parse_path(struct get *g)
{
	const char *text = output_argument(g->c);
	const char *why = NULL;

	if (!text[0])
		return ctl_error("template format specified but no template given");
	g->path_text = with_braces(g->c->arena, text);
	if (jsonpath_parse(g->c->arena, g->path_text, &g->path, &why))
		return ctl_error("error parsing jsonpath %s, %s", g->path_text, why);
	return 0;
}

static int parse_columns(struct get *g)
{
	const char *why = NULL;

	if (custom_columns_parse(g->c->arena, output_argument(g->c), &g->columns, &why))
		return ctl_error("%s", why);
	return 0;
}

int get_parse_form(struct get *g)
{
	const struct args *args = &g->c->args;
	const char *word = args_text(args, "output");
	int code = 0;

	if (output_parse(g->c, FORMS, &g->form))
		return 1;
	if (g->form == OUTPUT_JSONPATH || g->form == OUTPUT_JSONPATH_JSON)
		code = parse_path(g);
	else if (g->form == OUTPUT_COLUMNS)
		code = parse_columns(g);
	g->view.labels = args_switch(args, "show-labels");
	g->view.wide = g->form == OUTPUT_WIDE;
	if (!code && g->view.labels && g->form != OUTPUT_TABLE && g->form != OUTPUT_WIDE)
		return ctl_error("--show-labels option cannot be used with %.*s printer",
				 (int)strcspn(word, "="), word);
	return code;
}

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

static int print_tables(struct columns_view *v, const struct found_list *found)
{
	size_t next;

	if (v->wide)
		columns_note_services(v, services_try(v->c));
	for (size_t i = 0; i < found->count; i = next) {
		if (i)
			putchar('\n');
		next = print_kind(v, found, i);
	}
	return 0;
}

/* Rows of custom columns; a path that fails leaves the table unprinted. */
static int add_custom_rows(const struct get *g, const struct found_list *found, struct table *t)
{
	const char *why = NULL;

	for (size_t i = 0; i < found->count; i++) {
		output_sort(found->items[i].object);
		if (custom_columns_row(&g->columns, found->items[i].object, t, &why))
			return ctl_error("%s", why);
	}
	return 0;
}

static int print_custom(const struct get *g, const struct found_list *found)
{
	struct table t;

	table_init(&t, g->c->arena);
	if (!args_switch(&g->c->args, "no-headers"))
		custom_columns_head(&g->columns, &t);
	if (add_custom_rows(g, found, &t))
		return 1;
	table_print(&t, stdout);
	return 0;
}

/* kubectl's words; the object that it prints behind them is left out. */
static int print_path(const struct get *g, struct arena *a, const struct node *data)
{
	struct jsonpath_result r;
	const char *why = NULL;

	if (jsonpath_find(a, g->path, data, &r, &why))
		return ctl_error("error executing jsonpath %s: Error executing template: %s",
				 quote_text(a, g->path_text, strlen(g->path_text)), why);
	if (g->form == OUTPUT_JSONPATH)
		jsonpath_print(a, &r, stdout);
	else
		jsonpath_print_json(a, &r, stdout);
	return 0;
}

/* The one object that was named, or a List. */
static struct node *whole(const struct get *g, const struct found_list *found)
{
	struct node *n = g->targets.one_object ? found->items[0].object
					       : output_list_node(g->c->arena, found);

	output_sort(n);
	return n;
}

int get_print(struct get *g, const struct found_list *found)
{
	switch (g->form) {
	case OUTPUT_JSON:
	case OUTPUT_YAML:
		return output_tree(whole(g, found), g->form);
	case OUTPUT_JSONPATH:
	case OUTPUT_JSONPATH_JSON:
		return print_path(g, g->c->arena, whole(g, found));
	case OUTPUT_COLUMNS:
		return print_custom(g, found);
	case OUTPUT_NAME:
		print_names(g->c, found);
		return 0;
	case OUTPUT_TABLE:
	case OUTPUT_WIDE:
		return print_tables(&g->view, found);
	}
	return 1;
}

/* A table that goes on: its columns stay as wide as they were. */
static int print_rows(const struct get *g, struct get_stream *s, struct arena *a,
		      const struct found_list *found)
{
	struct ctl once = *g->c;
	struct columns_view view = g->view;
	struct table t = s->seen;
	const bool titled = s->titled || args_switch(&g->c->args, "no-headers");

	once.arena = a;
	view.c = &once;
	t.arena = a;
	if (view.wide)
		columns_note_services(&view, services_try(&once));
	if (g->form == OUTPUT_COLUMNS) {
		if (!titled)
			custom_columns_head(&g->columns, &t);
		if (add_custom_rows(g, found, &t))
			return 1;
	} else {
		if (!titled)
			columns_head(&view, found->items[0].kind, &t);
		for (size_t i = 0; i < found->count; i++)
			columns_row(&view, found->items[i].kind, found->items[i].object, &t);
	}
	table_print(&t, stdout);
	s->titled = true;
	memcpy(s->seen.width, t.width, sizeof(t.width));
	return 0;
}

static int print_document(struct node *object, enum output_form form)
{
	if (form == OUTPUT_YAML)
		puts("---");
	return output_tree(object, form);
}

int get_print_more(struct get *g, struct get_stream *s, struct arena *a,
		   const struct found_list *found)
{
	struct found_list one;
	int code = 0;

	if (!found->count)
		return 0;
	if (g->form == OUTPUT_TABLE || g->form == OUTPUT_WIDE || g->form == OUTPUT_COLUMNS)
		return print_rows(g, s, a, found);
	for (size_t i = 0; !code && i < found->count; i++) {
		one = (struct found_list){.items = &found->items[i], .count = 1};
		if (g->form == OUTPUT_NAME)
			print_names(g->c, &one);
		else if (g->form == OUTPUT_JSON || g->form == OUTPUT_YAML)
			code = print_document(one.items[0].object, g->form);
		else {
			output_sort(one.items[0].object);
			code = print_path(g, a, one.items[0].object);
		}
	}
	return code;
}
