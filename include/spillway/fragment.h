/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fragmented datagrams: what became of the first fragment, for the others. Part of the contract in abi.h. */
#ifndef SPILLWAY_FRAGMENT_H
#define SPILLWAY_FRAGMENT_H

#include <linux/types.h>

#include <spillway/addr.h>
#include <spillway/hash.h>

#define SPW_FRAGMENT_LINES  8192
#define SPW_FRAGMENT_WAYS   4	 /* lines in which a datagram may be */
#define SPW_FRAGMENT_LIVE_S 30	 /* as long as hosts wait for the rest (RFC 8200, 4.5: 60) */
#define SPW_EARLY_FRAME	    2048 /* bytes of a frame that can be held until its first fragment came */

/* What fragments of one datagram have in common, as they arrive. */
struct spw_fragment_key {
	struct spw_addr saddr;
	struct spw_addr daddr;
	__be32 id;  /* of IPv4 the 16 bits, in network order, as a number */
	__u8 proto; /* IPv4; IPv6: 0, since only the first fragment knows (RFC 8200, 4.5) */
	__u8 pad[3];
};

enum spw_fragment_fate {
	SPW_FRAGMENT_UNKNOWN = 0, /* no datagram in the line */
	SPW_FRAGMENT_FORWARD = 1,
	SPW_FRAGMENT_PASS = 2,
	SPW_FRAGMENT_DROP = 3,
};

/* Map `fragments`: buckets of SPW_FRAGMENT_WAYS lines. `seq` is odd while a line is written. */
struct spw_fragment {
	__u32 seq;
	__u32 seen; /* ticks, when the first fragment came */
	struct spw_fragment_key key;
	__be16 sport; /* of the first fragment, as it came */
	__be16 dport;
	__be32 new_id;	/* what the identification becomes; of IPv4 16 bits likewise */
	__u8 proto;	/* of the 5-tuple */
	__u8 fate;	/* enum spw_fragment_fate */
	__u16 endpoint; /* whose the first fragment's connection ID was; 0: nobody's */
	__u8 pad[4];
};

/* What the ring buffer `early_fragments` holds: a frame whose first fragment has not come yet. */
struct spw_early {
	__u32 ifindex; /* where it came in */
	__u32 len;
	struct spw_fragment_key key;
	__u8 frame[SPW_EARLY_FRAME];
};

/* First line of the datagram's bucket. `seed` is config.flow_seed. */
static inline __u32 spw_fragment_bucket(const struct spw_fragment_key *k, __u64 seed)
{
	__u64 h = spw_mix(seed, (__u64)k->saddr.w[0] << 32 | k->saddr.w[1]);

	h = spw_mix(h, (__u64)k->saddr.w[2] << 32 | k->saddr.w[3]);
	h = spw_mix(h, (__u64)k->daddr.w[0] << 32 | k->daddr.w[1]);
	h = spw_mix(h, (__u64)k->daddr.w[2] << 32 | k->daddr.w[3]);
	h = spw_mix(h, (__u64)k->id << 32 | k->proto);
	return (h >> 32) % (SPW_FRAGMENT_LINES / SPW_FRAGMENT_WAYS) * SPW_FRAGMENT_WAYS;
}

_Static_assert(sizeof(struct spw_fragment_key) == 40, "abi");
_Static_assert(sizeof(struct spw_fragment) == 64, "abi");
_Static_assert(sizeof(struct spw_early) == 2096, "abi");

#endif
