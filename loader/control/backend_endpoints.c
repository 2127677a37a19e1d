/* SPDX-License-Identifier: BSD-2-Clause */
/* Two walks over the members of all services: one collects, one looks who else has the address. */
#include "control/backend_endpoints.h"

#include <string.h>

#include "base/addr.h"

struct walk {
	struct engine *e;
	struct arena *arena;
	const char *project, *name;
	struct backend_endpoints *out;
	void (*visit)(struct walk *w, const struct instance *i, bool is_ours);
};

static bool is_ours(const struct walk *w, const struct object *backend)
{
	const size_t len = strlen(backend->res.namespace);

	return strcmp(backend->project, w->project) == 0 &&
	       strncmp(w->name, backend->res.namespace, len) == 0 && w->name[len] == '/' &&
	       strcmp(w->name + len + 1, backend->res.name) == 0;
}

static void visit_service(struct walk *w, const struct service *s)
{
	const struct locality *l;

	for (size_t i = 0; i < s->locality_count; i++) {
		l = &s->localities[i];
		for (size_t k = 0; k < l->count; k++)
			w->visit(w, l->members[k], is_ours(w, l->backends[k]));
	}
	for (size_t i = 0; i < s->handoff_count; i++)
		w->visit(w, s->handoff[i], is_ours(w, s->handoff_backends[i]));
}

static void walk(struct walk *w, void (*visit)(struct walk *, const struct instance *, bool))
{
	const struct model *m = w->e->now->model;

	w->visit = visit;
	for (size_t i = 0; i < m->service_count; i++)
		visit_service(w, &m->services[i]);
}

/* The operator's words are by address: names and sockets have none. */
static void collect(struct walk *w, const struct instance *i, bool ours)
{
	struct operator_request *r = &w->out->request;

	if (ours && i->kind == ENDPOINT_IP)
		*arena_push(w->arena, r->changes, r->count) = (struct operator_change){
			.addr = i->addr,
			.port = i->port,
			.from = admins_get(&w->e->admins, &i->addr, i->port),
		};
}

static int compare(const void *a, const void *b)
{
	const struct operator_change *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (int)x->port - (int)y->port;
}

static void sort_unique(struct operator_request *r)
{
	size_t kept = 0;

	if (r->count)
		qsort(r->changes, r->count, sizeof(*r->changes), compare);
	for (size_t i = 0; i < r->count; i++) {
		if (!kept || compare(&r->changes[kept - 1], &r->changes[i]) != 0)
			r->changes[kept++] = r->changes[i];
	}
	r->count = kept;
}

static void note_shared(struct walk *w, const struct instance *i, bool ours)
{
	const struct operator_request *r = &w->out->request;
	const struct operator_change key = {.addr = i->addr, .port = i->port};
	const struct operator_change *found;

	if (ours || i->kind != ENDPOINT_IP || !r->count)
		return;
	found = bsearch(&key, r->changes, r->count, sizeof(*r->changes), compare);
	if (found)
		w->out->shared[found - r->changes] = true;
}

void backend_endpoints_find(struct engine *e, struct arena *a, const char *project,
			    const char *name, struct backend_endpoints *out)
{
	struct walk w = {.e = e, .arena = a, .project = project, .name = name, .out = out};

	*out = (struct backend_endpoints){0};
	walk(&w, collect);
	sort_unique(&out->request);
	out->shared = arena_array(a, out->request.count, sizeof(*out->shared));
	walk(&w, note_shared);
}
