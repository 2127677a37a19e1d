/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet that an answer is made of in place loses its IPv4 options or IPv6 extension headers, so
 * that its TCP header follows its IP header at once.
 */
#ifndef SPILLWAY_BPF_PLAIN_H
#define SPILLWAY_BPF_PLAIN_H

#include "bounds.h"
#include "shape.h"

#define PLAIN_HEAD_MAX 64

/* The frame's first `len` bytes move up by `by`. No packet pointer is valid then. */
__noinline int plain_close_gap(struct xdp_md *ctx, __u32 len, __u32 by)
{
	__u8 head[PLAIN_HEAD_MAX];

	if (!bounds_fit(&len, PLAIN_HEAD_MAX) || by > EXTENSIONS_BYTES)
		return -1;
	if (bpf_xdp_load_bytes(ctx, 0, head, len) || bpf_xdp_adjust_head(ctx, by))
		return -1;
	return bpf_xdp_store_bytes(ctx, 0, head, len);
}

static inline bool plain_point(struct pkt *p)
{
	struct ethhdr *eth = (void *)(long)p->ctx->data;
	void *l4;

	p->eth = eth;
	p->l3 = (void *)(eth + 1) + (p->vlan == SPW_UNTAGGED ? 0 : sizeof(struct vlan_tag));
	p->ip4 = p->v6 ? NULL : p->l3;
	p->ip6 = p->v6 ? p->l3 : NULL;
	l4 = p->l3 + (p->v6 ? sizeof(*p->ip6) : sizeof(*p->ip4));
	p->tcp = l4;
	return (void *)(p->tcp + 1) <= pkt_end(p);
}

/* Of a TCP packet. False when that fails, and it has no pointers any more. */
static inline bool plain(struct pkt *p)
{
	__u32 l3 = sizeof(struct ethhdr) + (p->vlan == SPW_UNTAGGED ? 0 : sizeof(struct vlan_tag));
	__u32 header = p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	__u32 off = *(volatile __u32 *)&p->carry->shape.l4_off;

	if (off > header && plain_close_gap(p->ctx, l3 + header, off - header))
		return false;
	return plain_point(p);
}

#endif
