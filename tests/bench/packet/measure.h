/* SPDX-License-Identifier: BSD-2-Clause */
/* One scenario, all its targets in turns. */
#ifndef SPILLWAY_BENCH_MEASURE_H
#define SPILLWAY_BENCH_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "scenarios.h"
#include "shared.h"

#define MEASURE_ROUNDS_MAX 101

struct measure_options {
	uint32_t rounds;
	uint32_t packets;     /* of a run */
	uint32_t new_packets; /* likewise, where each is a new flow */
};

/* Nanoseconds a packet, what the empty target took in the same round taken off. */
struct summary {
	bool measured;
	double median, low, high; /* quartiles */
};

struct measurement {
	const struct scenario *scenario;
	double empty; /* median, nothing taken off: the driver's own cost */
	struct summary net[BENCH_TARGETS];
};

/* 0, or a negative errno after saying on stderr what went wrong. */
int measure(const struct scenario *s, const struct measure_options *o, struct measurement *out);

#endif
