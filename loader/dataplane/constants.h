/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows from the sizes in force, and the host's ways: constants to the verifier, in each object. */
#ifndef SPILLWAY_DATAPLANE_CONSTANTS_H
#define SPILLWAY_DATAPLANE_CONSTANTS_H

#include "dataplane/maps.h"
#include "dataplane/ticks.h"
#include "tables/perfect.h"

#if defined(__x86_64__) || defined(__i386__)
#define CONSTANTS_WEAK_ORDER false
#else
#define CONSTANTS_WEAK_ORDER true
#endif

/* `c` is a skeleton's rodata, `meta` a struct spw_meta. */
#define CONSTANTS_SET(c, meta)                                                                     \
	do {                                                                                       \
		(c)->flow_sets4 = maps_flow_sets((meta)->max_flows);                               \
		(c)->flow_sets6 = maps_flow_sets((meta)->max_flows6);                              \
		(c)->flow_near4 = maps_near_sets((c)->flow_sets4);                                 \
		(c)->flow_near6 = maps_near_sets((c)->flow_sets6);                                 \
		(c)->addr_bits_mask = maps_addr_bits((meta)->max_services) - 1;                    \
		(c)->displace_mask = perfect_displace_count((meta)->max_services) - 1;             \
		(c)->slot_mask = perfect_slot_count((meta)->max_services) - 1;                     \
		(c)->ticks_a_second = ticks_a_second();                                            \
		(c)->weak_order = CONSTANTS_WEAK_ORDER;                                            \
	} while (0)

#endif
