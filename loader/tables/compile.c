/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every service gets a table of its shares now and, where it has a fallback tier, a spare one;
 * equal tables become one row. Slots name endpoints by number, but who gets which slot is decided
 * by addresses and ports, so that gateways with other numbers pick alike.
 */
#include "tables/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "tables/maglev.h"
#include "tables/shares.h"

/* Which share of a part a table is made of. */
enum share_kind { SHARE_NOW, SHARE_SPARE };

struct compiler {
	struct arena *arena;   /* of the result */
	struct arena *scratch; /* of one service */
	const struct ids *ids;
	struct tables *out;
	uint32_t *by_content; /* open addressing: index in out->slots + 1 */
	size_t by_content_size;
	uint64_t lines;
	bool *has_slots; /* by instance index: in a table of its service, not only the spare one */
};

static int compare_parts(const void *va, const void *vb)
{
	const struct part *a = va, *b = vb;
	int order = addr_compare(&a->instance->addr, &b->instance->addr);

	if (order)
		return order;
	if (a->instance->port != b->instance->port)
		return a->instance->port < b->instance->port ? -1 : 1;
	if (a->instance->mode != b->instance->mode)
		return a->instance->mode < b->instance->mode ? -1 : 1;
	if (a->locality->tier != b->locality->tier)
		return a->locality->tier < b->locality->tier ? -1 : 1;
	if (a->home != b->home)
		return a->home < b->home ? 1 : -1;
	if (a->now != b->now)
		return a->now < b->now ? 1 : -1;
	return a->spare < b->spare ? 1 : a->spare > b->spare ? -1 : 0;
}

static bool is_same_address(const struct part *a, const struct part *b)
{
	return addr_equal(&a->instance->addr, &b->instance->addr) &&
	       a->instance->port == b->instance->port;
}

static uint64_t member_key(const struct instance *i, uint32_t occurrence)
{
	uint8_t bytes[22];

	memcpy(bytes, i->addr.b, 16);
	bytes[16] = (uint8_t)(i->port >> 8);
	bytes[17] = (uint8_t)i->port;
	for (unsigned int n = 0; n < 4; n++)
		bytes[18 + n] = (uint8_t)(occurrence >> (8 * n));
	return hash_bytes(bytes, sizeof(bytes), 0);
}

/* Parts in an order of their own, so that the order of backendRefs does not matter. */
static size_t list_members(struct arena *a, struct parts *p, enum share_kind kind,
			   struct member **out)
{
	struct member *members = arena_array(a, p->count, sizeof(*members));
	const struct part *last = NULL;
	uint32_t occurrence = 0;
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct part *part = &p->items[i];

		if (kind == SHARE_SPARE && part->spare == 0)
			continue;
		occurrence = last && is_same_address(part, last) ? occurrence + 1 : 0;
		last = part;
		members[n++] = (struct member){
			.key = member_key(part->instance, occurrence),
			.home = kind == SHARE_SPARE ? part->spare : part->home,
			.now = kind == SHARE_SPARE ? part->spare : part->now,
			.tier = part->locality->tier,
		};
	}
	*out = members;
	return n;
}

/* Index of an equal table, or of a new row that takes `slots` over. */
static uint32_t share_slots(struct compiler *c, uint32_t size, const uint16_t *slots)
{
	const size_t bytes = size * sizeof(*slots);
	size_t at = hash_bytes(slots, bytes, size) & (c->by_content_size - 1);
	uint16_t *copy;

	for (; c->by_content[at]; at = (at + 1) & (c->by_content_size - 1)) {
		const struct table_slots *have = &c->out->slots[c->by_content[at] - 1];

		if (have->size == size && memcmp(have->slots, slots, bytes) == 0)
			return c->by_content[at] - 1;
	}
	copy = arena_array(c->arena, size, sizeof(*copy));
	memcpy(copy, slots, bytes);
	c->by_content[at] = (uint32_t)c->out->slots_count + 1;
	*arena_push(c->arena, c->out->slots, c->out->slots_count) =
		(struct table_slots){.size = size, .base = TABLE_UNPLACED, .slots = copy};
	c->lines += (size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS;
	return c->by_content[at] - 1;
}

static uint32_t make_table(struct compiler *c, struct parts *p, enum share_kind kind)
{
	const struct part **part_of;
	struct member *members;
	const size_t count = list_members(c->scratch, p, kind, &members);
	const uint32_t size = maglev_size(count);
	uint16_t *slots;
	size_t n = 0;

	slots = arena_array(c->scratch, size, sizeof(*slots));
	if (!maglev_fill(members, count, size, slots))
		return TABLE_NONE;
	part_of = arena_array(c->scratch, count, sizeof(struct part *));
	for (size_t i = 0; i < p->count; i++) {
		if (kind == SHARE_NOW || p->items[i].spare > 0)
			part_of[n++] = &p->items[i];
	}
	for (uint32_t s = 0; s < size; s++) {
		const struct instance *i = part_of[slots[s]]->instance;

		if (kind == SHARE_NOW)
			c->has_slots[i->index] = true;
		slots[s] = (uint16_t)ids_endpoint(c->ids, i);
	}
	return share_slots(c, size, slots);
}

static void compile_service(struct compiler *c, const struct service *s,
			    const struct health_view *v)
{
	AUTO(arena_free) struct arena *scratch = arena_new();
	struct table_service *row;
	struct parts parts;

	if (!scratch)
		abort();
	c->scratch = scratch;
	shares_compute(scratch, s, v, &parts);
	if (parts.count > 1)
		qsort(parts.items, parts.count, sizeof(*parts.items), compare_parts);
	row = arena_push(c->arena, c->out->services, c->out->service_count);
	row->id = ids_service(c->ids, s);
	row->vip = s->vip;
	row->port = s->port;
	row->proto = s->proto;
	row->table = make_table(c, &parts, SHARE_NOW);
	row->spare = make_table(c, &parts, SHARE_SPARE);
}

static void compile_endpoint(struct compiler *c, const struct instance *i,
			     const struct health_view *v)
{
	const struct health_entry e = shares_health(v, i);
	const bool wanted = health_is_healthy(&e) || c->has_slots[i->index];

	*arena_push(c->arena, c->out->endpoints, c->out->endpoint_count) = (struct table_endpoint){
		.id = ids_endpoint(c->ids, i),
		.addr = i->addr,
		.port = i->port,
		.mode = (uint8_t)i->mode,
		.profile = i->profile,
		.pickable = wanted && health_is_allowed(&e),
		.up = e.admin == SPW_ADMIN_UP ||
		      (e.admin != SPW_ADMIN_DOWN && e.state != HEALTH_DOWN),
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

	while (n < services * 4) /* two tables each, half full at most */
		n *= 2;
	return n;
}

struct table_cache {
	int unused;
};

struct table_cache *table_cache_new(void)
{
	return calloc(1, sizeof(struct table_cache));
}

void table_cache_free(struct table_cache *c)
{
	free(c);
}

int tables_compile(struct arena *a, const struct model *m, const struct health_view *v,
		   const struct ids *ids, uint32_t slot_lines, struct table_cache *cache,
		   struct tables *out, const char **why)
{
	AUTO(arena_free) struct arena *scratch = arena_new();
	struct tables t = {0};
	struct compiler c = {.arena = a, .ids = ids, .out = &t};

	(void)cache;
	if (!scratch)
		abort();
	c.by_content_size = hash_capacity(m->service_count);
	c.by_content = arena_array(scratch, c.by_content_size, sizeof(*c.by_content));
	c.has_slots = arena_array(scratch, m->instance_count, sizeof(*c.has_slots));
	for (size_t i = 0; i < m->service_count; i++)
		compile_service(&c, &m->services[i], v);
	if (c.lines > slot_lines) {
		*why = arena_printf(a,
				    "the pick tables need %llu lines of slots, there are %u: "
				    "raise --slot-lines",
				    (unsigned long long)c.lines, slot_lines);
		return -ENOSPC;
	}
	for (size_t i = 0; i < m->instance_count; i++)
		compile_endpoint(&c, &m->instances[i], v);
	sort_rows(&t);
	*out = t;
	return 0;
}

void tables_plan(struct arena *a, const struct service *s, const struct health_view *v,
		 struct service_plan *out)
{
	struct parts parts;

	shares_compute(a, s, v, &parts);
	*out = (struct service_plan){
		.shares = arena_array(a, parts.count, sizeof(*out->shares)),
		.share_count = parts.count,
	};
	memcpy(out->tiers, parts.tiers, sizeof(out->tiers));
	for (size_t i = 0; i < parts.count; i++) {
		const unsigned __int128 ppm = (unsigned __int128)parts.items[i].now * 1000000;

		out->shares[i] = (struct share){
			.locality = parts.items[i].locality,
			.instance = parts.items[i].instance,
			.backend = parts.items[i].backend,
			.share_ppm = (uint32_t)((ppm + SHARE_ONE / 2) / SHARE_ONE),
		};
	}
}
