/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Envoy's regenerateLocalityRoutingStructures (load_balancer_impl.cc) in exact fractions. Envoy
 * compares each zone's part of the healthy endpoints with its part of the originating proxies. Here
 * the gateways are not known to each other; they are taken to be spread evenly over the zones that
 * have healthy endpoints, so that equal models still make equal tables in each zone.
 *
 * The part of the endpoints is by number, not by weight, as in Envoy.
 */
#include "tables/zones.h"

#include <stdlib.h>
#include <string.h>

/* Members of one zone: consecutive in the sorted list. */
struct group {
	size_t first, count;
	uint64_t plain; /* sum of their shares */
	bool is_named, is_own;
};

struct census {
	struct group *groups; /* owned */
	size_t count;
	const struct group *own; /* NULL: nobody there */
	uint64_t members, named; /* members in all; zones with a name */
	uint64_t plain;
};

static const char *name_of(const struct zoned *z)
{
	return z->zone ? z->zone : "";
}

static int compare_zones(const void *va, const void *vb)
{
	const struct zoned *a = va, *b = vb;
	const int order = a->zone == b->zone ? 0 : strcmp(name_of(a), name_of(b));

	if (order)
		return order;
	return a->index < b->index ? -1 : a->index > b->index;
}

static void take_census(const struct zoned *items, size_t count, const char *own, struct census *c)
{
	struct group *g = NULL;

	*c = (struct census){.groups = calloc(count + 1, sizeof(*c->groups)), .members = count};
	if (!c->groups)
		abort();
	for (size_t i = 0; i < count; i++) {
		const char *name = name_of(&items[i]);

		if (!g || strcmp(name, name_of(&items[i - 1])) != 0) {
			g = &c->groups[c->count++];
			*g = (struct group){
				.first = i, .is_named = *name, .is_own = !strcmp(name, own)};
			c->named += g->is_named;
		}
		g->count++;
		g->plain += items[i].share;
		c->plain += items[i].share;
		if (g->is_own)
			c->own = g;
	}
}

static uint64_t ratio(unsigned __int128 num, unsigned __int128 den)
{
	return den ? (uint64_t)(num / den) : 0;
}

/* How much more of the endpoints than of the gateways a zone has, in 1 / (members * named). */
static uint64_t residual(const struct census *c, const struct group *g)
{
	const uint64_t upstream = g->count * c->named, local = g->is_named ? c->members : 0;

	return !g->is_own && upstream > local ? upstream - local : 0;
}

/* What a zone gets of the tier's share. */
static uint64_t zone_share(const struct prefer_local *p, const struct census *c,
			   const struct group *g)
{
	const uint64_t capacity = c->own->count * c->named;
	uint64_t sum = 0;

	if (capacity >= c->members || (p->force && c->own->count >= p->min_in_zone))
		return g->is_own ? c->plain : 0;
	if (g->is_own)
		return ratio((unsigned __int128)c->plain * capacity, c->members);
	for (size_t i = 0; i < c->count; i++)
		sum += residual(c, &c->groups[i]);
	return ratio((unsigned __int128)c->plain * (c->members - capacity) * residual(c, g),
		     (unsigned __int128)c->members * sum);
}

static void share_out(const struct prefer_local *p, const struct group *g, uint64_t share,
		      struct zoned *items)
{
	const uint64_t percent = p->percent < 100 ? p->percent : 100;

	for (size_t i = g->first; i < g->first + g->count; i++) {
		const uint64_t plain = items[i].share;
		const uint64_t zonal = ratio((unsigned __int128)share * plain, g->plain);

		items[i].share = (zonal * percent + plain * (100 - percent)) / 100;
	}
}

/* Envoy's preconditions; `force` does not ask for a second zone of gateways. */
static bool is_in_force(const struct prefer_local *p, const struct census *c)
{
	return c->own && c->count > 1 && c->members >= p->min_endpoints &&
	       (c->named > 1 || p->force);
}

void zones_prefer(const struct prefer_local *p, const char *own, struct zoned *items, size_t count)
{
	struct census c;

	if (!p->enabled || !own || !*own || count < 2)
		return;
	qsort(items, count, sizeof(*items), compare_zones);
	take_census(items, count, own, &c);
	if (is_in_force(p, &c)) {
		for (size_t i = 0; i < c.count; i++)
			share_out(p, &c.groups[i], zone_share(p, &c, &c.groups[i]), items);
	}
	free(c.groups);
}
