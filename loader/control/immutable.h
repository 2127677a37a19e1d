/* SPDX-License-Identifier: BSD-2-Clause */
/* What upstream does not let a stored resource change: a few fields, and what asked for it itself. */
#ifndef SPILLWAY_CONTROL_IMMUTABLE_H
#define SPILLWAY_CONTROL_IMMUTABLE_H

#include "model/model.h"

/* An API server's message about the first such change from `old` to `next`, or NULL. In the arena. */
const char *immutable_refuse(struct arena *a, const struct object *old, const struct object *next);

#endif
