/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tiers first, then localities by effective weight, then endpoints equally but for their slow
 * start: Envoy's order. In tier 0 zones may then move shares towards the gateway's own. A tier in
 * panic spreads over all its endpoints alike, as Envoy does, but never to those that the operator
 * took down or drains; when it has no other, its share goes to another tier.
 */
#include "tables/shares.h"

#include "tables/tiers.h"
#include "tables/zones.h"

/* What one locality has. */
struct crew {
	uint32_t healthy;
	uint64_t ramps;	    /* of the healthy: 100 each, less in a slow start */
	uint64_t effective; /* weight */
};

/* What one tier has. */
struct tally {
	uint32_t total, healthy, allowed;
	uint64_t weight_sum; /* effective, of all localities */
};

/* One service as things are, or as if everything were up. */
struct sight {
	const struct service *service;
	const struct health_view *view; /* NULL: everything is up */
	struct crew *crews;		/* by locality */
	struct tally tallies[MODEL_TIERS];
	struct tier tiers[MODEL_TIERS];
};

struct health_entry shares_health(const struct health_view *v, const struct instance *i)
{
	if (!v || i->index >= v->count)
		return (struct health_entry){0};
	return v->entries[i->index];
}

static bool is_healthy(const struct sight *by, const struct instance *i)
{
	const struct health_entry e = shares_health(by->view, i);

	return health_is_healthy(&e);
}

static bool is_allowed(const struct sight *by, const struct instance *i)
{
	const struct health_entry e = shares_health(by->view, i);

	return health_is_allowed(&e);
}

static uint64_t ramp_of(const struct sight *by, const struct instance *i)
{
	const struct health_entry e = shares_health(by->view, i);

	return e.ramp_percent ? e.ramp_percent : 100;
}

static void look_at_locality(struct sight *by, size_t index)
{
	const struct locality *l = &by->service->localities[index];
	struct tally *t = &by->tallies[l->tier];
	struct crew *c = &by->crews[index];

	for (size_t m = 0; m < l->count; m++) {
		t->allowed += is_allowed(by, l->members[m]);
		if (!is_healthy(by, l->members[m]))
			continue;
		c->healthy++;
		c->ramps += ramp_of(by, l->members[m]);
	}
	c->effective = locality_effective_weight(l->weight, c->healthy, (uint32_t)l->count);
	t->total += (uint32_t)l->count;
	t->healthy += c->healthy;
	t->weight_sum += c->effective;
}

/* Envoy's priorities have no gaps: tiers that nobody is in are left out of the arithmetic. */
static void load_tiers(struct sight *by)
{
	struct tier dense[MODEL_TIERS];
	size_t n = 0;

	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		const struct tally *t = &by->tallies[i];

		if (t->total)
			dense[n++] = (struct tier){.total = t->total, .healthy = t->healthy};
	}
	if (n > 0)
		tiers_load(dense, n, by->service->panic_threshold);
	n = 0;
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		if (by->tallies[i].total)
			by->tiers[i] = dense[n++];
	}
}

static bool is_usable(const struct sight *by, unsigned int tier)
{
	return by->tiers[tier].panic ? by->tallies[tier].allowed > 0
				     : by->tallies[tier].healthy > 0;
}

/* A share that nobody in its tier may take goes to the first tier where somebody may. */
static void hand_over(struct sight *by)
{
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		unsigned int other = 0;

		if (by->tiers[i].load_percent == 0 || is_usable(by, i))
			continue;
		while (other < MODEL_TIERS && !is_usable(by, other))
			other++;
		if (other < MODEL_TIERS)
			by->tiers[other].load_percent += by->tiers[i].load_percent;
		by->tiers[i].load_percent = 0;
	}
}

static void look(struct arena *a, const struct service *s, const struct health_view *v,
		 struct sight *by)
{
	*by = (struct sight){.service = s, .view = v};
	by->crews = arena_array(a, s->locality_count, sizeof(*by->crews));
	for (size_t i = 0; i < s->locality_count; i++)
		look_at_locality(by, i);
	load_tiers(by);
	hand_over(by);
}

static uint64_t ratio(unsigned __int128 num, unsigned __int128 den)
{
	return den ? (uint64_t)(num * SHARE_ONE / den) : 0;
}

static uint64_t member_share(const struct sight *by, size_t locality, const struct instance *i)
{
	const unsigned int tier = by->service->localities[locality].tier;
	const struct tally *t = &by->tallies[tier];
	const struct crew *c = &by->crews[locality];
	const unsigned __int128 load = by->tiers[tier].load_percent;

	if (by->tiers[tier].panic)
		return is_allowed(by, i) ? ratio(load, 100ull * t->allowed) : 0;
	if (!is_healthy(by, i))
		return 0;
	return ratio(load * c->effective * ramp_of(by, i),
		     (unsigned __int128)100 * t->weight_sum * c->ramps);
}

/* Zones matter in tier 0 alone, and not in panic, as in Envoy. */
static void heed_zones(struct arena *a, const struct sight *by, const struct parts *p,
		       uint64_t *shares)
{
	const struct service *s = by->service;
	struct zoned *items;
	size_t n = 0;

	if (!s->prefer_local.enabled || by->tiers[0].panic || by->tiers[0].load_percent == 0)
		return;
	items = arena_array(a, p->count, sizeof(*items));
	for (size_t i = 0; i < p->count; i++) {
		if (p->items[i].locality->tier == 0 && shares[i] > 0)
			items[n++] = (struct zoned){p->items[i].zone, shares[i], i};
	}
	zones_prefer(&s->prefer_local, s->local_zone, items, n);
	for (size_t i = 0; i < n; i++)
		shares[items[i].index] = items[i].share;
}

/* The shares in the order of the parts. */
static uint64_t *spread(struct arena *a, const struct sight *by, const struct parts *p)
{
	const struct service *s = by->service;
	uint64_t *shares = arena_array(a, p->count, sizeof(*shares));
	size_t n = 0;

	for (size_t i = 0; i < s->locality_count; i++) {
		for (size_t m = 0; m < s->localities[i].count; m++)
			shares[n++] = member_share(by, i, s->localities[i].members[m]);
	}
	heed_zones(a, by, p, shares);
	return shares;
}

static void list_parts(struct arena *a, const struct service *s, struct parts *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->locality_count; i++)
		out->count += s->localities[i].count;
	out->items = arena_array(a, out->count, sizeof(*out->items));
	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		for (size_t m = 0; m < l->count; m++, n++)
			out->items[n] = (struct part){
				.locality = l,
				.instance = l->members[m],
				.backend = l->backends[m],
				.zone = l->zones[m],
				.place = n,
			};
	}
}

/* The first tier after `tier` where somebody is healthy, or MODEL_TIERS. */
static unsigned int next_healthy(const struct sight *by, unsigned int tier)
{
	do
		tier++;
	while (tier < MODEL_TIERS && by->tallies[tier].healthy == 0);
	return tier;
}

/*
 * Who is asked when the table's picks have just failed: the first tier with healthy endpoints after
 * the first that carries load. When there is none, the first with allowed ones after the topmost:
 * so with two tiers it is always the second, and its table need not change with health.
 */
static unsigned int spare_tier(const struct sight *now)
{
	unsigned int top = 0, first = 0, tier;

	while (top < MODEL_TIERS && now->tallies[top].total == 0)
		top++;
	while (first < MODEL_TIERS && now->tiers[first].load_percent == 0)
		first++;
	tier = first < MODEL_TIERS ? next_healthy(now, first) : MODEL_TIERS;
	if (tier < MODEL_TIERS)
		return tier;
	for (tier = top + 1; tier < MODEL_TIERS && now->tallies[tier].allowed == 0;)
		tier++;
	return tier;
}

/*
 * A tier on its own, all of its allowed endpoints by weight, whatever their health: the packet path
 * skips those that are not pickable, and this table need not change with it.
 */
static void compute_spare(const struct sight *now, struct parts *out)
{
	const unsigned int tier = spare_tier(now);
	uint64_t sum = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct part *p = &out->items[i];

		if (p->locality->tier == tier && is_allowed(now, p->instance))
			p->spare = (uint64_t)p->locality->weight * 1000000 / p->locality->count;
		sum += p->spare;
	}
	for (size_t i = 0; i < out->count && sum > 0; i++)
		out->items[i].spare = ratio(out->items[i].spare, sum);
}

static void summarise(const struct sight *now, struct tier_summary tiers[MODEL_TIERS])
{
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		const struct tier *t = &now->tiers[i];

		tiers[i] = (struct tier_summary){
			.total = t->total,
			.healthy = t->healthy,
			.available_percent = t->available_percent,
			.load_percent = t->load_percent,
			.panic = t->panic,
		};
	}
}

void shares_compute(struct arena *a, const struct service *s, const struct health_view *v,
		    struct parts *out)
{
	const uint64_t *home_shares, *now_shares;
	struct sight home, now;

	*out = (struct parts){0};
	list_parts(a, s, out);
	look(a, s, NULL, &home);
	look(a, s, v, &now);
	home_shares = spread(a, &home, out);
	now_shares = spread(a, &now, out);
	for (size_t i = 0; i < out->count; i++) {
		out->items[i].home = home_shares[i];
		out->items[i].now = now_shares[i];
	}
	compute_spare(&now, out);
	summarise(&now, out->tiers);
}
