/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One resource set and what was made from it: objects, model, the health view that lies over it.
 * Everything lives in the generation's arena and goes with it; only `entries` change.
 */
#ifndef SPILLWAY_CONTROL_GENERATION_H
#define SPILLWAY_CONTROL_GENERATION_H

#include "control/admins.h"
#include "control/objects.h"
#include "model/health_view.h"
#include "model/model.h"

struct generation {
	struct arena *arena; /* owned; holds this struct too */
	struct model *model;
	struct object **by_key; /* the model's objects, ordered by object_key_compare() */
	int64_t **since_s;	/* by model object, by condition: unix time it took its status */
	struct health_entry *entries; /* by instance.index */
	const struct spw_addr *host_addrs;
	size_t host_addr_count;
	struct diags warnings; /* of model_resolve() */
};

/*
 * Takes the arena over (it must hold the objects). Conditions that were as they are in `before` (may
 * be NULL) keep their time, instances their health.
 */
struct generation *generation_new(struct arena *a, const struct object *objects, size_t count,
				  const struct model_options *opts,
				  const struct generation *before);
void generation_free(struct generation *g); /* NULL is fine */
AUTO_DEFINE(struct generation *, generation_free)

/* NULL when there is none. */
struct object *generation_find(const struct generation *g, const struct object_key *key);
/* Copies of all objects, in `a`. */
struct object *generation_copy(const struct generation *g, struct arena *a);
/* Since when the object's condition has its status. */
int64_t generation_since(const struct generation *g, const struct object *o, size_t condition);
/* Writes the operator's words into the view. */
void generation_set_admins(struct generation *g, const struct admins *w);
struct health_view generation_view(const struct generation *g);

#endif
