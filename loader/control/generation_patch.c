/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A generation from the one before and a few objects. What did not change is copied by position, since a
 * patch says where everything went, and texts and conditions are not even copied: so the arena of the latest
 * whole generation lives on, and that of what each patch resolved. After a while these are too many, and
 * the next change makes a whole one.
 */
#include <string.h>

#include "control/generation.h"
#include "control/times.h"
#include "model/links.h"

#define HELD_MAX  64
#define HELD_PART 2 /* what patches left may come to this part of the whole generation */

/* The latest whole generation's. */
static struct arena *base_of(const struct generation *g)
{
	return g->held_count ? g->held[0] : g->arena;
}

static bool is_worn(const struct generation *g)
{
	size_t used = 0;

	for (size_t i = 1; i < g->held_count; i++)
		used += arena_used(g->held[i]);
	return g->held_count >= HELD_MAX || used > arena_used(base_of(g)) / HELD_PART;
}

/* Takes `lasting` over. */
static void hold(struct generation *g, const struct generation *before, struct arena *lasting)
{
	const size_t count = before->held_count ? before->held_count : 1;

	g->held = arena_array(g->arena, count + 1, sizeof(struct arena *));
	for (size_t i = 0; i < count; i++)
		g->held[i] = arena_share(before->held_count ? before->held[i] : before->arena);
	g->held[count] = lasting;
	g->held_count = count + 1;
	g->lasting = lasting;
}

static void index_objects(struct generation *g, const struct generation *before)
{
	const struct model *m = g->model;

	g->by_key = arena_array(g->arena, m->object_count, sizeof(struct object *));
	for (size_t i = 0; i < m->object_count; i++) {
		g->by_key[i] = &m->objects[before->by_key[i] - before->model->objects];
		(void)frozen_share(m->objects[i].body);
	}
}

static void date_objects(struct generation *g, const struct generation *before,
			 const struct patched *p)
{
	const size_t count = g->model->object_count;

	g->redated = arena_array(g->arena, count, sizeof(bool));
	memcpy(g->redated, before->redated, count * sizeof(bool));
	for (size_t i = 0; i < count; i++) {
		if (p->objects[i])
			times_date_object(g, before, i);
	}
}

static int compare_instances(const void *a, const void *b)
{
	return instance_compare(*(struct instance *const *)a, *(struct instance *const *)b);
}

/* The instances that were none before, sorted. */
struct newcomers {
	struct instance **items;
	size_t count;
};

static void find_newcomers(struct generation *g, const bool *is_known, struct newcomers *out)
{
	for (size_t i = 0; i < g->model->instance_count; i++) {
		if (!is_known[i])
			*arena_push(g->arena, out->items, out->count) = &g->model->instances[i];
	}
	if (out->count)
		qsort(out->items, out->count, sizeof(struct instance *), compare_instances);
}

/* Both lists are sorted, and those that stay keep their order. */
static void merge_instances(struct generation *g, const struct generation *before,
			    const struct patched *p, const struct newcomers *fresh)
{
	const struct model *m = g->model;
	size_t n = 0, f = 0;

	g->by_address = arena_array(g->arena, m->instance_count, sizeof(struct instance *));
	for (size_t i = 0; i < before->model->instance_count; i++) {
		const uint32_t now = p->instances[before->by_address[i]->index];

		if (now == PATCH_GONE)
			continue;
		while (f < fresh->count &&
		       instance_compare(fresh->items[f], &m->instances[now]) < 0)
			g->by_address[n++] = fresh->items[f++];
		g->by_address[n++] = &m->instances[now];
	}
	while (f < fresh->count)
		g->by_address[n++] = fresh->items[f++];
	for (size_t i = 0; i < n; i++)
		g->by_address_count += m->instances[i].kind == ENDPOINT_IP;
}

/* An equal address with another profile hands its state down. */
static void inherit(struct generation *g, const struct generation *before, const struct instance *i)
{
	size_t low = 0, high = before->model->instance_count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (instance_compare_places(before->by_address[mid], i) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < before->model->instance_count &&
	    instance_compare_places(before->by_address[low], i) == 0)
		g->entries[i->index] = before->entries[before->by_address[low]->index];
}

static void carry_instances(struct generation *g, const struct generation *before,
			    const struct patched *p)
{
	bool *is_known = arena_array(g->arena, g->model->instance_count, sizeof(bool));
	struct newcomers fresh = {0};

	g->entries = arena_array(g->arena, g->model->instance_count, sizeof(*g->entries));
	for (size_t i = 0; i < before->model->instance_count; i++) {
		const uint32_t now = p->instances[i];

		if (now == PATCH_GONE)
			continue;
		g->entries[now] = before->entries[i];
		is_known[now] = true;
	}
	find_newcomers(g, is_known, &fresh);
	for (size_t i = 0; i < fresh.count; i++)
		inherit(g, before, fresh.items[i]);
	merge_instances(g, before, p, &fresh);
}

static void carry_services(struct generation *g, const struct generation *before,
			   const struct patched *p)
{
	const size_t count = g->model->service_count;

	g->touched = arena_array(g->arena, count, sizeof(*g->touched));
	g->loads = arena_array(g->arena, count, sizeof(*g->loads));
	for (size_t i = 0; i < count; i++) {
		g->touched[i] = before->touched[i] || p->services[i];
		g->loads[i] = before->loads[i];
	}
}

/* With texts that outlive the request. */
static struct patch_object *keep_texts(struct arena *a, struct arena *lasting,
				       const struct patch_object *objects, size_t count)
{
	struct patch_object *kept = arena_array(a, count, sizeof(*kept));

	for (size_t i = 0; i < count; i++) {
		kept[i] = objects[i];
		if (objects[i].is_changed)
			kept[i].object = object_copy(lasting, &objects[i].object);
		kept[i].object.res.loc = objects[i].object.res.loc;
	}
	return kept;
}

struct generation *generation_patch(struct arena *a, const struct patch_object *objects,
				    size_t count, const struct model_options *opts,
				    struct generation *before)
{
	AUTO(arena_free) struct arena *lasting = NULL;
	struct patch patch = {
		.before = before->model,
		.warnings = &before->warnings,
		.by_place = before->by_address,
		.count = count,
		.opts = opts,
	};
	struct patched patched;
	struct generation *g;

	if (is_worn(before))
		return NULL;
	lasting = arena_new();
	if (!lasting)
		return NULL;
	if (!before->model->links)
		before->model->links = links_new(base_of(before), before->model);
	g = arena_alloc(a, sizeof(*g));
	g->arena = a;
	g->host_addrs = opts->host_addrs;
	g->host_addr_count = opts->host_addr_count;
	diags_init(&g->warnings, a);
	patch.objects = keep_texts(a, lasting, objects, count);
	g->model = model_patch(a, lasting, &patch, &g->warnings, &patched);
	if (!g->model)
		return NULL;
	hold(g, before, TAKE(lasting));
	index_objects(g, before);
	date_objects(g, before, &patched);
	carry_instances(g, before, &patched);
	generation_count(g);
	carry_services(g, before, &patched);
	return g;
}
