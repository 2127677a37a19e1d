/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Internet checksums brought up to date by what changed (RFC 1624, equation 3):
 * HC' = ~(~HC + ~m + m'). The differences are added up in 64 bits, 32 bits at a time, and folded
 * with end-around carry, which is the same sum. As no difference is all zero bits, the result is
 * the one that a computation from scratch gives.
 */
#ifndef SPILLWAY_BPF_CSUM_H
#define SPILLWAY_BPF_CSUM_H

#include <linux/types.h>

#include <spillway/abi.h>

static inline __u64 csum_changed32(__u64 diff, __be32 old, __be32 new)
{
	return diff + (__u32)~old + new;
}

static inline __u64 csum_changed16(__u64 diff, __be16 old, __be16 new)
{
	return diff + (__u16)~old + new;
}

/* An address as checksums see it: the IPv4-mapped prefix is in neither old nor new. */
static inline __u64 csum_changed_addr(__u64 diff, const struct spw_addr *old,
				      const struct spw_addr *new)
{
	diff = csum_changed32(diff, old->w[0], new->w[0]);
	diff = csum_changed32(diff, old->w[1], new->w[1]);
	diff = csum_changed32(diff, old->w[2], new->w[2]);
	return csum_changed32(diff, old->w[3], new->w[3]);
}

/* To 16 bits with end-around carry: not zero, unless the sum is. */
static inline __u16 csum_fold_sum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline __u16 csum_fold(__u64 sum)
{
	return ~csum_fold_sum(sum);
}

/* Likewise of a sum of a few 16-bit numbers. */
static inline __u16 csum_fold_short(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static inline __u16 csum_apply(__u16 check, __u64 diff)
{
	return csum_fold(diff + (__u16)~check);
}

#endif
