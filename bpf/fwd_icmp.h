/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ICMP errors about packets of flows go on to the flow's other side (RFC 5508): a client hears that
 * its endpoint's port is closed or the path is narrower, an endpoint that its client is gone. The
 * outer addresses become what a packet of the flow would have; the quote becomes the packet as its
 * sender knows it, with checksums brought up to date, so whatever was wrong stays as wrong.
 *
 * The rewritten quote is the flow's entry turned round: what packets of the entry get as their source
 * is what the quoted packet was sent to. And since a sum does not mind the order, the differences of
 * checksums that the entry keeps are the quote's as well.
 */
#ifndef SPILLWAY_BPF_FWD_ICMP_H
#define SPILLWAY_BPF_FWD_ICMP_H

#include "bounds.h"
#include "hop.h"
#include "quote.h"

static inline void icmp_ports(struct quote *q, struct quote_l4 *l4, __u32 len,
			      const struct entry *e)
{
	l4->sport = e->core.to_dport;
	l4->dport = e->core.to_sport;
	if (q->key.proto == IPPROTO_UDP && l4->udp_check) {
		l4->udp_check = csum_fold_short((__u32)e->core.l4_diff + (__u16)~l4->udp_check);
		if (!l4->udp_check)
			l4->udp_check = 0xffff;
	}
	if (q->key.proto == IPPROTO_TCP && len >= offsetof(struct quote_l4, urgent))
		l4->tcp_check = csum_fold_short((__u32)e->core.l4_diff + (__u16)~l4->tcp_check);
}

static inline void icmp_quote4(struct quote *q, const struct entry *e)
{
	struct quote4 *now = &q->now.q4;

	now->ip.saddr = e->to_daddr.w[3];
	now->ip.daddr = e->to_saddr.w[3];
	now->ip.check = csum_fold_short((__u32)e->core.l3_diff + (__u16)~now->ip.check);
	icmp_ports(q, &now->l4, q->len - sizeof(now->ip), e);
}

static inline void icmp_quote6(struct quote *q, const struct entry *e)
{
	struct quote6 *now = &q->now.q6;

	__builtin_memcpy(&now->ip.saddr, &e->to_daddr, sizeof(now->ip.saddr));
	__builtin_memcpy(&now->ip.daddr, &e->to_saddr, sizeof(now->ip.daddr));
	icmp_ports(q, &now->l4, q->len - sizeof(now->ip), e);
}

/* What the ICMP checksum covers: the quote, and in IPv6 the outer addresses. */
static inline __u64 icmp_diff(struct quote *q, const struct carry *c, __u32 v6)
{
	__u64 diff = (__u32)bpf_csum_diff((void *)&q->was, sizeof(q->was), (void *)&q->now,
					  sizeof(q->now), 0);

	if (!v6)
		return diff;
	diff = csum_changed_addr(diff, &c->key.saddr, &c->f.to_saddr);
	return csum_changed_addr(diff, &c->key.daddr, &c->f.to_daddr);
}

/* Of the ICMP message at `at`: quote and checksum, by the entry in carry->f. */
__noinline int icmp_rewrite(struct xdp_md *ctx, __u32 at, __u32 v6)
{
	struct carry *c = carry_scratch();
	struct quote *q = quote_scratch();
	__u32 len;

	if (!c || !q)
		return 0;
	q->now = q->was;
	if (v6)
		icmp_quote6(q, &c->f);
	else
		icmp_quote4(q, &c->f);
	q->icmp.check = csum_apply(q->icmp.check, icmp_diff(q, c, v6));
	len = q->len;
	if (!bounds_fit(&len, sizeof(q->now)))
		return 0;
	return !bpf_xdp_store_bytes(ctx, at, &q->icmp, sizeof(q->icmp)) &&
	       !bpf_xdp_store_bytes(ctx, at + sizeof(q->icmp), &q->now, len);
}

static inline void icmp_outer(struct pkt *p)
{
	const struct entry *e = p->f;

	if (p->ip4) {
		__be16 old = *(__be16 *)&p->ip4->ttl;
		__u64 diff = csum_changed32(0, p->ip4->saddr, e->to_saddr.w[3]);

		diff = csum_changed32(diff, p->ip4->daddr, e->to_daddr.w[3]);
		p->ip4->saddr = e->to_saddr.w[3];
		p->ip4->daddr = e->to_daddr.w[3];
		p->ip4->ttl -= 1;
		diff = csum_changed16(diff, old, *(__be16 *)&p->ip4->ttl);
		p->ip4->check = csum_apply(p->ip4->check, diff);
	}
	if (p->ip6) {
		__builtin_memcpy(&p->ip6->saddr, &e->to_saddr, sizeof(p->ip6->saddr));
		__builtin_memcpy(&p->ip6->daddr, &e->to_daddr, sizeof(p->ip6->daddr));
		p->ip6->hop_limit -= 1;
	}
}

static inline __u32 icmp_at(const struct pkt *p)
{
	return p->l3 - (void *)p->eth + (p->v6 ? sizeof(*p->ip6) : sizeof(*p->ip4));
}

/* No error is answered with an error (RFC 1122, 3.2.2; RFC 4443, 2.4). */
static inline enum verdict icmp_silently(enum verdict v)
{
	return v == TOO_BIG || v == EXPIRED ? DROP : v;
}

/* Its flow is known: p->f is the entry that it goes by. */
static inline enum verdict icmp_send(struct pkt *p)
{
	enum verdict v;

	p->forward->line = TABLE_NONE; /* what becomes of it says nothing of the endpoint */
	v = hop_limit(p);
	if (v == NEXT)
		v = next_hop(p);
	if (v != NEXT)
		return icmp_silently(v);
	if (!icmp_rewrite(p->ctx, icmp_at(p), p->v6))
		return drop(SPW_DROP_INTERNAL);
	icmp_outer(p);
	v = leave(p);
	if (v != DROP)
		count(SPW_COUNT_FORWARD_ICMP);
	return v;
}

static __noinline enum verdict icmp_error(struct pkt *p)
{
	if (!quote_load(p->ctx, icmp_at(p), p->l4_len, p->v6) || config_read(p) != NEXT)
		return NEXT;
	p->line = quote_find(p->v6, p->side, p->now);
	if (p->line == TABLE_NONE)
		return NEXT;
	quote_heed(p->v6);
	return icmp_send(p);
}

/* A stage. What is not about a flow passes at the next one, since it is neither TCP nor UDP. */
static inline enum verdict fwd_icmp(struct pkt *p)
{
	if (p->key->proto == IPPROTO_ICMP ? p->ip4 != NULL
					  : p->key->proto == IPPROTO_ICMPV6 && p->ip6 != NULL)
		return icmp_error(p);
	return NEXT;
}

#endif
