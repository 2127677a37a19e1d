/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one way by which an endpoint's state changes. Probes come through here, and so does every
 * other source that judges endpoints: nobody writes target.known on its own.
 */
#ifndef SPILLWAY_HEALTH_FUNNEL_H
#define SPILLWAY_HEALTH_FUNNEL_H

#include "health/probe.h"
#include "health/target.h"

/* True when the state changed; the change has been logged then. */
bool funnel_judge(struct target *t, const struct verdict *v);

/* A state from elsewhere than a result: from an earlier run, an earlier profile, or no check. */
void funnel_adopt(struct target *t, struct rise_fall known, const char *reason);

#endif
