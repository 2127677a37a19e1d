/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of a service below its endpoints: the tiers' arithmetic, zones, nobody left, idle times. */
#ifndef SPILLWAY_CTL_SUMS_H
#define SPILLWAY_CTL_SUMS_H

#include <stdio.h>

#include "base/arena.h"
#include "manifest/node.h"

/*
 * One tier's arithmetic in a line, for the tier at `index` of the service's "tiers":
 * "tier 0: 2/3 up × 1.4 = 93 %; tier 1 takes 7 %". NULL when the tier has no endpoint.
 */
const char *tier_text(struct arena *a, const struct node *service, size_t index);

/* What becomes of flows while no endpoint may be picked: "new flows are dropped, ...". */
const char *nobody_text(struct arena *a, const struct node *service);

/* All lines of a service: SUMS_ALL also has what goes without saying. */
enum sums_detail { SUMS_SHORT, SUMS_ALL };
void sums_print(struct arena *a, const struct node *service, enum sums_detail detail,
		const char *indent, FILE *out);

#endif
