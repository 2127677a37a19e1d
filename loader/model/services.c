/* SPDX-License-Identifier: BSD-2-Clause */
/* Drafts become services with their endpoints, in an order that does not depend on the input's. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "manifest/annotations.h"
#include "model/idle.h"
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

/* The endpoints of one backendRef; `all` has their instances. */
static void add_locality(struct resolver *r, struct service *s, const struct ref *ref,
			 const struct judges *j, struct instances *all)
{
	struct locality l = {
		.backend = ref->backend->object,
		.weight = ref->weight,
		.tier = ref->backend->tier,
	};
	struct adding to = {s, &l, ref->backend, j, all};

	endpoints_add(r, &to);
	if (l.count)
		*arena_push(r->arena, s->localities, s->locality_count) = l;
}

static void add_endpoints(struct resolver *r, const struct draft *d, const struct judges *j,
			  struct instances *all, struct service *s)
{
	for (unsigned int tier = 0; tier < MODEL_TIERS; tier++) {
		for (size_t i = 0; i < d->refs->count; i++) {
			const struct ref *ref = &d->refs->items[i];

			if (ref->backend->tier == tier)
				add_locality(r, s, ref, j, all);
		}
	}
}

static enum spw_no_endpoint read_answer(const struct object *route, const char *annotation)
{
	static const char *const words[] = {
		[SPW_NO_ENDPOINT_ANSWER] = "answer", [SPW_NO_ENDPOINT_UNREACHABLE] = "unreachable",
		[SPW_NO_ENDPOINT_DROP] = "drop",     [SPW_NO_ENDPOINT_PASS] = "pass",
		[SPW_NO_ENDPOINT_LEAVE] = "leave",
	};
	const char *text = annotation_value(route->res.root, annotation);
	size_t i = 0;

	while (i < SPW_NO_ENDPOINT_LEAVE && strcmp(words[i], text) != 0)
		i++;
	return (enum spw_no_endpoint)i;
}

static void build(struct resolver *r, const struct draft *d, struct instances *all,
		  struct service *s)
{
	struct judges judges = judges_of(r, d);
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
	s->new_flows = read_answer(d->route, ANNOTATION_NO_ENDPOINT);
	s->live_flows = read_answer(d->route, ANNOTATION_NO_ENDPOINT_ESTABLISHED);
	idle_read(d->route, s->idle_s);
	judges.pool = pool_read(r->arena, policy, s->idle_s[SPW_IDLE_ESTABLISHED]);
	judges.dns = dns_read(policy);
	add_endpoints(r, d, &judges, all, s);
	zones_apply(r, s);
	fallbacks_mark(r, d, s, &judges);
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
	members_settle(m);
	list_vips(r);
}
