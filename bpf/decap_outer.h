/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From the frame to what a tunnel's outer headers carry. The outer UDP checksum is not looked at,
 * be it zero (RFC 6935) or not: it would take the sum of all bytes, and the inner packet has checksums
 * of its own, which its receiver looks at; what it covers besides, addresses, ports and lengths,
 * is compared with what is expected. Outer fragments pass: together they are the stack's.
 */
#ifndef SPILLWAY_BPF_DECAP_OUTER_H
#define SPILLWAY_BPF_DECAP_OUTER_H

#include "addr.h"
#include "csum.h"
#include "decap_pkt.h"

#define DECAP_IP4_FRAGMENT 0x3fff /* more fragments, or an offset */
#define DECAP_IP4_OFFSET   0x1fff
#define DECAP_IP4_OPTIONS  10 /* words */

/* The option of RFC 2473 that Linux's ip6_tunnel puts in front, alone in its header. */
struct decap_limit {
	__u8 next;
	__u8 words;
	__u8 type;
	__u8 len;
	__u8 limit;
	__u8 pad[3];
};
#define DECAP_LIMIT_TYPE 4

static inline bool decap_load(const struct decap *d, __u32 at, void *to, __u32 len)
{
	return !bpf_xdp_load_bytes(d->ctx, at, to, len);
}

/* A tag is looked behind, two (QinQ) are not. */
static inline enum decap_verdict decap_ethernet(struct decap *d)
{
	struct ethhdr *eth = (void *)(long)d->ctx->data;
	__be16 *tag = (void *)(eth + 1), proto;

	if ((void *)(eth + 1) > (void *)(long)d->ctx->data_end || (eth->h_dest[0] & 1))
		return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
	__builtin_memcpy(d->link.macs, eth, sizeof(d->link.macs));
	d->link.len = sizeof(*eth);
	proto = eth->h_proto;
	if (proto == bpf_htons(ETH_P_8021Q)) {
		if ((void *)(tag + 2) > (void *)(long)d->ctx->data_end)
			return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
		d->link.tci = tag[0];
		proto = tag[1];
		d->link.len += 4;
	}
	d->link.proto = proto;
	d->at = d->link.len;
	if (proto != bpf_htons(ETH_P_IP) && proto != bpf_htons(ETH_P_IPV6))
		return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
	d->outer_v6 = proto == bpf_htons(ETH_P_IPV6);
	if (!decap_load(d, d->at, &d->outer,
			d->outer_v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)))
		return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
	return DECAP_NEXT;
}

static inline bool decap_is_tunnel(__u8 proto)
{
	return proto == IPPROTO_IPIP || proto == IPPROTO_IPV6 || proto == IPPROTO_UDP;
}

/* What is in it begins at d->at and ends at d->end. */
static inline enum decap_verdict decap_behind4(struct decap *d)
{
	const struct iphdr *ip = &d->outer.v4;
	__u32 len = ip->ihl * 4, total = bpf_ntohs(ip->tot_len);

	if (ip->version != 4 || len < sizeof(*ip) || total < len || d->at + total > d->frame_len)
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	d->end = d->at + total;
	d->at += len;
	return DECAP_NEXT;
}

/* Its only extension header may be the one with Linux's tunnel encapsulation limit. */
static inline void decap_skip_limit(struct decap *d)
{
	struct decap_limit limit;

	if (d->proto != IPPROTO_DSTOPTS)
		return;
	if (d->at + sizeof(limit) > d->end || !decap_load(d, d->at, &limit, sizeof(limit)))
		return;
	if (limit.words || limit.type != DECAP_LIMIT_TYPE || limit.len != 1)
		return;
	d->proto = limit.next;
	d->at += sizeof(limit);
}

static inline enum decap_verdict decap_behind6(struct decap *d)
{
	__u32 total = sizeof(struct ipv6hdr) + bpf_ntohs(d->outer.v6.payload_len);

	if (d->outer.v6.version != 6 || d->at + total > d->frame_len)
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	d->end = d->at + total;
	d->at += sizeof(struct ipv6hdr);
	decap_skip_limit(d);
	return DECAP_NEXT;
}

/* A stage: IPIP, or UDP that may be GUE. */
static inline enum decap_verdict decap_outer(struct decap *d)
{
	d->proto = d->outer_v6 ? d->outer.v6.nexthdr : d->outer.v4.protocol;
	if (!decap_is_tunnel(d->proto) && (!d->outer_v6 || d->proto != IPPROTO_DSTOPTS))
		return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
	return d->outer_v6 ? decap_behind6(d) : decap_behind4(d);
}

/* Fragments but the first have no ports. */
static inline bool decap_has_ports(const struct decap *d)
{
	return d->outer_v6 || !(d->outer.v4.frag_off & bpf_htons(DECAP_IP4_OFFSET));
}

static inline bool decap_is_port(__u16 port)
{
	for (int i = 0; i < SPW_DECAP_PORTS_MAX; i++) {
		if (port && port == decap_ports[i])
			return true;
	}
	return false;
}

/* A stage: UDP must be to a port of GUE. */
static inline enum decap_verdict decap_port(struct decap *d)
{
	struct udphdr udp;

	d->gue = d->proto == IPPROTO_UDP;
	if (!decap_is_tunnel(d->proto))
		return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
	if (!d->gue)
		return DECAP_NEXT;
	if (!decap_has_ports(d) || !decap_load(d, d->at, &udp, sizeof(udp)) ||
	    !decap_is_port(bpf_ntohs(udp.dest)))
		return decap_pass(SPW_DECAP_PASS_NO_TUNNEL);
	d->udp_len = bpf_ntohs(udp.len);
	return DECAP_NEXT;
}

static inline void decap_addrs(const struct decap *d, struct spw_addr *from, struct spw_addr *to)
{
	if (!d->outer_v6) {
		addr_map_v4(from, d->outer.v4.saddr);
		addr_map_v4(to, d->outer.v4.daddr);
		return;
	}
	__builtin_memcpy(from, &d->outer.v6.saddr, sizeof(*from));
	__builtin_memcpy(to, &d->outer.v6.daddr, sizeof(*to));
}

/* A stage: to this host, from a gateway. */
static inline enum decap_verdict decap_ends_here(struct decap *d)
{
	struct spw_decap_prefix from = {.bits = 128};
	struct spw_addr to;

	decap_addrs(d, &from.addr, &to);
	/* IPv4-mapped addresses belong on no wire (RFC 4291, 2.5.5.2) and would be taken for IPv4. */
	if (d->outer_v6 && (addr_is_v4(&from.addr) || addr_is_v4(&to)))
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	if (!bpf_map_lookup_elem(&decap_hosts, &to))
		return decap_pass(SPW_DECAP_PASS_NOT_HOST);
	if (!decap_any_gateway && !bpf_map_lookup_elem(&decap_gateways, &from))
		return decap_pass(SPW_DECAP_PASS_NOT_GATEWAY);
	return DECAP_NEXT;
}

static inline bool decap_sum_holds(const struct decap *d)
{
	const __u32 *words = (const void *)&d->outer.v4;
	__u32 more = d->at - d->link.len - sizeof(struct iphdr), option;
	__u64 sum = 0;

	for (int i = 0; i < 5; i++)
		sum += words[i];
	for (__u32 i = 0; i < DECAP_IP4_OPTIONS && i * 4 < more; i++) {
		if (!decap_load(d, d->link.len + sizeof(struct iphdr) + i * 4, &option, 4))
			return false;
		sum += option;
	}
	return !csum_fold(sum);
}

/* A stage: what the stack would not take is not taken here either. */
static inline enum decap_verdict decap_sound(struct decap *d)
{
	if (d->outer_v6)
		return DECAP_NEXT;
	if (d->outer.v4.frag_off & bpf_htons(DECAP_IP4_FRAGMENT))
		return decap_pass(SPW_DECAP_PASS_FRAGMENT);
	if (!decap_sum_holds(d))
		return decap_pass(SPW_DECAP_PASS_CHECKSUM);
	return DECAP_NEXT;
}

#endif
