/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One resource set and what was made from it: objects, model, the health view that lies over it.
 * Everything lives in the generation's arena and goes with it, but for the objects' trees, which
 * generations share, and, after patches, what these share with the generations before: see
 * generation_patch.c. Only `entries` and what is counted from them change.
 */
#ifndef SPILLWAY_CONTROL_GENERATION_H
#define SPILLWAY_CONTROL_GENERATION_H

#include "control/objects.h"
#include "control/tier_events.h"
#include "model/health_view.h"
#include "model/model.h"
#include "model/patch.h"

struct generation {
	struct arena *arena;   /* owned; holds this struct too, but not the objects' bodies */
	struct arena *lasting; /* for what an object keeps as long as it is not changed */
	struct arena **held;   /* of a patched one: arenas of those before, and `lasting` */
	size_t held_count;
	struct model *model;
	struct object **by_key;	      /* the model's objects, ordered by object_key_compare() */
	bool *redated;		      /* by model object: what the store has of these is another */
	struct health_entry *entries; /* by instance.index */
	struct instance **by_address; /* those with an address, ordered by addr, port */
	size_t by_address_count;
	/* Healthy members of each service, by index, an instance counted once; and who is counted. */
	uint32_t *healthy;
	bool *counted;		  /* by instance.index */
	struct tier_loads *loads; /* by service index: as they were told last */
	bool *touched;		  /* by service index: its loads may be others by now */
	const struct spw_addr *host_addrs;
	size_t host_addr_count;
	struct diags warnings; /* of model_resolve() */
};

/*
 * Takes the arena over, which must hold the objects but for their bodies: those it shares. Conditions that were as they are in `before` (may
 * be NULL) keep their time, instances their health.
 */
struct generation *generation_new(struct arena *a, const struct object *objects, size_t count,
				  const struct model_options *opts,
				  const struct generation *before);
/*
 * The same after a change of a few objects, for the work that these make; NULL: it takes a whole one.
 * `a` is taken over only on success, and holds the texts of the objects only for the time of the call.
 */
struct generation *generation_patch(struct arena *a, const struct patch_object *objects,
				    size_t count, const struct model_options *opts,
				    struct generation *before);
void generation_free(struct generation *g); /* NULL is fine */
AUTO_DEFINE(struct generation *, generation_free)

/* NULL when there is none. */
struct object *generation_find(const struct generation *g, const struct object_key *key);
/* Copies of all objects, in `a`. */
struct object *generation_copy(const struct generation *g, struct arena *a);
/* Counts healthy members anew, once `entries` are there. */
void generation_count(struct generation *g);
/*
 * The instances of an address and port (0: all its ports) are by_address[first .. first + count);
 * returns the count.
 */
size_t generation_range(const struct generation *g, const struct spw_addr *addr, uint16_t port,
			size_t *first);
/*
 * Takes what health_fill() said over into the view: counts healthy members, and marks the services
 * it touches. Returns how many instances changed. `next` is by instance.index.
 */
size_t generation_update(struct generation *g, const struct health_entry *next);
/*
 * The instance is not healthy any more, although the view does not say so yet: takes it off the
 * counts of its services. False when one of them has nobody else left.
 */
bool generation_discount(struct generation *g, const struct instance *i);
struct health_view generation_view(const struct generation *g);

#endif
