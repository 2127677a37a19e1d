/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only accessor of the flow table: pairs of entries, one for each direction.
 *
 * Who owns what: the forward entry carries state and age of the pair, and whoever deletes it (of
 * several CPUs that try, one succeeds) deletes the reverse entry next. Nobody else deletes a
 * reverse entry, so its key cannot be given away in between; only the sweep clears away a reverse
 * entry that lost its partner, long after. A pair is made in the other order: the reverse entry
 * first, which is what reserves the source port.
 *
 * The kernel's preallocated hash map may hand an entry's memory to another flow while a packet
 * still reads it. That takes a packet of a flow that is deleted in the same few nanoseconds; a
 * table of our own, which can check a version, replaces this one behind these functions.
 */
#ifndef SPILLWAY_BPF_FLOW_H
#define SPILLWAY_BPF_FLOW_H

#include "config.h"

#define FLOW_STEP_NS	1000000000ULL	   /* how exact seen_ns is */
#define FLOW_SETTLED_NS (2 * FLOW_STEP_NS) /* silent for so long: nothing is under way */
#define FLOW_BOTH_FINS	(SPW_FLOW_FIN_CLIENT | SPW_FLOW_FIN_ENDPOINT)
#define FLOW_ENDING	(FLOW_BOTH_FINS | SPW_FLOW_RESET | SPW_FLOW_CLOSED)

/*
 * Inserts an entry where there is none: 0 or a negative errno. Linux 6.1 calls the map's own
 * function here, which leaves the upper half of the result zero: it is a number of 32 bits.
 */
static inline int flow_insert(const struct spw_flow_key *key, const struct spw_flow *f)
{
	return (int)bpf_map_update_elem(&flows, key, f, BPF_NOEXIST);
}

static inline __u64 flow_idle_ns(const struct spw_flow *f, __u64 now_ns)
{
	__s64 idle = now_ns - f->seen_ns;

	return idle > 0 ? idle : 0;
}

static inline enum spw_timeout flow_timeout(__u32 state, __u8 proto)
{
	if (proto == IPPROTO_UDP)
		return state & SPW_FLOW_ESTABLISHED ? SPW_TIMEOUT_UDP_ESTABLISHED
						    : SPW_TIMEOUT_UDP_NEW;
	if (state & FLOW_ENDING)
		return SPW_TIMEOUT_TCP_CLOSING;
	return state & SPW_FLOW_ESTABLISHED ? SPW_TIMEOUT_TCP_ESTABLISHED
					    : SPW_TIMEOUT_TCP_EMBRYONIC;
}

/* Of a forward entry. */
static inline bool flow_is_expired(const struct spw_flow *f, __u8 proto,
				   const struct spw_settings *s, __u64 now_ns)
{
	return flow_idle_ns(f, now_ns) > s->timeout_ns[flow_timeout(f->state, proto)];
}

/* The rewritten packet's answer: the rewritten tuple with its sides swapped. */
static inline void flow_partner_key(const struct spw_flow *f, __u8 proto, struct spw_flow_key *out)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->saddr = f->daddr;
	out->daddr = f->saddr;
	out->sport = f->dport;
	out->dport = f->sport;
	out->proto = proto;
}

static inline struct spw_flow *flow_partner(const struct spw_flow *f, __u8 proto)
{
	struct spw_flow_key key;

	flow_partner_key(f, proto, &key);
	return bpf_map_lookup_elem(&flows, &key);
}

/*
 * Sets state bits in a forward entry and returns what was there before: of several CPUs one sees a
 * bit as new. The one who closes the flow counts it.
 */
static inline __u32 flow_mark(struct spw_flow *f, __u32 bits)
{
	__u32 old = __sync_fetch_and_or(&f->state, bits);
	__u32 state = old | bits;

	if ((state & FLOW_BOTH_FINS) != FLOW_BOTH_FINS && !(state & SPW_FLOW_RESET))
		return old;
	if (!(__sync_fetch_and_or(&f->state, SPW_FLOW_CLOSED) & SPW_FLOW_CLOSED))
		count_closed(f->endpoint);
	return old;
}

/* Removes a pair by its forward entry; false when another CPU was first. */
static __noinline bool flow_remove(const struct spw_flow_key *key, struct spw_flow *f)
{
	struct spw_flow_key partner;

	if (!f)
		return false;
	flow_partner_key(f, key->proto, &partner);
	if (!(__sync_fetch_and_or(&f->state, SPW_FLOW_CLOSED) & SPW_FLOW_CLOSED))
		count_closed(f->endpoint);
	if (bpf_map_delete_elem(&flows, key))
		return false;
	bpf_map_delete_elem(&flows, &partner);
	return true;
}

static inline void flow_expire(const struct spw_flow_key *key, struct spw_flow *f)
{
	if (flow_remove(key, f))
		count_shared(SPW_COUNT_FLOW_EXPIRED);
}

/* A live forward entry for this key, or NULL; one whose time has passed is removed. */
static inline struct spw_flow *flow_find_forward(const struct pkt *p, struct spw_flow *f)
{
	if (!flow_is_expired(f, p->key.proto, p->settings, p->now_ns))
		return f;
	flow_expire(&p->key, f);
	return NULL;
}

/*
 * The forward entry of a reverse one, or NULL when the pair's time has passed (it is removed then)
 * or the pair is being made or removed at this moment.
 */
static inline struct spw_flow *flow_find_partner(const struct pkt *p, const struct spw_flow *r)
{
	struct spw_flow_key key;
	struct spw_flow *f;

	flow_partner_key(r, p->key.proto, &key);
	f = bpf_map_lookup_elem(&flows, &key);
	if (!f || !flow_is_expired(f, p->key.proto, p->settings, p->now_ns))
		return f;
	flow_expire(&key, f);
	return NULL;
}

#endif
