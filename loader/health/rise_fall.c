/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules are Envoy's (HealthCheckerImplBase): the first result decides alone in either
 * direction, so that a start needs one round of probes; afterwards `unhealthy` failures in a row
 * take an endpoint down and `healthy` successes in a row bring it back.
 */
#include "health/rise_fall.h"

static struct rise_fall count(struct rise_fall r, bool good)
{
	if (r.streak == 0 || r.last_good != good)
		r.streak = 1;
	else if (r.streak < UINT32_MAX)
		r.streak++;
	r.last_good = good;
	return r;
}

static enum health_state next_state(struct rise_fall r, enum verdict_kind kind,
				    struct thresholds limits)
{
	if (!r.settled)
		return r.last_good ? HEALTH_UP : HEALTH_DOWN;
	if (r.last_good)
		return r.streak >= limits.healthy ? HEALTH_UP : r.state;
	if (kind == VERDICT_BAD_AT_ONCE || r.streak >= limits.unhealthy)
		return HEALTH_DOWN;
	return r.state;
}

struct rise_fall rise_fall_next(struct rise_fall now, enum verdict_kind kind,
				struct thresholds limits)
{
	struct rise_fall next;

	if (kind == VERDICT_NONE)
		return now;
	next = count(now, kind == VERDICT_GOOD);
	next.state = next_state(next, kind, limits);
	next.settled = true;
	return next;
}
