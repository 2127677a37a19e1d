/* SPDX-License-Identifier: BSD-2-Clause */
/* What a generation inherits from the one before is looked up by identity, never by position. */
#include "control/generation.h"

#include <string.h>
#include <time.h>

#include "base/addr.h"

static int compare_objects(const void *a, const void *b)
{
	const struct object_key x = object_key(*(struct object *const *)a);
	const struct object_key y = object_key(*(struct object *const *)b);

	return object_key_compare(&x, &y);
}

static void index_objects(struct generation *g)
{
	struct model *m = g->model;

	g->by_key = arena_array(g->arena, m->object_count, sizeof(struct object *));
	for (size_t i = 0; i < m->object_count; i++)
		g->by_key[i] = &m->objects[i];
	qsort(g->by_key, m->object_count, sizeof(struct object *), compare_objects);
}

static int compare_key(const void *key, const void *item)
{
	const struct object_key other = object_key(*(struct object *const *)item);

	return object_key_compare(key, &other);
}

struct object *generation_find(const struct generation *g, const struct object_key *key)
{
	struct object **found = bsearch(key, g->by_key, g->model->object_count,
					sizeof(struct object *), compare_key);

	return found ? *found : NULL;
}

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static int64_t inherited_since(const struct generation *before, const struct object *old,
			       const struct condition *c, int64_t now_s)
{
	const struct condition *o;

	for (size_t i = 0; old && i < old->condition_count; i++) {
		o = &old->conditions[i];
		if (o->status == c->status && is_same_text(o->type, c->type) &&
		    is_same_text(o->parent, c->parent) && is_same_text(o->section, c->section))
			return generation_since(before, old, i);
	}
	return now_s;
}

static void date_conditions(struct generation *g, const struct generation *before)
{
	const int64_t now_s = (int64_t)time(NULL);
	const struct object *o, *old = NULL;
	struct object_key key;

	g->since_s = arena_array(g->arena, g->model->object_count, sizeof(int64_t *));
	for (size_t i = 0; i < g->model->object_count; i++) {
		o = &g->model->objects[i];
		key = object_key(o);
		old = before ? generation_find(before, &key) : NULL;
		g->since_s[i] = arena_array(g->arena, o->condition_count, sizeof(int64_t));
		for (size_t c = 0; c < o->condition_count; c++)
			g->since_s[i][c] = inherited_since(before, old, &o->conditions[c], now_s);
	}
}

int64_t generation_since(const struct generation *g, const struct object *o, size_t condition)
{
	return g->since_s[o - g->model->objects][condition];
}

static int compare_address(const struct instance *x, const struct instance *y)
{
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->port - (int)y->port;
}

static int compare_instances(const void *a, const void *b)
{
	const struct instance *x = *(struct instance *const *)a, *y = *(struct instance *const *)b;
	int order = compare_address(x, y);

	if (!order)
		order = (int)x->mode - (int)y->mode;
	return order ? order : (x->profile > y->profile) - (x->profile < y->profile);
}

static struct instance **sort_instances(struct arena *a, const struct model *m)
{
	struct instance **sorted = arena_array(a, m->instance_count, sizeof(struct instance *));

	for (size_t i = 0; i < m->instance_count; i++)
		sorted[i] = &m->instances[i];
	qsort(sorted, m->instance_count, sizeof(struct instance *), compare_instances);
	return sorted;
}

/* Both sides sorted: one walk. An equal address with another profile keeps its state as well. */
static void carry_health(struct generation *g, const struct generation *before)
{
	const struct model *now = g->model, *old = before->model;
	struct instance **to = sort_instances(g->arena, now);
	struct instance **from = sort_instances(g->arena, old);
	size_t f = 0;
	bool found;

	for (size_t t = 0; t < now->instance_count; t++) {
		while (f < old->instance_count && compare_address(from[f], to[t]) < 0)
			f++;
		found = false;
		for (size_t i = f; i < old->instance_count; i++) {
			if (compare_address(from[i], to[t]))
				break;
			if (found && compare_instances(&from[i], &to[t]))
				continue;
			g->entries[to[t]->index] = before->entries[from[i]->index];
			found = true;
		}
	}
}

struct generation *generation_new(struct arena *a, const struct object *objects, size_t count,
				  const struct model_options *opts, const struct generation *before)
{
	struct generation *g = arena_alloc(a, sizeof(*g));

	g->arena = a;
	g->host_addrs = opts->host_addrs;
	g->host_addr_count = opts->host_addr_count;
	diags_init(&g->warnings, a);
	g->model = model_resolve(a, objects, count, opts, &g->warnings);
	index_objects(g);
	date_conditions(g, before);
	g->entries = arena_array(a, g->model->instance_count, sizeof(*g->entries));
	if (before)
		carry_health(g, before);
	return g;
}

void generation_free(struct generation *g)
{
	if (g)
		arena_free(g->arena);
}

struct object *generation_copy(const struct generation *g, struct arena *a)
{
	struct object *copies = arena_array(a, g->model->object_count, sizeof(*copies));

	for (size_t i = 0; i < g->model->object_count; i++)
		copies[i] = object_copy(a, &g->model->objects[i]);
	return copies;
}

void generation_set_admins(struct generation *g, const struct admins *w)
{
	const struct instance *i;

	for (size_t n = 0; n < g->model->instance_count; n++) {
		i = &g->model->instances[n];
		g->entries[i->index].admin = admins_get(w, &i->addr, i->port);
	}
}

struct health_view generation_view(const struct generation *g)
{
	return (struct health_view){.entries = g->entries, .count = g->model->instance_count};
}
