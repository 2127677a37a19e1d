/* SPDX-License-Identifier: BSD-2-Clause */
/* A resource's `status` as the Gateway API shapes it, computed when somebody asks. */
#ifndef SPILLWAY_CONTROL_STATUS_H
#define SPILLWAY_CONTROL_STATUS_H

#include "control/engine.h"

/* In `a`; `o` is of the generation in force. */
struct node *status_render(struct engine *e, struct arena *a, const struct object *o);

#endif
