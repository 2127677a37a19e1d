/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The shortest way of direct return, for nearly all of its packets: a whole TCP or UDP packet without
 * options, extension headers or tag, of a settled slot, that fits the way the daemon's row names.
 * Whatever is different in any respect is left untouched and uncounted for the stages (direct.h), which
 * say the same of these packets, too, only later.
 */
#ifndef SPILLWAY_BPF_DIRECT_FAST_H
#define SPILLWAY_BPF_DIRECT_FAST_H

#include "direct.h"
#include "shape.h"

/* 32-bit words of TCP headers with more options than an MSS. */
#define FAST_WORDS_LEAST 8
#define FAST_WORDS_MOST	 11

/* Behind its addresses, which are in the key. */
static inline bool fast_ip4(struct pkt *p)
{
	struct iphdr *ip = p->ip4;

	if (*(__u8 *)ip != ENCAP_IP4_PLAIN || ip->ttl <= 1 ||
	    (ip->frag_off & bpf_htons(IP4_MF_OR_OFFSET)))
		return false;
	p->l3_len = bpf_ntohs(ip->tot_len);
	p->l4_len = p->l3_len - sizeof(*ip);
	p->carry->shape.l4_off = sizeof(*ip);
	return p->l3_len > sizeof(*ip);
}

static inline bool fast_ip6(struct pkt *p)
{
	__u32 payload = bpf_ntohs(p->ip6->payload_len);

	p->l3_len = payload + sizeof(*p->ip6);
	p->l4_len = payload;
	p->carry->shape.l4_off = sizeof(*p->ip6);
	return payload <= 0xffff - sizeof(*p->ip6) && p->ip6->hop_limit > 1;
}

static inline bool fast_parse(struct pkt *p)
{
	void *l4 = NULL;

	if (p->vlan != SPW_UNTAGGED || !shape_is_l4(p))
		return false;
	if (p->ip4 && fast_ip4(p))
		l4 = p->ip4 + 1;
	if (p->ip6 && fast_ip6(p))
		l4 = p->ip6 + 1;
	if (!l4 || p->ctx->data_end - p->ctx->data < sizeof(struct ethhdr) + p->l3_len ||
	    !is_source_possible(&p->key->saddr))
		return false;
	return p->key->proto == IPPROTO_TCP ? parse_tcp(p, l4) : parse_udp(p, l4);
}

/* The packet's endpoint, of a settled slot. */
static inline const struct spw_endpoint *fast_endpoint(struct pkt *p)
{
	const struct spw_service_row *row;
	struct motion m;
	__u32 slot;

	row = direct_service(p, p->key);
	if (!row || (row->flags & SPW_SERVICE_QUIC))
		return NULL;
	if ((row->flags & SPW_SERVICE_GUARDED) && (!p->tcp || p->tcp->syn))
		return NULL;
	slot = direct_slot(p, row, p->key, &m);
	if (m.phase != MOTION_SETTLED || !word_is_settled(endpoint_word(slot)))
		return NULL;
	p->endpoint = slot;
	return direct_endpoint(slot, p->v6);
}

static inline bool fast_hop(struct pkt *p, __u32 more)
{
	if (!hop_by_row(p, p->endpoint) || p->egress_vlan != SPW_UNTAGGED)
		return false;
	if (p->mtu && p->l3_len + more > p->mtu)
		return false;
	if (p->mtu > more)
		p->mtu -= more;
	return true;
}

/* Are two of these 8 bytes, side by side, 2 and 4: kind and size of an MSS option? */
static inline bool fast_mss_in(const __u8 *at)
{
	__u64 w, kind, size;

	__builtin_memcpy(&w, at, sizeof(w));
	kind = w ^ 0x0202020202020202ULL;
	size = (w >> 8 | 0xffULL << 56) ^ 0x0404040404040404ULL;
	kind |= size; /* a zero byte: both are there */
	return (kind - 0x0101010101010101ULL) & ~kind & 0x8080808080808080ULL;
}

/* Is there no second MSS option, nor what looks like one, from byte 24 of a header on? */
static inline bool fast_mss_once(const struct pkt *p, __u32 words)
{
	const __u8 *at = (const void *)p->tcp;
	__u32 i;

	/* Pieces overlap: the option may begin in one and end in the next. */
#pragma unroll
	for (i = FAST_WORDS_LEAST; i <= FAST_WORDS_MOST; i++) {
		if ((void *)(at + i * 4) > pkt_end(p) || fast_mss_in(at + i * 4 - 8))
			return false;
		if (i == words)
			return true;
	}
	return false;
}

/*
 * Is there nothing to lower in this SYN? Said of those whose only MSS option comes first, as systems in use
 * send it.
 */
static inline bool fast_mss(const struct pkt *p)
{
	__u32 mtu = mss_mtu(p), headers = sizeof(struct tcphdr);
	const __u8 *at = (const void *)p->tcp;

	headers += p->v6 ? sizeof(*p->ip6) : sizeof(*p->ip4);
	if (p->tcp->doff == 5 || mtu <= headers)
		return true;
	if ((void *)(at + 24) > pkt_end(p) || at[20] != MSS_KIND || at[21] != MSS_SIZE ||
	    (__u32)(at[22] << 8 | at[23]) > mtu - headers)
		return false;
	return p->tcp->doff == 6 || fast_mss_once(p, p->tcp->doff);
}

/* A local sender's, with its checksum yet to be made, or one that looks so. */
static inline bool fast_is_partial(const struct pkt *p)
{
	__u16 check = 0;

	if (!(p->carry->ingress_flags & SPW_IF_PARTIAL))
		return false;
	if (p->tcp)
		check = p->tcp->check;
	if (p->udp)
		check = p->udp->check;
	return check && check == segment_pseudo(p);
}

/* Room in front of the packet, with an Ethernet header; NULL if there is none. */
static inline void *fast_room(struct pkt *p, __u32 more, __be16 proto)
{
	struct ethhdr *eth;

	if (bpf_xdp_adjust_head(p->ctx, -(int)more))
		return NULL;
	eth = (void *)(long)p->ctx->data;
	if ((void *)(eth + 1) > pkt_end(p))
		return NULL;
	mac_write(eth, p->carry->dmac, p->carry->smac);
	eth->h_proto = proto;
	return eth + 1;
}

/* With its outer headers. */
static inline bool fast_encap(struct pkt *p, const struct spw_endpoint *e, __u32 mode,
			      struct encap *o)
{
	void *l3, *l4;

	encap_prepare(p, e, mode, o);
	l3 = fast_room(p, encap_bytes(mode, o->v6), bpf_htons(o->v6 ? ETH_P_IPV6 : ETH_P_IP));
	l4 = l3 + (o->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	if (!l3 || l3 + sizeof(struct iphdr) > pkt_end(p))
		return false;
	if (!o->v6)
		encap_ip4(o, l3);
	else if (l3 + sizeof(struct ipv6hdr) <= pkt_end(p))
		encap_ip6(o, l3);
	if (!o->gue)
		return true;
	if (l4 + sizeof(struct udphdr) > pkt_end(p))
		return false;
	encap_udp(o, l4);
	return true;
}

static inline enum verdict fast_send(struct pkt *p, const struct spw_endpoint *e, __u32 mode)
{
	struct encap *o = encap_scratch();

	if (mode == SPW_MODE_L2) {
		direct_age(p);
		mac_write(p->eth, p->carry->dmac, p->carry->smac);
		return direct_leave(p);
	}
	if (!o || !encap_source(p, e, &o->source))
		return NEXT;
	direct_age(p);
	return fast_encap(p, e, mode, o) ? direct_leave(p) : drop(SPW_DROP_INTERNAL);
}

/* A packet to an address with services of direct return, whose headers up to IP are known. NEXT: not for it. */
static inline enum verdict direct_fast(struct pkt *p)
{
	const struct spw_endpoint *e;
	__u32 mode;

	if (!fast_parse(p) || config_read(p) != NEXT)
		return NEXT;
	e = fast_endpoint(p);
	if (!e)
		return NEXT;
	mode = direct_mode(e);
	if (!fast_hop(p, encap_bytes(mode, p->v6)) || (p->tcp && p->tcp->syn && !fast_mss(p)) ||
	    fast_is_partial(p))
		return NEXT;
	return fast_send(p, e, mode);
}

#endif
