/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every service gets a table of its shares now and, where it has another tier, a spare one; equal
 * tables become one row.
 */
#include "tables/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "base/network.h"
#include "tables/cache.h"
#include "tables/quic.h"
#include "tables/service_tables.h"
#include "tables/shares.h"

#define SCRATCH_BYTES	 (1u << 20)
#define SECOND_NS	 1000000000ull
#define TABLES_A_SERVICE 6 /* its own, the spare one, weights, two lists, server ids */

struct compiler {
	struct arena *arena;   /* of the result */
	struct arena *scratch; /* owned; of a few services */
	const struct model *model;
	const struct ids *ids;
	struct table_cache *cache;
	struct tables *out;
	uint32_t *by_content; /* open addressing: index in out->slots + 1 */
	size_t by_content_size;
	uint64_t lines;
	bool *has_slots;  /* by instance index: in a table of its service, not only the spare one */
	bool *is_counted; /* by instance index: a service picks by its open flows */
};

enum keeping { KEEP_COPY, KEEP_ITSELF };

/* Index of an equal table, or of a new row with a copy of the slots, or with the slots themselves. */
static uint32_t share_slots(struct compiler *c, const struct table_slots *t, enum keeping keeping)
{
	const size_t bytes = t->size * sizeof(*t->slots);
	size_t at = t->hash & (c->by_content_size - 1);
	struct table_slots *row;

	for (; c->by_content[at]; at = (at + 1) & (c->by_content_size - 1)) {
		const struct table_slots *have = &c->out->slots[c->by_content[at] - 1];

		if (have->hash == t->hash && have->size == t->size &&
		    memcmp(have->slots, t->slots, bytes) == 0)
			return c->by_content[at] - 1;
	}
	c->by_content[at] = (uint32_t)c->out->slots_count + 1;
	row = arena_push(c->arena, c->out->slots, c->out->slots_count);
	*row = *t;
	row->base = TABLE_UNPLACED;
	if (keeping == KEEP_COPY)
		row->slots =
			memcpy(arena_array(c->arena, t->size, sizeof(*t->slots)), t->slots, bytes);
	c->lines += (t->size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS;
	return c->by_content[at] - 1;
}

/* The row of a table, or TABLE_NONE. */
static uint32_t row_of(struct compiler *c, struct cached_table *t)
{
	if (!t)
		return TABLE_NONE;
	if (t->row == TABLE_NONE)
		t->row = share_slots(c,
				     &(struct table_slots){.size = t->size,
							   .slots = t->slots,
							   .hash = t->hash,
							   .kind = TABLE_PICK},
				     KEEP_COPY);
	return t->row;
}

/* Slots that an endpoint has in the table, for each of the slots; TABLE_NONE where all are alike. */
static uint32_t make_weights(struct compiler *c, uint32_t table)
{
	const struct table_slots *t = table == TABLE_NONE ? NULL : &c->out->slots[table];
	uint32_t least = UINT32_MAX, most = 0;
	struct table_slots w = {.kind = TABLE_WEIGHTS};
	uint32_t *counts;
	uint16_t *slots;

	if (!t)
		return TABLE_NONE;
	counts = arena_array(c->scratch, SPW_ENDPOINTS_LIMIT, sizeof(*counts));
	slots = arena_array(c->arena, t->size, sizeof(*slots));
	for (uint32_t i = 0; i < t->size; i++)
		counts[t->slots[i]]++;
	for (uint32_t i = 0; i < t->size; i++) {
		const uint32_t n = counts[t->slots[i]];

		least = n < least ? n : least;
		most = n > most ? n : most;
		slots[i] = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
	}
	if (most - least <= 1) /* a rest of the division, no weight */
		return TABLE_NONE;
	w.size = t->size;
	w.slots = slots;
	w.hash = table_hash(slots, w.size);
	return share_slots(c, &w, KEEP_ITSELF);
}

static uint32_t make_list(struct compiler *c, const struct netlist *l)
{
	struct table_slots t = {.kind = TABLE_LIST};

	if (!l)
		return TABLE_NONE;
	t.size = l->count * SPW_LINE_SLOTS;
	t.slots = (const uint16_t *)l->lines; /* the model's, which may be gone before the tables */
	t.hash = table_hash(t.slots, t.size);
	return share_slots(c, &t, KEEP_COPY);
}

static void make_guard(struct compiler *c, const struct guard *g, struct table_service *row)
{
	row->guarded = g->allow || g->deny || g->rate || g->source_rate;
	if (!row->guarded)
		return;
	row->guard.allow = make_list(c, g->allow);
	row->guard.deny = make_list(c, g->deny);
	if (g->rate)
		row->guard.every_ns = (SECOND_NS + g->rate / 2) / g->rate;
	if (g->source_rate)
		row->guard.source_every_ns = (SECOND_NS + g->source_rate / 2) / g->source_rate;
	row->guard.burst_ns = row->guard.every_ns * g->burst;
	row->guard.source_burst_ns = row->guard.source_every_ns * g->source_burst;
}

static void make_quic(struct compiler *c, const struct quic_map *map, struct table_service *row)
{
	uint16_t *endpoints;
	struct table_slots t;

	if (!map->count)
		return;
	endpoints = arena_array(c->scratch, map->count, sizeof(*endpoints));
	for (size_t i = 0; i < map->count; i++)
		endpoints[i] =
			(uint16_t)ids_endpoint(c->ids, &c->model->instances[map->ids[i].instance]);
	quic_build(c->arena, map, endpoints, &t);
	row->quic = share_slots(c, &t, KEEP_ITSELF) + 1;
}

/* One arena serves many small services. */
static void renew_scratch(struct compiler *c)
{
	if (c->scratch && arena_used(c->scratch) < SCRATCH_BYTES)
		return;
	arena_free(c->scratch);
	c->scratch = arena_new();
	if (!c->scratch)
		abort();
}

static void note_members(struct compiler *c, const struct service *s,
			 const struct cached_service *made)
{
	size_t n = 0;

	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		for (size_t m = 0; m < l->count; m++) {
			c->has_slots[l->members[m]->index] |= made->has_slots[n++];
			c->is_counted[l->members[m]->index] |= s->pick == SPW_PICK_LEAST;
		}
	}
}

static void compile_service(struct compiler *c, const struct service *s,
			    const struct health_view *v)
{
	const struct cached_service *made;
	struct table_service *row;

	renew_scratch(c);
	made = service_tables(&(struct table_maker){c->scratch, c->ids, c->cache, v}, s);
	note_members(c, s, made);
	row = &c->out->services[c->out->service_count++];
	row->id = ids_service(c->ids, s);
	row->vip = s->vip;
	row->port = s->port;
	row->proto = s->proto;
	row->direct = made->direct;
	row->table = row_of(c, made->table);
	row->spare = row_of(c, made->spare);
	row->pick = (uint8_t)s->pick;
	if (s->pick == SPW_PICK_LEAST)
		row->weights = make_weights(c, row->table);
	make_guard(c, &s->guard, row);
	make_quic(c, &s->quic, row);
	row->empty = row->table == TABLE_NONE;
	row->new_flows = (uint8_t)s->new_flows;
	row->live_flows = (uint8_t)s->live_flows;
	memcpy(row->idle_s, s->idle_s, sizeof(row->idle_s));
}

static bool is_up(const struct health_entry *e)
{
	switch (e->admin) {
	case SPW_ADMIN_UP:
		return true;
	case SPW_ADMIN_DOWN:
		return false;
	case SPW_ADMIN_DRAIN: /* its flows stay, as its checks say */
	case SPW_ADMIN_AUTO:
		break;
	}
	return e->state != HEALTH_DOWN && !e->ejected;
}

static void compile_endpoint(struct compiler *c, const struct instance *i,
			     const struct health_view *v)
{
	const struct health_entry e = shares_health(v, i);
	const bool wanted = health_is_healthy(&e) || c->has_slots[i->index];

	c->out->endpoints[c->out->endpoint_count++] = (struct table_endpoint){
		.id = ids_endpoint(c->ids, i),
		.addr = i->addr,
		.port = i->port,
		.mode = (uint8_t)i->mode,
		.flags = (i->reset_on_removal ? SPW_ENDPOINT_RESET_ON_REMOVAL : 0) |
			 (c->is_counted[i->index] && i->mode != SPW_MODE_HANDOFF
				  ? SPW_ENDPOINT_COUNTED
				  : 0),
		.profile = i->profile,
		.pickable = wanted && health_is_allowed(&e),
		.up = is_up(&e),
	};
}

static int compare_services(const void *va, const void *vb)
{
	const struct table_service *a = va, *b = vb;

	return a->id < b->id ? -1 : a->id > b->id;
}

static int compare_endpoints(const void *va, const void *vb)
{
	const struct table_endpoint *a = va, *b = vb;

	return a->id < b->id ? -1 : a->id > b->id;
}

static void sort_rows(struct tables *t)
{
	if (t->service_count > 1)
		qsort(t->services, t->service_count, sizeof(*t->services), compare_services);
	if (t->endpoint_count > 1)
		qsort(t->endpoints, t->endpoint_count, sizeof(*t->endpoints), compare_endpoints);
}

static size_t hash_capacity(size_t services)
{
	size_t n = 16;

	while (n < services * TABLES_A_SERVICE * 2) /* half full at most */
		n *= 2;
	return n;
}

static void compile_all(struct compiler *c, const struct model *m, const struct health_view *v)
{
	AUTO(arena_free) struct arena *index = arena_new();

	if (!index)
		abort();
	c->by_content_size = hash_capacity(m->service_count);
	c->by_content = arena_array(index, c->by_content_size, sizeof(*c->by_content));
	c->has_slots = arena_array(index, m->instance_count, sizeof(*c->has_slots));
	c->is_counted = arena_array(index, m->instance_count, sizeof(*c->is_counted));
	c->out->services = arena_array(c->arena, m->service_count, sizeof(*c->out->services));
	c->out->endpoints = arena_array(c->arena, m->instance_count, sizeof(*c->out->endpoints));
	for (size_t i = 0; i < m->service_count; i++) {
		if (!m->services[i].proxied)
			compile_service(c, &m->services[i], v);
	}
	for (size_t i = 0; i < m->instance_count; i++) {
		if (m->instances[i].carried)
			compile_endpoint(c, &m->instances[i], v);
	}
	sort_rows(c->out);
	arena_free(c->scratch);
}

int tables_compile(struct arena *a, const struct model *m, const struct health_view *v,
		   const struct ids *ids, uint32_t slot_lines, struct table_cache *cache,
		   struct tables *out, const char **why)
{
	AUTO(table_cache_free) struct table_cache *own = cache ? NULL : table_cache_new();
	struct tables t = {0};
	struct compiler c = {
		.arena = a, .model = m, .ids = ids, .cache = cache ? cache : own, .out = &t};

	if (!c.cache)
		abort();
	cache_begin(c.cache);
	compile_all(&c, m, v);
	if (c.lines > slot_lines) {
		*why = arena_printf(
			a,
			"the pick tables, lists of sources and server ids need %llu slots, there are %llu: raise "
			"--max-slots, which takes effect after spillwayd --detach",
			(unsigned long long)c.lines * SPW_LINE_SLOTS,
			(unsigned long long)slot_lines * SPW_LINE_SLOTS);
		cache_cancel(c.cache);
		return -ENOSPC;
	}
	cache_commit(c.cache);
	*out = t;
	return 0;
}
