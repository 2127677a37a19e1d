/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What bpf/lines.h is to the packet path: lines in plain memory, scratch of each thread, and a clock
 * that waits for everyone. The flow table's own headers come behind it, compiled natively.
 */
#ifndef SPILLWAY_TESTS_NATIVE_LINES_H
#define SPILLWAY_TESTS_NATIVE_LINES_H

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>
#include <spillway/flow.h>

#include "../../bpf/atomic.h"
#include "../../bpf/entry.h"

/* Now and then, before any read of a word, others get on: two CPUs would meet there too seldom. */
static inline void preempted(void)
{
	static _Thread_local __u32 left = 1, rnd = 1;

	if (--left)
		return;
	rnd = rnd * 1664525 + 1013904223;
	left = 1 + (rnd >> 22);
	sched_yield();
}

#undef load64
#define load64(p) (preempted(), __atomic_load_n((word64 *)(p), __ATOMIC_ACQUIRE))

#define LINES_SWEEP	   1
#define LINES_PARTNER(who) ((who) + 2)

#define SETS	8
#define NEAR	2
#define LINES	(SETS * SPW_SET_WAYS + 1)
#define SETTLED 8 /* ticks */
#define IDLE	24

/* Global functions of the packet path are of this one file here. */
#define __noinline static __attribute__((noinline, unused))

static _Alignas(64) struct spw_flow4 lines4[LINES];
static _Alignas(64) struct spw_flow6 lines6[LINES];
static _Alignas(64) struct spw_flow_head heads[2][SETS];
static atomic_uint far_first; /* as in the config */
static atomic_ullong opened, closed, replaced, spun;
static _Thread_local struct pair_scratch scratch[4];

static inline __u32 lines_sets(__u32 v6)
{
	(void)v6;
	return SETS;
}

static inline __u32 lines_near(__u32 v6)
{
	(void)v6;
	return NEAR;
}

static inline bool lines_far_first(__u32 v6)
{
	return atomic_load_explicit(&far_first, memory_order_relaxed) >> v6 & 1;
}

static inline struct spw_flow_core *lines_at(__u32 v6, __u32 line)
{
	if (line >= LINES)
		return NULL;
	return v6 ? &lines6[line].core : &lines4[line].core;
}

static inline struct spw_flow_head *lines_head(__u32 v6, __u32 set)
{
	return &heads[v6][set];
}

static inline __u64 lines_seed(void)
{
	return 0x5eed;
}

static inline __u32 lines_settled(void)
{
	return SETTLED;
}

static inline struct pair_scratch *lines_scratch(__u32 who)
{
	return &scratch[who];
}

/* Threads are preempted with a lock held, which XDP is not: so whoever waits lets them go on. */
#define lines_loop(times, fn, ctx)                                                                 \
	do {                                                                                       \
		for (int nth_ = 0; nth_ < (times) && !fn(nth_, ctx); nth_++) {                     \
			atomic_fetch_add(&spun, 1);                                                \
			sched_yield();                                                             \
		}                                                                                  \
	} while (0)

static inline void lines_closed(__u32 endpoint)
{
	(void)endpoint;
	atomic_fetch_add_explicit(&closed, 1, memory_order_relaxed);
}

static inline void lines_replaced(void)
{
	atomic_fetch_add_explicit(&replaced, 1, memory_order_relaxed);
}

#endif
