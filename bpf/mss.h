/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The MSS that a SYN or SYN-ACK offers is lowered to what both of its ways carry, so that a
 * connection works where ICMP is lost. It is never raised, and never put in (RFC 9293, 3.7.1). Only
 * packets with SYN come here, which are few.
 */
#ifndef SPILLWAY_BPF_MSS_H
#define SPILLWAY_BPF_MSS_H

#include "bounds.h"
#include "interface.h"
#include "csum.h"

#define MSS_TCP_MAX 64 /* a TCP header has up to 60 bytes */
#define MSS_OPTIONS 40 /* as many as there can be */
#define MSS_KIND    2
#define MSS_SIZE    4
#define MSS_CHECK   16 /* of the checksum in the header */

/* A TCP header and its options, and how far they have been read. */
struct mss_tcp {
	__u8 b[MSS_TCP_MAX];
	__u32 len;
	__u32 at;
	__u32 limit;
	__u32 lowered;
	__u64 diff; /* to the checksum */
};

/* A number at an odd place stands in two of the words that are summed up: its bytes change places. */
static inline void mss_lower(struct mss_tcp *t, __u32 at)
{
	__u8 *high = &t->b[at % MSS_TCP_MAX], *low = &t->b[(at + 1) % MSS_TCP_MAX];
	__u32 was = *high << 8 | *low, now = t->limit;

	if (was <= now)
		return;
	*high = now >> 8;
	*low = now;
	if (at & 1)
		t->diff = csum_changed16(t->diff, (__be16)was, (__be16)now);
	else
		t->diff = csum_changed16(t->diff, bpf_htons(was), bpf_htons(now));
	t->lowered = 1;
}

/* One option: 0 to go on. */
static long mss_option(__u32 i, struct mss_tcp *t)
{
	__u8 kind = t->b[t->at % MSS_TCP_MAX];
	__u8 size = t->b[(t->at + 1) % MSS_TCP_MAX];

	if (t->at >= t->len || kind == 0)
		return 1;
	if (kind == 1) {
		t->at += 1;
		return 0;
	}
	if (size < 2 || t->at + size > t->len)
		return 1;
	if (kind == MSS_KIND && size == MSS_SIZE)
		mss_lower(t, t->at + 2);
	t->at += size;
	return 0;
}

/* Of the TCP header of `len` bytes at `at`. */
__noinline int mss_clamp(struct xdp_md *ctx, __u32 at, __u32 len, __u32 limit)
{
	struct mss_tcp t = {.len = len, .at = sizeof(struct tcphdr), .limit = limit};

	if (len <= sizeof(struct tcphdr) || !bounds_fit(&len, MSS_TCP_MAX - 4))
		return 0;
	if (bpf_xdp_load_bytes(ctx, at, t.b, len))
		return 0;
	bpf_loop(MSS_OPTIONS, mss_option, &t, 0);
	if (!t.lowered)
		return 0;
	*(__u16 *)&t.b[MSS_CHECK] = csum_apply(*(__u16 *)&t.b[MSS_CHECK], t.diff);
	if (bpf_xdp_store_bytes(ctx, at, t.b, len))
		return 0;
	count(SPW_COUNT_MSS_CLAMPED);
	return 0;
}

/* The smaller MTU of both ways; 0: no limit. */
static inline __u32 mss_mtu(const struct pkt *p)
{
	const struct spw_interface *in = interface_find(p->ctx->ingress_ifindex);
	__u32 mtu = p->mtu;

	if (in && in->mtu && (!mtu || in->mtu < mtu))
		mtu = in->mtu;
	return mtu;
}

static __noinline int mss_lower_to_mtu(struct pkt *p)
{
	__u32 headers = sizeof(struct tcphdr) + (p->v6 ? sizeof(*p->ip6) : sizeof(*p->ip4));
	__u32 mtu = mss_mtu(p);

	if (mtu > headers)
		mss_clamp(p->ctx, (void *)p->tcp - (void *)p->eth, p->tcp->doff * 4, mtu - headers);
	return 0;
}

/* A stage: before the rewrite, once the way out is known. */
static inline enum verdict mss(struct pkt *p)
{
	if (p->tcp && p->tcp->syn)
		mss_lower_to_mtu(p);
	return NEXT;
}

#endif
