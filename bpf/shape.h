/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What shape a packet to an address of ours has: lengths that agree, options and extension headers
 * that can be looked behind, and a TCP or UDP header, wherever it lies. Whatever is not plainly so is
 * passed to the stack.
 */
#ifndef SPILLWAY_BPF_SHAPE_H
#define SPILLWAY_BPF_SHAPE_H

#include "fragment.h"
#include "parse.h"

#define IP4_MF_OR_OFFSET 0x3fff
#define IP4_OFFSET	 0x1fff
#define SHAPE_L4_OFF_MAX (sizeof(struct ipv6hdr) + EXTENSIONS_BYTES)

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

static inline __u32 shape_l3(const struct pkt *p)
{
	return p->l3 - (void *)p->eth;
}

static inline bool shape_is_l4(const struct pkt *p)
{
	return p->key->proto == IPPROTO_TCP || p->key->proto == IPPROTO_UDP;
}

/* Only TCP and UDP are looked for behind options: ICMP's readers know of none. */
static inline bool shape_options4(const struct pkt *p, __u32 header)
{
	return shape_is_l4(p) &&
	       options4_harmless(p->ctx, shape_l3(p) + sizeof(*p->ip4), header - sizeof(*p->ip4));
}

static inline void shape_fragment4(struct pkt *p)
{
	struct carry *c = p->carry;

	c->shape.fragment =
		p->ip4->frag_off & bpf_htons(IP4_OFFSET) ? FRAGMENT_LATER : FRAGMENT_FIRST;
	c->shape.id_at = 0;
	c->fragment.key.id = p->ip4->id;
	c->fragment.key.proto = p->ip4->protocol;
}

static inline enum verdict parse_shape4(struct pkt *p)
{
	__u16 total = bpf_ntohs(p->ip4->tot_len);
	__u32 header = p->ip4->ihl * 4;

	if (header < sizeof(*p->ip4) || total < sizeof(*p->ip4))
		return pass_ours(p, SPW_PASS_MALFORMED);
	if (header > sizeof(*p->ip4) && !shape_options4(p, header))
		return pass_ours(p, SPW_PASS_OPTIONS);
	if (total < header)
		return pass_ours(p, SPW_PASS_MALFORMED);
	if (p->ip4->frag_off & bpf_htons(IP4_MF_OR_OFFSET))
		shape_fragment4(p);
	p->carry->shape.l4_off = header;
	p->l3_len = total;
	p->l4_len = total - header;
	return NEXT;
}

static inline enum verdict parse_extensions(struct pkt *p)
{
	int walked = extensions_walk(p->ctx, shape_l3(p));

	/* What fragments without ports are, their datagram says. */
	if (walked != EXTENSIONS_WALKED || (!p->carry->shape.fragment && !shape_is_l4(p)))
		return pass_ours(p, SPW_PASS_OPTIONS);
	return NEXT;
}

static inline enum verdict parse_shape6(struct pkt *p)
{
	__u16 payload = bpf_ntohs(p->ip6->payload_len);
	__u32 behind;
	enum verdict v;

	p->carry->shape.l4_off = sizeof(*p->ip6);
	switch (p->ip6->nexthdr) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
	case IPPROTO_FRAGMENT:
		v = parse_extensions(p);
		if (v != NEXT)
			return v;
		break;
	case IPPROTO_AH:
	case IPPROTO_MH:
		return pass_ours(p, SPW_PASS_OPTIONS);
	}
	behind = *(volatile __u32 *)&p->carry->shape.l4_off - sizeof(*p->ip6);
	if (payload > 0xffff - sizeof(*p->ip6) || payload < behind)
		return pass_ours(p, SPW_PASS_MALFORMED);
	p->l3_len = payload + sizeof(*p->ip6);
	p->l4_len = payload - behind;
	return NEXT;
}

/* Of a jumbo frame not all is between data and data_end. */
static inline bool is_whole(const struct pkt *p)
{
	__u32 want = p->l3 - (void *)p->eth + p->l3_len;

	return p->ctx->data_end - p->ctx->data >= want || bpf_xdp_get_buff_len(p->ctx) >= want;
}

static inline enum verdict shape_fragment(struct pkt *p)
{
	int v = fragment_enter(p->ctx);

	if (v == NEXT)
		return NEXT;
	return v == PASS ? PASS : DROP;
}

/* One whole IP packet or a fragment, at least as many bytes here as it says. */
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
	return *(volatile __u32 *)&p->carry->shape.fragment ? shape_fragment(p) : NEXT;
}

static inline bool parse_tcp(struct pkt *p, struct tcphdr *tcp)
{
	if ((void *)(tcp + 1) > pkt_end(p) || p->l4_len < sizeof(*tcp))
		return false;
	if (tcp->doff * 4 < sizeof(*tcp) || tcp->doff * 4 > p->l4_len)
		return false;
	p->tcp = tcp;
	p->key->sport = tcp->source;
	p->key->dport = tcp->dest;
	return true;
}

static inline bool parse_udp(struct pkt *p, struct udphdr *udp)
{
	if ((void *)(udp + 1) > pkt_end(p) || p->l4_len < sizeof(*udp))
		return false;
	if (bpf_ntohs(udp->len) < sizeof(*udp))
		return false;
	/* A first fragment speaks of all. */
	if (bpf_ntohs(udp->len) > p->l4_len && !p->carry->shape.fragment)
		return false;
	p->udp = udp;
	p->key->sport = udp->source;
	p->key->dport = udp->dest;
	return true;
}

static inline enum verdict parse_l4(struct pkt *p)
{
	__u32 off = *(volatile __u32 *)&p->carry->shape.l4_off;

	if (p->carry->shape.fragment == FRAGMENT_LATER)
		return NEXT;
	if (off > SHAPE_L4_OFF_MAX)
		return drop(SPW_DROP_INTERNAL);
	if (!shape_is_l4(p))
		return pass_ours(p, SPW_PASS_NOT_L4);
	if (p->key->proto == IPPROTO_TCP ? parse_tcp(p, p->l3 + off) : parse_udp(p, p->l3 + off))
		return NEXT;
	return pass_ours(p, SPW_PASS_MALFORMED);
}

#endif
