/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The next hop. Towards an endpoint the daemon's row says it, and where there is none, or no daemon,
 * the kernel's routes and neighbours do (fib.h). Towards a client it is the way that its latest
 * packet came, which needs no route, and the kernel's routes only when that interface is gone.
 */
#ifndef SPILLWAY_BPF_HOP_H
#define SPILLWAY_BPF_HOP_H

#include "fib.h"
#include "tag.h"

/*
 * With generic XDP the kernel has put packets together: longer than the way in allows, so nobody sent them
 * so, and no "too big" is due. They come apart again where they leave by the interface they came by; a
 * redirect loses them, so the daemon has the kernel put none together (loader/dataplane/offload.h).
 */
static inline bool hop_is_giant(const struct pkt *p)
{
	const struct spw_interface *in = interface_find(p->ctx->ingress_ifindex);

	return in && (in->flags & SPW_IF_GENERIC) && p->l3_len > in->mtu;
}

/* With `more` bytes in front of it. */
static inline bool hop_fits(const struct pkt *p, __u32 more)
{
	return !p->mtu || p->l3_len + more <= p->mtu || hop_is_giant(p);
}

/* The daemon's row of the endpoint, if it has one and keeps it up to date: read twice, unless torn. */
static inline bool hop_known(struct pkt *p, __u32 id)
{
	struct spw_next_hop *h;
	__u32 seq;

	if (!config_lease_runs(p->carry->hops_until, p->now))
		return false;
	h = bpf_map_lookup_elem(&next_hops, &id);
	if (!h)
		return false;
	seq = load32(&h->seq);
	load_fence();
	p->egress = load32(&h->ifindex);
	p->carry->dmac = load64(h->dmac);
	p->carry->smac = load64(h->smac);
	load_fence();
	return p->egress && !(seq & 1) && seq == load32(&h->seq);
}

/* The way out by the daemon's row; false: the kernel is to be asked. */
static inline bool hop_by_row(struct pkt *p, __u32 endpoint)
{
	const struct spw_interface *i;

	if (!hop_known(p, endpoint))
		return false;
	/* Back to where it came from: that is known already. */
	p->egress_flags = p->carry->ingress_flags;
	if (p->egress != p->ctx->ingress_ifindex || !p->egress_flags) {
		i = interface_find(p->egress);
		if (!i)
			return false;
		p->egress_flags = i->flags;
	}
	p->egress_vlan = mac_rest(p->carry->smac);
	p->mtu = mac_rest(p->carry->dmac);
	return true;
}

static inline enum verdict hop_to_endpoint(struct pkt *p)
{
	if (!hop_by_row(p, p->f->core.endpoint))
		return fib_route(p);
	return hop_fits(p, 0) ? NEXT : too_big_for(SPW_DROP_TOO_BIG);
}

/* The way the client's latest packet came. */
static inline enum verdict hop_to_client(struct pkt *p)
{
	const struct spw_interface *i = interface_find(p->f->core.client_ifindex);

	if (!i)
		return fib_route(p);
	p->egress = p->f->core.client_ifindex;
	p->egress_flags = i->flags;
	p->egress_vlan = p->f->core.client_vlan;
	p->mtu = i->mtu;
	if (!hop_fits(p, 0))
		return too_big_for(SPW_DROP_TOO_BIG);
	p->carry->dmac = *(const word64 *)p->f->core.client_mac;
	p->carry->smac = *(const word64 *)i->mac;
	return NEXT;
}

static inline enum verdict next_hop(struct pkt *p)
{
	return pkt_is_reply(p) ? hop_to_client(p) : hop_to_endpoint(p);
}

/* Counts nothing. A redirect that fails at once has no such interface in tx_ports. */
static inline enum verdict send_out(const struct pkt *p)
{
	if (p->egress == p->ctx->ingress_ifindex && (p->egress_flags & SPW_IF_TX))
		return TX;
	if (bpf_redirect_map(&tx_ports, p->egress, XDP_DROP) != XDP_REDIRECT)
		return DROP;
	return REDIRECT;
}

/* Its Ethernet header: both MACs, and the tag of the way out. No packet pointer is valid then. */
static inline bool leave_eth(struct pkt *p)
{
	if (p->egress_vlan != p->vlan)
		return !tag_change(p, 0);
	mac_write(p->eth, p->carry->dmac, p->carry->smac);
	return true;
}

/* The last stage. */
static inline enum verdict leave(struct pkt *p)
{
	enum verdict v;

	if (!leave_eth(p))
		return drop(SPW_DROP_INTERNAL);
	v = send_out(p);
	if (v == DROP)
		return drop(SPW_DROP_INTERNAL);
	count(v == TX ? SPW_FORWARD_TX : SPW_FORWARD_REDIRECT);
	count_endpoint(p);
	return v;
}

#endif
