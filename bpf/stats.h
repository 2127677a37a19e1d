/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counters, and the only ways to end a packet: pass(), drop(), refuse(),
 * unreachable_for(), leave() in fib.h. Plain additions on per-CPU values are enough in XDP, which nothing on the same CPU interrupts to count; what the
 * sweep counts too is added atomically, since the sweep can be interrupted by XDP.
 */
#ifndef SPILLWAY_BPF_STATS_H
#define SPILLWAY_BPF_STATS_H

#include "extra_maps.h"
#include "maps.h"
#include "pkt.h"

static inline void count(enum spw_stat row)
{
	__u32 key = row;
	__u64 *n = bpf_map_lookup_elem(&stats, &key);

	if (n)
		*n += 1;
}

static inline void count_shared(enum spw_stat row)
{
	__u32 key = row;
	__u64 *n = bpf_map_lookup_elem(&stats, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static inline enum verdict pass(enum spw_stat reason)
{
	count(reason);
	return PASS;
}

static inline enum verdict drop(enum spw_stat reason)
{
	count(reason);
	return DROP;
}

/* The connection cannot go on: dropped, and its sender is told by RST, if it is one. */
static inline enum verdict refuse(enum spw_stat reason)
{
	count(reason);
	return REFUSE;
}

/* Likewise, told by ICMP. */
static inline enum verdict unreachable_for(enum spw_stat reason)
{
	count(reason);
	return UNREACHABLE;
}

/* Larger than p->mtu: likewise. */
static inline enum verdict too_big_for(enum spw_stat reason)
{
	count(reason);
	return TOO_BIG;
}

/* No hop is left: likewise. */
static inline enum verdict expired_for(enum spw_stat reason)
{
	count(reason);
	return EXPIRED;
}

/* The packet leaves; its endpoint's counters say so too. */
static inline void count_endpoint(const struct pkt *p)
{
	struct spw_endpoint_stats *s;
	__u32 id;

	if (!p->line)
		return;
	id = p->f->core.endpoint;
	s = bpf_map_lookup_elem(&endpoint_stats, &id);
	if (!s)
		return;
	if (pkt_is_reply(p)) {
		s->packets_out += 1;
		s->bytes_out += p->l3_len;
		return;
	}
	s->packets_in += 1;
	s->bytes_in += p->l3_len;
}

/*
 * The open flows of endpoints that are picked by load are besides in one word for all CPUs, where a pick
 * can read them: a shared atomic addition when a flow opens and when it closes. It is exact at once,
 * also while no daemon runs; numbers that a daemon publishes now and then would send thousands of flows
 * to whoever was idle a moment ago.
 */
static inline void count_load(__u32 endpoint, __s64 more)
{
	const struct spw_endpoint *e = bpf_map_lookup_elem(&endpoints, &endpoint);
	struct spw_load *l;

	if (!e || !(e->flags & SPW_ENDPOINT_COUNTED))
		return;
	l = bpf_map_lookup_elem(&endpoint_loads, &endpoint);
	if (l)
		__sync_fetch_and_add(&l->open, more);
}

static inline void count_opened(__u32 endpoint)
{
	struct spw_endpoint_stats *s = bpf_map_lookup_elem(&endpoint_stats, &endpoint);

	if (s)
		s->flows_opened += 1;
	count_load(endpoint, 1);
}

static inline void count_closed(__u32 endpoint)
{
	struct spw_endpoint_stats *s = bpf_map_lookup_elem(&endpoint_stats, &endpoint);

	if (s)
		__sync_fetch_and_add(&s->flows_closed, 1);
	count_load(endpoint, -1);
}

#endif
