/* SPDX-License-Identifier: BSD-2-Clause */
/* What a route says of who may open flows of its services. */
#ifndef SPILLWAY_MODEL_GUARD_H
#define SPILLWAY_MODEL_GUARD_H

#include <stdint.h>

struct netlist;

/* Who may open flows, and how many: the route's annotations. */
struct guard {
	const struct netlist *allow, *deny; /* NULL: none */
	uint32_t rate, burst;		    /* new flows a second, and at once; 0: no limit */
	uint32_t source_rate, source_burst; /* of each source */
};

#endif
