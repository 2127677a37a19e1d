/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which objects may have to do with each other. Whoever mentions a name in its spec is linked with all
 * objects of that name in the namespace, whatever their kind, and Gateways that want an address with each
 * other. It errs on one side only: too many are linked. Indices in model.objects; names of changed objects
 * stay, so links outlive a patch.
 */
#ifndef SPILLWAY_MODEL_LINKS_H
#define SPILLWAY_MODEL_LINKS_H

#include "model/model.h"

struct links;

struct links *links_new(struct arena *a, const struct model *m);
/* A policy chooses its targets by labels, or hides endpoints: anything may have to do with it. */
bool links_are_open(const struct links *l);
/* Does the spec mention a name? */
bool links_mentions(const struct object *o);
/* ConfigMaps, Secrets, ReferenceGrants and GatewayClasses do not: they are the same whoever refers to them. */
bool links_lead_on(const struct object *o);
/*
 * Sets in[] (by object, all false) for all that can be reached from `places`; what does not lead on is left
 * out. False once there are more than `most`.
 */
bool links_reach(const struct links *l, const size_t *places, size_t count, size_t most, bool *in);

#endif
