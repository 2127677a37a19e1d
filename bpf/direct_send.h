/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet of direct return on its way out: to the endpoint's MAC address (l2), or within a packet to
 * its address (ipip, gue). Its own headers stay, but for the hop that it has used.
 */
#ifndef SPILLWAY_BPF_DIRECT_SEND_H
#define SPILLWAY_BPF_DIRECT_SEND_H

#include "encap.h"
#include "fwd_nat.h"
#include "mss.h"
#include "partial.h"
#include "pick.h"

static inline __u32 direct_mode(const struct spw_endpoint *e)
{
	return e->mode == SPW_MODE_NONE ? e->was_mode : e->mode;
}

/* The packet is longer by `more` where it goes; p->mtu is what is left for it. */
static inline enum verdict direct_hop(struct pkt *p, const struct spw_endpoint *e, __u32 more)
{
	enum verdict v = NEXT;

	if (!hop_by_row(p, p->endpoint)) {
		p->f->to_saddr = more ? p->key->daddr : p->key->saddr;
		p->f->to_daddr = e->addr;
		p->f->core.to_sport = p->key->sport;
		p->f->core.to_dport = p->key->dport;
		p->l3_len += more;
		v = fib_route(p);
		p->l3_len -= more;
	} else if (!hop_fits(p, more)) {
		v = too_big_for(SPW_DROP_TOO_BIG);
	}
	if (p->mtu > more)
		p->mtu -= more;
	return v;
}

/*
 * The MSS, and a checksum that is yet to be made. One that the kernel finishes later has nothing to do with
 * the MSS.
 */
static __noinline int direct_shape(struct pkt *p)
{
	partial_see(p);
	if (p->partial)
		partial_finish(p);
	if (p->tcp && p->tcp->syn && !(p->partial && (p->carry->ingress_flags & SPW_IF_GENERIC)))
		mss_lower_to_mtu(p);
	p->partial = false;
	return 0;
}

/* One hop less. */
static inline void direct_age(struct pkt *p)
{
	if (p->ip4)
		ip4_age(p->ip4, 0);
	if (p->ip6)
		p->ip6->hop_limit -= 1;
}

static inline void direct_count(const struct pkt *p)
{
	__u32 id = p->endpoint;
	struct spw_endpoint_stats *s = bpf_map_lookup_elem(&endpoint_stats, &id);

	if (!s)
		return;
	s->packets_in += 1;
	s->bytes_in += p->l3_len;
}

static inline enum verdict direct_leave(const struct pkt *p)
{
	enum verdict v = send_out(p);

	if (v == DROP)
		return drop(SPW_DROP_INTERNAL);
	count(v == TX ? SPW_FORWARD_TX : SPW_FORWARD_REDIRECT);
	direct_count(p);
	return v;
}

/* What cannot fail is done last. */
static inline enum verdict direct_write(struct pkt *p, const struct spw_endpoint *e, __u32 mode)
{
	__u32 more = encap_bytes(mode, p->v6), at = sizeof(struct ethhdr);
	struct encap *o = encap_scratch();

	if (!more)
		return leave_eth(p) ? direct_leave(p) : drop(SPW_DROP_INTERNAL);
	if (!o || !encap_source(p, e, &o->source))
		return drop(SPW_DROP_NO_SOURCE);
	encap_prepare(p, e, mode, o);
	if (p->egress_vlan != SPW_UNTAGGED)
		at += sizeof(struct vlan_tag);
	if (tag_change(p, more) || encap_write(p->ctx, at))
		return drop(SPW_DROP_INTERNAL);
	return direct_leave(p);
}

/* To p->endpoint. */
static __noinline enum verdict direct_send(struct pkt *p)
{
	const struct spw_endpoint *e = bpf_map_lookup_elem(&endpoints, &p->endpoint);
	enum verdict v;
	__u32 mode;

	if (!e || !p->eth)
		return drop(SPW_DROP_INTERNAL);
	mode = direct_mode(e);
	p->forward->line = TABLE_NONE; /* what becomes of it says nothing of the endpoint */
	v = hop_limit(p);
	if (v == NEXT)
		v = direct_hop(p, e, encap_bytes(mode, p->v6));
	if (v != NEXT)
		return v;
	direct_shape(p);
	direct_age(p);
	if (p->carry->shape.fragment)
		count(SPW_COUNT_FORWARD_FRAGMENT);
	return direct_write(p, e, mode);
}

#endif
