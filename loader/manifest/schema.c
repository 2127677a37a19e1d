/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Strict decoding, and nulls and defaults. An unknown field does not end the check as it does in an
 * API server: it is taken out, so that one run shows the mistakes of all stages.
 */
#include "manifest/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "manifest/manifest.h"

static void unknown_in(struct check *c, const struct path *path, const struct field *f,
		       struct node *n);

const char *path_text(struct arena *a, const struct path *p)
{
	const char *up;

	if (!p)
		return "";
	up = path_text(a, p->up);
	if (!p->name)
		return arena_printf(a, "%s[%zu]", up, p->index);
	return arena_printf(a, "%s%s%s", up, p->up ? "." : "", p->name);
}

struct loc node_place(const struct node *n)
{
	return n->key_loc.line > 0 ? n->key_loc : n->loc;
}

void check_invalid(struct check *c, struct loc loc, const struct path *path, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	diag_add(c->diags, loc, "The %s \"%s\" is invalid: %s: %s", c->kind->name, c->name,
		 path_text(c->arena, path), text);
}

static void unknown_field(struct check *c, const struct path *path, const struct node *n)
{
	*arena_push(c->arena, c->unknown, c->unknown_count) =
		(struct unknown){.path = path_text(c->arena, path), .loc = node_place(n)};
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct unknown *)a)->path, ((const struct unknown *)b)->path);
}

/* An API server's one line: all of them, sorted. */
static const char *all_unknown(struct check *c)
{
	struct unknown *sorted = arena_array(c->arena, c->unknown_count, sizeof(*sorted));
	struct strbuf b = {0};
	const char *out;

	memcpy(sorted, c->unknown, c->unknown_count * sizeof(*sorted));
	qsort(sorted, c->unknown_count, sizeof(*sorted), by_path);
	for (size_t i = 0; i < c->unknown_count; i++)
		strbuf_printf(&b, "%sunknown field \"%s\"", i ? ", " : "", sorted[i].path);
	out = arena_strdup(c->arena, b.text);
	strbuf_done(&b);
	return out;
}

/* The first place has the line as the server prints it, each further one its own field. */
static void report_unknown(struct check *c)
{
	const char *where = "", *what;

	for (size_t i = 0; c->dropped && i < c->unknown_count; i++)
		diag_warn(c->dropped, c->unknown[i].loc, "unknown field \"%s\"",
			  c->unknown[i].path);
	if (c->dropped)
		return;
	if (c->file)
		where = arena_printf(c->arena, "error when creating \"%s\": ", c->file);
	for (size_t i = 0; i < c->unknown_count; i++) {
		what = i == 0 ? all_unknown(c)
			      : arena_printf(c->arena, "unknown field \"%s\"", c->unknown[i].path);
		diag_add(c->diags, c->unknown[i].loc,
			 "Error from server (BadRequest): %s%s in version \"%s\" cannot be handled "
			 "as a %s: strict decoding error: %s",
			 where, c->kind->name, c->version, c->kind->name, what);
	}
}

const struct field *field_find(const struct field *fields, const char *name)
{
	for (; fields && fields->name; fields++) {
		if (fields->name[0] == name[0] && strcmp(fields->name, name) == 0)
			return fields;
	}
	return NULL;
}

/* A map where `f` is not an object has only unknown members (as upstream prunes). */
static void unknown_members(struct check *c, const struct path *path, const struct field *f,
			    struct node *map)
{
	const struct field *fields = f && f->type == FIELD_OBJECT ? f->fields : NULL;
	const struct field *row;
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++) {
		struct path at = {.up = path, .name = map->items[i]->key};

		row = f && f->type == FIELD_MAP ? f->item : field_find(fields, at.name);
		if (!row) {
			unknown_field(c, &at, map->items[i]);
			continue;
		}
		unknown_in(c, &at, row, map->items[i]);
		map->items[kept++] = map->items[i];
	}
	map->count = kept;
}

/* Go decodes metadata before any schema: what has a wrong type there is not looked into. */
static bool is_undecodable(const struct path *path, const struct field *f, const struct node *n)
{
	if (!path || n->type != NODE_MAP ||
	    (f && (f->type == FIELD_OBJECT || f->type == FIELD_MAP)))
		return false;
	while (path->up)
		path = path->up;
	return strcmp(path->name, "metadata") == 0;
}

static void unknown_in(struct check *c, const struct path *path, const struct field *f,
		       struct node *n)
{
	if ((f && f->type == FIELD_ANY) || is_undecodable(path, f, n))
		return;
	if (n->type == NODE_MAP)
		unknown_members(c, path, f, n);
	if (n->type != NODE_LIST)
		return;
	for (size_t i = 0; i < n->count; i++) {
		struct path at = {.up = path, .index = i};

		unknown_in(c, &at, f && f->type == FIELD_LIST ? f->item : NULL, n->items[i]);
	}
}

void schema_unknown(struct check *c, const struct field *fields, struct node *root)
{
	const struct field object = {.type = FIELD_OBJECT, .fields = fields};

	unknown_in(c, NULL, &object, root);
	report_unknown(c);
}

/* Nulls go, but for items of lists, which are a type error later. */
static void drop_nulls(struct node *map)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (map->items[i]->type != NODE_NULL)
			map->items[kept++] = map->items[i];
	}
	map->count = kept;
}

static struct node *preset_node(struct check *c, const struct field *f, struct loc loc)
{
	struct node *n = NULL;

	if (node_from_json(c->arena, NULL, f->preset, strlen(f->preset), &n) < 0)
		assert(!"a preset is no JSON");
	n->loc = loc;
	return n;
}

static void fill(struct check *c, const struct field *f, struct node *n);

static void fill_object(struct check *c, const struct field *fields, struct node *map)
{
	struct node *member;

	for (; fields && fields->name; fields++) {
		member = node_member(map, fields->name);
		if (!member && fields->preset) {
			member = preset_node(c, fields, map->loc);
			node_set(c->arena, map, fields->name, member);
		}
		if (member)
			fill(c, fields, member);
	}
}

static void fill(struct check *c, const struct field *f, struct node *n)
{
	if (f->type == FIELD_ANY)
		return;
	if (n->type == NODE_MAP)
		drop_nulls(n);
	if (n->type == NODE_MAP && f->type == FIELD_OBJECT)
		fill_object(c, f->fields, n);
	if ((n->type == NODE_LIST && f->type == FIELD_LIST) ||
	    (n->type == NODE_MAP && f->type == FIELD_MAP)) {
		for (size_t i = 0; i < n->count; i++)
			fill(c, f->item, n->items[i]);
	}
}

void schema_fill(struct check *c, const struct field *fields, struct node *root)
{
	const struct field object = {.type = FIELD_OBJECT, .fields = fields};

	fill(c, &object, root);
}
