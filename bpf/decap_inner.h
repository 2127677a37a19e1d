/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packet within: it must be whole and to a VIP. Hop limit and DSCP stay as they are in it (the pipe
 * model of RFC 2983); congestion marks of the way are kept (RFC 6040, section 4.2).
 */
#ifndef SPILLWAY_BPF_DECAP_INNER_H
#define SPILLWAY_BPF_DECAP_INNER_H

#include "decap_outer.h"

#define DECAP_ECN      3
#define DECAP_NOT_ECT  0
#define DECAP_ECT1     1
#define DECAP_CE       3
#define DECAP_ECN_DROP 4

/* draft-ietf-intarea-gue, section 3: variant 0's header; variant 1 has none. */
struct decap_gue {
	__u8 first; /* variant, control bit, length of the optional fields in words */
	__u8 proto;
	__be16 flags;
};
#define DECAP_GUE_VARIANT 0xc0
#define DECAP_GUE_CONTROL 0x20
#define DECAP_GUE_WORDS	  0x1f

/*
 * Flags tell of fields that may change the meaning (a fragment, a transform, a checksum to be put in):
 * with any of them it is the stack's. Optional fields without a flag are private data, skipped.
 */
static inline enum decap_verdict decap_gue_header(struct decap *d)
{
	struct decap_gue gue;

	if (d->at + sizeof(gue) > d->end || !decap_load(d, d->at, &gue, sizeof(gue)))
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	/* Variant 1 is the 01 that the versions of IPv4 and IPv6 begin with: 0100 and 0110. */
	d->proto = gue.first >> 4 == 4 ? IPPROTO_IPIP : IPPROTO_IPV6;
	if (gue.first >> 4 == 4 || gue.first >> 4 == 6)
		return DECAP_NEXT;
	if (gue.first & (DECAP_GUE_VARIANT | DECAP_GUE_CONTROL) || gue.flags ||
	    (gue.proto != IPPROTO_IPIP && gue.proto != IPPROTO_IPV6))
		return decap_pass(SPW_DECAP_PASS_GUE_HEADER);
	d->proto = gue.proto;
	d->at += sizeof(gue) + (gue.first & DECAP_GUE_WORDS) * 4;
	return DECAP_NEXT;
}

/* A stage: UDP's and GUE's headers are behind. */
static inline enum decap_verdict decap_gue(struct decap *d)
{
	if (!d->gue)
		return DECAP_NEXT;
	if (d->udp_len < sizeof(struct udphdr) || d->at + d->udp_len > d->end)
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	d->end = d->at + d->udp_len;
	d->at += sizeof(struct udphdr);
	return decap_gue_header(d);
}

static inline bool decap_whole4(struct decap *d)
{
	const struct iphdr *ip = &d->inner.v4;
	__u32 total;

	if (!decap_load(d, d->at, &d->inner, sizeof(*ip)))
		return false;
	total = bpf_ntohs(ip->tot_len);
	return ip->version == 4 && ip->ihl >= 5 && total >= ip->ihl * 4 && d->at + total <= d->end;
}

static inline bool decap_whole6(struct decap *d)
{
	const struct ipv6hdr *ip = &d->inner.v6;

	if (!decap_load(d, d->at, &d->inner, sizeof(*ip)))
		return false;
	return ip->version == 6 && d->at + sizeof(*ip) + bpf_ntohs(ip->payload_len) <= d->end;
}

/* A stage: a whole packet, to a VIP. */
static inline enum decap_verdict decap_to_vip(struct decap *d)
{
	struct spw_addr to;

	d->inner_v6 = d->proto == IPPROTO_IPV6;
	if (d->inner_v6 ? !decap_whole6(d) : !decap_whole4(d))
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	if (d->inner_v6)
		__builtin_memcpy(&to, &d->inner.v6.daddr, sizeof(to));
	else
		addr_map_v4(&to, d->inner.v4.daddr);
	if (d->inner_v6 && addr_is_v4(&to))
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	return decap_is_vip(&to) ? DECAP_NEXT : decap_pass(SPW_DECAP_PASS_NOT_VIP);
}

/* RFC 6040, figure 4: the mark that goes on, or DECAP_ECN_DROP. */
static inline __u8 decap_ecn(__u8 inner, __u8 outer)
{
	inner &= DECAP_ECN;
	outer &= DECAP_ECN;
	if (inner == DECAP_NOT_ECT)
		return outer == DECAP_CE ? DECAP_ECN_DROP : inner;
	if (outer == DECAP_CE || (outer == DECAP_ECT1 && inner != DECAP_CE))
		return outer;
	return inner;
}

static inline bool decap_mark4(struct decap *d, __u8 mark)
{
	struct iphdr *ip = &d->inner.v4;
	__u8 tos = (ip->tos & ~DECAP_ECN) | mark;

	ip->check = csum_apply(ip->check, csum_changed16(0, bpf_htons(ip->tos), bpf_htons(tos)));
	ip->tos = tos;
	return !bpf_xdp_store_bytes(d->ctx, d->at, ip, sizeof(*ip));
}

static inline bool decap_mark6(struct decap *d, __u8 mark)
{
	struct ipv6hdr *ip = &d->inner.v6;

	ip->flow_lbl[0] = (ip->flow_lbl[0] & ~(DECAP_ECN << 4)) | mark << 4;
	return !bpf_xdp_store_bytes(d->ctx, d->at, ip, 4);
}

/* A stage. */
static inline enum decap_verdict decap_congestion(struct decap *d)
{
	__u8 was = decap_class(&d->inner, d->inner_v6) & DECAP_ECN;
	__u8 mark = decap_ecn(was, decap_class(&d->outer, d->outer_v6));

	if (mark == DECAP_ECN_DROP)
		return decap_drop(SPW_DECAP_DROP_ECN);
	if (mark == was)
		return DECAP_NEXT;
	if (d->inner_v6 ? !decap_mark6(d, mark) : !decap_mark4(d, mark))
		return decap_pass(SPW_DECAP_PASS_MALFORMED);
	if (mark == DECAP_CE)
		decap_add(SPW_DECAP_ECN_CE, 1);
	return DECAP_NEXT;
}

#endif
