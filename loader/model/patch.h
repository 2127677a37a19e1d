/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model after a change of a few Backends, from the one before: only what they may have to do with is
 * resolved, by model_resolve() itself, and put into the place of what was. The result is what model_resolve()
 * would make of all objects, but for the numbers of instances.
 */
#ifndef SPILLWAY_MODEL_PATCH_H
#define SPILLWAY_MODEL_PATCH_H

#include "model/model.h"

/* An object of the request; its place in the `before` model. */
struct patch_object {
	size_t place;
	struct object object;
	bool is_changed; /* else it is in force already, and only its place in a file counts */
};

struct patch {
	const struct model *before;
	const struct diags *warnings;	  /* of its making */
	struct instance *const *by_place; /* its instances by instance_compare() */
	const struct patch_object *objects;
	size_t count;
	const struct model_options *opts;
};

/* What became of `before`, and what is new. */
struct patched {
	uint32_t *instances; /* by index in `before`: the index now, or PATCH_GONE */
	bool *objects;	     /* resolved anew */
	bool *services;	     /* likewise */
};

#define PATCH_GONE UINT32_MAX

/*
 * NULL when a whole resolve is needed, which is always right: see the rules at the top of patch.c. What
 * later patches go on using is in `lasting`, which must outlive all of them, with that of `before`; the
 * rest, in `a`, lives as long as the model. `d` (may be NULL) becomes what model_resolve() would tell, in `a`; untouched when the result is NULL.
 */
struct model *model_patch(struct arena *a, struct arena *lasting, const struct patch *p,
			  struct diags *d, struct patched *out);

#endif
