/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Outer headers of ipip (RFC 2003, RFC 2473) and gue, in its variant 1, which has no header of its own
 * (draft-ietf-intarea-gue, 4): behind UDP the packet follows as it is. Inner and outer are of one family.
 *
 * Traffic class and ECN are copied (RFC 6040, 4.1). An outer packet is never cut into fragments: what is
 * too long for the way was answered before. UDP's checksum needs no look at the payload, since what the
 * inner checksum covers sums up to the complement of its pseudo header. Where there is no inner one it is
 * zero, which tunnels may do in IPv6, too (RFC 6935).
 */
#ifndef SPILLWAY_BPF_ENCAP_H
#define SPILLWAY_BPF_ENCAP_H

#include "hop.h"
#include "segment.h"

#define ENCAP_TTL	64
#define ENCAP_IP4_PLAIN 0x45 /* version 4, no options */
#define ENCAP_IP4_DF	0x4000
#define ENCAP_PORT_LOW	0xc000 /* of the source ports, 49152 to 65535 (RFC 6335, 6) */

/* What the outer headers are made of; worked out while the packet has its pointers. */
struct encap {
	struct spw_addr source;
	struct spw_addr endpoint;
	__u64 sum;  /* of the inner packet, not folded; without meaning unless `sums` */
	__u32 flow; /* IPv6: version, traffic class and flow label, in network order */
	__u16 len;  /* of the inner packet */
	__u16 port; /* of the source, host order */
	__be16 gue_port;
	__u8 tos;
	bool v6;
	bool gue;
	bool sums;
};

/* Writer: the packet path. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct encap);
} encap SEC(".maps");

static inline struct encap *encap_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&encap, &zero);
}

/* Bytes in front of the packet. */
static inline __u32 encap_bytes(__u32 mode, bool v6)
{
	__u32 ip = v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	if (mode == SPW_MODE_IPIP)
		return ip;
	return mode == SPW_MODE_GUE ? ip + sizeof(struct udphdr) : 0;
}

/* Has the packet a checksum that covers all of it, header and options aside? */
static inline bool encap_sums(const struct pkt *p)
{
	__u32 header = p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);

	if (p->carry->shape.fragment || *(volatile __u32 *)&p->carry->shape.l4_off != header)
		return false;
	return !p->udp || p->udp->check;
}

/* ICMP of IPv4 has no pseudo header: it sums up to nothing, like the IPv4 header itself. */
static inline __u64 encap_sum(const struct pkt *p)
{
	__u64 sum = p->key->proto == IPPROTO_ICMP ? 0 : (__u16)~segment_pseudo(p);
	const __u32 *w;

	if (p->ip6) {
		w = (const void *)p->ip6;
		sum += (__u64)w[0] + w[1] + w[2] + w[3] + w[4] + w[5] + w[6] + w[7] + w[8] + w[9];
	}
	return sum;
}

/*
 * The outer source: of the endpoint's own, or out of a range that the hash spreads over. The hash is another
 * one than slots are picked by: its other half, and seldom the whole.
 */
static inline bool encap_source(const struct pkt *p, const struct spw_endpoint *e,
				struct spw_addr *out)
{
	__u32 zero = 0, hash = p->carry->hash >> 32;
	__u32 nth = e->source_first + pick_scale(hash, e->source_count);
	const struct spw_tunnels *t = bpf_map_lookup_elem(&tunnels, &zero);

	if (t) {
		*out = p->v6 ? t->source6 : t->source4;
		out->w[3] |=
			bpf_htonl(hash & ((1U << (p->v6 ? t->bits6 & 31 : t->bits4 & 31)) - 1));
		if (!addr_is_none(p->v6 ? &t->source6 : &t->source4))
			return true;
	}
	if (!e->source_count || nth >= SPW_SOURCES_MAX)
		return false;
	*out = p->settings->source[nth];
	return !addr_is_none(out); /* the row may be ahead of the settings */
}

static inline __be16 encap_gue_port(void)
{
	__u32 zero = 0;
	const struct spw_tunnels *t = bpf_map_lookup_elem(&tunnels, &zero);

	return t && t->gue_port ? t->gue_port : bpf_htons(SPW_GUE_PORT);
}

/* All but the source. */
static inline void encap_prepare(const struct pkt *p, const struct spw_endpoint *e, __u32 mode,
				 struct encap *o)
{
	__u32 hash = p->carry->hash >> 32;

	o->endpoint = e->addr;
	o->len = p->l3_len;
	o->v6 = p->v6;
	o->gue = mode == SPW_MODE_GUE;
	o->gue_port = o->gue ? encap_gue_port() : 0;
	o->port = ENCAP_PORT_LOW | (hash & 0x3fff);
	o->sums = o->gue && encap_sums(p);
	o->sum = o->sums ? encap_sum(p) : 0;
	if (p->ip4)
		o->tos = p->ip4->tos;
	if (p->ip6)
		o->flow = (*(__be32 *)p->ip6 & bpf_htonl(0xfff00000)) | bpf_htonl(hash & 0xfffff);
}

/* The mapped prefix of an IPv4 address, 0xffff, is nothing to a sum in ones' complement. */
static inline __u64 encap_add(const struct encap *o, __u64 sum, const struct spw_addr *a)
{
	return o->v6 ? sum + a->w[0] + a->w[1] + a->w[2] + a->w[3] : sum + a->w[3];
}

/* UDP's header: both ports, then length and checksum. */
static inline void encap_udp_words(const struct encap *o, __be32 w[2])
{
	__be16 len = bpf_htons(o->len + sizeof(struct udphdr));
	__u64 sum = o->sum;
	__u16 check = 0;

	w[0] = bpf_htonl((__u32)o->port << 16 | bpf_ntohs(o->gue_port));
	if (o->sums) {
		/* The length stands in the header and in the pseudo header. */
		sum += (__u64)w[0] + 2ULL * len + bpf_htons(IPPROTO_UDP);
		check = csum_fold(encap_add(o, encap_add(o, sum, &o->source), &o->endpoint));
		check = check ? check : 0xffff;
	}
	w[1] = bpf_htonl((__u32)bpf_ntohs(len) << 16 | bpf_ntohs(check));
}

static inline void encap_udp(const struct encap *o, struct udphdr *udp)
{
	encap_udp_words(o, (void *)udp);
}

/* By words that are worked out before: one that is put together in memory and read back costs a stall. */
static inline void encap_ip4_words(const struct encap *o, __be32 w[5])
{
	__u32 head = sizeof(struct iphdr) + (o->gue ? sizeof(struct udphdr) : 0);
	__u32 proto = o->gue ? IPPROTO_UDP : IPPROTO_IPIP;
	__be32 first = bpf_htonl(ENCAP_IP4_PLAIN << 24 | o->tos << 16 | (__u16)(o->len + head));
	__be32 second = bpf_htonl(ENCAP_IP4_DF), third = bpf_htonl(ENCAP_TTL << 24 | proto << 16);
	__u16 check = csum_fold((__u64)first + second + third + o->source.w[3] + o->endpoint.w[3]);

	w[0] = first;
	w[1] = second;
	w[2] = third | bpf_htonl(bpf_ntohs(check));
	w[3] = o->source.w[3];
	w[4] = o->endpoint.w[3];
}

static inline void encap_ip4(const struct encap *o, struct iphdr *ip)
{
	encap_ip4_words(o, (void *)ip);
}

static inline void encap_ip6(const struct encap *o, struct ipv6hdr *ip)
{
	*(__be32 *)ip = o->flow;
	ip->payload_len = bpf_htons(o->len + (o->gue ? sizeof(struct udphdr) : 0));
	ip->nexthdr = o->gue ? IPPROTO_UDP : IPPROTO_IPV6;
	ip->hop_limit = ENCAP_TTL;
	__builtin_memcpy(&ip->saddr, &o->source, sizeof(ip->saddr));
	__builtin_memcpy(&ip->daddr, &o->endpoint, sizeof(ip->daddr));
}

/* The headers in the scratch, from `at` on, where there is room for them. For the verifier's sake global. */
__noinline int encap_write(struct xdp_md *ctx, __u32 at)
{
	const struct encap *o = encap_scratch();
	void *end = (void *)(long)ctx->data_end;
	void *l3 = (void *)(long)ctx->data + (at & 31), *l4;

	if (!o)
		return -1;
	l4 = l3 + (o->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	if (o->v6) {
		if (l3 + sizeof(struct ipv6hdr) > end)
			return -1;
		encap_ip6(o, l3);
	} else {
		if (l3 + sizeof(struct iphdr) > end)
			return -1;
		encap_ip4(o, l3);
	}
	if (!o->gue)
		return 0;
	if (l4 + sizeof(struct udphdr) > end)
		return -1;
	encap_udp(o, l4);
	return 0;
}

#endif
