/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The end of a gateway's tunnel on a real server, for kernels without tunnel devices too: the outer
 * headers of IPIP and GUE are taken off, and the stack gets the client's packet to the VIP. Whatever
 * else comes passes as it is. The other program lowers the MSS that VIPs offer on the way out, since
 * clients' segments are to fit into the tunnel, and answers do not go by way of the gateway.
 */
#include "decap_inner.h"
#include "decap_mss.h"

#define STAGE(stage)                                                                               \
	do {                                                                                       \
		enum decap_verdict v = stage(d);                                                   \
		if (v != DECAP_NEXT)                                                               \
			return v;                                                                  \
	} while (0)

/* The Ethernet header, tag and all, goes in front of the inner packet, with its type. */
static inline bool decap_move(struct decap *d)
{
	__be16 type = d->inner_v6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	struct ethhdr *eth;
	__be16 *tag;

	if (bpf_xdp_adjust_head(d->ctx, d->at - d->link.len))
		return false;
	eth = (void *)(long)d->ctx->data;
	tag = (void *)(eth + 1);
	if ((void *)(eth + 1) > (void *)(long)d->ctx->data_end)
		return false;
	__builtin_memcpy(eth, d->link.macs, sizeof(d->link.macs));
	eth->h_proto = type;
	if (d->link.len == sizeof(*eth))
		return true;
	eth->h_proto = bpf_htons(ETH_P_8021Q);
	if ((void *)(tag + 2) > (void *)(long)d->ctx->data_end)
		return false;
	tag[0] = d->link.tci;
	tag[1] = type;
	return true;
}

/* The first buffer of a large frame must hold them, or nothing is taken off. */
static inline enum decap_verdict decap_fits(struct decap *d)
{
	__u64 linear = (long)d->ctx->data_end - (long)d->ctx->data;

	if (d->at + (d->inner_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)) > linear)
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	return DECAP_NEXT;
}

static inline enum decap_verdict decap_packet(struct decap *d)
{
	STAGE(decap_ethernet);
	STAGE(decap_outer);	/* IPIP or UDP */
	STAGE(decap_port);	/* to a port of GUE, if it is UDP */
	STAGE(decap_ends_here); /* to an address of ours, from a gateway */
	STAGE(decap_sound);	/* no fragment, its checksum holds */
	STAGE(decap_gue);	/* behind GUE's headers */
	STAGE(decap_to_vip);	/* a whole packet to a VIP is in it */
	STAGE(decap_fits);
	STAGE(decap_congestion);
	if (!decap_move(d))
		return decap_drop(SPW_DECAP_DROP_INTERNAL);
	decap_add(d->gue ? SPW_DECAP_GUE : SPW_DECAP_IPIP, 1);
	decap_add(SPW_DECAP_BYTES, d->end - d->at);
	return DECAP_PASS;
}

/* A function of its own, so that packets which are plainly no tunnel's do not pay for its stack. */
static __noinline int decap_run(struct xdp_md *ctx)
{
	struct decap d = {.ctx = ctx, .frame_len = bpf_xdp_get_buff_len(ctx)};

	return decap_packet(&d) == DECAP_DROP ? XDP_DROP : XDP_PASS;
}

/* TCP without a tag: most of what a server gets. */
static inline bool decap_is_plain(const struct xdp_md *ctx)
{
	const struct ethhdr *eth = (void *)(long)ctx->data;
	const struct iphdr *ip4 = (void *)(eth + 1);
	const struct ipv6hdr *ip6 = (void *)(eth + 1);
	const void *end = (void *)(long)ctx->data_end;

	if ((void *)(ip4 + 1) <= end && eth->h_proto == bpf_htons(ETH_P_IP))
		return ip4->protocol == IPPROTO_TCP;
	if ((void *)(ip6 + 1) <= end && eth->h_proto == bpf_htons(ETH_P_IPV6))
		return ip6->nexthdr == IPPROTO_TCP;
	return false;
}

SEC("xdp.frags")
int spillway_decap(struct xdp_md *ctx)
{
	if (!decap_is_plain(ctx))
		return decap_run(ctx);
	decap_add(SPW_DECAP_PASS_NO_TUNNEL, 1);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
