/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the BPF programs and the loader: map keys, values and the constants both
 * sides must agree on. Field order and enum values are ABI: append only, and raise
 * SPW_ABI_VERSION whenever a pinned map of an older daemon could be misread.
 *
 * Byte order: __be16/__be32 and struct spw_addr are in network order, everything else is native.
 */
#ifndef SPILLWAY_ABI_H
#define SPILLWAY_ABI_H

#include <linux/types.h>

#include <spillway/addr.h>
#include <spillway/direct.h>
#include <spillway/extras.h>
#include <spillway/flow.h>
#include <spillway/fragment.h>
#include <spillway/signals.h>
#include <spillway/ways.h>

#define SPW_ABI_VERSION 2
#define SPW_ABI_MAGIC	0x53504c57 /* "SPLW" */

/* Slots and ports live in lines of one cache line; a table starts on a line. */
#define SPW_LINE_SLOTS	    32
#define SPW_ENDPOINT_NONE   0 /* endpoint id 0 is never given out */
#define SPW_ENDPOINTS_LIMIT 65536
#define SPW_SOURCES_MAX	    16	 /* source addresses, both families together */
#define SPW_PORT_LINES	    2048 /* one list of source ports: up to 65536 of them */
#define SPW_PORT_TRIES	    16	 /* source ports tried for a new flow */
#define SPW_PICK_PROBES	    4	 /* further slots tried when a slot's endpoint is not pickable */
#define SPW_PICK_LAST	    32	 /* and once more, when the spare table had nobody either */
#define SPW_TABLE_SIZE_MAX  65537

/* Map `meta`, one entry, written once by the loader that made the maps. */
struct spw_meta {
	__u32 magic;
	__u32 abi_version;
	__u32 max_flows; /* IPv4 */
	__u32 max_endpoints;
	__u32 max_services;
	__u32 slot_lines;
	__u32 max_flows6; /* IPv6 */
	char version[36]; /* of the program that made the maps, NUL-terminated, for messages */
};

/*
 * Map `addrs`: addresses whose packets may be ours. Key struct spw_addr, value __u32 flags. Packets
 * look there only when the bit of their destination in `addr_bits` is set, see hash.h.
 */
enum spw_addr_flag {
	SPW_ADDR_VIP = 1,
	SPW_ADDR_SOURCE = 2,
};

/* One line of map `addr_bits`. */
#define SPW_ADDR_LINE_BITS 512
struct spw_addr_line {
	__u64 w[SPW_ADDR_LINE_BITS / 64];
};

/*
 * Map `services`: the daemon's record of what packets must match. Value: __u32 service id. Packets
 * find the same in `service_displace` and `service_slots`, a perfect hash, see hash.h.
 */
struct spw_service_key {
	struct spw_addr vip;
	__be16 port;
	__u8 proto; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 pad[5];
};

/* One line of map `service_displace`, and of `service_slots`: each has a half for either side. */
#define SPW_DISPLACE_LINE 32
struct spw_displace_line {
	__u16 at[SPW_DISPLACE_LINE];
};
#define SPW_SERVICE_LINE 16
struct spw_service_line {
	__u32 id[SPW_SERVICE_LINE];
};

enum spw_service_flag {
	SPW_SERVICE_VALID = 1,
	SPW_SERVICE_EMPTY = 2, /* none of its endpoints may be picked now */
	/* Some of its endpoints, or of those that slots in motion were, have a mode of direct return. */
	SPW_SERVICE_DIRECT = 4,
	SPW_SERVICE_MOTION = 8, /* `motion` says which of its slots are in motion */
	SPW_SERVICE_GUARDED =
		1 << 16, /* new flows are limited: its row in `service_extras` says how */
	SPW_SERVICE_QUIC = 1 << 17, /* UDP: the same row says whose connection IDs are */
};

/* What becomes of a packet when its service has no endpoint left. */
enum spw_no_endpoint {
	SPW_NO_ENDPOINT_ANSWER = 0,	 /* TCP: RST; UDP: ICMP unreachable */
	SPW_NO_ENDPOINT_UNREACHABLE = 1, /* ICMP unreachable for both */
	SPW_NO_ENDPOINT_DROP = 2,
	SPW_NO_ENDPOINT_PASS = 3,  /* to this host's own stack */
	SPW_NO_ENDPOINT_LEAVE = 4, /* of flows that exist: they go on to their endpoint */
};

/* Map `service_rows`: row of service s in generation side g (0 or 1) is s * 2 + g. */
struct spw_service_row {
	__u32 flags;	 /* enum spw_service_flag */
	__u8 new_flows;	 /* enum spw_no_endpoint, whenever a pick finds nobody */
	__u8 live_flows; /* enum spw_no_endpoint, of established ones while EMPTY is set */
	__u8 pick;	 /* enum spw_pick */
	__u8 pad;
	struct spw_table_ref table; /* the table as the tiers' shares stand */
	struct spw_table_ref spare; /* asked when the probes of `table` found nobody */
	struct spw_service_key key;
	__u32 idle_s[SPW_IDLE_MAX]; /* by enum spw_idle */
	__u32 motion;		    /* first line of a block of map `motions` */
};

/* One line of map `slots`: endpoint ids. */
struct spw_slot_line {
	__u16 endpoint[SPW_LINE_SLOTS];
};

/* One line of map `ports`: source ports that may be used. */
struct spw_port_line {
	__be16 port[SPW_LINE_SLOTS];
};

enum spw_mode {
	SPW_MODE_NONE = 0, /* the row is empty */
	SPW_MODE_NAT = 1,
	SPW_MODE_L2 = 2,
	SPW_MODE_IPIP = 3,
	SPW_MODE_GUE = 4,
	SPW_MODE_HANDOFF = 5,
};

enum spw_endpoint_flag {
	SPW_ENDPOINT_RESET_ON_REMOVAL = 1, /* its TCP flows are reset when it is removed */
	SPW_ENDPOINT_HANDOFF = 2,	   /* a removed one's mode was SPW_MODE_HANDOFF */
	SPW_ENDPOINT_COUNTED = 4,	   /* `endpoint_loads` has its open flows */
};

/* Map `endpoints`, by endpoint id. */
struct spw_endpoint {
	struct spw_addr addr;
	__be16 port;
	__u8 mode;	   /* enum spw_mode */
	__u8 source_count; /* 0: no source address of this family, the endpoint cannot be used */
	__u8 source_first; /* its source addresses: settings.source[first .. first + count) */
	__u8 flags;	   /* enum spw_endpoint_flag */
	__u8 was_mode; /* of a removed one of direct return, whose flows go on: its mode; else 0 */
	__u8 pad;
	__u64 profile; /* identity of the health profile; the packet path does not read it */
};

/*
 * Map `endpoint_words`, by endpoint id: two writers in one word, so both use compare-and-swap.
 * The daemon owns SPW_WORD_PICKABLE, SPW_WORD_UP and SPW_WORD_RESET; SPW_WORD_ADMIN is the
 * operator's. SPW_WORD_BY_HAND says that ADMIN is in no store yet, since no daemon ran, or it was
 * only about to store it: the next one adopts the word and clears the bit.
 */
enum spw_word_bit {
	SPW_WORD_PICKABLE = 1, /* new flows may go there (health and panic included) */
	SPW_WORD_UP = 2,       /* healthy: its UDP flows stay */
	SPW_WORD_RESET = 4,    /* its TCP flows are reset at their next packet */
	SPW_WORD_ADMIN_SHIFT = 8,
	SPW_WORD_ADMIN_MASK = 0x300,
	SPW_WORD_BY_HAND = 0x400,
};

enum spw_admin {
	SPW_ADMIN_AUTO = 0,
	SPW_ADMIN_UP = 1,
	SPW_ADMIN_DOWN = 2,
	SPW_ADMIN_DRAIN = 3,
};

struct spw_word {
	__u32 word;
	__u32 pad;
};

/*
 * Map `steer_sockets`, a sockmap: the listening sockets of endpoints of SPW_MODE_HANDOFF, at
 * endpoint id * SPW_STEER_FAMILIES + enum spw_steer_family.
 */
enum spw_steer_family {
	SPW_STEER_IPV4 = 0, /* what connections come by, not what the endpoint is reached by */
	SPW_STEER_IPV6 = 1,
	SPW_STEER_FAMILIES = 2,
};

/* What may change while packets pass; double-buffered like the service rows. */
struct spw_settings {
	struct spw_addr source[SPW_SOURCES_MAX];
	__u32 idle_s[2][SPW_IDLE_MAX]; /* TCP, UDP; of flows whose service is gone */
	__u32 port_line;	       /* first line of the port list in use */
	__u32 port_count;
	__u32 seed;	    /* of the pick hash; equal on all gateways */
	__u32 service_seed; /* of the perfect hash over services */
};

/*
 * Map `config`, one entry. `active` selects the side of every double-buffered row. `flow_seed`, drawn
 * when the maps are made, keeps the places of flows secret. Rows of `next_hops` count while
 * `hops_until`, in ticks, is ahead: the daemon moves it on, and without a daemon the kernel's routes
 * are asked for each packet. `far_first` says of which families there are more flows than the near sets
 * of the table are for: keys are then looked for, and put, in far sets first.
 * `direct` may be 1 without need, which costs a packet a few nanoseconds.
 */
struct spw_config {
	__u32 active;
	__u32 hops_until;
	__u64 flow_seed;
	__u32 far_first; /* 1: IPv4, 2: IPv6 */
	__u32 direct;	 /* 1: there are services of direct return */
	struct spw_settings settings[2];
};

/* Context of the `syscall` program spillway_sweep; out fields are zeroed by the caller. */
struct spw_sweep {
	__u32 later;   /* ticks to add to the present, for tests; in */
	__u32 now;     /* ticks, out */
	__u32 first;   /* set to begin with, in; to go on with, out. IPv4's, then IPv6's */
	__u32 sets;    /* how many at most, in */
	__u64 live[2]; /* forward entries left, of IPv4 and IPv6, out */
	__u64 expired; /* pairs removed, out */
	__u32 round;   /* what slots in motion are told of the entries met, in; its low 16 bits */
	__u32 pad;
};

_Static_assert(sizeof(struct spw_meta) == 64, "abi");
_Static_assert(sizeof(struct spw_addr_line) == 64, "abi");
_Static_assert(sizeof(struct spw_service_key) == 24, "abi");
_Static_assert(sizeof(struct spw_displace_line) == 64, "abi");
_Static_assert(sizeof(struct spw_service_line) == 64, "abi");
_Static_assert(sizeof(struct spw_service_row) == 64, "abi");
_Static_assert(sizeof(struct spw_slot_line) == 64, "abi");
_Static_assert(sizeof(struct spw_port_line) == 64, "abi");
_Static_assert(sizeof(struct spw_endpoint) == 32, "abi");
_Static_assert(sizeof(struct spw_word) == 8, "abi");
_Static_assert(sizeof(struct spw_settings) == 296, "abi");
_Static_assert(sizeof(struct spw_config) == 616, "abi");
_Static_assert(sizeof(struct spw_sweep) == 48, "abi");

#endif
