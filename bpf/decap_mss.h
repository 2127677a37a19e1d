/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * On the way out: the MSS that a VIP offers in SYNs and SYN-ACKs is lowered to what fits into the
 * tunnel that clients' segments come by. It is never raised, and never put in (RFC 9293, 3.7.1).
 */
#ifndef SPILLWAY_BPF_DECAP_MSS_H
#define SPILLWAY_BPF_DECAP_MSS_H

#include <linux/pkt_cls.h>
#include <linux/tcp.h>

#include "addr.h"
#include "bounds.h"
#include "decap_pkt.h"

#define DECAP_OPTIONS	  40 /* bytes, and no more options than that */
#define DECAP_OPTIONS_BUF 64
#define DECAP_MSS_KIND	  2
#define DECAP_MSS_SIZE	  4
#define DECAP_OFFSET	  0x1fff /* of IPv4 fragments */

struct decap_syn {
	struct __sk_buff *skb;
	struct spw_addr from;
	__u32 l4; /* where TCP begins */
	bool v6;
	struct tcphdr tcp;
	__u8 options[DECAP_OPTIONS_BUF];
	__u32 len; /* of the options */
	__u32 at;
	__u32 mss_at; /* in the options; 0: none is offered */
};

static inline bool decap_syn4(struct decap_syn *s)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(s->skb, s->l4, &ip, sizeof(ip)))
		return false;
	if (ip.protocol != IPPROTO_TCP || (ip.frag_off & bpf_htons(DECAP_OFFSET)))
		return false;
	addr_map_v4(&s->from, ip.saddr);
	s->l4 += ip.ihl * 4;
	return true;
}

static inline bool decap_syn6(struct decap_syn *s)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(s->skb, s->l4, &ip, sizeof(ip)) || ip.nexthdr != IPPROTO_TCP)
		return false;
	__builtin_memcpy(&s->from, &ip.saddr, sizeof(s->from));
	s->l4 += sizeof(ip);
	s->v6 = true;
	return true;
}

/* A SYN or SYN-ACK of a VIP. The tag of a VLAN device may be in the frame already. */
static inline bool decap_syn_find(struct decap_syn *s)
{
	__be16 proto;

	s->l4 = sizeof(struct ethhdr);
	if (bpf_skb_load_bytes(s->skb, offsetof(struct ethhdr, h_proto), &proto, sizeof(proto)))
		return false;
	if (proto == bpf_htons(ETH_P_8021Q)) {
		s->l4 += 4;
		if (bpf_skb_load_bytes(s->skb, s->l4 - 2, &proto, sizeof(proto)))
			return false;
	}
	if (proto != bpf_htons(ETH_P_IP) && proto != bpf_htons(ETH_P_IPV6))
		return false;
	if (proto == bpf_htons(ETH_P_IP) ? !decap_syn4(s) : !decap_syn6(s))
		return false;
	if (bpf_skb_load_bytes(s->skb, s->l4, &s->tcp, sizeof(s->tcp)))
		return false;
	return s->tcp.syn && decap_is_vip(&s->from);
}

/* One option: 0 to go on. */
static long decap_option(__u32 i, struct decap_syn *s)
{
	__u8 kind = s->options[s->at % DECAP_OPTIONS_BUF];
	__u8 size = s->options[(s->at + 1) % DECAP_OPTIONS_BUF];

	if (s->at >= s->len || kind == 0)
		return 1;
	if (kind == 1) {
		s->at += 1;
		return 0;
	}
	if (size < 2 || s->at + size > s->len)
		return 1;
	if (kind == DECAP_MSS_KIND && size == DECAP_MSS_SIZE) {
		s->mss_at = s->at + 2;
		return 1;
	}
	s->at += size;
	return 0;
}

static inline bool decap_options(struct decap_syn *s)
{
	__u32 len = s->tcp.doff * 4 - sizeof(s->tcp);

	if (!bounds_fit(&len, DECAP_OPTIONS) ||
	    bpf_skb_load_bytes(s->skb, s->l4 + sizeof(s->tcp), s->options, len))
		return false;
	s->len = len;
	bpf_loop(DECAP_OPTIONS, decap_option, s, 0);
	return s->mss_at;
}

/*
 * A checksum that the card is yet to make holds no option's bytes: bpf_l4_csum_replace() knows. A
 * number at an odd place stands in two of the words that are summed up: its bytes change places.
 */
static inline bool decap_lower(struct decap_syn *s, __u16 limit)
{
	__u8 *high = &s->options[s->mss_at % DECAP_OPTIONS_BUF];
	__u8 *low = &s->options[(s->mss_at + 1) % DECAP_OPTIONS_BUF];
	__u32 place = s->l4 + sizeof(s->tcp) + s->mss_at;
	__u32 check = s->l4 + offsetof(struct tcphdr, check);
	__u16 was = *high << 8 | *low;
	__be16 wanted = bpf_htons(limit), from = bpf_htons(was), to = wanted;

	if (was <= limit)
		return false;
	if (s->mss_at & 1) {
		from = was;
		to = limit;
	}
	return !bpf_l4_csum_replace(s->skb, check, from, to, sizeof(to)) &&
	       !bpf_skb_store_bytes(s->skb, place, &wanted, sizeof(wanted), 0);
}

SEC("tc")
int spillway_mss(struct __sk_buff *skb)
{
	__u32 key = skb->ifindex;
	const struct spw_decap_mss *mss = bpf_map_lookup_elem(&decap_mss, &key);
	struct decap_syn s = {.skb = skb};
	__u32 limit;

	if (!mss || !decap_syn_find(&s))
		return TC_ACT_UNSPEC; /* other filters come next */
	limit = s.v6 ? mss->v6 : mss->v4;
	if (limit && decap_options(&s) && decap_lower(&s, limit))
		decap_add(SPW_DECAP_MSS, 1);
	return TC_ACT_UNSPEC;
}

#endif
