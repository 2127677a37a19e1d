/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A condition keeps its time while its status is the same; reason and message may change. The store has a
 * text for each resource that has conditions, written anew only when one of them is.
 */
#include "control/times.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "manifest/manifest.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same(const struct condition *a, const struct condition *b)
{
	return a->status == b->status && is_same_text(a->type, b->type) &&
	       is_same_text(a->parent, b->parent) && is_same_text(a->section, b->section) &&
	       is_same_text(a->parent_kind, b->parent_kind) && a->port == b->port;
}

/* The index of the like one, or the count. */
static size_t find(const struct object *old, const struct condition *c)
{
	size_t i = 0;

	while (i < old->condition_count && !is_same(&old->conditions[i], c))
		i++;
	return i;
}

void times_date_object(struct generation *g, const struct generation *before, size_t index)
{
	const int64_t now_s = (int64_t)time(NULL);
	struct object *o = &g->model->objects[index];
	const struct object_key key = object_key(o);
	const struct object *old = before ? generation_find(before, &key) : NULL;

	g->redated[index] = old ? old->condition_count != o->condition_count ||
					    before->redated[old - before->model->objects]
				: o->condition_count > 0;
	for (size_t c = 0; c < o->condition_count; c++) {
		const size_t at = old ? find(old, &o->conditions[c]) : 0;
		const bool is_found = old && at < old->condition_count;

		o->conditions[c].since_s = is_found ? old->conditions[at].since_s : now_s;
		g->redated[index] = g->redated[index] || !is_found;
	}
}

void times_date(struct generation *g, const struct generation *before)
{
	g->redated = arena_array(g->arena, g->model->object_count, sizeof(bool));
	for (size_t i = 0; i < g->model->object_count; i++)
		times_date_object(g, before, i);
}

static const struct kind *kind_of(const char *group, const char *name)
{
	for (size_t i = 0; i < KIND_MAX; i++) {
		if (strcmp(kinds[i].name, name) == 0 && strcmp(kinds[i].group, group) == 0)
			return &kinds[i];
	}
	return NULL;
}

struct restoring {
	struct arena *arena;
	struct generation *generation;
};

static bool is_entry_of(const struct node *n, const struct condition *c)
{
	return is_same_text(node_text_at(n, "type", NULL), c->type) &&
	       node_bool_at(n, "status", false) == c->status &&
	       is_same_text(node_text_at(n, "parent", NULL), c->parent) &&
	       is_same_text(node_text_at(n, "section", NULL), c->section) &&
	       is_same_text(node_text_at(n, "parentKind", NULL), c->parent_kind) &&
	       node_int_at(n, "port", 0) == c->port;
}

static int64_t since_of(const struct node *list, const struct condition *c)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (is_entry_of(node_item(list, i), c))
			return node_int_at(node_item(list, i), "since", 0);
	}
	return 0;
}

static void restore(void *ctx, const struct stored *row)
{
	struct restoring *r = ctx;
	struct generation *g = r->generation;
	const struct object_key key = {
		.project = row->project,
		.kind = kind_of(row->group, row->kind),
		.namespace = row->namespace,
		.name = row->name,
	};
	const struct object *o = key.kind ? generation_find(g, &key) : NULL;
	struct node *list = NULL;
	struct diags d;
	size_t index;

	diags_init(&d, r->arena);
	if (!o || node_from_json(r->arena, &d, row->body, strlen(row->body), &list))
		return;
	index = (size_t)(o - g->model->objects);
	g->redated[index] = node_count(list) != o->condition_count;
	for (size_t c = 0; c < o->condition_count; c++) {
		const int64_t since_s = since_of(list, &o->conditions[c]);

		if (since_s)
			o->conditions[c].since_s = since_s;
		else
			g->redated[index] = true;
	}
}

void times_restore(struct engine *e, struct generation *g)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct restoring r = {.arena = a, .generation = g};

	if (a && store_each_times(e->store, restore, &r))
		log_warn("store: times of conditions: %s: they begin anew", store_error(e->store));
}

static void put_text(struct strbuf *b, const char *member, const char *text)
{
	if (!text)
		return;
	strbuf_puts(b, ",\"");
	strbuf_puts(b, member);
	strbuf_puts(b, "\":");
	json_put_text(b, text);
}

static void put_condition(struct strbuf *b, const struct condition *c)
{
	strbuf_puts(b, c->status ? "{\"status\":true" : "{\"status\":false");
	put_text(b, "type", c->type);
	put_text(b, "parent", c->parent);
	put_text(b, "section", c->section);
	put_text(b, "parentKind", c->parent_kind);
	if (c->port)
		strbuf_printf(b, ",\"port\":%u", c->port);
	strbuf_printf(b, ",\"since\":%" PRId64 "}", c->since_s);
}

/* `b` is used anew for each. */
static const char *body_of(struct arena *a, const struct object *o, struct strbuf *b)
{
	b->len = 0;
	strbuf_puts(b, "[");
	for (size_t i = 0; i < o->condition_count; i++) {
		if (i)
			strbuf_puts(b, ",");
		put_condition(b, &o->conditions[i]);
	}
	strbuf_puts(b, "]");
	return arena_strndup(a, b->text, b->len);
}

void times_keep(struct engine *e, struct generation *g)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct stored *rows = NULL;
	struct strbuf body = {0};
	size_t count = 0;

	for (size_t i = 0; a && i < g->model->object_count; i++) {
		const struct object_key key = object_key(&g->model->objects[i]);
		struct stored *row;

		if (!g->redated[i])
			continue;
		row = arena_push(a, rows, count);
		*row = object_stored_key(&key);
		row->body = body_of(a, &g->model->objects[i], &body);
	}
	strbuf_done(&body);
	if (!count)
		return;
	if (store_put_times(e->store, rows, count)) {
		log_warn("store: times of conditions: %s", store_error(e->store));
		return; /* with the next ones */
	}
	memset(g->redated, 0, g->model->object_count * sizeof(bool));
}
