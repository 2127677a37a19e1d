/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What endpoints make of new flows, counted for the daemon, which judges by it: struct spw_signals.
 * One atomic or on the flow's state decides who counts, so that several CPUs never count a flow
 * twice. Packets of a flow that has been answered never come here.
 */
#ifndef SPILLWAY_BPF_SIGNAL_H
#define SPILLWAY_BPF_SIGNAL_H

#include "stats.h"

#define SIGNAL_MAX_TRIES 4

/* A flow in one of these states is no news any more, but for ICMP about UDP. */
#define SIGNAL_OVER (SPW_FLOW_REPLIED | SPW_FLOW_RESET)

static inline struct spw_signals *signals_of(__u32 endpoint)
{
	return bpf_map_lookup_elem(&endpoint_signals, &endpoint);
}

static inline struct spw_cohort *signal_cohort(struct spw_signals *s, __u64 born_ns)
{
	return &s->cohort[(born_ns >> SPW_COHORT_SHIFT) % SPW_COHORTS];
}

/* The daemon has judged its cohort, or may be doing so: an outcome would come too late. */
static inline bool signal_is_late(__u64 born_ns, __u64 now_ns)
{
	__u64 end = ((born_ns >> SPW_COHORT_SHIFT) + 1) << SPW_COHORT_SHIFT;

	return now_ns >= end + SPW_COHORT_JUDGED_NS;
}

/*
 * Something has left for the endpoint, which has from now on to answer: the flow's birth, since
 * what was tried before never came to it. Returns the state as it was before.
 */
static inline __u32 signal_opened(struct spw_flow *f, __u64 now_ns)
{
	__u32 old = __sync_fetch_and_or(&f->state, SPW_FLOW_SAMPLED);
	struct spw_signals *s;

	if (old & (SPW_FLOW_SAMPLED | SIGNAL_OVER))
		return old;
	f->born_ns = now_ns;
	s = signals_of(f->endpoint);
	if (s)
		__sync_fetch_and_add(&signal_cohort(s, now_ns)->opened, 1);
	return old;
}

/*
 * The first answer of a flow whose state was `old`. The run ends by a plain store: a failure that
 * another CPU adds in the same instant may be lost, which is as good as its having come before.
 */
__noinline int signal_answered(const struct spw_flow *f, __u32 old, __u64 now_ns)
{
	struct spw_signals *s;

	if (!f)
		return 0;
	s = signals_of(f->endpoint);
	if (!s)
		return 0;
	if (*(volatile __u32 *)&s->run)
		*(volatile __u32 *)&s->run = 0;
	if ((old & (SPW_FLOW_SAMPLED | SPW_FLOW_FAILED)) == SPW_FLOW_SAMPLED &&
	    !signal_is_late(f->born_ns, now_ns))
		__sync_fetch_and_add(&signal_cohort(s, f->born_ns)->answered, 1);
	return 0;
}

/*
 * The greatest run: bounded tries, since the verifier wants an end. When others were quicker every
 * time, theirs were of the same moment and as long, but for a few.
 */
static inline void signal_run(struct spw_signals *s)
{
	__u32 run = __sync_fetch_and_add(&s->run, 1) + 1;
	int i;

	for (i = 0; i < SIGNAL_MAX_TRIES; i++) {
		__u32 max = *(volatile __u32 *)&s->run_max;

		if (run <= max || __sync_val_compare_and_swap(&s->run_max, max, run) == max)
			return;
	}
}

static inline __u32 *signal_outcome(struct spw_cohort *c, enum spw_failure why)
{
	if (why == SPW_FAILURE_REFUSED)
		return &c->refused;
	return why == SPW_FAILURE_UNREACHABLE ? &c->unreachable : &c->retried;
}

static inline enum spw_stat signal_stat(enum spw_failure why)
{
	if (why == SPW_FAILURE_REFUSED)
		return SPW_COUNT_FLOW_REFUSED;
	return why == SPW_FAILURE_UNREACHABLE ? SPW_COUNT_FLOW_UNREACHABLE : SPW_COUNT_FLOW_RETRIED;
}

/*
 * A flow has got SPW_FLOW_FAILED, and `old` is what its state was before: the first to set it
 * counts, if anything has left for the endpoint. One that was answered before (UDP) has its outcome already and counts in the run only.
 */
__noinline int signal_failed(const struct spw_flow *f, __u32 old, enum spw_failure why,
			     __u64 now_ns)
{
	struct spw_signals *s;

	if (!f || (old & (SPW_FLOW_SAMPLED | SPW_FLOW_FAILED)) != SPW_FLOW_SAMPLED)
		return 0;
	count(signal_stat(why));
	s = signals_of(f->endpoint);
	if (!s)
		return 0;
	signal_run(s);
	s->last_failure = why;
	if (!(old & SPW_FLOW_REPLIED) && !signal_is_late(f->born_ns, now_ns))
		__sync_fetch_and_add(signal_outcome(signal_cohort(s, f->born_ns), why), 1);
	return 0;
}

/* The client's SYN came again, to a flow that has had its time to be answered. */
static inline void signal_retried(struct spw_flow *f, __u64 now_ns)
{
	__s64 age = now_ns - f->born_ns;
	__u32 old;

	if (age < (__s64)SPW_RETRY_AFTER_NS || !(f->state & SPW_FLOW_SAMPLED) ||
	    (f->state & (SIGNAL_OVER | SPW_FLOW_FAILED)))
		return;
	old = __sync_fetch_and_or(&f->state, SPW_FLOW_FAILED);
	if (!(old & SIGNAL_OVER))
		signal_failed(f, old, SPW_FAILURE_SILENT, now_ns);
}

/*
 * Nobody has resolved the next hop's address for as long as a SYN waits for its answer: the host is
 * gone, or its router, and this failure is all that is ever seen of it.
 */
__noinline int signal_unresolved(struct spw_flow *f, __u64 now_ns)
{
	__s64 age;
	__u32 old;

	if (!f || f->dir == SPW_FLOW_REVERSE)
		return 0;
	age = now_ns - f->born_ns;
	if (age < (__s64)SPW_RETRY_AFTER_NS || (f->state & (SPW_FLOW_SAMPLED | SIGNAL_OVER)))
		return 0;
	signal_opened(f, now_ns);
	old = __sync_fetch_and_or(&f->state, SPW_FLOW_FAILED);
	if (!(old & SIGNAL_OVER))
		signal_failed(f, old, SPW_FAILURE_SILENT, now_ns);
	return 0;
}

/* An endpoint's packet has set `bits` in a flow whose state was `old`. */
static inline void signal_replied(const struct spw_flow *f, __u32 old, __u32 bits, __u64 now_ns)
{
	if (old & SIGNAL_OVER)
		return;
	if (bits & SPW_FLOW_RESET)
		signal_failed(f, old, SPW_FAILURE_REFUSED, now_ns);
	else
		signal_answered(f, old, now_ns);
}

#endif
