/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is an address in a list of networks? A walk down one of the list's trees, a line a level: five lines
 * for 100,000 networks of IPv4. Keys are counted, not searched for: that takes no branch, which costs
 * less than a few mispredicted ones, and the verifier walks one path a level.
 */
#ifndef SPILLWAY_BPF_LIST_H
#define SPILLWAY_BPF_LIST_H

#include <bpf/bpf_endian.h>

#include "extra_maps.h"

static inline const struct spw_list_line *list_line(__u32 line)
{
	return bpf_map_lookup_elem(&slots, &line);
}

/* Compilers know what is meant, and would make the comparison of it that is to be avoided. */
static inline __u64 list_sign(__u64 number)
{
	asm("" : "+r"(number));
	return number >> 63;
}

/* 1 when a < b. Of numbers below 2^63 alone. */
static inline __u64 list_less32(__u64 a, __u64 b)
{
	return list_sign(a - b);
}

/* The borrow of a - b (Hacker's Delight, 2-13): a comparison would be a branch. */
static inline __u64 list_less64(__u64 a, __u64 b)
{
	return list_sign((~a & b) | (~(a ^ b) & (a - b)));
}

static inline __u64 list_equal64(__u64 a, __u64 b)
{
	__u64 x = a ^ b;

	return 1 ^ list_sign(x | -x);
}

struct list_key {
	__u64 high;
	__u64 low;
};

/* How many keys of the line are less. */
static inline __u32 list_count32(const struct spw_list_line *l, __u64 key)
{
	__u64 n = 0;

#pragma unroll
	for (int i = 0; i < SPW_LIST_KEYS32; i++)
		n += list_less32(l->key32[i], key);
	return n;
}

static inline __u32 list_count64(const struct spw_list_line *l, __u64 key)
{
	__u64 n = 0;

#pragma unroll
	for (int i = 0; i < SPW_LIST_KEYS64; i++)
		n += list_less64(l->key64[i], key);
	return n;
}

static inline __u32 list_count128(const struct spw_list_line *l, __u64 high, __u64 low)
{
	__u64 n = 0;

#pragma unroll
	for (int i = 0; i < SPW_LIST_KEYS128; i++)
		n += list_less64(l->key128.high[i], high) |
		     (list_equal64(l->key128.high[i], high) & list_less64(l->key128.low[i], low));
	return n;
}

static inline __u32 list_count(const struct spw_list_line *l, __u32 tree, __u64 high, __u64 low)
{
	if (tree == SPW_LIST_IPV4)
		return list_count32(l, high);
	return tree == SPW_LIST_IPV6 ? list_count64(l, high) : list_count128(l, high, low);
}

static inline __u32 list_keys(__u32 tree)
{
	if (tree == SPW_LIST_IPV4)
		return SPW_LIST_KEYS32;
	return tree == SPW_LIST_IPV6 ? SPW_LIST_KEYS64 : SPW_LIST_KEYS128;
}

/* `tree` is a constant; `base` the list's first line. */
static inline __u32 list_walk(__u32 base, __u32 tree, __u64 high, __u64 low)
{
	const struct spw_list_line *head = list_line(base + tree), *l;
	__u32 levels, inside, level, node = 0, n = 0;

	if (!head)
		return 0;
	levels = head->head.levels;
	inside = head->head.inside;
	for (level = 0; level < SPW_LIST_LEVELS && level < levels; level++) {
		node = node * (list_keys(tree) + 1) + n;
		l = list_line(base + head->head.first[level] + node);
		if (!l)
			return 0;
		n = list_count(l, tree, high, low);
	}
	return (inside ^ node ^ n) & 1; /* a leaf has an odd number of keys */
}

/* Global functions, for the verifier to walk each once. Addresses in native order. */
__noinline int list_has4(__u32 base, __u32 addr)
{
	return list_walk(base, SPW_LIST_IPV4, addr, 0);
}

__noinline int list_has6(__u32 base, __u64 high, __u64 low)
{
	return list_walk(base, SPW_LIST_IPV6, high, low) |
	       list_walk(base, SPW_LIST_LONG, high, low);
}

/* Has the list this address? `ref` has a list. */
static inline bool list_has(const struct spw_table_ref *ref, const struct spw_addr *a)
{
	__u32 base = ref->base / SPW_LINE_SLOTS;

	if (addr_is_v4(a))
		return list_has4(base, bpf_ntohl(a->w[3]));
	return list_has6(base, (__u64)bpf_ntohl(a->w[0]) << 32 | bpf_ntohl(a->w[1]),
			 (__u64)bpf_ntohl(a->w[2]) << 32 | bpf_ntohl(a->w[3]));
}

#endif
