/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A list of source networks, as lines of the map `slots`. What matters of networks is which addresses
 * are in one of them: ordered bounds, at each of which "in" and "out" change places. They are the keys
 * of trees without pointers: `levels` levels from the root down, each a run of lines. A node's keys are
 * the greatest ones below its children but the last, filled up with the greatest number there is; those
 * of the leaves are the bounds themselves. An address goes behind as many keys as are less than it; as
 * many bounds are less than it in all, and every other one of them is the end of what is in the list.
 *
 * The list begins with a line for each of its three trees. IPv6 networks of /64 and wider are in one
 * whose keys are the upper halves of addresses; longer ones are rare, and in one with whole addresses.
 * Everything is counted from the list's first line, so equal lists are equal wherever they lie.
 */
#ifndef SPILLWAY_LIST_H
#define SPILLWAY_LIST_H

#include <linux/types.h>

enum spw_list_tree {
	SPW_LIST_IPV4 = 0, /* key32 */
	SPW_LIST_IPV6 = 1, /* key64 */
	SPW_LIST_LONG = 2, /* key128: IPv6 networks longer than /64 */
	SPW_LIST_TREES = 3,
};

#define SPW_LIST_LEVELS 14

/* Keys in a node; it has one child more. Odd, so that a leaf's number and a place in it say the parity. */
#define SPW_LIST_KEYS32	 15
#define SPW_LIST_KEYS64	 7
#define SPW_LIST_KEYS128 3

struct spw_list_head {
	__u32 levels; /* 0: all addresses are alike */
	__u32 inside; /* 1: below the first bound they are in the list */
	__u32 first[SPW_LIST_LEVELS];
};

struct spw_list_key128 {
	__u64 high[SPW_LIST_KEYS128 + 1];
	__u64 low[SPW_LIST_KEYS128 + 1];
};

/* Keys are in native order; the last one of a line is not used. */
struct spw_list_line {
	union {
		struct spw_list_head head;
		__u32 key32[SPW_LIST_KEYS32 + 1];
		__u64 key64[SPW_LIST_KEYS64 + 1];
		struct spw_list_key128 key128;
	};
};

_Static_assert(sizeof(struct spw_list_line) == 64, "abi");

#endif
