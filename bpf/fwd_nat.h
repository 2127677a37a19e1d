/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Mode nat: source and destination become what the flow says, in both directions alike, so that
 * backends need no change and replies come back here.
 */
#ifndef SPILLWAY_BPF_FWD_NAT_H
#define SPILLWAY_BPF_FWD_NAT_H

#include "csum.h"
#include "stats.h"

/* We are a router on the packet's way: its last hop ends here. */
static inline enum verdict hop_limit(struct pkt *p)
{
	if (p->ip4 && p->ip4->ttl <= 1)
		return drop(SPW_DROP_TTL);
	if (p->ip6 && p->ip6->hop_limit <= 1)
		return drop(SPW_DROP_TTL);
	return NEXT;
}

/* The difference that the flow's addresses make, to a header checksum or a pseudo header. */
static inline __u64 nat_addr_diff(const struct pkt *p)
{
	__u64 diff = csum_changed_addr(0, &p->key.saddr, &p->flow->saddr);

	return csum_changed_addr(diff, &p->key.daddr, &p->flow->daddr);
}

static inline void nat_ip4(struct pkt *p, __u64 diff)
{
	struct iphdr *ip = p->ip4;
	__be16 old = *(__be16 *)&ip->ttl;

	ip->saddr = p->flow->saddr.w[3];
	ip->daddr = p->flow->daddr.w[3];
	ip->ttl -= 1;
	diff = csum_changed16(diff, old, *(__be16 *)&ip->ttl);
	ip->check = csum_apply(ip->check, diff);
}

static inline void nat_ip6(struct pkt *p)
{
	struct ipv6hdr *ip = p->ip6;

	__builtin_memcpy(&ip->saddr, &p->flow->saddr, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &p->flow->daddr, sizeof(ip->daddr));
	ip->hop_limit -= 1;
}

static inline void nat_tcp(struct pkt *p, __u64 diff)
{
	p->tcp->source = p->flow->sport;
	p->tcp->dest = p->flow->dport;
	p->tcp->check = csum_apply(p->tcp->check, diff);
}

/* Zero says that the sender made no checksum: it stays so, and a computed zero is sent as ~0. */
static inline void nat_udp(struct pkt *p, __u64 diff)
{
	p->udp->source = p->flow->sport;
	p->udp->dest = p->flow->dport;
	if (!p->udp->check)
		return;
	p->udp->check = csum_apply(p->udp->check, diff);
	if (!p->udp->check)
		p->udp->check = 0xffff;
}

static inline enum verdict nat_rewrite(struct pkt *p)
{
	__u64 diff = nat_addr_diff(p);

	if (p->ip4)
		nat_ip4(p, diff);
	if (p->ip6)
		nat_ip6(p);
	diff = csum_changed16(diff, p->key.sport, p->flow->sport);
	diff = csum_changed16(diff, p->key.dport, p->flow->dport);
	if (p->tcp)
		nat_tcp(p, diff);
	if (p->udp)
		nat_udp(p, diff);
	return NEXT;
}

#endif
