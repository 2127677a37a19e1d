/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tiers first, then localities by effective weight, then endpoints equally: Envoy's order. A tier
 * in panic spreads over all its endpoints alike, as Envoy does, but never to those that the
 * operator took down or drains; when it has no other, its share goes to the other tier.
 */
#include "tables/shares.h"

#include "tables/tiers.h"

/* Health as this computation sees it: as it is, or as if everything were up. */
struct sight {
	const struct health_view *view; /* NULL: everything is up */
};

/* What one tier has. */
struct tally {
	uint32_t total, healthy, allowed;
	uint64_t weight_sum; /* effective, of all localities */
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

static uint32_t count_healthy(const struct sight *by, const struct locality *l)
{
	uint32_t n = 0;

	for (size_t i = 0; i < l->count; i++)
		n += is_healthy(by, l->members[i]);
	return n;
}

static uint64_t effective(const struct sight *by, const struct locality *l)
{
	return locality_effective_weight(l->weight, count_healthy(by, l), (uint32_t)l->count);
}

static struct tally tally_tier(const struct sight *by, const struct service *s, unsigned int tier)
{
	struct tally t = {0};

	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		if (l->tier != tier)
			continue;
		t.total += (uint32_t)l->count;
		t.healthy += count_healthy(by, l);
		t.weight_sum += effective(by, l);
		for (size_t m = 0; m < l->count; m++)
			t.allowed += is_allowed(by, l->members[m]);
	}
	return t;
}

static uint32_t usable(const struct tier *tier, const struct tally *t)
{
	return tier->panic ? t->allowed : t->healthy;
}

/* A share that nobody in its tier may take goes to the other tier, if somebody there may. */
static void hand_over(struct tier tiers[MODEL_TIERS], const struct tally tallies[MODEL_TIERS])
{
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		unsigned int other = 0;

		if (tiers[i].load_percent == 0 || usable(&tiers[i], &tallies[i]) > 0)
			continue;
		while (other < MODEL_TIERS && usable(&tiers[other], &tallies[other]) == 0)
			other++;
		if (other < MODEL_TIERS)
			tiers[other].load_percent += tiers[i].load_percent;
		tiers[i].load_percent = 0;
	}
}

static void compute_tiers(const struct sight *by, const struct service *s,
			  struct tier tiers[MODEL_TIERS], struct tally tallies[MODEL_TIERS])
{
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		tallies[i] = tally_tier(by, s, i);
		tiers[i] = (struct tier){.total = tallies[i].total, .healthy = tallies[i].healthy};
	}
	tiers_load(tiers, MODEL_TIERS, s->panic_threshold);
	hand_over(tiers, tallies);
}

static uint64_t ratio(unsigned __int128 num, unsigned __int128 den)
{
	return den ? (uint64_t)(num * SHARE_ONE / den) : 0;
}

/* The share of each member of a locality that may be picked. */
static uint64_t member_share(const struct sight *by, const struct locality *l,
			     const struct tier *tier, const struct tally *t)
{
	if (tier->panic)
		return ratio(tier->load_percent, 100ull * t->allowed);
	return ratio((unsigned __int128)tier->load_percent * effective(by, l),
		     (unsigned __int128)100 * t->weight_sum * count_healthy(by, l));
}

/* shares[] in the order of the parts. */
static void spread(const struct sight *by, const struct service *s,
		   const struct tier tiers[MODEL_TIERS], const struct tally tallies[MODEL_TIERS],
		   uint64_t *shares)
{
	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];
		const struct tier *tier = &tiers[l->tier];
		const uint64_t share = member_share(by, l, tier, &tallies[l->tier]);

		for (size_t m = 0; m < l->count; m++) {
			const struct instance *in = l->members[m];
			const bool may = tier->panic ? is_allowed(by, in) : is_healthy(by, in);

			*shares++ = may ? share : 0;
		}
	}
}

static void list_parts(struct arena *a, const struct service *s, struct parts *out)
{
	size_t n = 0;

	for (size_t i = 0; i < s->locality_count; i++)
		out->count += s->localities[i].count;
	out->items = arena_array(a, out->count, sizeof(*out->items));
	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		for (size_t m = 0; m < l->count; m++)
			out->items[n++] = (struct part){
				.locality = l,
				.instance = l->members[m],
				.backend = l->backends[m],
			};
	}
}

/*
 * The fallback tier on its own, all of its allowed endpoints by weight, whatever their health: the
 * packet path skips those that are not pickable, and this table need not change with it.
 */
static void compute_spare(const struct health_view *v, struct parts *out)
{
	const struct sight now = {v};
	uint64_t sum = 0;

	for (size_t i = 0; i < out->count; i++) {
		struct part *p = &out->items[i];

		if (p->locality->tier == 1 && is_allowed(&now, p->instance))
			p->spare = (uint64_t)p->locality->weight * 1000000 / p->locality->count;
		sum += p->spare;
	}
	for (size_t i = 0; i < out->count && sum > 0; i++)
		out->items[i].spare = ratio(out->items[i].spare, sum);
}

void shares_compute(struct arena *a, const struct service *s, const struct health_view *v,
		    struct parts *out)
{
	const struct sight now = {v}, up = {NULL};
	struct tally tallies[MODEL_TIERS];
	struct tier tiers[MODEL_TIERS];
	uint64_t *home_shares, *now_shares;

	*out = (struct parts){0};
	list_parts(a, s, out);
	home_shares = arena_array(a, 2 * out->count, sizeof(*home_shares));
	now_shares = home_shares + out->count;
	compute_tiers(&up, s, tiers, tallies);
	spread(&up, s, tiers, tallies, home_shares);
	compute_tiers(&now, s, tiers, tallies);
	spread(&now, s, tiers, tallies, now_shares);
	for (size_t i = 0; i < out->count; i++) {
		out->items[i].home = home_shares[i];
		out->items[i].now = now_shares[i];
	}
	if (tallies[0].total > 0 && tallies[1].total > 0)
		compute_spare(v, out);
	for (unsigned int i = 0; i < MODEL_TIERS; i++) {
		out->tiers[i] = (struct tier_summary){
			.total = tiers[i].total,
			.healthy = tiers[i].healthy,
			.load_percent = tiers[i].load_percent,
			.panic = tiers[i].panic && tiers[i].total > 0,
		};
	}
}
