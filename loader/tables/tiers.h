/* SPDX-License-Identifier: BSD-2-Clause */
/* Envoy's priority levels in integers: shared spec related.md section 9; locality weights, 4.1. */
#ifndef SPILLWAY_TABLES_TIERS_H
#define SPILLWAY_TABLES_TIERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An effective weight of 1 percent of weight 1. */
#define EFFECTIVE_UNIT 1000000u

struct tier {
	uint32_t total; /* endpoints */
	uint32_t healthy;
	uint32_t available_percent; /* out: min(100, 140 * healthy / total) */
	uint32_t load_percent;	    /* out */
	bool panic;		    /* out: its load is spread over all its endpoints */
};

/*
 * Envoy's recalculatePerPriorityState, distributeLoad, recalculatePerPriorityPanic and
 * recalculateLoadInTotalPanic (source/extensions/load_balancing_policies/common/
 * load_balancer_impl.cc), over-provisioning factor 140, no degraded hosts. Loads sum to 100, or to
 * 0 when no tier has an endpoint. `count` >= 1 tiers, highest priority first.
 */
void tiers_load(struct tier *tiers, size_t count, uint32_t panic_threshold);

/*
 * weight * min(100, 140 * healthy / total) in EFFECTIVE_UNIT: a locality's effective weight. Envoy
 * computes this one in floating point, so it is not cut to whole percents here either.
 */
uint64_t locality_effective_weight(uint32_t weight, uint32_t healthy, uint32_t total);

#endif
