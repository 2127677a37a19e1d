/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the event loop did not listen. A probe's timeout is time that the endpoint had for its
 * answer; while this process works on something else, or is not scheduled, it cannot take the
 * answer, so that time does not count. Pure: the caller reads the clocks.
 */
#ifndef SPILLWAY_HEALTH_LAG_H
#define SPILLWAY_HEALTH_LAG_H

#include <stdint.h>

/* A turn of the loop that is shorter is normal work and no lag. */
#define LAG_TURN_MIN_MS 10

struct lag {
	uint64_t now_ns;  /* at the latest lag_after_poll() */
	uint64_t idle_ns; /* uv_metrics_idle_time() then */
	int64_t poll_ms;  /* what the poll under way may wait at most; < 0: forever */
	uint64_t total_ns;
};

void lag_init(struct lag *l, uint64_t now_ns, uint64_t idle_ns);

/* Once a turn each, from uv_prepare and uv_check; `timeout_ms` is when the poll ends at the latest. */
void lag_before_poll(struct lag *l, int64_t timeout_ms);
void lag_after_poll(struct lag *l, uint64_t now_ns, uint64_t idle_ns);

uint64_t lag_total_ms(const struct lag *l); /* only ever grows */

#endif
