/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine gives to health/, and does when it says that an endpoint changed. */
#ifndef SPILLWAY_CONTROL_REACTION_H
#define SPILLWAY_CONTROL_REACTION_H

#include "control/engine.h"

struct health_hooks reaction_hooks(struct engine *e);

/* The view and the counts of the generation in force follow health/; marks the tables stale. */
void reaction_refresh(struct engine *e);

/* The same, and the tables made anew when that changed anything: now, or a little later. */
void reaction_look(struct engine *e);

#endif
