/* SPDX-License-Identifier: BSD-2-Clause */
/* Time: monotonic for intervals, wall clock for timestamps in resources. */
#ifndef SPILLWAY_BASE_CLOCK_H
#define SPILLWAY_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_ms(void);	/* CLOCK_MONOTONIC */
uint64_t clock_coarse_ns(void); /* CLOCK_MONOTONIC_COARSE, as bpf_ktime_get_coarse_ns() */

/* RFC 3339 in UTC to the second, as Kubernetes writes it; `buf` of at least 24 bytes. */
const char *clock_rfc3339(int64_t unix_s, char *buf);

/* kubectl's human age: 5s, 3m12s, 4h, 2d; `buf` of at least 24 bytes. */
const char *clock_human_age(int64_t age_s, char *buf);

#endif
