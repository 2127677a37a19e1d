/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells when the tiers of a service share its new flows otherwise than before, and why. */
#ifndef SPILLWAY_CONTROL_TIER_EVENTS_H
#define SPILLWAY_CONTROL_TIER_EVENTS_H

#include "base/event_log.h"
#include "model/health_view.h"
#include "model/model.h"

/* What was told of a service last. */
struct tier_loads {
	bool is_known;
	bool is_empty; /* none of its endpoints may be picked */
	uint8_t tiers; /* that have endpoints: the highest one's number + 1 */
	uint8_t panic; /* bits by tier */
	uint8_t percent[MODEL_TIERS];
};

/* Of all services of `m`, in `a`: those of the same service in `before` (NULL: none) are kept. */
struct tier_loads *tier_loads_new(struct arena *a, const struct model *m,
				  const struct model *before, const struct tier_loads *loads);

/* What tier_events_tell() looks at and writes to. */
struct tier_news {
	const struct model *model;
	struct health_view view;
	struct tier_loads *loads;
	bool *touched; /* by service: only these are looked at, and cleared */
	struct event_log *events;
};

/*
 * One event and one line of the log per service whose loads or panic changed; of very many at once
 * only the first, and one that says how many more.
 */
void tier_events_tell(struct tier_news *n);

#endif
