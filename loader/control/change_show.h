/* SPDX-License-Identifier: BSD-2-Clause */
/* A change's objects in its answer, as they were and as they are. */
#ifndef SPILLWAY_CONTROL_CHANGE_SHOW_H
#define SPILLWAY_CONTROL_CHANGE_SHOW_H

#include "control/change_decode.h"

/* Fills in `before` and `after` of the outcomes, as the request asks; `g` has the new objects. */
void change_show(struct change *c, struct generation *g);

#endif
