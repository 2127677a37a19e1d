/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What endpoints make of new flows, counted for the daemon, which judges by it: struct spw_signals.
 * One atomic or on the flow's state decides who counts, so that several CPUs never count a flow
 * twice. Packets of a flow that has been answered never come here.
 */
#ifndef SPILLWAY_BPF_SIGNAL_H
#define SPILLWAY_BPF_SIGNAL_H

#include "flow.h"

#define SIGNAL_MAX_TRIES 4

/* A flow in one of these states is no news any more, but for ICMP about UDP. */
#define SIGNAL_OVER (SPW_FLOW_REPLIED | SPW_FLOW_RESET)

static inline struct spw_signals *signals_of(__u32 endpoint)
{
	return bpf_map_lookup_elem(&endpoint_signals, &endpoint);
}

/* In units of `born`. */
#define SIGNAL_COHORT_UNITS (1U << (SPW_COHORT_SHIFT - SPW_BORN_SHIFT))
#define SIGNAL_JUDGED_UNITS (SPW_COHORT_JUDGED_NS >> SPW_BORN_SHIFT)
#define SIGNAL_RETRY_UNITS  ((SPW_RETRY_AFTER_NS >> SPW_BORN_SHIFT) + 1)

static inline struct spw_cohort *signal_cohort(struct spw_signals *s, __u32 born)
{
	return &s->cohort[born / SIGNAL_COHORT_UNITS % SPW_COHORTS];
}

/* The daemon has judged its cohort, or may be doing so: an outcome would come too late. */
static inline bool signal_is_late(__u32 born, __u32 now)
{
	__u32 end = (born | (SIGNAL_COHORT_UNITS - 1)) + 1;

	return (__s32)(now - end) >= (__s32)SIGNAL_JUDGED_UNITS;
}

/* A forward entry's birth, by a swap from what was read. */
static inline void signal_born(__u32 v6, const struct flow_ref *f, __u32 born)
{
	struct spw_flow_core *c = lines_at(v6, f->line);
	struct spw_flow_core was = {.service = f->service, .born = f->born};
	struct spw_flow_core now = {.service = f->service, .born = born};

	if (c)
		swap64((__u64 *)&c->service, *(const word64 *)&was.service,
		       *(const word64 *)&now.service);
}

/*
 * Something has left for the endpoint, which has from now on to answer: the flow's birth, since
 * what was tried before never came to it.
 */
static __noinline int signal_opened(__u32 v6, struct flow_ref *f)
{
	__u32 old = line_mark(v6, f->line, f->word, SPW_FLOW_SAMPLED), now;
	struct spw_signals *s;

	if (old & (SPW_FLOW_SAMPLED | SIGNAL_OVER))
		return 0;
	now = flow_clock();
	signal_born(v6, f, now);
	f->born = now;
	s = signals_of(f->endpoint);
	if (s)
		__sync_fetch_and_add(&signal_cohort(s, now)->opened, 1);
	return 0;
}

/*
 * The first answer of a flow whose state was `old`. The run ends by a plain store: a failure that
 * another CPU adds in the same instant may be lost, which is as good as its having come before.
 */
__noinline int signal_answered(__u32 endpoint, __u32 born, __u32 old)
{
	struct spw_signals *s = signals_of(endpoint);

	if (!s)
		return 0;
	if (*(volatile __u32 *)&s->run)
		*(volatile __u32 *)&s->run = 0;
	if ((old & (SPW_FLOW_SAMPLED | SPW_FLOW_FAILED)) == SPW_FLOW_SAMPLED &&
	    !signal_is_late(born, flow_clock()))
		__sync_fetch_and_add(&signal_cohort(s, born)->answered, 1);
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
__noinline int signal_failed(__u32 endpoint, __u32 born, __u32 old, enum spw_failure why)
{
	struct spw_signals *s;

	if ((old & (SPW_FLOW_SAMPLED | SPW_FLOW_FAILED)) != SPW_FLOW_SAMPLED)
		return 0;
	count(signal_stat(why));
	s = signals_of(endpoint);
	if (!s)
		return 0;
	signal_run(s);
	s->last_failure = why;
	if (!(old & SPW_FLOW_REPLIED) && !signal_is_late(born, flow_clock()))
		__sync_fetch_and_add(signal_outcome(signal_cohort(s, born), why), 1);
	return 0;
}

static inline void signal_silent(__u32 v6, const struct flow_ref *f)
{
	__u32 old = line_mark(v6, f->line, f->word, SPW_FLOW_FAILED);

	if (!(old & SIGNAL_OVER))
		signal_failed(f->endpoint, f->born, old, SPW_FAILURE_SILENT);
}

/* The client's SYN came again, to a flow that has had its time to be answered. */
static inline void signal_retried(const struct pkt *p)
{
	const struct flow_ref *f = p->forward;

	if (!(f->word & SPW_FLOW_SAMPLED) || (f->word & (SIGNAL_OVER | SPW_FLOW_FAILED)))
		return;
	if ((__s32)(flow_clock() - f->born) >= (__s32)SIGNAL_RETRY_UNITS)
		signal_silent(p->v6, f);
}

/*
 * Nobody has resolved the next hop's address for as long as a SYN waits for its answer: the host is
 * gone, or its router, and this failure is all that is ever seen of it.
 */
static __noinline int signal_unresolved(struct pkt *p)
{
	struct flow_ref *f = p->forward;

	if (!f->line || pkt_is_reply(p) || (f->word & (SPW_FLOW_SAMPLED | SIGNAL_OVER)))
		return 0;
	if ((__s32)(flow_clock() - f->born) < (__s32)SIGNAL_RETRY_UNITS)
		return 0;
	signal_opened(p->v6, f);
	signal_silent(p->v6, f);
	return 0;
}

/* An endpoint's packet has set `bits` in a flow whose state was `old`. */
static inline void signal_replied(const struct pkt *p, __u32 old, __u32 bits)
{
	const struct flow_ref *f = p->forward;

	if (old & SIGNAL_OVER)
		return;
	if (bits & SPW_FLOW_RESET)
		signal_failed(f->endpoint, f->born, old, SPW_FAILURE_REFUSED);
	else
		signal_answered(f->endpoint, f->born, old);
}

#endif
