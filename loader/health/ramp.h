/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slow start: the part of its share that an endpoint gets while it is warming up. Linear, as
 * Envoy with its defaults, but in steps: every step rebuilds tables. Pure.
 */
#ifndef SPILLWAY_HEALTH_RAMP_H
#define SPILLWAY_HEALTH_RAMP_H

#include <stdint.h>

#define RAMP_LEAST_PERCENT 10 /* Envoy's min_weight_percent */
#define RAMP_STEP_PERCENT  5

/* 10..95; 0: it is over, or there is no window. */
uint8_t ramp_percent(uint64_t elapsed_ms, uint32_t window_ms);

/* Milliseconds from `elapsed_ms` until ramp_percent() changes; 0: never again. */
uint64_t ramp_next_ms(uint64_t elapsed_ms, uint32_t window_ms);

#endif
