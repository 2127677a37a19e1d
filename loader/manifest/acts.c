/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tables say of a field beyond its value: where it acts, and its type in one word. And by
 * that, which fields of a resource nothing acts on.
 */
#include "manifest/acts.h"

#include <string.h>

#include "manifest/manifest.h"
#include "manifest/schema.h"

struct words {
	struct arena *arena;
	const char *list;
	bool is_l7; /* requests are carried */
};

enum field_acts field_acts(enum field_acts parent, const struct field *f)
{
	if (parent == ACTS_NOWHERE || parent == ACTS_NEVER || f->acts == ACTS_AS_PARENT)
		return parent;
	return f->acts;
}

const char *field_acts_text(enum field_acts acts)
{
	switch (acts) {
	case ACTS_AS_PARENT:
		return "";
	case ACTS_XDP:
		return "XDP";
	case ACTS_USERSPACE:
		return "userspace path";
	case ACTS_BOTH:
		return "both paths";
	case ACTS_HTTP:
		return "layer 7";
	case ACTS_NOWHERE:
		return "nowhere";
	case ACTS_NEVER:
		return "nowhere, as upstream";
	case ACTS_META:
		return "metadata";
	}
	return "";
}

const char *field_type_text(enum field_type type)
{
	switch (type) {
	case FIELD_OBJECT:
		return "object";
	case FIELD_LIST:
		return "list";
	case FIELD_MAP:
		return "map";
	case FIELD_STRING:
		return "string";
	case FIELD_INT32:
	case FIELD_INT64:
		return "integer";
	case FIELD_BOOL:
		return "boolean";
	case FIELD_NUMBER:
		return "number";
	case FIELD_QUANTITY:
		return "quantity";
	case FIELD_ANY:
		return "anything";
	}
	return "";
}

/* A value that was filled in, or might as well have been, asks for nothing. */
static bool is_preset(const struct field *f, const struct node *n)
{
	AUTO(free) char *json = NULL;

	if (!f->preset || (f->preset[0] == '"') != (n->type == NODE_STRING))
		return false;
	json = node_to_json(n, 0);
	return strcmp(json, f->preset) == 0;
}

static bool is_empty(const struct node *n)
{
	return (n->type == NODE_LIST && n->count == 0) || n->type == NODE_NULL;
}

static bool is_idle(const struct words *w, enum field_acts acts)
{
	return acts == ACTS_NOWHERE || (acts == ACTS_HTTP && !w->is_l7);
}

/* One list item, one member of a map of any keys, or one field of an object. */
static void visit(struct words *w, const struct path *path, enum field_acts acts,
		  const struct field *f, const struct node *n)
{
	const struct field *row;

	acts = field_acts(acts, f);
	if (is_empty(n) || is_preset(f, n))
		return;
	if (is_idle(w, acts)) {
		w->list = w->list ? arena_printf(w->arena, "%s, %s", w->list,
						 path_text(w->arena, path))
				  : path_text(w->arena, path);
		return;
	}
	for (size_t i = 0; f->type == FIELD_LIST && i < node_count(n); i++)
		visit(w, &(struct path){.up = path, .index = i}, acts, f->item, node_item(n, i));
	for (size_t i = 0; f->type == FIELD_OBJECT && i < node_count(n); i++) {
		row = field_find(f->fields, n->items[i]->key);
		if (row)
			visit(w, &(struct path){.up = path, .name = row->name}, acts, row,
			      n->items[i]);
	}
}

const char *acts_idle(struct arena *a, const struct kind *k, const struct node *root, bool is_l7)
{
	const struct field *spec = field_find(k->fields, "spec");
	const struct node *n = node_member(root, "spec");
	struct words w = {.arena = a, .is_l7 = is_l7};

	if (spec && n)
		visit(&w, &(struct path){.name = "spec"}, ACTS_BOTH, spec, n);
	return w.list;
}
