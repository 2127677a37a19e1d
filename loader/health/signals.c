/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See signals.h. The packet path's sums only grow, so each watch keeps the latest reading of every
 * cohort. All watches go by one count of cohorts and, with equal intervals, by the same intervals:
 * the failure percentage compares the endpoints of a service.
 */
#include "health/signals.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "health/outlier.h"

#define REASON_TIME_OVER "ejection time over"

struct watch {
	const struct spw_signals *of; /* whose readings these are; NULL: none yet */
	struct spw_cohort seen[SPW_COHORTS];
	uint64_t first;	   /* cohorts before it are not judged */
	uint32_t run;	   /* failures in cohorts in a row without any answer */
	uint32_t flows;	   /* judged in the interval under way */
	uint32_t failures; /* of these */
	uint64_t interval; /* its number */
	bool rests;	   /* it is ejected: nothing is judged */
	bool had_no_room;  /* and that was logged */
	bool had_cause;	   /* in this interval */
	struct udp_watch udp;
};

/* The cohorts that a sample looks at: [first, end). */
struct span {
	uint64_t first, end;
	uint64_t now_ns, now_ms;
};

bool signals_is_judged(const struct instance *i)
{
	return i->passive && i->carried;
}

static struct spw_cohort read_cohort(const struct spw_cohort *c)
{
	return (struct spw_cohort){
		.opened = __atomic_load_n(&c->opened, __ATOMIC_RELAXED),
		.answered = __atomic_load_n(&c->answered, __ATOMIC_RELAXED),
		.refused = __atomic_load_n(&c->refused, __ATOMIC_RELAXED),
		.unreachable = __atomic_load_n(&c->unreachable, __ATOMIC_RELAXED),
		.retried = __atomic_load_n(&c->retried, __ATOMIC_RELAXED),
	};
}

/* Most endpoints have none: their line is read, not written. */
static uint32_t take_run(struct spw_signals *sig)
{
	if (!__atomic_load_n(&sig->run_max, __ATOMIC_RELAXED))
		return 0;
	return __atomic_exchange_n(&sig->run_max, 0, __ATOMIC_RELAXED);
}

/* From here on, and knowing nothing of before. */
static void start(struct watch *w, struct spw_signals *sig, const struct span *span)
{
	for (size_t n = 0; n < SPW_COHORTS; n++)
		w->seen[n] = read_cohort(&sig->cohort[n]);
	(void)take_run(sig);
	w->of = sig;
	w->first = (span->now_ns >> SPW_COHORT_SHIFT) + 1;
	w->run = w->flows = w->failures = 0;
	w->udp = (struct udp_watch){0};
}

/* After an ejection: the run that led to it is not held against the endpoint once more. */
static void start_over(struct watch *w, struct spw_signals *sig, const struct span *span)
{
	__atomic_store_n(&sig->run, 0, __ATOMIC_RELAXED);
	start(w, sig, span);
	w->rests = false;
}

static void try_to_eject(struct signals *s, struct target *t, const char *why)
{
	const struct instance *i = t->instance;
	struct watch *w = t->watch;

	w->had_cause = true;
	if (funnel_has_room(s->funnel, t)) {
		funnel_eject(s->funnel, t, why);
		w->rests = true; /* a good probe may end it before the next sample */
		return;
	}
	if (!w->had_no_room && funnel_may_log(s->funnel))
		log_info(
			"health: backend %s endpoint %s: stays in spite of %s: not more than %u %% "
			"of a service may be ejected",
			i->backend ? i->backend : "?", i->name ? i->name : "?", why,
			i->passive->max_ejection_percent);
	w->had_no_room = true;
}

static void weigh_run(struct signals *s, struct target *t, uint32_t run, enum spw_failure kind)
{
	const uint32_t limit = t->instance->passive->consecutive;
	char why[EJECTION_REASON_MAX];

	if (!limit || run < limit || t->ejection.on)
		return;
	/* The limit, not the run: that is as long as it happened to be when it was looked at. */
	(void)snprintf(why, sizeof(why), "%u consecutive failures (%s)", limit,
		       outlier_kind_text(kind));
	try_to_eject(s, t, why);
}

static bool silence_counts(const struct instance *i)
{
	return i->proto != IPPROTO_UDP || i->passive->udp_replies;
}

static void judge_cohorts(struct signals *s, struct target *t, const struct spw_signals *sig,
			  const struct span *span)
{
	struct watch *w = t->watch;

	for (uint64_t n = span->first; n < span->end; n++) {
		const size_t place = n % SPW_COHORTS;
		const struct spw_cohort now = read_cohort(&sig->cohort[place]);
		const struct cohort_sum sum =
			outlier_difference(&now, &w->seen[place], silence_counts(t->instance));
		uint32_t run;

		w->seen[place] = now;
		if (outlier_cohort_time(n, span->now_ns) == COHORT_LATE)
			w->run = 0; /* there may have been answers in it */
		if (t->ejection.on || n < w->first ||
		    outlier_cohort_time(n, span->now_ns) != COHORT_DUE)
			continue;
		w->flows += sum.answered + outlier_failures(&sum);
		w->failures += outlier_failures(&sum);
		run = outlier_run(&w->run, &sum);
		if (outlier_failures(&sum))
			weigh_run(s, t, run, outlier_kind(&sum));
	}
}

static void judge_udp(struct signals *s, struct target *t, const struct span *span)
{
	const struct instance *i = t->instance;
	struct udp_reading r = {.now_ms = span->now_ms};
	uint64_t requests;

	if (i->proto != IPPROTO_UDP || !i->passive->udp_replies || !s->hooks->traffic ||
	    !outlier_udp_is_due(&t->watch->udp, span->now_ms, i->passive->interval_ms))
		return;
	s->hooks->traffic(s->hooks->ctx, i, &r.in, &r.out);
	requests = outlier_udp(&t->watch->udp, &r);
	if (requests)
		weigh_run(s, t, requests < UINT32_MAX ? (uint32_t)requests : UINT32_MAX,
			  SPW_FAILURE_SILENT);
}

static void judge(struct signals *s, struct target *t, const struct span *span)
{
	struct watch *w = t->watch;
	struct spw_signals *sig =
		s->hooks->signals ? s->hooks->signals(s->hooks->ctx, t->instance) : NULL;

	if (!sig) {
		w->of = NULL;
		return;
	}
	if (w->of != sig)
		start(w, sig, span);
	if (w->rests && !t->ejection.on)
		start_over(w, sig, span);
	w->rests = t->ejection.on;
	if (!t->ejection.on)
		weigh_run(s, t, take_run(sig),
			  __atomic_load_n(&sig->last_failure, __ATOMIC_RELAXED));
	judge_cohorts(s, t, sig, span);
	if (!t->ejection.on)
		judge_udp(s, t, span);
}

static uint64_t interval_number(const struct target *t, uint64_t now_ms)
{
	const uint32_t interval = t->instance->passive->interval_ms;

	return now_ms / (interval ? interval : 1);
}

static bool interval_is_over(const struct target *t, uint64_t now_ms)
{
	return interval_number(t, now_ms) != t->watch->interval;
}

/* First pass over the intervals that end now: who has enough flows to be compared? */
static bool count_loud(struct signals *s, uint64_t now_ms)
{
	bool any = false;

	for (size_t n = 0; n < s->count; n++) {
		const struct instance *i = s->targets[n]->instance;

		if (s->targets[n]->watch->flows < OUTLIER_PERCENT_FLOWS ||
		    !interval_is_over(s->targets[n], now_ms))
			continue;
		for (size_t k = 0; k < i->service_count; k++)
			s->loud[i->services[k]]++;
		any = true;
	}
	return any;
}

static void weigh_percent(struct signals *s, struct target *t)
{
	const struct instance *i = t->instance;
	const struct watch *w = t->watch;
	bool is_compared = false;
	char why[EJECTION_REASON_MAX];

	for (size_t k = 0; k < i->service_count && !is_compared; k++)
		is_compared = s->loud[i->services[k]] >= OUTLIER_PERCENT_HOSTS;
	if (!is_compared || !outlier_percent_is_bad(i->passive, w->flows, w->failures))
		return;
	(void)snprintf(why, sizeof(why), "%u %% of %u flows failed",
		       (unsigned)((uint64_t)w->failures * 100 / w->flows), w->flows);
	try_to_eject(s, t, why);
}

static void end_interval(struct signals *s, struct target *t, uint64_t now_ms)
{
	struct watch *w = t->watch;

	if (t->ejection.on) {
		if (now_ms >= t->ejection.until_ms)
			funnel_uneject(s->funnel, t, REASON_TIME_OVER);
	} else {
		weigh_percent(s, t);
		if (!w->had_cause && health_is_healthy(&t->entry))
			funnel_forgive(t);
	}
	if (!w->had_cause)
		w->had_no_room = false;
	w->had_cause = false;
	w->flows = w->failures = 0;
	w->interval = interval_number(t, now_ms);
}

static void end_intervals(struct signals *s, uint64_t now_ms)
{
	const bool any_loud = count_loud(s, now_ms);

	for (size_t n = 0; n < s->count; n++) {
		if (interval_is_over(s->targets[n], now_ms))
			end_interval(s, s->targets[n], now_ms);
	}
	for (size_t n = 0; any_loud && n < s->count; n++) {
		const struct instance *i = s->targets[n]->instance;

		for (size_t k = 0; k < i->service_count; k++)
			s->loud[i->services[k]] = 0;
	}
}

/* Those whose outcomes are complete; beyond one round of places there is nothing to be known. */
static struct span span_of(struct signals *s, uint64_t now_ns, uint64_t now_ms)
{
	const uint64_t wait = SPW_COHORT_JUDGED_NS + OUTLIER_SETTLE_NS;
	const uint64_t end = now_ns > wait ? (now_ns - wait) >> SPW_COHORT_SHIFT : 0;
	struct span span = {.first = s->next, .end = end, .now_ns = now_ns, .now_ms = now_ms};

	if (end > span.first + SPW_COHORTS)
		span.first = end - SPW_COHORTS;
	if (end > s->next)
		s->next = end;
	return span;
}

void signals_sample(struct signals *s, uint64_t now_ns, uint64_t now_ms)
{
	const struct span span = span_of(s, now_ns, now_ms);

	for (size_t n = 0; n < s->count; n++)
		judge(s, s->targets[n], &span);
	end_intervals(s, now_ms);
}

int signals_reserve(size_t instances, size_t services, struct signals_room *room)
{
	room->targets = calloc(instances + 1, sizeof(*room->targets));
	room->loud = calloc(services + 1, sizeof(*room->loud));
	return room->targets && room->loud ? 0 : -ENOMEM;
}

int signals_watch(struct target *t, const struct instance *i)
{
	if (t->watch || !signals_is_judged(i))
		return 0;
	t->watch = calloc(1, sizeof(*t->watch));
	return t->watch ? 0 : -ENOMEM;
}

void signals_begin(struct signals *s, struct signals_room *room)
{
	signals_done(s);
	s->targets = room->targets;
	s->loud = room->loud;
	*room = (struct signals_room){0};
}

void signals_forget(struct target *t)
{
	free(t->watch);
	t->watch = NULL;
}

void signals_add(struct signals *s, struct target *t)
{
	if (!signals_is_judged(t->instance))
		signals_forget(t); /* its readings would be old when it is judged again */
	else if (t->watch)
		s->targets[s->count++] = t;
}

void signals_done(struct signals *s)
{
	free(s->targets);
	free(s->loud);
	s->targets = NULL;
	s->loud = NULL;
	s->count = 0;
}
