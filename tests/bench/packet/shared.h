/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the driver program and the runner agree on. A frame is an image, equal for all packets of a
 * run, and a row of the trace: the few fields in which one packet differs from the next.
 */
#ifndef SPILLWAY_BENCH_SHARED_H
#define SPILLWAY_BENCH_SHARED_H

#include <linux/types.h>

/* Ethernet, IPv6, ICMPv6 and what it quotes fit; shorter packets are padded, as on the wire. */
#define BENCH_FRAME 126
/* The image has two bytes in front, so that its words lie where headers' words lie. */
#define BENCH_IMAGE_PAD	  2
#define BENCH_IMAGE_WORDS ((BENCH_FRAME + BENCH_IMAGE_PAD) / 4)

#define BENCH_RING 65537 /* slots of the conventional balancer's ring */

/* Where the fields of a row go. */
enum bench_patch {
	BENCH_PATCH_NONE,
	BENCH_PATCH_TCP4,
	BENCH_PATCH_UDP4,
	BENCH_PATCH_TCP6,
	BENCH_PATCH_UDP6,
	BENCH_PATCH_ICMP4, /* an error about a packet of the opposite direction */
	BENCH_PATCH_QUIC4, /* UDP: a short header, and the server id that the client's address gives */
};

/* Places in the prog array. */
enum bench_target {
	BENCH_EMPTY,
	BENCH_REFLECTOR,
	BENCH_PRODUCT,
	BENCH_IPIP,
	BENCH_GUE,
	BENCH_TARGETS,
};

/* Everything in network order. Of IPv6 addresses the last word; the image has the rest. */
struct bench_row {
	__be32 saddr;
	__be32 daddr;
	__be16 sport;
	__be16 dport;
	__be16 l3_check;
	__be16 l4_check;
};

/*
 * The server id of a QUIC packet: four octets, which lie behind the header's first octet and the connection
 * ID's, so the last two are the first ones of the data's second word. That word as the wire has it.
 */
#define BENCH_IDS     64
#define BENCH_ID_WORD 4 /* where it is in the data */

static inline __be32 bench_id_word(const struct bench_row *r)
{
	union {
		__u8 b[4];
		__be32 word;
	} id = {.word = r->saddr};

	id.b[1] = id.b[3] % BENCH_IDS;
	id.b[0] = id.b[2] = id.b[3] = 0;
	return id.word;
}

/* Written by the runner before a run; `at`, `failed` by the driver. */
struct bench_drive {
	__u32 target; /* enum bench_target */
	__u32 patch;  /* enum bench_patch */
	__u32 at;     /* next row */
	__u32 length; /* rows in use */
	__u64 failed; /* packets that reached no target */
};

/* The conventional balancer's maps. */
struct bench_vip_key {
	__be32 addr[4]; /* IPv4: the first word */
	__be16 port;
	__u8 proto;
	__u8 pad;
};

struct bench_vip {
	__u32 number; /* of its counters */
	__u32 ring;   /* first slot of its ring */
};

struct bench_flow_key {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3];
};

struct bench_flow {
	__u32 real;
	__u32 pad;
	__u64 seen_ns;
};

struct bench_real {
	__be32 addr[4];
};

struct bench_sum {
	__u64 packets;
	__u64 bytes;
};

_Static_assert(sizeof(struct bench_row) == 16, "four to a cache line");

#endif
