/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ways out: interfaces and next hops. Part of the contract in abi.h. */
#ifndef SPILLWAY_WAYS_H
#define SPILLWAY_WAYS_H

#include <linux/types.h>

/*
 * Map `next_hops`, by endpoint id. `seq` is odd while the row is written. `ifindex` 0: not known
 * here, the kernel's routes are asked.
 */
struct spw_next_hop {
	__u32 seq;
	__u32 ifindex; /* the device to transmit by */
	__u8 dmac[6];
	__u16 mtu; /* of the way as far as it is known here; 0: no limit */
	__u8 smac[6];
	__u16 vlan; /* VID, or SPW_UNTAGGED */
	__u64 pad;
};

enum spw_interface_flag {
	SPW_IF_TX = 1,	    /* XDP_TX works here; without it packets leave by redirect (veth) */
	SPW_IF_PARTIAL = 2, /* local senders may leave TCP and UDP checksums to their hardware */
	SPW_IF_GENERIC =
		4, /* generic XDP: such checksums stay unfinished, and packets may be giants */
};

/*
 * Map `interfaces`: a table of SPW_INTERFACES rows, hashed by ifindex with SPW_INTERFACE_PROBES
 * places to look at. The attached ones, and the VLAN devices on them as ways out.
 */
#define SPW_INTERFACES	     1024
#define SPW_INTERFACE_PROBES 8
struct spw_interface {
	__u32 ifindex; /* 0: no row */
	__u32 flags;   /* enum spw_interface_flag */
	__u8 mac[6];   /* its own: frames to another are not for this host */
	__u16 mtu;     /* at most 65535 */
	__u32 device;  /* what transmits: itself, or the device below a VLAN device */
	__u16 vlan;    /* VID, or SPW_UNTAGGED */
	__u8 pad[10];
};

_Static_assert(sizeof(struct spw_next_hop) == 32, "abi");
_Static_assert(sizeof(struct spw_interface) == 32, "abi");

#endif
