/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP destination unreachable to a source address of ours, about a packet that we sent to an
 * endpoint: its first bytes are quoted there. The flow is counted as failed; the ICMP packet itself
 * is the stack's, as ever. Who knows a flow's ports could forge one, so it ends nothing.
 */
#ifndef SPILLWAY_BPF_QUOTE_H
#define SPILLWAY_BPF_QUOTE_H

#include "config.h"
#include "flow.h"
#include "icmp.h"
#include "parse.h"
#include "signal.h"

#define QUOTE_IP4_PLAIN	 0x45 /* version 4, no options: so we send */
#define QUOTE_IP4_OFFSET 0x1fff

/* What every host quotes at least (RFC 792): the IP header and eight bytes behind it. */
struct quote4 {
	struct icmp_head icmp;
	struct iphdr ip;
	__be16 sport;
	__be16 dport;
	__be32 rest;
};

struct quote6 {
	struct icmp_head icmp;
	struct ipv6hdr ip;
	__be16 sport;
	__be16 dport;
	__be32 rest;
};

/* The quoted packet's 5-tuple turned round: the key of the flow's reverse entry. */
static inline bool quote_key4(const struct pkt *p, struct spw_flow_key *key)
{
	const struct quote4 *q = (void *)(p->ip4 + 1);

	if ((void *)(q + 1) > pkt_end(p) || p->l4_len < sizeof(*q))
		return false;
	if (q->icmp.type != ICMP4_UNREACH || q->icmp.code == ICMP4_FRAG_NEEDED ||
	    q->icmp.code > ICMP4_LAST_UNREACH)
		return false;
	if (*(__u8 *)&q->ip != QUOTE_IP4_PLAIN || (q->ip.frag_off & bpf_htons(QUOTE_IP4_OFFSET)))
		return false;
	addr_map_v4(&key->saddr, q->ip.daddr);
	addr_map_v4(&key->daddr, q->ip.saddr);
	key->sport = q->dport;
	key->dport = q->sport;
	key->proto = q->ip.protocol;
	return true;
}

static inline bool quote_key6(const struct pkt *p, struct spw_flow_key *key)
{
	const struct quote6 *q = (void *)(p->ip6 + 1);

	if ((void *)(q + 1) > pkt_end(p) || p->l4_len < sizeof(*q))
		return false;
	if (q->icmp.type != ICMP6_UNREACH || q->ip.version != 6)
		return false;
	__builtin_memcpy(&key->saddr, &q->ip.daddr, sizeof(key->saddr));
	__builtin_memcpy(&key->daddr, &q->ip.saddr, sizeof(key->daddr));
	key->sport = q->dport;
	key->dport = q->sport;
	key->proto = q->ip.nexthdr;
	return !addr_is_v4(&key->saddr) && !addr_is_v4(&key->daddr);
}

static inline bool quote_key(const struct pkt *p, struct spw_flow_key *key)
{
	if (p->ip4)
		return quote_key4(p, key);
	return p->ip6 && quote_key6(p, key);
}

/* The flow's forward entry. Who is told must be who sent the packet. */
static inline bool quote_flow(const struct pkt *p, const struct spw_flow_key *key,
			      struct flow_ref *out)
{
	struct opening *o = opening_scratch();
	struct entry *r = o ? &o->holder : NULL;

	if (!r || !addr_equal(&key->daddr, &p->key->daddr))
		return false;
	if (flow_get(key, p->v6, r) == TABLE_NONE || r->core.dir != SPW_FLOW_REVERSE)
		return false;
	if (!flow_find_forward(r, p->v6, out))
		return false;
	return !flow_is_expired(out->word, out->service, key->proto == IPPROTO_UDP, p->side,
				p->now);
}

/* TCP that has been answered finds out for itself; UDP has nobody else to tell. */
static __noinline int quote_heed(struct pkt *p)
{
	struct spw_flow_key key = {};
	struct flow_ref f;
	__u32 old, over;

	if (!quote_key(p, &key) || config_read(p) != NEXT)
		return 0;
	if (key.proto != IPPROTO_TCP && key.proto != IPPROTO_UDP)
		return 0;
	over = SPW_FLOW_FAILED | (key.proto == IPPROTO_TCP ? SIGNAL_OVER : 0);
	if (!quote_flow(p, &key, &f) || (f.word & over))
		return 0;
	old = line_mark(p->v6, f.line, f.word, SPW_FLOW_FAILED);
	if (!(old & over))
		signal_failed(f.endpoint, f.born, old, SPW_FAILURE_UNREACHABLE);
	return 0;
}

/* Never ends a packet: what is not TCP or UDP passes at the next stage. */
static inline enum verdict quote_hear(struct pkt *p)
{
	if (p->key->proto == IPPROTO_ICMP ? p->ip4 != NULL
					  : p->key->proto == IPPROTO_ICMPV6 && p->ip6 != NULL)
		quote_heed(p);
	return NEXT;
}

#endif
