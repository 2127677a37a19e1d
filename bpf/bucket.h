/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Limits of new flows, kept by all CPUs together: a bucket of tokens is a time, up to which they are
 * used up, and who takes one moves it on by compare-and-swap. So nothing has to be refilled or summed,
 * and the sum over CPUs is exact, whichever of them the flows come by.
 */
#ifndef SPILLWAY_BPF_BUCKET_H
#define SPILLWAY_BPF_BUCKET_H

#include <spillway/hash.h>

#include "atomic.h"
#include "extra_maps.h"

#define BUCKET_TRIES 4

/*
 * A token, if there is one. 0 is a bucket that nobody has taken from, however short the clock has run:
 * times in front of its start are as good as any. Whoever loses the race for the word so often has seen
 * a token each time: it is taken on credit, which those who come later pay.
 */
static inline bool bucket_take(__u64 *paid_ns, __u64 now, __u64 every, __u64 burst)
{
	__u64 was, from;
	int i;

	for (i = 0; i < BUCKET_TRIES; i++) {
		was = load64(paid_ns);
		from = !was || (__s64)(now - was) > (__s64)burst ? now - burst : was;
		if ((__s64)(now - from) < (__s64)every)
			return false;
		if (swap64(paid_ns, was, from + every))
			return true;
	}
	__sync_fetch_and_add(paid_ns, every);
	return true;
}

/* May one more flow of the service begin? A global function for the verifier, as below. */
__noinline int bucket_of_service(__u32 service, __u64 now, __u64 every, __u64 burst)
{
	struct spw_bucket *b = bpf_map_lookup_elem(&service_buckets, &service);

	return !b || bucket_take(&b->paid_ns, now, every, burst);
}

/* The way of this tag, or of the one to give way to it: that which has been refilling longest. */
static inline __u32 bucket_way(struct spw_source_line *l, __u64 tag, __u64 now)
{
	__u64 longest = 0;
	__u32 i, way = 0;

	for (i = 0; i < SPW_SOURCE_WAYS; i++) {
		__u64 passed = now - load64(&l->way[i].paid_ns);

		if (load64(&l->way[i].tag) == tag)
			return i;
		/* A time just ahead, on another CPU's clock, is no long time. */
		if ((__s64)passed > (__s64)longest) {
			longest = passed;
			way = i;
		}
	}
	return way;
}

/*
 * May the source begin one more? Two CPUs that give a place to sources at the same moment may let one
 * pass unpaid; a burst more is all that a place given twice lets in.
 */
__noinline int bucket_of_source(__u64 tag, __u64 now, __u64 every, __u64 burst)
{
	__u32 line = (tag >> 32) & (SPW_SOURCE_LINES - 1), way;
	struct spw_source_line *l = bpf_map_lookup_elem(&source_buckets, &line);
	__u64 old, paid;

	if (!l)
		return 1;
	way = bucket_way(l, tag, now) & (SPW_SOURCE_WAYS - 1);
	old = load64(&l->way[way].tag);
	if (old != tag) {
		paid = load64(&l->way[way].paid_ns);
		if (!swap64(&l->way[way].tag, old, tag))
			return 1;
		swap64(&l->way[way].paid_ns, paid, now - burst);
	}
	return bucket_take(&l->way[way].paid_ns, now, every, burst);
}

/* An IPv6 source is its /64, which is what one host or household is given. */
static inline __u64 bucket_tag(const struct spw_addr *a, __u32 service, __u64 seed)
{
	__u64 h = spw_mix(seed, service);

	if (addr_is_v4(a))
		h = spw_mix(h, a->w[3]);
	else
		h = spw_mix(spw_mix(h, a->w[0]), a->w[1]);
	return h ? h : 1;
}

#endif
