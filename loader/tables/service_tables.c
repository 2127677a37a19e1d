/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who gets which slot is decided by addresses and ports, so that gateways with other numbers pick alike. Only
 * a service with a new recipe is worked out.
 */
#include "tables/service_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "tables/motion.h"
#include "tables/shares.h"

/* Which share of a part a table is made of. */
enum share_kind { SHARE_NOW, SHARE_SPARE };

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
static size_t list_members(const struct table_maker *by, const struct parts *p,
			   enum share_kind kind, struct member **out)
{
	struct member *members = arena_array(by->scratch, p->count, sizeof(*members));
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
			.id = ids_endpoint(by->ids, part->instance),
		};
	}
	*out = members;
	return n;
}

/* `size` is the policy's; 0: it follows from the number of members. */
static struct cached_table *make_table(const struct table_maker *by, const struct parts *p,
				       enum share_kind kind, uint32_t size)
{
	struct member *members;
	const size_t count = list_members(by, p, kind, &members);

	return cache_table(by->cache, members, count, size);
}

static void make_tables(const struct table_maker *by, const struct service *s,
			struct cached_service *out)
{
	struct parts parts;
	uint32_t size;

	shares_compute(by->scratch, s, by->view, &parts);
	if (parts.count > 1)
		qsort(parts.items, parts.count, sizeof(*parts.items), compare_parts);
	size = s->table_size ? s->table_size : out->direct ? motion_table_size(parts.count) : 0;
	out->table = make_table(by, &parts, SHARE_NOW, size);
	out->spare = make_table(by, &parts, SHARE_SPARE, size);
	for (size_t i = 0; out->table && i < parts.count; i++)
		out->has_slots[parts.items[i].place] = out->table->has_slots[i];
}

const struct cached_service *service_tables(const struct table_maker *by, const struct service *s)
{
	const struct recipe recipe = recipe_of(by->scratch, s, by->view, by->ids);
	struct cached_service *made;
	bool is_new;

	made = cache_service(by->cache, &recipe, &is_new);
	if (is_new)
		make_tables(by, s, made);
	return made;
}
