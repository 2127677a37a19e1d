/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to headers. Whatever is not plainly an IP packet to an address of ours with a whole
 * TCP or UDP header is passed to the stack. Our own addresses are asked for before the finer
 * points, so that what is not ours costs least and the counters of oddities speak of ours only.
 */
#ifndef SPILLWAY_BPF_PARSE_H
#define SPILLWAY_BPF_PARSE_H

#include <bpf/bpf_endian.h>

#include "stats.h"

#define IP4_MF_OR_OFFSET 0x3fff
#define IP4_NO_OPTIONS	 5

static inline enum verdict parse_eth(struct pkt *p)
{
	struct ethhdr *eth = (void *)(long)p->ctx->data;

	if ((void *)(eth + 1) > pkt_end(p))
		return pass(SPW_PASS_MALFORMED);
	if (eth->h_proto != bpf_htons(ETH_P_IP) && eth->h_proto != bpf_htons(ETH_P_IPV6))
		return pass(SPW_PASS_NOT_IP);
	/* To everybody or to a group: not to us, and no address to answer from. */
	if (eth->h_dest[0] & 1)
		return pass(SPW_PASS_NOT_OURS);
	p->eth = eth;
	return NEXT;
}

static inline void addr_map_v4(struct spw_addr *a, __be32 v4)
{
	a->w[2] = bpf_htonl(0xffff);
	a->w[3] = v4;
}

static inline enum verdict parse_ip4(struct pkt *p)
{
	struct iphdr *ip = (void *)(p->eth + 1);

	if ((void *)(ip + 1) > pkt_end(p) || ip->version != 4)
		return pass(SPW_PASS_MALFORMED);
	p->ip4 = ip;
	p->key.proto = ip->protocol;
	addr_map_v4(&p->key.saddr, ip->saddr);
	addr_map_v4(&p->key.daddr, ip->daddr);
	return NEXT;
}

static inline enum verdict parse_ip6(struct pkt *p)
{
	struct ipv6hdr *ip = (void *)(p->eth + 1);

	if ((void *)(ip + 1) > pkt_end(p) || ip->version != 6)
		return pass(SPW_PASS_MALFORMED);
	p->ip6 = ip;
	p->key.proto = ip->nexthdr;
	__builtin_memcpy(&p->key.saddr, &ip->saddr, sizeof(p->key.saddr));
	__builtin_memcpy(&p->key.daddr, &ip->daddr, sizeof(p->key.daddr));
	/* Mapped addresses belong on no wire (RFC 4291, 2.5.5.2) and would be taken for IPv4. */
	if (addr_is_v4(&p->key.saddr) || addr_is_v4(&p->key.daddr))
		return pass(SPW_PASS_MALFORMED);
	return NEXT;
}

static inline enum verdict parse_ip(struct pkt *p)
{
	if (p->eth->h_proto == bpf_htons(ETH_P_IP))
		return parse_ip4(p);
	return parse_ip6(p);
}

/*
 * Promiscuous mode, mirrors and flooding switches show frames to other hosts. The slave of a bond
 * is not known by its own number: there the bond has looked.
 */
static inline bool is_to_this_host(const struct pkt *p)
{
	__u32 ifindex = p->ctx->ingress_ifindex;
	const struct spw_interface *i = bpf_map_lookup_elem(&interfaces, &ifindex);

	return !i || !__builtin_memcmp(p->eth->h_dest, i->mac, ETH_ALEN);
}

static inline enum verdict only_ours(struct pkt *p)
{
	if (!bpf_map_lookup_elem(&addrs, &p->key.daddr) || !is_to_this_host(p))
		return pass(SPW_PASS_NOT_OURS);
	return NEXT;
}

/* Sources that no host has: the stack knows what to do with such packets. */
static inline bool is_source_possible(const struct spw_addr *a)
{
	__u8 first = a->b[12];

	if (addr_is_v4(a))
		return first != 0 && first != 127 && first < 224;
	if (!(a->w[0] | a->w[1] | a->w[2]) && bpf_ntohl(a->w[3]) <= 1)
		return false;
	return a->b[0] != 0xff;
}

static inline enum verdict parse_shape4(struct pkt *p)
{
	__u16 total = bpf_ntohs(p->ip4->tot_len);

	if (p->ip4->ihl < IP4_NO_OPTIONS || total < sizeof(*p->ip4))
		return pass(SPW_PASS_MALFORMED);
	if (p->ip4->ihl > IP4_NO_OPTIONS)
		return pass(SPW_PASS_OPTIONS);
	if (p->ip4->frag_off & bpf_htons(IP4_MF_OR_OFFSET))
		return pass(SPW_PASS_FRAGMENT);
	p->l3_len = total;
	p->l4_len = total - sizeof(*p->ip4);
	return NEXT;
}

static inline enum verdict parse_shape6(struct pkt *p)
{
	__u16 payload = bpf_ntohs(p->ip6->payload_len);

	switch (p->ip6->nexthdr) {
	case IPPROTO_FRAGMENT:
		return pass(SPW_PASS_FRAGMENT);
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_MH:
		return pass(SPW_PASS_OPTIONS);
	}
	if (payload > 0xffff - sizeof(*p->ip6))
		return pass(SPW_PASS_MALFORMED);
	p->l3_len = payload + sizeof(*p->ip6);
	p->l4_len = payload;
	return NEXT;
}

/* One whole IP packet without options, at least as many bytes here as it says. */
static inline enum verdict parse_shape(struct pkt *p)
{
	enum verdict v = NEXT;
	__u64 have = p->ctx->data_end - p->ctx->data;

	if (p->ip4)
		v = parse_shape4(p);
	if (p->ip6)
		v = parse_shape6(p);
	if (v != NEXT)
		return v;
	if (have < sizeof(*p->eth) + p->l3_len || !is_source_possible(&p->key.saddr))
		return pass(SPW_PASS_MALFORMED);
	return NEXT;
}

static inline enum verdict parse_tcp(struct pkt *p, struct tcphdr *tcp)
{
	if ((void *)(tcp + 1) > pkt_end(p) || p->l4_len < sizeof(*tcp))
		return pass(SPW_PASS_MALFORMED);
	if (tcp->doff * 4 < sizeof(*tcp) || tcp->doff * 4 > p->l4_len)
		return pass(SPW_PASS_MALFORMED);
	p->tcp = tcp;
	p->key.sport = tcp->source;
	p->key.dport = tcp->dest;
	return NEXT;
}

static inline enum verdict parse_udp(struct pkt *p, struct udphdr *udp)
{
	if ((void *)(udp + 1) > pkt_end(p) || p->l4_len < sizeof(*udp))
		return pass(SPW_PASS_MALFORMED);
	if (bpf_ntohs(udp->len) < sizeof(*udp) || bpf_ntohs(udp->len) > p->l4_len)
		return pass(SPW_PASS_MALFORMED);
	p->udp = udp;
	p->key.sport = udp->source;
	p->key.dport = udp->dest;
	return NEXT;
}

static inline enum verdict parse_l4(struct pkt *p)
{
	void *l4 = p->eth + 1;

	l4 += p->ip4 ? sizeof(*p->ip4) : sizeof(*p->ip6);
	if (p->key.proto == IPPROTO_TCP)
		return parse_tcp(p, l4);
	if (p->key.proto == IPPROTO_UDP)
		return parse_udp(p, l4);
	return pass(SPW_PASS_NOT_L4);
}

#endif
