/* SPDX-License-Identifier: BSD-2-Clause */
/* What a whole generation inherits from the one before is looked up by identity, never by position. */
#include "control/generation.h"

#include <string.h>

#include "base/addr.h"
#include "control/times.h"

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

static int compare_instances(const void *a, const void *b)
{
	return instance_compare(*(struct instance *const *)a, *(struct instance *const *)b);
}

/* All instances by place; those with an address come first. */
static void sort_instances(struct generation *g)
{
	const struct model *m = g->model;

	g->by_address = arena_array(g->arena, m->instance_count, sizeof(struct instance *));
	for (size_t i = 0; i < m->instance_count; i++) {
		g->by_address[i] = &m->instances[i];
		g->by_address_count += m->instances[i].kind == ENDPOINT_IP;
	}
	if (m->instance_count)
		qsort(g->by_address, m->instance_count, sizeof(struct instance *),
		      compare_instances);
}

static size_t lower_bound(const struct generation *g, const struct spw_addr *addr, uint32_t port)
{
	size_t low = 0, high = g->by_address_count, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = addr_compare(&g->by_address[mid]->addr, addr);
		if (order < 0 || (!order && g->by_address[mid]->port < port))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

size_t generation_range(const struct generation *g, const struct spw_addr *addr, uint16_t port,
			size_t *first)
{
	*first = lower_bound(g, addr, port);
	return lower_bound(g, addr, port ? port + 1u : UINT16_MAX + 1u) - *first;
}

/* Both sides sorted: one walk. An equal address with another profile keeps its state as well. */
static void carry_health(struct generation *g, const struct generation *before)
{
	const struct model *now = g->model, *old = before->model;
	struct instance **to = g->by_address, **from = before->by_address;
	size_t f = 0;
	bool found;

	for (size_t t = 0; t < now->instance_count; t++) {
		while (f < old->instance_count && instance_compare_places(from[f], to[t]) < 0)
			f++;
		found = false;
		for (size_t i = f; i < old->instance_count; i++) {
			if (instance_compare_places(from[i], to[t]))
				break;
			if (found && instance_compare(from[i], to[t]))
				continue;
			g->entries[to[t]->index] = before->entries[from[i]->index];
			found = true;
		}
	}
}

static void count_as(struct generation *g, const struct instance *i, bool healthy)
{
	for (size_t n = 0; n < i->service_count; n++)
		g->healthy[i->services[n]] += healthy ? 1 : -1u;
	g->counted[i->index] = healthy;
}

static void touch(struct generation *g, const struct instance *i)
{
	for (size_t n = 0; n < i->service_count; n++)
		g->touched[i->services[n]] = true;
}

void generation_count(struct generation *g)
{
	const struct model *m = g->model;

	g->healthy = arena_array(g->arena, m->service_count, sizeof(*g->healthy));
	g->counted = arena_array(g->arena, m->instance_count, sizeof(*g->counted));
	for (size_t i = 0; i < m->instance_count; i++) {
		if (health_is_healthy(&g->entries[m->instances[i].index]))
			count_as(g, &m->instances[i], true);
	}
}

/* All services are touched: what a change of resources did to their loads is told as well. */
static void touch_all(struct generation *g, const struct generation *before)
{
	const struct model *m = g->model;

	g->touched = arena_array(g->arena, m->service_count, sizeof(*g->touched));
	for (size_t i = 0; i < m->service_count; i++)
		g->touched[i] = true;
	g->loads = tier_loads_new(g->arena, m, before ? before->model : NULL,
				  before ? before->loads : NULL);
}

static bool is_same_entry(const struct health_entry *a, const struct health_entry *b)
{
	return a->state == b->state && a->admin == b->admin && a->ejected == b->ejected &&
	       a->held == b->held && a->ramp_percent == b->ramp_percent;
}

size_t generation_update(struct generation *g, const struct health_entry *next)
{
	const struct instance *i;
	size_t changed = 0;
	bool healthy;

	for (size_t n = 0; n < g->model->instance_count; n++) {
		i = &g->model->instances[n];
		healthy = health_is_healthy(&next[i->index]);
		if (healthy != g->counted[i->index])
			count_as(g, i, healthy);
		if (is_same_entry(&g->entries[i->index], &next[i->index]))
			continue;
		g->entries[i->index] = next[i->index];
		touch(g, i);
		changed++;
	}
	return changed;
}

bool generation_discount(struct generation *g, const struct instance *i)
{
	bool is_left = true;

	if (g->counted[i->index])
		count_as(g, i, false);
	for (size_t n = 0; n < i->service_count && is_left; n++)
		is_left = g->healthy[i->services[n]] > 0;
	return is_left;
}

struct generation *generation_new(struct arena *a, const struct object *objects, size_t count,
				  const struct model_options *opts, const struct generation *before)
{
	struct generation *g = arena_alloc(a, sizeof(*g));

	g->arena = g->lasting = a;
	g->host_addrs = opts->host_addrs;
	g->host_addr_count = opts->host_addr_count;
	diags_init(&g->warnings, a);
	g->model = model_resolve(a, objects, count, opts, &g->warnings);
	for (size_t i = 0; i < count; i++)
		(void)frozen_share(objects[i].body);
	index_objects(g);
	times_date(g, before);
	g->entries = arena_array(a, g->model->instance_count, sizeof(*g->entries));
	sort_instances(g);
	if (before)
		carry_health(g, before);
	generation_count(g);
	touch_all(g, before);
	return g;
}

void generation_free(struct generation *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->model->object_count; i++)
		frozen_release(g->model->objects[i].body);
	for (size_t i = 0; i < g->held_count; i++)
		arena_free(g->held[i]);
	arena_free(g->arena);
}

struct object *generation_copy(const struct generation *g, struct arena *a)
{
	struct object *copies = arena_array(a, g->model->object_count, sizeof(*copies));

	for (size_t i = 0; i < g->model->object_count; i++)
		copies[i] = object_copy(a, &g->model->objects[i]);
	return copies;
}

struct health_view generation_view(const struct generation *g)
{
	return (struct health_view){.entries = g->entries, .count = g->model->instance_count};
}
