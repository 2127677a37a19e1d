/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps in their order; each is a file of its own, what they share is in resolver.h. */

#include "model/ancestors.h"
#include "model/l7.h"

/* Kinds that nothing can be wrong with once their own fields are right. */
static bool is_plain(enum kind_id id)
{
	return id == KIND_REFERENCEGRANT || id == KIND_CONFIGMAP || id == KIND_SECRET ||
	       id == KIND_GATEWAYCLASS;
}

/* What it points to lives as long as the model: its makers see to that. */
static const struct model_options *opts_copy(struct arena *a, const struct model_options *opts)
{
	struct model_options *copy = arena_alloc(a, sizeof(*copy));

	*copy = *opts;
	return copy;
}

struct model *model_resolve(struct arena *a, const struct object *objects, size_t count,
			    const struct model_options *opts, struct diags *d)
{
	struct model *m = arena_alloc(a, sizeof(*m));
	struct resolver r = {.arena = a, .model = m, .diags = d, .opts = opts};

	m->arena = a;
	m->opts = opts_copy(a, opts);
	m->objects = arena_array(a, count, sizeof(*m->objects));
	m->object_count = count;
	for (size_t i = 0; i < count; i++) {
		m->objects[i] = objects[i];
		m->objects[i].conditions = NULL;
		m->objects[i].condition_count = 0;
		m->objects[i].ancestors = NULL;
		m->objects[i].ancestor_count = 0;
		m->objects[i].attached = NULL;
		m->objects[i].foreign = false;
		m->objects[i].accepted = is_plain(objects[i].res.kind->id);
	}
	names_sort(&r);
	classes_read(&r);
	tls_policies_read(&r);
	backends_read(&r);
	gateways_read(&r);
	listeners_check(&r);
	listeners_claim(&r);
	frontends_open(&r);
	policies_read(&r);
	routes_attach(&r);
	ancestors_settle(&r);
	frontends_finish(&r);
	services_build(&r);
	backends_report(&r);
	gateways_report(&r);
	policies_report(&r);
	routes_report(&r);
	classes_report(&r);
	return m;
}
