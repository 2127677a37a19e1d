/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From bytes to an IP header, and whether the packet is to an address of ours. That is asked for
 * before the finer points (shape.h), so that what is not ours costs least and the counters of oddities
 * speak of ours only.
 */
#ifndef SPILLWAY_BPF_PARSE_H
#define SPILLWAY_BPF_PARSE_H

#include <bpf/bpf_endian.h>

#include <spillway/hash.h>

#include "interface.h"
#include "mac.h"
#include "stats.h"

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

	p->carry->ingress_flags = 0;
	if (!i)
		return true;
	p->carry->ingress_flags = i->flags;
	return mac_is_same(mac_dest(p->eth), *(const word64 *)i->mac);
}

static inline bool may_be_ours(const struct spw_addr *a)
{
	__u32 bit = spw_addr_hash(a) & addr_bits_mask, line = bit / SPW_ADDR_LINE_BITS;
	const struct spw_addr_line *l = bpf_map_lookup_elem(&addr_bits, &line);

	bit %= SPW_ADDR_LINE_BITS;
	return l && (l->w[bit / 64] >> (bit % 64) & 1);
}

/* Others may share the bit of an address of ours: pass_ours() and service_none() know exactly. */
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

#endif
