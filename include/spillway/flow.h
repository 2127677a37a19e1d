/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table: keys, lines, states. Part of the contract in abi.h. */
#ifndef SPILLWAY_FLOW_H
#define SPILLWAY_FLOW_H

#include <linux/types.h>

#include <spillway/addr.h>

/* A flow's key is the packet's own 5-tuple as it arrives, in either direction. */
struct spw_flow_key {
	struct spw_addr saddr;
	struct spw_addr daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3];
};

enum spw_flow_dir {
	SPW_FLOW_FORWARD = 0, /* client to service */
	SPW_FLOW_REVERSE = 1, /* endpoint to source address */
};

enum spw_flow_flag {
	/*
	 * The userspace path has the flow: its packets are passed to the host's stack. It is one forward
	 * entry, without a partner, and what it would be rewritten to is zero.
	 */
	SPW_FLOW_HANDOFF = 1,
	/*
	 * A flow of direct return whose endpoint is not what its slot says: one forward entry likewise,
	 * which names the endpoint.
	 */
	SPW_FLOW_DIRECT = 2,
	SPW_FLOW_ALONE = SPW_FLOW_HANDOFF | SPW_FLOW_DIRECT, /* no partner */
};

/* State bits of an entry's word; those of the pair are in the forward entry. */
enum spw_flow_state {
	SPW_FLOW_REPLIED = 1,	  /* the endpoint has answered */
	SPW_FLOW_ESTABLISHED = 2, /* TCP: handshake done; UDP: answered */
	SPW_FLOW_FIN_CLIENT = 4,
	SPW_FLOW_FIN_ENDPOINT = 8,
	SPW_FLOW_RESET = 16,
	SPW_FLOW_CLOSED = 32,	    /* counted in flows_closed */
	SPW_FLOW_CLIENT_FIRST = 64, /* its FIN came first: no TIME_WAIT at the endpoint */
	SPW_FLOW_FAILED = 128,	    /* counted as a failure, or never to be counted */
	SPW_FLOW_SAMPLED = 256, /* a packet has left for the endpoint: counted as opened, if ever */
	SPW_FLOW_CLIENT_TOLD = 512, /* of the flow's reset, by an RST */
	SPW_FLOW_RANKED = 1024,	    /* never replaced: handshake done; UDP: answered, and 2 s old */
	SPW_FLOW_LONG = 2048, /* its idle time is long: `seen` is exact to eight seconds, not one */
	SPW_FLOW_ALL = 4095,
};

/*
 * An entry's word, changed by compare-and-swap only. `seen` is when a packet of either side was
 * last noticed, to a second or SPW_FLOW_LONG's eight, in ticks: the low half of the kernel's jiffies64.
 *
 *   63 ........ 32 31 ........ 14 13 .. 12 11 ...... 0
 *      seen           version       phase      state
 */
enum spw_flow_phase {
	SPW_PHASE_FREE = 0,    /* anybody may claim the line */
	SPW_PHASE_CLAIMED = 1, /* one CPU writes or clears it; to others it is not there */
	SPW_PHASE_LIVE = 2,
};

#define SPW_WORD_SEEN_SHIFT    32
#define SPW_WORD_VERSION_SHIFT 14
#define SPW_WORD_VERSION_ONE   (1ULL << SPW_WORD_VERSION_SHIFT)
#define SPW_WORD_VERSION_MASK  0xffffc000ULL
#define SPW_WORD_PHASE_SHIFT   12
#define SPW_WORD_PHASE_MASK    0x3000ULL
#define SPW_WORD_STATE_MASK    0x0fffULL

#define SPW_BORN_SHIFT 22 /* `born` is CLOCK_MONOTONIC_COARSE in 2^22 ns, about 4 ms */

#define SPW_UNTAGGED 0xffff /* no VLAN tag: VID 4095 is never one (IEEE 802.1Q) */

/*
 * What an entry of either family says: its own packet's ports, what they become, how checksums
 * change with it (folded differences, RFC 1624) and, in the forward entry, where the flow stands.
 * Eight-byte words, each stored whole.
 */
struct spw_flow_core {
	__u64 word;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 dir;	/* enum spw_flow_dir */
	__u16 endpoint; /* id */
	__be16 to_sport;
	__be16 to_dport;
	__u16 l3_diff;	      /* of the addresses; IPv4 */
	__u16 l4_diff;	      /* of addresses and ports */
	__u32 service;	      /* id */
	__u32 born;	      /* 2^SPW_BORN_SHIFT ns */
	__u8 client_mac[6];   /* source of the client's latest packet, where replies go */
	__u16 client_vlan;    /* its tag (TCI), or SPW_UNTAGGED */
	__u32 client_ifindex; /* where it came in */
	__u32 flags;	      /* enum spw_flow_flag; 0 in maps of versions that knew none */
};

/* One cache line. The partner's key is the rewritten tuple with its two sides swapped. */
struct spw_flow4 {
	struct spw_flow_core core;
	__be32 saddr, daddr;
	__be32 to_saddr, to_daddr;
};

/* Two cache lines. */
struct spw_flow6 {
	struct spw_flow_core core;
	struct spw_addr saddr, daddr;
	struct spw_addr to_saddr, to_daddr;
	__u64 pad[2];
};

/*
 * Maps `flows4` and `flows6` hold the lines of the table, an entry each, in sets of 15; line 0 is none,
 * and line n belongs to set (n - 1) / 15. Map `flow_heads` has a head for each set, IPv4's first. The
 * first eighth of a family's sets are near, the others far: while there are few flows they lie in the
 * near ones, in memory that caches and TLB hold. A key has a home set of either kind and lies in one of
 * them. Who inserts holds the lock of the key's near home, so no key is there twice; whoever takes a
 * line, in whatever set, swaps the line's word.
 */
#define SPW_SET_WAYS   15
#define SPW_NEAR_SHARE 8 /* one set of so many */

struct spw_flow_head {
	__u64 lock;		 /* 1: somebody inserts a key whose near home this is */
	__u16 tag[SPW_SET_WAYS]; /* of each line, made of its key's hash; 0: the line is free */
	__u16 pad;
	__u32 away; /* keys at home here that lie in their far home; of a near set's head */
	__u32 more_pad[5];
};

enum spw_idle {
	SPW_IDLE_EMBRYONIC = 0, /* TCP: no handshake yet; UDP: not answered */
	SPW_IDLE_ESTABLISHED = 1,
	SPW_IDLE_CLOSING = 2, /* after FIN or RST; the source port rests as long */
	SPW_IDLE_MAX = 3,
};

_Static_assert(sizeof(struct spw_flow_key) == 40, "abi");
_Static_assert(sizeof(struct spw_flow_core) == 48, "abi");
_Static_assert(sizeof(struct spw_flow4) == 64, "abi");
_Static_assert(sizeof(struct spw_flow6) == 128, "abi");
_Static_assert(sizeof(struct spw_flow_head) == 64, "abi");

#endif
