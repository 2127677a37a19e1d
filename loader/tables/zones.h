/* SPDX-License-Identifier: BSD-2-Clause */
/* Zone aware routing: how much of a tier's flows stays in the gateway's own zone. */
#ifndef SPILLWAY_TABLES_ZONES_H
#define SPILLWAY_TABLES_ZONES_H

#include "model/model.h"

/* A member of the tier that has a share, and where it is. */
struct zoned {
	const char *zone; /* NULL: nowhere known */
	uint64_t share;	  /* in: without regard to zones; out */
	size_t index;	  /* the caller's: the list comes back in another order */
};

/*
 * Moves shares towards the zone `own`, as `p` says; their sum stays, rounding aside, and within a
 * zone they keep their proportions. `items` are the healthy members of a tier that is not in panic.
 */
void zones_prefer(const struct prefer_local *p, const char *own, struct zoned *items, size_t count);

#endif
