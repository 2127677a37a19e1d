/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of a map that tables are in, and those that were, which packets under way may still read. */
#ifndef SPILLWAY_DATAPLANE_SPACE_H
#define SPILLWAY_DATAPLANE_SPACE_H

#include "base/arena.h"
#include "tables/diff.h"

struct resting {
	struct line_range range;
	uint64_t freed_ms;
};

/* Zero-initialise, but for `unit`. */
struct space {
	uint32_t unit;		   /* what `base` of a range counts up by in a line */
	struct line_range *placed; /* owned; in use, sorted by base */
	size_t placed_count;
	struct resting *resting; /* owned */
	size_t resting_count;
};

void space_done(struct space *s);

/*
 * These ranges are in use from now on; sorts them. What was and is not any more rests. When memory is
 * short, what was in use stays so.
 */
void space_set(struct space *s, const struct line_range *ranges, size_t count);

/* Those freed less than a second ago. In `a`. */
void space_resting(struct space *s, struct arena *a, struct line_range **out, size_t *count);

#endif
