/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fallbacks that cannot take over by themselves: nothing judges the primaries, or passive detection
 * may not eject so many of them that what is left cannot carry the load.
 */
#include "model/resolver.h"

/* Envoy's arithmetic: a tier keeps everything while 140 % of its healthy part is 100 % or more. */
#define OVERPROVISIONING 140
#define SMALL_SET	 10 /* of fewer endpoints one may always be ejected */
#define COMPARED_SET	 5  /* of fewer endpoints percentages are not compared */

/* Members of the first tier, and of all. */
static size_t count_members(const struct service *s, size_t *all)
{
	size_t first = 0;

	*all = 0;
	for (size_t i = 0; i < s->locality_count; i++) {
		*all += s->localities[i].count;
		if (s->localities[i].tier == s->localities[0].tier)
			first += s->localities[i].count;
	}
	return first;
}

/* All of its detectors may be switched off, or want more endpoints than there are. */
static bool can_eject(const struct service *s, const struct passive *p)
{
	size_t all;

	/* Percentages are compared among those that carry traffic. */
	return p &&
	       (p->consecutive || (p->failure_percent && count_members(s, &all) >= COMPARED_SET));
}

/* Why ejections alone never spill, or NULL. Counted over the endpoints of all tiers, as upstream. */
static const char *why_capped(struct arena *a, const struct service *s, const struct passive *p)
{
	size_t all;
	const size_t first = count_members(s, &all);
	size_t most = p->max_ejection_percent * all / 100;

	if (most == 0 && (p->always_eject_one || all < SMALL_SET))
		most = 1;
	if (most >= first || OVERPROVISIONING * (first - most) < 100 * first)
		return NULL;
	return arena_printf(a,
			    "only passive detection judges the endpoints of route %s, and of its "
			    "%zu it may eject %zu at a time (maxEjectionPercent: %u), too few for "
			    "its %zu primary endpoints to fall below 72 %%, so this fallback takes "
			    "over only when they are set down by hand: raise maxEjectionPercent or "
			    "add healthCheck.active",
			    s->name, all, most, p->max_ejection_percent, first);
}

void fallbacks_mark(struct resolver *r, const struct draft *d, const struct service *s,
		    const struct judges *j)
{
	const char *capped = NULL;
	bool is_judged;

	if (j->check || s->locality_count == 0)
		return;
	is_judged = can_eject(s, j->passive[0]);
	if (is_judged)
		capped = why_capped(r->arena, s, j->passive[0]);
	if (is_judged && !capped)
		return;
	for (size_t i = 0; i < d->refs->count; i++) {
		struct backend *b = d->refs->items[i].backend;

		if (b->tier <= s->localities[0].tier)
			continue;
		if (capped && !b->capped)
			b->capped = capped;
		if (!capped && !b->unchecked)
			b->unchecked = s->name;
	}
}

void fallbacks_report(struct resolver *r, const struct backend *b)
{
	if (b->unchecked)
		condition_plain(r, b->object, "FallbackReady", false, "NoHealthCheck",
				arena_printf(r->arena,
					     "no health check of type TCP, HTTP or GRPC and no "
					     "passive detection that could eject anybody is in "
					     "force on route %s, so its "
					     "primary endpoints always count as up and this "
					     "fallback takes over only when they are set down by "
					     "hand: attach a BackendTrafficPolicy with "
					     "healthCheck.active",
					     b->unchecked));
	else if (b->capped)
		condition_plain(r, b->object, "FallbackReady", false, "EjectionCapped", b->capped);
}
