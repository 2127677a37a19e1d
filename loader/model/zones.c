/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loadBalancer.zoneAware of the policy in force. weightedZones makes one locality of each zone, in
 * place of one of each backendRef; preferLocal is arithmetic on health, so the tables do it. Where
 * zones are given and can have no effect, the service says why.
 */
#include <string.h>

#include "model/resolver.h"

#define MIN_IN_ZONE    1
#define MIN_ENDPOINTS  6
#define WEIGHT_MOST    1000000 /* of a locality; a zone's may be greater */
#define DEFAULT_WEIGHT 1

/* Zones as far as the service's endpoints have any. */
struct zone_facts {
	bool any;	   /* somebody has one */
	bool differ;	   /* within a tier */
	size_t first_tier; /* endpoints of tier 0 */
	size_t later_tiers;
	size_t local; /* those of them in the gateway's own */
};

static const char *zone_of(const struct locality *l, size_t member)
{
	return l->zones[member] ? l->zones[member] : "";
}

static struct zone_facts look(const struct service *s)
{
	struct zone_facts f = {0};
	const char *seen[MODEL_TIERS] = {0};

	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		for (size_t m = 0; m < l->count; m++) {
			const char *zone = zone_of(l, m);

			if (!seen[l->tier])
				seen[l->tier] = zone;
			f.any = f.any || *zone;
			f.differ = f.differ || strcmp(seen[l->tier], zone) != 0;
			f.first_tier += l->tier == 0;
			f.later_tiers += l->tier > 0;
			f.local +=
				l->tier == 0 && s->local_zone && strcmp(zone, s->local_zone) == 0;
		}
	}
	return f;
}

static struct prefer_local read_prefer_local(const struct node *n, const char *zone)
{
	return (struct prefer_local){
		.enabled = zone != NULL,
		.force = node_member(n, "force") != NULL,
		.min_in_zone =
			(uint32_t)node_int_at(n, "force.minEndpointsInZoneThreshold", MIN_IN_ZONE),
		.min_endpoints = (uint32_t)node_int_at(n, "minEndpointsThreshold", MIN_ENDPOINTS),
		.percent = (uint32_t)node_int_at(n, "percentageEnabled", 100),
	};
}

static uint64_t weight_of(const struct node *list, const char *zone)
{
	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *n = node_item(list, i);

		if (strcmp(node_text_at(n, "zone", ""), zone) == 0)
			return (uint64_t)node_int_at(n, "weight", DEFAULT_WEIGHT);
	}
	return DEFAULT_WEIGHT;
}

/* Zones' weights go up to 2^32 - 1; what is above a locality's limit is scaled, with all others. */
static uint64_t scale_of(const struct node *list)
{
	uint64_t most = 0;

	for (size_t i = 0; i < node_count(list); i++) {
		const uint64_t weight = (uint64_t)node_int_at(node_item(list, i), "weight", 0);

		most = weight > most ? weight : most;
	}
	return most / WEIGHT_MOST + (most % WEIGHT_MOST != 0);
}

struct regrouping {
	struct arena *arena;
	const struct node *weights;
	uint64_t scale;
	struct locality *out;
	size_t count;
};

static struct locality *group_of(struct regrouping *g, uint8_t tier, const char *zone)
{
	uint64_t weight = weight_of(g->weights, zone);
	struct locality *l;

	if (weight == 0)
		return NULL;
	for (size_t i = 0; i < g->count; i++) {
		if (g->out[i].tier == tier && strcmp(g->out[i].zone, zone) == 0)
			return &g->out[i];
	}
	if (g->scale > 1)
		weight = weight / g->scale ? weight / g->scale : 1;
	l = arena_push(g->arena, g->out, g->count);
	*l = (struct locality){.zone = zone, .weight = (uint32_t)weight, .tier = tier};
	return l;
}

static void regroup(struct resolver *r, struct service *s, const struct node *weights)
{
	struct regrouping g = {.arena = r->arena, .weights = weights, .scale = scale_of(weights)};

	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *from = &s->localities[i];

		for (size_t m = 0; m < from->count; m++) {
			struct locality *to = group_of(&g, from->tier, zone_of(from, m));
			size_t n, k;

			if (!to)
				continue;
			n = k = to->count;
			*arena_push(r->arena, to->members, to->count) = from->members[m];
			*arena_push(r->arena, to->backends, n) = from->backends[m];
			*arena_push(r->arena, to->zones, k) = from->zones[m];
		}
	}
	s->localities = g.out;
	s->locality_count = g.count;
}

static const char *note_local(struct arena *a, const struct service *s, const struct zone_facts *f)
{
	const struct prefer_local *p = &s->prefer_local;

	if (!s->local_zone)
		return "preferLocal: this gateway's zone is not known: start spillwayd with --zone";
	if (p->percent == 0)
		return "preferLocal: percentageEnabled is 0";
	if (f->first_tier == 0)
		return "preferLocal: it is for tier 0, where no endpoint is";
	if (f->local == 0)
		return arena_printf(a, "preferLocal: no endpoint is in the own zone %s",
				    s->local_zone);
	if (f->local == f->first_tier)
		return arena_printf(a, "preferLocal: all endpoints are in the own zone %s",
				    s->local_zone);
	if (f->first_tier < p->min_endpoints)
		return arena_printf(a,
				    "preferLocal: there are fewer than %u endpoints "
				    "(minEndpointsThreshold)",
				    p->min_endpoints);
	return NULL;
}

/* `left`: how many localities the weights leave. */
static const char *note_weighted(const struct zone_facts *f, size_t left)
{
	if (f->first_tier + f->later_tiers > 0 && left == 0)
		return "weightedZones: all endpoints are in zones of weight 0, so none gets flows";
	if (!f->any)
		return "weightedZones: no endpoint has a zone";
	return f->differ ? NULL : "weightedZones: the endpoints of each tier are in one zone";
}

void zones_apply(struct resolver *r, struct service *s)
{
	const struct node *n =
		s->policy ? node_at(s->policy->res.root, "spec.loadBalancer.zoneAware") : NULL;
	const struct node *weights = node_member(n, "weightedZones");
	const struct node *local = node_member(n, "preferLocal");
	struct zone_facts f;

	s->local_zone = r->opts->zone;
	f = look(s);
	if (local) {
		s->prefer_local = read_prefer_local(local, s->local_zone);
		s->zone_note = note_local(r->arena, s, &f);
		return;
	}
	if (node_count(weights)) {
		regroup(r, s, weights);
		s->zone_note = note_weighted(&f, s->locality_count);
		return;
	}
	if (f.any)
		s->zone_note = "endpoints have zones, but no policy with zoneAware is in force";
}
