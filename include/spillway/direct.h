/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Direct return: slots in motion, and outer headers. Part of the contract in abi.h. */
#ifndef SPILLWAY_DIRECT_H
#define SPILLWAY_DIRECT_H

#include <linux/types.h>

#include <spillway/addr.h>

/*
 * Direct return remembers no flows, but those of slots that were another endpoint's: they are in
 * motion until no flow can be that endpoint's without an entry, and no entry is left. The table of
 * before is kept in a block of map `motions`: in the first line's first place its size as `since` and
 * in `was` whether it was picked from by source (SPW_MOTION_BY_SOURCE), and its slots from the second line on.
 */
struct spw_motion {
	__u32 since; /* ticks: when the slot last got another endpoint */
	__u16 was;   /* endpoint id, whose flows have no entry; 0: the slot is settled */
	__u16 kept;  /* the latest round of the sweep that met an entry of the slot */
};
#define SPW_MOTION_NOBODY    0xffff /* of `was`: they are the slot's endpoint's */
#define SPW_MOTION_BY_SOURCE 1	    /* else by all of the 5-tuple */
#define SPW_MOTION_LINE	     8
#define SPW_GUE_PORT	     6080 /* IANA's of Generic UDP Encapsulation */
#define SPW_MOTION_PHASE1_S  3	  /* TCP: a SYN that is sent again meets whom the first one met */

/* One line of map `motions`. */
struct spw_motion_line {
	struct spw_motion at[SPW_MOTION_LINE];
};

/*
 * Map `tunnels`, one entry: the outer headers of ipip and gue. The addresses vary in their low `bits`,
 * so that receivers spread what comes by the outer addresses alone.
 */
struct spw_tunnels {
	struct spw_addr source4; /* unspecified: a source address of the endpoint's family */
	struct spw_addr source6;
	__u32 bits4; /* of source4 that the packet's hash fills, 0 to 16 */
	__u32 bits6;
	__be16 gue_port;
	__u8 pad[6];
};

_Static_assert(sizeof(struct spw_motion_line) == 64, "abi");
_Static_assert(sizeof(struct spw_tunnels) == 48, "abi");

#endif
