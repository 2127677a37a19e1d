/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is due next: a binary heap of times, embedded in what they belong to. One heap and one
 * uv_timer serve all endpoints, where a uv_timer each would be 10,000 handles to close; a wheel
 * would need rounds for intervals from milliseconds to hours. Knows nothing of probes.
 */
#ifndef SPILLWAY_HEALTH_DUE_H
#define SPILLWAY_HEALTH_DUE_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; embedded in its owner. */
struct due {
	uint64_t at_ms;
	size_t place; /* 0: not queued, else its index in the heap plus one */
};

/* Zero-initialise. Owns the array, not what it points to. */
struct due_queue {
	struct due **items;
	size_t count;
	size_t capacity;
};

/* Room for `count` items, so that due_put() cannot fail. */
int due_reserve(struct due_queue *q, size_t count);
void due_done(struct due_queue *q);

void due_put(struct due_queue *q, struct due *d, uint64_t at_ms); /* queues or moves it */
void due_remove(struct due_queue *q, struct due *d);		  /* fine when it is not queued */
struct due *due_first(const struct due_queue *q);		  /* NULL when empty */

#endif
