/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins the userspace path, and the names that endpoints stand on, to the engine. */
#ifndef SPILLWAY_CONTROL_USERSPACE_H
#define SPILLWAY_CONTROL_USERSPACE_H

#include "control/engine.h"

/* After the maps were read: endpoints that they hand off are taken to be served still. */
int userspace_open(struct engine *e, const struct engine_options *o);
void userspace_close(struct engine *e);

/* Now and then: what is known of names is kept for the next daemon. */
void userspace_keep(struct engine *e);

/* What models are to know of it; addresses are in `a`. */
void userspace_options(struct engine *e, struct arena *a, struct model_options *opts);

/* The generation in force, once it has its numbers. */
void userspace_sync(struct engine *e);

/*
 * Are its tables to wait? Until HAProxy has new endpoints (ten seconds at most) and new names are
 * answered (two), those before serve.
 */
bool userspace_is_settling(struct engine *e);

/* What it spreads itself follows the health of this moment. */
void userspace_shares(struct engine *e);

/* Marks those of `next` whose connections nobody would serve now. */
void userspace_hold(const struct engine *e, struct health_entry *next);

#endif
