/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Mode nat: source and destination become what the flow says, in both directions alike, so that
 * backends need no change and replies come back here.
 */
#ifndef SPILLWAY_BPF_FWD_NAT_H
#define SPILLWAY_BPF_FWD_NAT_H

#include "csum.h"
#include "fragment.h"
#include "stats.h"

/* We are a router on the packet's way: its last hop ends here. */
static inline enum verdict hop_limit(struct pkt *p)
{
	if (p->ip4 && p->ip4->ttl <= 1)
		return expired_for(SPW_DROP_TTL);
	if (p->ip6 && p->ip6->hop_limit <= 1)
		return expired_for(SPW_DROP_TTL);
	return NEXT;
}

/* One hop less, and the checksum brought up to date by that and by `diff`. */
static inline void ip4_age(struct iphdr *ip, __u32 diff)
{
	__be16 old = *(__be16 *)&ip->ttl, new = old - bpf_htons(1 << 8);

	*(__be16 *)&ip->ttl = new;
	ip->check = csum_fold_short(diff + (__u16)~old + new + (__u16)~ip->check);
}

static inline void nat_ip4(struct pkt *p)
{
	struct iphdr *ip = p->ip4;

	ip->saddr = p->f->to_saddr.w[3];
	ip->daddr = p->f->to_daddr.w[3];
	ip4_age(ip, p->f->core.l3_diff);
}

static inline void nat_ip6(struct pkt *p)
{
	struct ipv6hdr *ip = p->ip6;

	__builtin_memcpy(&ip->saddr, &p->f->to_saddr, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &p->f->to_daddr, sizeof(ip->daddr));
	ip->hop_limit -= 1;
}

static inline __u16 nat_l4_check(const struct pkt *p, __u16 check)
{
	return csum_fold_short((__u32)p->f->core.l4_diff + (__u16)~check);
}

static inline void nat_tcp(struct pkt *p)
{
	p->tcp->source = p->f->core.to_sport;
	p->tcp->dest = p->f->core.to_dport;
	p->tcp->check = nat_l4_check(p, p->tcp->check);
}

/* Zero says that the sender made no checksum: it stays so, and a computed zero is sent as ~0. */
static inline void nat_udp(struct pkt *p)
{
	p->udp->source = p->f->core.to_sport;
	p->udp->dest = p->f->core.to_dport;
	if (!p->udp->check)
		return;
	p->udp->check = nat_l4_check(p, p->udp->check);
	if (!p->udp->check)
		p->udp->check = 0xffff;
}

/* Each datagram has an identification that none of ours to the same host has. */
static inline enum verdict nat_fragment(struct pkt *p)
{
	struct iphdr *ip = p->ip4;
	__be16 old, new;

	if (fragment_identity(p->ctx))
		return drop(SPW_DROP_INTERNAL);
	if (!ip)
		return NEXT;
	old = ip->id;
	new = bpf_htons(bpf_ntohl(p->carry->fragment.new_id));
	ip->id = new;
	ip->check = csum_fold_short((__u32)(__u16)~old + new + (__u16)~ip->check);
	return NEXT;
}

static inline enum verdict nat_rewrite(struct pkt *p)
{
	if (p->ip4)
		nat_ip4(p);
	if (p->ip6)
		nat_ip6(p);
	if (p->tcp)
		nat_tcp(p);
	if (p->udp)
		nat_udp(p);
	return p->carry->shape.fragment ? nat_fragment(p) : NEXT;
}

#endif
