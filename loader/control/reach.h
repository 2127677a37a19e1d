/* SPDX-License-Identifier: BSD-2-Clause */
/* Which endpoints of a Backend this host's set-up keeps packets from: no model knows that. */
#ifndef SPILLWAY_CONTROL_REACH_H
#define SPILLWAY_CONTROL_REACH_H

#include "control/engine.h"

#define REACH_REASON "EndpointsOutOfReach"

/* NULL, or the first one with the remedy, and how many more there are. In `a`. */
const char *reach_problem(struct engine *e, struct arena *a, const struct object *backend);

/* The same as a condition Programmed=False, or added to the message of one that is there. */
void reach_overlay(struct engine *e, struct arena *a, struct node *conditions,
		   const struct object *backend);

#endif
