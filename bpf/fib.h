/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way out. Towards an endpoint the kernel's routes and neighbours say it; towards a client,
 * the way its latest packet came, which needs no route, and the kernel's routes only when that
 * interface is gone. That way's MTU is asked for above Ethernet's usual one only: a redirect of
 * too big a packet would fail unseen, and asking costs.
 */
#ifndef SPILLWAY_BPF_FIB_H
#define SPILLWAY_BPF_FIB_H

#include <bpf/bpf_endian.h>

#include "interface.h"
#include "signal.h"

#define FIB_AF_INET	   2
#define FIB_AF_INET6	   10
#define FIB_EVENT_EVERY_NS 100000000ULL
#define FIB_FLOWINFO_MASK  bpf_htonl(0x0fffffff)

/* The packet leaves there, untagged or by the VLAN device's tag; false: it is not attached. */
static inline bool egress_is_attached(struct pkt *p, __u32 ifindex)
{
	const struct spw_interface *i = interface_find(ifindex);

	if (!i)
		return false;
	p->egress = i->device;
	p->egress_flags = i->flags;
	p->egress_vlan = i->vlan;
	p->mtu = i->mtu;
	return true;
}

/* The next hop: the lookup leaves a gateway's address where the destination's was. */
static inline void fib_next_hop(const struct bpf_fib_lookup *fib, struct spw_addr *out)
{
	__builtin_memset(out, 0, sizeof(*out));
	if (fib->family == FIB_AF_INET) {
		out->w[2] = bpf_htonl(0xffff);
		out->w[3] = fib->ipv4_dst;
		return;
	}
	__builtin_memcpy(out, fib->ipv6_dst, sizeof(*out));
}

/* Asks the daemon to resolve; about once in FIB_EVENT_EVERY_NS for each address. */
static inline void fib_tell(const struct pkt *p, const struct bpf_fib_lookup *fib)
{
	struct spw_event e = {
		.type = SPW_EVENT_NO_NEIGHBOUR,
		.ifindex = fib->ifindex,
	};
	__u32 key;
	__u64 *told_ns, now_ns = bpf_ktime_get_coarse_ns();

	fib_next_hop(fib, &e.addr);
	key = (e.addr.w[0] ^ e.addr.w[1] ^ e.addr.w[2] ^ e.addr.w[3]) * 0x9e3779b1U >> 24;
	told_ns = bpf_map_lookup_elem(&event_times, &key);
	if (!told_ns || (*told_ns && now_ns - *told_ns < FIB_EVENT_EVERY_NS))
		return;
	*told_ns = now_ns;
	bpf_ringbuf_output(&events, &e, sizeof(e), 0);
}

static inline void fib_fill(const struct pkt *p, struct bpf_fib_lookup *fib)
{
	fib->l4_protocol = p->key->proto;
	fib->sport = p->f->core.to_sport;
	fib->dport = p->f->core.to_dport;
	fib->tot_len = p->l3_len;
	fib->ifindex = p->ctx->ingress_ifindex;
	if (p->ip4) {
		fib->family = FIB_AF_INET;
		fib->tos = p->ip4->tos;
		fib->ipv4_src = p->f->to_saddr.w[3];
		fib->ipv4_dst = p->f->to_daddr.w[3];
	}
	if (p->ip6) {
		fib->family = FIB_AF_INET6;
		fib->flowinfo = *(__be32 *)p->ip6 & FIB_FLOWINFO_MASK;
		__builtin_memcpy(fib->ipv6_src, &p->f->to_saddr, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &p->f->to_daddr, sizeof(fib->ipv6_dst));
	}
}

static inline enum verdict fib_found(struct pkt *p, const struct bpf_fib_lookup *fib)
{
	if (!egress_is_attached(p, fib->ifindex))
		return drop(SPW_DROP_NOT_ATTACHED);
	__builtin_memcpy(&p->carry->dmac, fib->dmac, ETH_ALEN);
	__builtin_memcpy(&p->carry->smac, fib->smac, ETH_ALEN);
	return NEXT;
}

static inline enum verdict fib_unresolved(struct pkt *p, const struct bpf_fib_lookup *fib)
{
	if (!egress_is_attached(p, fib->ifindex))
		return drop(SPW_DROP_NOT_ATTACHED);
	fib_tell(p, fib);
	signal_unresolved(p);
	return drop(SPW_DROP_NO_NEIGHBOUR);
}

static __noinline enum verdict fib_route(struct pkt *p)
{
	struct bpf_fib_lookup fib = {};

	fib_fill(p, &fib);
	switch (bpf_fib_lookup(p->ctx, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return fib_found(p, &fib);
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return fib_unresolved(p, &fib);
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		p->mtu = fib.mtu_result;
		return too_big_for(SPW_DROP_TOO_BIG);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return drop(SPW_DROP_FWD_DISABLED);
	}
	return drop(SPW_DROP_NO_ROUTE);
}

#endif
