/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to headers. Whatever is not plainly an IP packet to an address of ours with a whole
 * TCP or UDP header is passed to the stack. Our own addresses are asked for before the finer
 * points, so that what is not ours costs least and the counters of oddities speak of ours only.
 */
#ifndef SPILLWAY_BPF_PARSE_H
#define SPILLWAY_BPF_PARSE_H

#include <bpf/bpf_endian.h>

#include <spillway/hash.h>

#include "interface.h"
#include "stats.h"

#define IP4_MF_OR_OFFSET 0x3fff
#define IP4_NO_OPTIONS	 5

/* An 802.1Q tag, which some devices leave in the frame. */
struct vlan_tag {
	__be16 tci;
	__be16 proto;
};

static inline bool is_ip(__be16 proto)
{
	return proto == bpf_htons(ETH_P_IP) || proto == bpf_htons(ETH_P_IPV6);
}

/* One tag is looked behind; two (QinQ) are not. */
static inline __be16 parse_tag(struct pkt *p, struct ethhdr *eth)
{
	struct vlan_tag *tag = (void *)(eth + 1);

	p->vlan = SPW_UNTAGGED;
	p->l3 = eth + 1;
	if (eth->h_proto != bpf_htons(ETH_P_8021Q) || (void *)(tag + 1) > pkt_end(p))
		return eth->h_proto;
	p->vlan = bpf_ntohs(tag->tci);
	p->l3 = tag + 1;
	return tag->proto;
}

static inline enum verdict parse_eth(struct pkt *p)
{
	struct ethhdr *eth = (void *)(long)p->ctx->data;

	if ((void *)(eth + 1) > pkt_end(p))
		return pass(SPW_PASS_MALFORMED);
	p->eth = eth;
	p->l3_proto = parse_tag(p, eth);
	if (!is_ip(p->l3_proto))
		return pass(SPW_PASS_NOT_IP);
	/* To everybody or to a group: not to us, and no address to answer from. */
	if (eth->h_dest[0] & 1)
		return pass(SPW_PASS_NOT_OURS);
	return NEXT;
}

static inline enum verdict parse_ip4(struct pkt *p)
{
	struct iphdr *ip = p->l3;

	if ((void *)(ip + 1) > pkt_end(p) || ip->version != 4)
		return pass(SPW_PASS_MALFORMED);
	p->ip4 = ip;
	p->key->proto = ip->protocol;
	addr_map_v4(&p->key->saddr, ip->saddr);
	addr_map_v4(&p->key->daddr, ip->daddr);
	return NEXT;
}

static inline enum verdict parse_ip6(struct pkt *p)
{
	struct ipv6hdr *ip = p->l3;

	if ((void *)(ip + 1) > pkt_end(p) || ip->version != 6)
		return pass(SPW_PASS_MALFORMED);
	p->ip6 = ip;
	p->v6 = 1;
	p->key->proto = ip->nexthdr;
	__builtin_memcpy(&p->key->saddr, &ip->saddr, sizeof(p->key->saddr));
	__builtin_memcpy(&p->key->daddr, &ip->daddr, sizeof(p->key->daddr));
	/* Mapped addresses belong on no wire (RFC 4291, 2.5.5.2) and would be taken for IPv4. */
	if (addr_is_v4(&p->key->saddr) || addr_is_v4(&p->key->daddr))
		return pass(SPW_PASS_MALFORMED);
	return NEXT;
}

static inline enum verdict parse_ip(struct pkt *p)
{
	if (p->l3_proto == bpf_htons(ETH_P_IP))
		return parse_ip4(p);
	return parse_ip6(p);
}

/*
 * Promiscuous mode, mirrors and flooding switches show frames to other hosts. The slave of a bond
 * is not known by its own number: there the bond has looked.
 */
static inline bool is_to_this_host(struct pkt *p)
{
	const struct spw_interface *i = interface_find(p->ctx->ingress_ifindex);

	if (!i)
		return true;
	p->ingress_flags = i->flags;
	return !__builtin_memcmp(p->eth->h_dest, i->mac, ETH_ALEN);
}

static inline bool may_be_ours(const struct spw_addr *a)
{
	__u32 bit = spw_addr_hash(a) & addr_bits_mask, line = bit / SPW_ADDR_LINE_BITS;
	const struct spw_addr_line *l = bpf_map_lookup_elem(&addr_bits, &line);

	bit %= SPW_ADDR_LINE_BITS;
	return l && (l->w[bit / 64] >> (bit % 64) & 1);
}

/* What is kept of it is the exact answer: others share its bit. */
static inline enum verdict only_ours(struct pkt *p)
{
	if (!may_be_ours(&p->key->daddr) || !is_to_this_host(p))
		return pass(SPW_PASS_NOT_OURS);
	return NEXT;
}

/* A packet that is passed for another reason than its address, if its address is ours. */
static inline enum verdict pass_ours(const struct pkt *p, enum spw_stat reason)
{
	return pass(bpf_map_lookup_elem(&addrs, &p->key->daddr) ? reason : SPW_PASS_NOT_OURS);
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
		return pass_ours(p, SPW_PASS_MALFORMED);
	if (p->ip4->ihl > IP4_NO_OPTIONS)
		return pass_ours(p, SPW_PASS_OPTIONS);
	if (p->ip4->frag_off & bpf_htons(IP4_MF_OR_OFFSET))
		return pass_ours(p, SPW_PASS_FRAGMENT);
	p->l3_len = total;
	p->l4_len = total - sizeof(*p->ip4);
	return NEXT;
}

static inline enum verdict parse_shape6(struct pkt *p)
{
	__u16 payload = bpf_ntohs(p->ip6->payload_len);

	switch (p->ip6->nexthdr) {
	case IPPROTO_FRAGMENT:
		return pass_ours(p, SPW_PASS_FRAGMENT);
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_AH:
	case IPPROTO_MH:
		return pass_ours(p, SPW_PASS_OPTIONS);
	}
	if (payload > 0xffff - sizeof(*p->ip6))
		return pass_ours(p, SPW_PASS_MALFORMED);
	p->l3_len = payload + sizeof(*p->ip6);
	p->l4_len = payload;
	return NEXT;
}

/* Of a jumbo frame not all is between data and data_end. */
static inline bool is_whole(const struct pkt *p)
{
	__u32 want = p->l3 - (void *)p->eth + p->l3_len;

	return p->ctx->data_end - p->ctx->data >= want || bpf_xdp_get_buff_len(p->ctx) >= want;
}

/* One whole IP packet without options, at least as many bytes here as it says. */
static inline enum verdict parse_shape(struct pkt *p)
{
	enum verdict v = NEXT;

	if (p->ip4)
		v = parse_shape4(p);
	if (p->ip6)
		v = parse_shape6(p);
	if (v != NEXT)
		return v;
	if (!is_whole(p) || !is_source_possible(&p->key->saddr))
		return pass_ours(p, SPW_PASS_MALFORMED);
	return NEXT;
}

static inline enum verdict parse_tcp(struct pkt *p, struct tcphdr *tcp)
{
	if ((void *)(tcp + 1) > pkt_end(p) || p->l4_len < sizeof(*tcp))
		return pass_ours(p, SPW_PASS_MALFORMED);
	if (tcp->doff * 4 < sizeof(*tcp) || tcp->doff * 4 > p->l4_len)
		return pass_ours(p, SPW_PASS_MALFORMED);
	p->tcp = tcp;
	p->key->sport = tcp->source;
	p->key->dport = tcp->dest;
	return NEXT;
}

static inline enum verdict parse_udp(struct pkt *p, struct udphdr *udp)
{
	if ((void *)(udp + 1) > pkt_end(p) || p->l4_len < sizeof(*udp))
		return pass_ours(p, SPW_PASS_MALFORMED);
	if (bpf_ntohs(udp->len) < sizeof(*udp) || bpf_ntohs(udp->len) > p->l4_len)
		return pass_ours(p, SPW_PASS_MALFORMED);
	p->udp = udp;
	p->key->sport = udp->source;
	p->key->dport = udp->dest;
	return NEXT;
}

static inline enum verdict parse_l4(struct pkt *p)
{
	void *l4 = p->l3;

	l4 += p->ip4 ? sizeof(*p->ip4) : sizeof(*p->ip6);
	if (p->key->proto == IPPROTO_TCP)
		return parse_tcp(p, l4);
	if (p->key->proto == IPPROTO_UDP)
		return parse_udp(p, l4);
	return pass_ours(p, SPW_PASS_NOT_L4);
}

#endif
