/* SPDX-License-Identifier: BSD-2-Clause */
/* From the generation and its health to the maps. */
#ifndef SPILLWAY_CONTROL_REBUILD_H
#define SPILLWAY_CONTROL_REBUILD_H

#include "control/engine.h"

/*
 * Would `g` compile and fit? Changes nothing but the numbering: whoever does not go on with `g`
 * calls rebuild_renumber(). *why is in `a`.
 */
int rebuild_trial(struct engine *e, struct generation *g, struct arena *a, const char **why);
/* Numbers the generation in force. */
void rebuild_renumber(struct engine *e);

/*
 * Compiles the generation in force with the health of this moment, and writes what differs. On
 * failure engine.problem says why, and it is tried again every second until it succeeds.
 */
int engine_rebuild(struct engine *e);
/* The same by a timer, unless one is set already; a rebuild that comes before it makes it needless. */
/* Slots in motion that may settle do, by a rebuild. To be asked now and then. */
void rebuild_settle(struct engine *e);
void rebuild_later(struct engine *e, uint64_t wait_ms);

#endif
