/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Server ids in QUIC connection IDs (draft-ietf-quic-load-balancers, in plaintext), and a service's table
 * of whose they are, as lines of the map `slots`. A connection ID of a server is
 *
 *	first octet: three bits of its configuration, five for the server's own use
 *	server id:   as many octets as the configuration says
 *	nonce:       four octets or more
 *
 * The table begins with a line that says how long server ids are. The others hold keys, in the line that
 * their hash says or, while that is full, one of the next ones: a line with a free way is where a search ends.
 * Keys are stored as they are in packets, so that one is made by two loads and a mask. Endpoints are named by
 * number; everything else is counted from the table's first line, so equal tables are equal wherever they lie.
 * Part of the contract in abi.h.
 */
#ifndef SPILLWAY_QUIC_H
#define SPILLWAY_QUIC_H

#include <linux/types.h>

#include <spillway/hash.h>

#define SPW_QUIC_CONFIGS   7  /* 0 to 6: the last one says that an ID cannot be routed */
#define SPW_QUIC_CID_MAX   20 /* octets of a connection ID (RFC 9000, 17.2) */
#define SPW_QUIC_NONCE_MIN 4
#define SPW_QUIC_ID_MAX	   15 /* what first octet and nonce leave of it */
#define SPW_QUIC_WAYS	   3
#define SPW_QUIC_PROBES	   8 /* lines in which a key may be */

/* The configuration's number, the server id, zeros. */
union spw_quic_key {
	__u8 b[1 + SPW_QUIC_ID_MAX];
	__u64 w[2];
};

struct spw_quic_head {
	__u8 id_len[SPW_QUIC_CONFIGS +
		    1]; /* of each configuration's server ids; 0: there is none */
	__u64 pad[7];
};

struct spw_quic_keys {
	union spw_quic_key key[SPW_QUIC_WAYS];
	__u16 endpoint[SPW_QUIC_WAYS]; /* 0: free; the first ways are taken first */
	__u16 pad[5];
};

/* A line of the table. */
struct spw_quic_line {
	union {
		struct spw_quic_head head;
		struct spw_quic_keys keys;
	};
};

/* Where a search begins, among `lines` of them, the head not counted. */
static inline __u32 spw_quic_first(const union spw_quic_key *k, __u32 lines)
{
	return (spw_mix(spw_mix(0, k->w[0]), k->w[1]) >> 32) * lines >> 32;
}

_Static_assert(sizeof(union spw_quic_key) == 16, "abi");
_Static_assert(sizeof(struct spw_quic_line) == 64, "abi");

#endif
