/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Checksums that a local sender left to its hardware: behind veth, tap and virtio the field holds the
 * sum of the pseudo header alone (Linux: CHECKSUM_PARTIAL), and there is no hardware on the way that
 * would finish it. Native XDP sends frames, so the checksum is made here, over the whole segment.
 * Generic XDP sends the kernel's packets with the note to finish them later, so there the field
 * becomes the sum of the new pseudo header.
 *
 * A finished checksum may look the same, one in 65,536. Made anew over a whole segment it is right again;
 * where the kernel would finish it, the segment is summed up to tell them apart. Fragments are not asked:
 * their segment is not here, and Linux finishes checksums before it makes fragments (ip_do_fragment()).
 */
#ifndef SPILLWAY_BPF_PARTIAL_H
#define SPILLWAY_BPF_PARTIAL_H

#include "bounds.h"
#include "segment.h"
#include "stats.h"

#define PARTIAL_CHUNK  512 /* bpf_csum_diff() takes no more */
#define PARTIAL_CHUNKS 128 /* of the longest IP packet */

struct partial_chunk {
	__u8 b[PARTIAL_CHUNK];
};

/* Writer: the packet path. Scratch; not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct partial_chunk);
} partial_chunk SEC(".maps");

struct partial_sum {
	struct xdp_md *ctx;
	__u32 at;
	__u32 left;
	__u32 sum;
	__u32 failed;
};

static long partial_add(__u32 nth, struct partial_sum *s)
{
	__u32 zero = 0, len = s->left < PARTIAL_CHUNK ? s->left : PARTIAL_CHUNK;
	struct partial_chunk *c = bpf_map_lookup_elem(&partial_chunk, &zero);
	__s64 sum;

	if (!c || s->failed || !bounds_fit(&len, PARTIAL_CHUNK))
		return 1;
	if (len < PARTIAL_CHUNK)
		__builtin_memset(c->b, 0, sizeof(c->b));
	if (bpf_xdp_load_bytes(s->ctx, s->at, c->b, len)) {
		s->failed = 1;
		return 1;
	}
	sum = bpf_csum_diff(NULL, 0, (__be32 *)c->b, PARTIAL_CHUNK, s->sum);
	s->sum = sum;
	s->at += len;
	s->left -= len;
	return 0;
}

/* Over the pseudo header and the segment as it is now; `l4` is where that begins in the frame. */
static __noinline __u16 partial_whole(const struct pkt *p, __u32 l4)
{
	struct partial_sum s = {
		.ctx = p->ctx, .at = l4, .left = p->l4_len, .sum = segment_pseudo(p)};

	bpf_loop(PARTIAL_CHUNKS, partial_add, &s, 0);
	return csum_fold(s.sum);
}

/* Generic XDP: a finished checksum makes the whole zero. */
static inline bool partial_is_finished(const struct pkt *p)
{
	void *l4 = p->tcp ? (void *)p->tcp : (void *)p->udp;

	return (p->carry->ingress_flags & SPW_IF_GENERIC) && !partial_whole(p, l4 - (void *)p->eth);
}

/* A stage: before anything is written. */
static inline enum verdict partial_see(struct pkt *p)
{
	__u16 check = 0;

	if (!(p->carry->ingress_flags & SPW_IF_PARTIAL) || p->carry->shape.fragment)
		return NEXT;
	if (p->tcp)
		check = p->tcp->check;
	if (p->udp)
		check = p->udp->check;
	p->partial = check && check == segment_pseudo(p) && !partial_is_finished(p);
	return NEXT;
}

static __noinline int partial_finish(struct pkt *p)
{
	bool later = p->carry->ingress_flags & SPW_IF_GENERIC;
	__u16 check;

	count(SPW_COUNT_CHECKSUM_COMPLETED);
	if (p->tcp) {
		p->tcp->check = 0;
		check = later ? segment_pseudo(p)
			      : partial_whole(p, (void *)p->tcp - (void *)p->eth);
		p->tcp->check = check;
	}
	if (p->udp) {
		p->udp->check = 0;
		check = later ? segment_pseudo(p)
			      : partial_whole(p, (void *)p->udp - (void *)p->eth);
		p->udp->check = check ? check : 0xffff;
	}
	return 0;
}

/* A stage: when all else is written. */
static inline enum verdict partial(struct pkt *p)
{
	if (p->partial)
		partial_finish(p);
	return NEXT;
}

#endif
