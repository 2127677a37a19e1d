/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps in their order; each is a file of its own, what they share is in resolver.h. */

#include "model/resolver.h"

struct model *model_resolve(struct arena *a, const struct object *objects, size_t count,
			    const struct model_options *opts, struct diags *d)
{
	struct model *m = arena_alloc(a, sizeof(*m));
	struct resolver r = {.arena = a, .model = m, .diags = d, .opts = opts};

	m->arena = a;
	m->objects = arena_array(a, count, sizeof(*m->objects));
	m->object_count = count;
	for (size_t i = 0; i < count; i++) {
		m->objects[i] = objects[i];
		m->objects[i].conditions = NULL;
		m->objects[i].condition_count = 0;
		m->objects[i].accepted = objects[i].res.kind->id == KIND_REFERENCEGRANT;
	}
	names_sort(&r);
	backends_read(&r);
	gateways_read(&r);
	listeners_check(&r);
	listeners_claim(&r);
	policies_read(&r);
	routes_attach(&r);
	services_build(&r);
	backends_report(&r);
	gateways_report(&r);
	policies_report(&r);
	routes_report(&r);
	return m;
}
