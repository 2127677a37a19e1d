/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the packet path tells the daemon through the ring buffer `events`. */
#ifndef SPILLWAY_EVENTS_H
#define SPILLWAY_EVENTS_H

#include <spillway/abi.h>

enum spw_event_type {
	SPW_EVENT_NO_NEIGHBOUR = 1, /* addr is the next hop, ifindex the way out */
};

struct spw_event {
	__u32 type; /* enum spw_event_type */
	__u32 ifindex;
	struct spw_addr addr;
};

_Static_assert(sizeof(struct spw_event) == 24, "abi");

#endif
