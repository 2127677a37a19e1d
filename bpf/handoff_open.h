/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens a flow of the userspace path: one entry, and no source port, since the stack is the other
 * side. Where there is no room for the entry the packet passes all the same: steer.bpf.c works out
 * the same pick, as long as nothing changes meanwhile.
 */
#ifndef SPILLWAY_BPF_HANDOFF_OPEN_H
#define SPILLWAY_BPF_HANDOFF_OPEN_H

#include "evict.h"
#include "handoff.h"
#include "insert.h"

#define ALONE_STATE_SHIFT 16

static inline void alone_fill(struct entry *e, const struct spw_flow_key *k, __u32 service,
			      __u32 endpoint, __u32 what)
{
	__builtin_memset(e, 0, sizeof(*e));
	e->core.sport = k->sport;
	e->core.dport = k->dport;
	e->core.proto = k->proto;
	e->core.dir = SPW_FLOW_FORWARD;
	e->core.flags = what & SPW_FLOW_ALONE;
	e->core.word = what >> ALONE_STATE_SHIFT & SPW_WORD_STATE_MASK;
	e->core.endpoint = endpoint;
	e->core.service = service;
	e->core.born = flow_clock();
	e->core.client_vlan = SPW_UNTAGGED;
}

/*
 * An entry without a partner for the packet whose key is in the scratch: its line or why there is none,
 * as insert() says it. `what` is one of SPW_FLOW_ALONE, and above ALONE_STATE_SHIFT the state it starts
 * in. A global function for the verifier.
 */
__noinline long alone_insert(__u32 v6, __u32 now, __u32 service, __u32 endpoint, __u32 what)
{
	struct opening *o = opening_scratch();
	struct carry *c = carry_scratch();
	long line;

	if (!o || !c)
		return -INSERT_EBUSY;
	alone_fill(&o->entry, &c->key, service, endpoint, what);
	line = insert(&c->key, &o->entry, v6, now);
	if (line == -INSERT_EBUSY || (line == -INSERT_E2BIG && evict(&c->key, v6, now)))
		line = insert(&c->key, &o->entry, v6, now);
	return line;
}

/* The packet is in no flow yet that count_endpoint() could ask. */
static inline void handoff_count(const struct pkt *p, long line)
{
	struct spw_endpoint_stats *s = bpf_map_lookup_elem(&endpoint_stats, &p->endpoint);

	if (line > 0) {
		count_opened(p->endpoint);
		count(SPW_COUNT_FLOW_CREATED);
	} else {
		count(line == -INSERT_EEXIST ? SPW_COUNT_FLOW_RACED : SPW_COUNT_HANDOFF_UNKEPT);
	}
	if (!s)
		return;
	s->packets_in += 1;
	s->bytes_in += p->l3_len;
}

/* A stage. */
static inline enum verdict handoff_open(struct pkt *p)
{
	const struct spw_endpoint *e;

	if (p->line)
		return NEXT;
	e = bpf_map_lookup_elem(&endpoints, &p->endpoint);
	if (!e || e->mode != SPW_MODE_HANDOFF)
		return NEXT;
	handoff_count(p, alone_insert(p->v6, p->now, p->service, p->endpoint, SPW_FLOW_HANDOFF));
	return pass(SPW_PASS_HANDOFF);
}

#endif
