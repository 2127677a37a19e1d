/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the flow table's headers need from outside: where its lines are (in the maps), what a second
 * is, and who counts. A native test has another one of these.
 */
#ifndef SPILLWAY_BPF_LINES_H
#define SPILLWAY_BPF_LINES_H

#include "atomic.h"
#include "entry.h"
#include "flow_maps.h"
#include "stats.h"

/* Whose scratch: what removes pairs, the sweep in doing so, and what either knows of a partner. */
#define LINES_SWEEP	   1
#define LINES_PARTNER(who) ((who) + 2)
#define LINES_FLOW	   LINES_PARTNER(0)
#define LINES_SCRATCHES	   4

/* Writer: the packet path, and the sweep, each its own. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LINES_SCRATCHES);
	__type(key, __u32);
	__type(value, struct pair_scratch);
} pair_memory SEC(".maps");

static inline __u32 lines_sets(__u32 v6)
{
	return v6 ? flow_sets6 : flow_sets4;
}

static inline __u32 lines_near(__u32 v6)
{
	return v6 ? flow_near6 : flow_near4;
}

/*
 * NULL only for numbers beyond the table. Each map has a call of its own, kept apart by what stands
 * behind it: where compilers make one call for both, the kernel cannot put the lookup in its place.
 */
static inline struct spw_flow_core *lines_at(__u32 v6, __u32 line)
{
	struct spw_flow4 *l4;
	struct spw_flow6 *l6;

	if (v6) {
		l6 = bpf_map_lookup_elem(&flows6, &line);
		asm volatile("%0 = %0" : "+r"(l6));
		return l6 ? &l6->core : NULL;
	}
	l4 = bpf_map_lookup_elem(&flows4, &line);
	return l4 ? &l4->core : NULL;
}

static inline struct spw_flow_head *lines_head(__u32 v6, __u32 set)
{
	__u32 nth = v6 ? flow_sets4 + set : set;

	return bpf_map_lookup_elem(&flow_heads, &nth);
}

static inline __u64 lines_seed(void)
{
	__u32 zero = 0;
	struct spw_config *c = bpf_map_lookup_elem(&config, &zero);

	return c ? c->flow_seed : 0;
}

/* Are keys of this family looked for in far sets first? */
static inline bool lines_far_first(__u32 v6)
{
	__u32 zero = 0;
	struct spw_config *c = bpf_map_lookup_elem(&config, &zero);

	return c && load32(&c->far_first) >> (v6 & 1) & 1;
}

/* Ticks after which nothing of a closed flow is under way any more. */
static inline __u32 lines_settled(void)
{
	return 2 * ticks_a_second;
}

static inline struct pair_scratch *lines_scratch(__u32 who)
{
	return bpf_map_lookup_elem(&pair_memory, &who);
}

#define lines_loop(times, fn, ctx) bpf_loop(times, fn, ctx, 0)

static inline void lines_closed(__u32 endpoint)
{
	count_closed(endpoint);
}

static inline void lines_replaced(void)
{
	count_shared(SPW_COUNT_FLOW_REPLACED);
}

#endif
