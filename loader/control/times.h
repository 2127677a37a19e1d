/* SPDX-License-Identifier: BSD-2-Clause */
/* Since when conditions have their status: from one generation to the next, and over restarts. */
#ifndef SPILLWAY_CONTROL_TIMES_H
#define SPILLWAY_CONTROL_TIMES_H

#include "control/engine.h"

/* Fills in since_s of conditions, and redated; `before` may be NULL. */
void times_date(struct generation *g, const struct generation *before);
/* The same of one object; redated is there. */
void times_date_object(struct generation *g, const struct generation *before, size_t index);
/* Of the first generation: what the store remembers. */
void times_restore(struct engine *e, struct generation *g);
/* What was dated anew goes to the store. A failure is logged: the daemon knows them all the same. */
void times_keep(struct engine *e, struct generation *g);

#endif
