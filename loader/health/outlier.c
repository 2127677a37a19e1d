/* SPDX-License-Identifier: BSD-2-Clause */
/* See outlier.h. Whatever is not certain is judged in the endpoint's favour. */
#include "health/outlier.h"

#define EJECTION_MOST_MS 300000 /* Envoy's max_ejection_time */
#define JUDGED_MS	 (SPW_COHORT_JUDGED_NS / 1000000)

enum cohort_time outlier_cohort_time(uint64_t cohort, uint64_t now_ns)
{
	const uint64_t end = (cohort + 1) << SPW_COHORT_SHIFT;

	if (now_ns < end + SPW_COHORT_JUDGED_NS + OUTLIER_SETTLE_NS)
		return COHORT_EARLY;
	/* Its place is reused SPW_COHORTS - 1 spans after its end; one of them is kept clear. */
	if (now_ns >= end + ((uint64_t)(SPW_COHORTS - 2) << SPW_COHORT_SHIFT))
		return COHORT_LATE;
	return COHORT_DUE;
}

/* No cohort has so many flows: the sums were cleared, for an endpoint that got the number. */
static bool went_back(uint32_t difference)
{
	return difference > INT32_MAX;
}

struct cohort_sum outlier_difference(const struct spw_cohort *now, const struct spw_cohort *before,
				     bool silence_counts)
{
	const uint32_t opened = now->opened - before->opened;
	struct cohort_sum s = {
		.answered = now->answered - before->answered,
		.refused = now->refused - before->refused,
		.unreachable = now->unreachable - before->unreachable,
		.silent = now->retried - before->retried,
	};
	const uint64_t known = (uint64_t)s.answered + s.refused + s.unreachable + s.silent;

	if (went_back(opened) || went_back(s.answered) || went_back(s.refused) ||
	    went_back(s.unreachable) || went_back(s.silent))
		return (struct cohort_sum){0};
	/* After a first reading in mid-cohort more outcomes than births are seen. */
	if (silence_counts && opened > known)
		s.silent += opened - (uint32_t)known;
	return s;
}

uint32_t outlier_failures(const struct cohort_sum *s)
{
	return s->refused + s->unreachable + s->silent;
}

enum spw_failure outlier_kind(const struct cohort_sum *s)
{
	if (!outlier_failures(s))
		return SPW_FAILURE_NONE;
	if (s->silent >= s->refused && s->silent >= s->unreachable)
		return SPW_FAILURE_SILENT;
	return s->refused >= s->unreachable ? SPW_FAILURE_REFUSED : SPW_FAILURE_UNREACHABLE;
}

const char *outlier_kind_text(enum spw_failure kind)
{
	switch (kind) {
	case SPW_FAILURE_REFUSED:
		return "connection refused";
	case SPW_FAILURE_UNREACHABLE:
		return "ICMP unreachable";
	case SPW_FAILURE_NONE:
	case SPW_FAILURE_SILENT:
		break;
	}
	return "no answer";
}

uint32_t outlier_run(uint32_t *run, const struct cohort_sum *s)
{
	const uint32_t failures = outlier_failures(s);

	if (s->answered) {
		*run = 0;
		return (uint32_t)(((uint64_t)failures + s->answered) / ((uint64_t)s->answered + 1));
	}
	*run = failures > UINT32_MAX - *run ? UINT32_MAX : *run + failures;
	return *run;
}

bool outlier_percent_is_bad(const struct passive *p, uint32_t flows, uint32_t failures)
{
	return p->failure_percent && flows >= OUTLIER_PERCENT_FLOWS &&
	       (uint64_t)failures * 100 >= (uint64_t)p->failure_percent * flows;
}

bool outlier_has_room(const struct passive *p, uint32_t hosts, uint32_t ejected)
{
	if (!ejected && (p->always_eject_one || hosts < OUTLIER_SMALL_SET))
		return true;
	return 100 * ((uint64_t)ejected + 1) <= (uint64_t)p->max_ejection_percent * hosts;
}

uint64_t outlier_ejection_ms(const struct passive *p, uint32_t count)
{
	const uint64_t base = p->base_ejection_ms;
	const uint64_t most = base > EJECTION_MOST_MS ? base : EJECTION_MOST_MS;
	const uint64_t ms = base * count;

	return ms < most ? ms : most;
}

bool outlier_udp_is_due(const struct udp_watch *w, uint64_t now_ms, uint32_t interval_ms)
{
	if (!w->began_ms)
		return true;
	if (!w->ended_ms)
		return now_ms >= w->began_ms + interval_ms;
	return now_ms >= w->ended_ms + JUDGED_MS;
}

uint64_t outlier_udp(struct udp_watch *w, const struct udp_reading *r)
{
	const bool was_silent = w->ended_ms && r->out == w->out;
	const uint64_t requests = w->in_end > w->in ? w->in_end - w->in : 0; /* cleared: 0 */

	if (w->began_ms && !w->ended_ms && r->out == w->out) {
		w->ended_ms = r->now_ms;
		w->in_end = r->in;
		return 0;
	}
	*w = (struct udp_watch){.began_ms = r->now_ms, .in = r->in, .out = r->out};
	return was_silent && requests >= OUTLIER_UDP_REQUESTS ? requests : 0;
}
