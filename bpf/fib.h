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

#include "signal.h"
#include "stats.h"

#define FIB_AF_INET	   2
#define FIB_AF_INET6	   10
#define FIB_EVENT_EVERY_NS 100000000ULL
#define FIB_FLOWINFO_MASK  bpf_htonl(0x0fffffff)

static inline bool egress_is_attached(struct pkt *p, __u32 ifindex)
{
	const struct spw_interface *i = bpf_map_lookup_elem(&interfaces, &ifindex);

	if (!i)
		return false;
	p->egress = ifindex;
	p->egress_flags = i->flags;
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
	__u64 *told_ns;

	fib_next_hop(fib, &e.addr);
	key = (e.addr.w[0] ^ e.addr.w[1] ^ e.addr.w[2] ^ e.addr.w[3]) * 0x9e3779b1U >> 24;
	told_ns = bpf_map_lookup_elem(&event_times, &key);
	if (!told_ns || (*told_ns && p->now_ns - *told_ns < FIB_EVENT_EVERY_NS))
		return;
	*told_ns = p->now_ns;
	bpf_ringbuf_output(&events, &e, sizeof(e), 0);
}

static inline void fib_fill(const struct pkt *p, struct bpf_fib_lookup *fib)
{
	fib->l4_protocol = p->key.proto;
	fib->sport = p->flow->sport;
	fib->dport = p->flow->dport;
	fib->tot_len = p->l3_len;
	fib->ifindex = p->ctx->ingress_ifindex;
	if (p->ip4) {
		fib->family = FIB_AF_INET;
		fib->tos = p->ip4->tos;
		fib->ipv4_src = p->flow->saddr.w[3];
		fib->ipv4_dst = p->flow->daddr.w[3];
	}
	if (p->ip6) {
		fib->family = FIB_AF_INET6;
		fib->flowinfo = *(__be32 *)p->ip6 & FIB_FLOWINFO_MASK;
		__builtin_memcpy(fib->ipv6_src, &p->flow->saddr, sizeof(fib->ipv6_src));
		__builtin_memcpy(fib->ipv6_dst, &p->flow->daddr, sizeof(fib->ipv6_dst));
	}
}

static inline enum verdict fib_found(struct pkt *p, const struct bpf_fib_lookup *fib)
{
	if (!egress_is_attached(p, fib->ifindex))
		return drop(SPW_DROP_NOT_ATTACHED);
	__builtin_memcpy(p->eth->h_dest, fib->dmac, ETH_ALEN);
	__builtin_memcpy(p->eth->h_source, fib->smac, ETH_ALEN);
	return NEXT;
}

static inline enum verdict fib_unresolved(struct pkt *p, const struct bpf_fib_lookup *fib)
{
	if (!egress_is_attached(p, fib->ifindex))
		return drop(SPW_DROP_NOT_ATTACHED);
	fib_tell(p, fib);
	signal_unresolved(p->flow, p->now_ns);
	return drop(SPW_DROP_NO_NEIGHBOUR);
}

static __noinline enum verdict fib_route(struct pkt *p)
{
	struct bpf_fib_lookup fib = {};

	if (!p->flow)
		return drop(SPW_DROP_INTERNAL);
	fib_fill(p, &fib);
	switch (bpf_fib_lookup(p->ctx, &fib, sizeof(fib), 0)) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return fib_found(p, &fib);
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return fib_unresolved(p, &fib);
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return drop(SPW_DROP_TOO_BIG);
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return drop(SPW_DROP_FWD_DISABLED);
	}
	return drop(SPW_DROP_NO_ROUTE);
}

static inline bool fits_egress(const struct pkt *p)
{
	__u32 len = p->l3_len;

	return len <= ETH_DATA_LEN || !bpf_check_mtu(p->ctx, p->egress, &len, 0, 0);
}

static inline enum verdict next_hop(struct pkt *p)
{
	struct spw_flow *r = p->flow;

	if (!pkt_is_reply(p) || !egress_is_attached(p, r->client_ifindex))
		return fib_route(p);
	if (!fits_egress(p))
		return drop(SPW_DROP_TOO_BIG);
	__builtin_memcpy(p->eth->h_dest, r->client_mac, ETH_ALEN);
	__builtin_memcpy(p->eth->h_source, r->own_mac, ETH_ALEN);
	return NEXT;
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

/* The last stage. */
static inline enum verdict leave(struct pkt *p)
{
	enum verdict v = send_out(p);

	if (v == DROP)
		return drop(SPW_DROP_INTERNAL);
	count(v == TX ? SPW_FORWARD_TX : SPW_FORWARD_REDIRECT);
	count_endpoint(p);
	return v;
}

#endif
