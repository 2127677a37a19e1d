/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Is an address in a list of networks? A walk down one of the list's trees, a line a level: five lines
 * for 100,000 networks of IPv4. Keys are counted, not searched for: that takes no branch, which costs
 * less than a few mispredicted ones. bpf_loop() calls the steps, since Linux 6.1's verifier does not get
 * through a loop of them.
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

/* A walk under way: where it is, and what for. */
struct list_walk {
	__u64 high;
	__u64 low;
	__u32 base; /* the list's first line */
	__u32 node; /* of the level before */
	__u32 less; /* keys of it that are less */
	__u32 pad;
};

/* One level down; `tree` is a constant. */
static inline long list_step(__u32 level, struct list_walk *w, __u32 tree)
{
	const struct spw_list_line *head = list_line(w->base + tree), *l;
	__u32 node = w->node * (list_keys(tree) + 1) + w->less;

	if (!head || level >= SPW_LIST_LEVELS)
		return 1;
	l = list_line(w->base + head->head.first[level] + node);
	if (!l)
		return 1;
	w->node = node;
	w->less = list_count(l, tree, w->high, w->low);
	return 0;
}

static long list_step4(__u32 level, struct list_walk *w)
{
	return list_step(level, w, SPW_LIST_IPV4);
}

static long list_step6(__u32 level, struct list_walk *w)
{
	return list_step(level, w, SPW_LIST_IPV6);
}

static long list_step_long(__u32 level, struct list_walk *w)
{
	return list_step(level, w, SPW_LIST_LONG);
}

/* A leaf has an odd number of keys, so its number and the place in it say the parity of the bound. */
#define LIST_WALK(tree, step, w)                                                                   \
	({                                                                                         \
		const struct spw_list_line *head = list_line((w)->base + (tree));                  \
		__u32 inside = 0;                                                                  \
                                                                                                   \
		if (head) {                                                                        \
			inside = head->head.inside;                                                \
			bpf_loop(head->head.levels, step, (w), 0);                                 \
		}                                                                                  \
		(inside ^ (w)->node ^ (w)->less) & 1;                                              \
	})

/* Global functions, for the verifier to walk each once. Addresses in native order. */
__noinline int list_has4(__u32 base, __u32 addr)
{
	struct list_walk w = {.high = addr, .base = base};

	return LIST_WALK(SPW_LIST_IPV4, list_step4, &w);
}

__noinline int list_has6(__u32 base, __u64 high, __u64 low)
{
	struct list_walk w = {.high = high, .base = base};
	struct list_walk longer = {.high = high, .low = low, .base = base};

	return LIST_WALK(SPW_LIST_IPV6, list_step6, &w) |
	       LIST_WALK(SPW_LIST_LONG, list_step_long, &longer);
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
