/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory for what does not fit on the stack, one for each CPU: nothing interrupts XDP there to do
 * XDP. The sweep can be interrupted, so it has one of its own.
 */
#ifndef SPILLWAY_BPF_SCRATCH_H
#define SPILLWAY_BPF_SCRATCH_H

#include "lines.h"
#include "pair.h"

/* A flow in the making: what open.h, reserve.h and port.h work on. */
struct opening {
	struct spw_flow_key reverse_key; /* endpoint to source; its dport is what is looked for */
	struct entry entry;		 /* the reverse entry, then the forward one */
	struct entry holder;		 /* of a port that is taken */
	__u32 side;			 /* of the settings */
	__u32 now;			 /* ticks */
	__u32 v6;
	__u32 source_first; /* the endpoint's source addresses */
	__u32 source_count;
	__u32 source_home; /* the one that is tried first, 0 .. count - 1 */
	__u32 source;	   /* index in the settings of the one that is tried now */
	__u32 rest;	   /* enum port_rest of the port tried last */
	struct {
		__u32 rest; /* likewise; PORT_IN_USE: there is none */
		__u32 place;
		__u32 turn; /* of the source address, as reserve_turn() counts */
	} early;	    /* the port to reuse early */
	__u32 pad;
};

/* Writer: the packet path. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct carry);
} carry SEC(".maps");

static inline struct carry *carry_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&carry, &zero);
}

/* Writer: the packet path. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct opening);
} opening SEC(".maps");

/* The flow in the making lies in a per-CPU map: a global function gets at it there. */
static inline struct opening *opening_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&opening, &zero);
}

#endif
