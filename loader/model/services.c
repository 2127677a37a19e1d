/* SPDX-License-Identifier: BSD-2-Clause */
/* Drafts become services with their endpoints, in an order that does not depend on the input's. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "model/resolver.h"

#define PANIC_THRESHOLD 50

static int compare_drafts(const void *va, const void *vb)
{
	const struct draft *a = va, *b = vb;
	int order = strcmp(a->route->project, b->route->project);

	if (!order)
		order = addr_compare(&a->vip, &b->vip);
	if (order)
		return order;
	if (a->listener->port != b->listener->port)
		return a->listener->port < b->listener->port ? -1 : 1;
	return (int)a->listener->proto - (int)b->listener->proto;
}

/* Over UDP nothing answers a probe: it needs a port of its own. */
static const struct check *check_of(struct resolver *r, const struct draft *d)
{
	struct target *t = d->target;

	if (!t)
		return NULL;
	if (!t->check_read) {
		t->check = check_read(r->arena, t->policy);
		t->check_read = true;
	}
	if (t->check && d->listener->proto == IPPROTO_UDP && t->check->port == 0) {
		r->lacks_port[t->policy - r->model->objects] = true;
		return NULL;
	}
	return t->check;
}

static void add_locality(struct resolver *r, struct service *s, const struct ref *ref,
			 const struct check *check, struct instances *all)
{
	const struct backend *b = ref->backend;
	struct locality l = {.backend = b->object, .weight = ref->weight, .tier = b->tier};
	const char *name = NULL;

	l.members = arena_array(r->arena, b->count, sizeof(struct instance *));
	l.backends = arena_array(r->arena, b->count, sizeof(struct object *));
	for (size_t i = 0; i < b->count; i++) {
		const struct endpoint *e = &b->endpoints[i];

		if (e->unusable || family_of_addr(&e->addr) != family_of_addr(&s->vip))
			continue;
		if (!name)
			name = arena_printf(r->arena, "%s/%s", b->object->res.namespace,
					    b->object->res.name);
		l.backends[l.count] = b->object;
		l.members[l.count++] = instances_get(all, e, check, name);
	}
	if (l.count)
		*arena_push(r->arena, s->localities, s->locality_count) = l;
}

/* Every fallback of a service with primaries that nothing checks is marked, once. */
static void mark_unchecked(const struct draft *d, const struct service *s)
{
	if (s->locality_count == 0 || s->localities[0].tier != 0)
		return;
	for (size_t i = 0; i < d->refs->count; i++) {
		struct backend *b = d->refs->items[i].backend;

		if (b->tier == 1 && !b->unchecked)
			b->unchecked = s->name;
	}
}

static void build(struct resolver *r, const struct draft *d, struct instances *all,
		  struct service *s)
{
	const struct check *check = check_of(r, d);
	const struct object *policy = d->target ? d->target->policy : NULL;

	s->vip = d->vip;
	s->port = d->listener->port;
	s->proto = d->listener->proto;
	s->project = d->route->project;
	s->name = arena_printf(r->arena, "%s/%s", d->route->res.namespace, d->route->res.name);
	s->gateway = d->listener->gateway;
	s->listener = d->listener->name;
	s->route = d->route;
	s->policy = policy;
	s->panic_threshold = PANIC_THRESHOLD;
	if (policy)
		s->panic_threshold = (uint8_t)node_int_at(
			policy->res.root, "spec.healthCheck.panicThreshold", PANIC_THRESHOLD);
	for (unsigned int tier = 0; tier < MODEL_TIERS; tier++) {
		for (size_t i = 0; i < d->refs->count; i++) {
			if (d->refs->items[i].backend->tier == tier)
				add_locality(r, s, &d->refs->items[i], check, all);
		}
	}
	if (!check)
		mark_unchecked(d, s);
}

static void settle_members(struct model *m)
{
	for (size_t i = 0; i < m->service_count; i++) {
		for (size_t n = 0; n < m->services[i].locality_count; n++) {
			const struct locality *l = &m->services[i].localities[n];

			for (size_t k = 0; k < l->count; k++)
				l->members[k] = &m->instances[l->members[k]->index];
		}
	}
}

static int compare_addrs(const void *a, const void *b)
{
	return addr_compare(a, b);
}

static void list_vips(struct resolver *r)
{
	struct model *m = r->model;
	size_t n = 0;

	m->vips = arena_array(r->arena, m->service_count, sizeof(*m->vips));
	for (size_t i = 0; i < m->service_count; i++)
		m->vips[i] = m->services[i].vip;
	if (m->service_count > 1)
		qsort(m->vips, m->service_count, sizeof(*m->vips), compare_addrs);
	for (size_t i = 0; i < m->service_count; i++) {
		if (n == 0 || !addr_equal(&m->vips[n - 1], &m->vips[i]))
			m->vips[n++] = m->vips[i];
	}
	m->vip_count = n;
}

void services_build(struct resolver *r)
{
	struct instances *all = instances_new(r->arena);
	struct model *m = r->model;

	if (r->draft_count > 1)
		qsort(r->drafts, r->draft_count, sizeof(*r->drafts), compare_drafts);
	m->services = arena_array(r->arena, r->draft_count, sizeof(*m->services));
	m->service_count = r->draft_count;
	for (size_t i = 0; i < r->draft_count; i++)
		build(r, &r->drafts[i], all, &m->services[i]);
	m->instances = instances_finish(all, &m->instance_count);
	settle_members(m);
	list_vips(r);
}
