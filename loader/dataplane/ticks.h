/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ticks: the low half of the kernel's jiffies64, which the packet path reads for nothing. The kernel
 * tells nobody their number, so the sweep program does; their length is that of the coarse clock.
 */
#ifndef SPILLWAY_DATAPLANE_TICKS_H
#define SPILLWAY_DATAPLANE_TICKS_H

#include <stdbool.h>
#include <stdint.h>

/* CONFIG_HZ. */
uint32_t ticks_a_second(void);
/* The present tick, by the sweep program with nothing to sweep; false when it cannot be run. */
bool ticks_now(int sweep_fd, uint32_t *out);

#endif
