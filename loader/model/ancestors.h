/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a policy is in force, for its status.ancestors[]. */
#ifndef SPILLWAY_MODEL_ANCESTORS_H
#define SPILLWAY_MODEL_ANCESTORS_H

#include "model/model.h"

struct resolver; /* model/resolver.h */

#define ANCESTORS_MAX 16 /* of the Gateway API */

/* A Gateway that a policy is in force below; or a target, where no Gateway is known yet. */
struct ancestor {
	const char *group, *kind, *namespace, *name;
	const char *section; /* a listener; or NULL */
};

void ancestors_add(struct resolver *r, struct object *policy, const struct ancestor *a);
/* Once the routes have their parents. */
void ancestors_settle(struct resolver *r);

#endif
