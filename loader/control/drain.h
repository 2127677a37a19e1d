/* SPDX-License-Identifier: BSD-2-Clause */
/* Watches endpoints that drain: how many flows are left, until none is or the deadline passes. */
#ifndef SPILLWAY_CONTROL_DRAIN_H
#define SPILLWAY_CONTROL_DRAIN_H

#include "control/engine.h"

/*
 * Wall clock as it was when the entry was put, told on by the monotonic one: a clock that is set
 * moves no deadline. drain_set_clock() is for an entry whose times are those of the wall clock of
 * this moment, or are read from the store; one that began in the future begins now.
 */
void drain_set_clock(struct admin_entry *d);
int64_t drain_now_ms(const struct admin_entry *d);
int64_t drain_wall_ms(void);

/* Open flows of all instances of the address and port. */
uint64_t drain_open_flows(struct engine *e, const struct spw_addr *addr, uint16_t port);
/*
 * Are there flows that nobody counts? Those of direct return: such a drain is never done by itself, since
 * nothing tells that the last flow has ended.
 */
bool drain_is_uncounted(const struct engine *e, const struct spw_addr *addr, uint16_t port);

/* "draining", "deadline" (it passed with flows left) or "done". */
const char *drain_state_text(const struct admin_entry *d);
/* Are its flows reset at their next packet now? */
bool drain_resets(const struct admin_entry *d);

/*
 * Seconds until the last flow ends if they go on ending as they did: flows now / (flows lost since
 * the oldest sample / time since it), that sample being at most 65 s old. -1: unknown, for none
 * ended, or it is less than a second that they are watched.
 */
int64_t drain_estimate_s(const struct admin_entry *d, uint64_t now_ms);

/* The entry was put just now, for a drain that began or whose terms changed. */
void drain_tell_start(struct engine *e, const struct admin_entry *d);
/* Watches those that are not done, until they are. To be called whenever words changed. */
void drains_watch(struct engine *e);
/* Looks for the longest-lived flows anew, in the background, unless that was done just now. */
void drains_look(struct engine *e);
void drains_close(struct engine *e);

#endif
