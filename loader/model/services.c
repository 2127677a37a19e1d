/* SPDX-License-Identifier: BSD-2-Clause */
/* Drafts become services with their endpoints, in an order that does not depend on the input's. */
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "manifest/annotations.h"
#include "model/idle.h"
#include "model/resolver.h"

#define PANIC_THRESHOLD 50

static bool is_proxied(const struct draft *d)
{
	return d->is_l7 && d->route;
}

static int compare_drafts(const void *va, const void *vb)
{
	const struct draft *a = va, *b = vb;
	int order = strcmp(a->listener->gateway->project, b->listener->gateway->project);

	if (!order)
		order = addr_compare(&a->vip, &b->vip);
	if (order)
		return order;
	if (a->listener->port != b->listener->port)
		return a->listener->port < b->listener->port ? -1 : 1;
	order = (int)a->listener->proto - (int)b->listener->proto;
	if (!order)
		order = (int)is_proxied(a) - (int)is_proxied(b);
	if (!order)
		order = strcmp(a->name, b->name);
	return order ? order : strcmp(a->listener->name, b->listener->name);
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

/* The one endpoint of a frontend: the proxy. */
static void add_proxy(struct resolver *r, const struct draft *d, const struct judges *j,
		      struct instances *all, struct service *s)
{
	char vip[ADDR_TEXT_MAX];
	const char *text = arena_printf(r->arena, "frontend %s/%u/%s", s->name, s->port,
					addr_print(&d->vip, vip));
	const struct backend nobody = {.object = d->listener->gateway, .name = s->name};
	const struct endpoint e = {
		.kind = ENDPOINT_PROXY,
		.addr = addr_of_text(text),
		.name = "proxy",
		.host = text,
		.handoff = true,
	};
	struct locality l = {.backend = nobody.object, .weight = 1};
	size_t n = 0, k = 0;

	*arena_push(r->arena, l.backends, n) = nobody.object;
	*arena_push(r->arena, l.zones, k) = NULL;
	*arena_push(r->arena, l.members, l.count) = instances_get(all, &nobody, &e, j);
	*arena_push(r->arena, s->localities, s->locality_count) = l;
}

static const struct pool_settings *pool_for(struct arena *a, const struct draft *d,
					    const struct pool_settings *plain)
{
	struct pool_settings *p;

	if (d->route->res.kind->id != KIND_HTTPROUTE)
		return plain;
	p = arena_alloc(a, sizeof(*p));
	*p = *plain;
	p->http = true;
	return p;
}

static enum spw_no_endpoint read_answer(const struct object *route, const char *annotation)
{
	static const char *const words[] = {
		[SPW_NO_ENDPOINT_ANSWER] = "answer", [SPW_NO_ENDPOINT_UNREACHABLE] = "unreachable",
		[SPW_NO_ENDPOINT_DROP] = "drop",     [SPW_NO_ENDPOINT_PASS] = "pass",
		[SPW_NO_ENDPOINT_LEAVE] = "leave",
	};
	const char *text = annotation_value(route ? route->res.root : NULL, annotation);
	size_t i = 0;

	while (i < SPW_NO_ENDPOINT_LEAVE && strcmp(words[i], text) != 0)
		i++;
	return (enum spw_no_endpoint)i;
}

static void note_path(struct resolver *r, const struct draft *d, const struct service *s)
{
	const struct target *t = d->target;

	for (size_t i = 0; t && !s->proxied && i < s->locality_count; i++) {
		for (size_t k = 0; k < s->localities[i].count; k++) {
			if (s->localities[i].members[k]->mode == SPW_MODE_HANDOFF)
				continue;
			r->serves_xdp[t->policy - r->model->objects] = true;
			if (t->wider)
				r->serves_xdp[t->wider->policy - r->model->objects] = true;
			return;
		}
	}
}

static void build(struct resolver *r, struct draft *d, struct instances *all, struct service *s)
{
	struct judges judges = judges_of(r, d);
	const struct object *policy = d->target ? d->target->effective : NULL;

	s->vip = d->vip;
	s->port = d->listener->port;
	s->proto = d->listener->proto;
	s->project = d->listener->gateway->project;
	s->proxied = is_proxied(d);
	s->name = d->name;
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
	if (!d->route) {
		add_proxy(r, d, &judges, all, s);
		return;
	}
	judges.pool = d->pool = pool_for(r->arena, d, judges.pool);
	add_endpoints(r, d, &judges, all, s);
	note_path(r, d, s);
	if (!d->is_l7) {
		balance_read(r, d, s);
		guard_read(r, d, &s->guard);
	}
	quic_map_make(r, d, s);
	zones_apply(r, s);
	fallbacks_mark(r, d, s, &judges);
}

static void tie_rule(struct l7_rule *r, const struct draft *d, const struct service *s)
{
	r->cluster = s;
	r->dynamic_pool = d->pool;
}

/* Which service came of which draft. */
static void tie(struct model *m, const struct draft *d, const struct service *s)
{
	struct frontend *f;

	if (!d->is_l7)
		return;
	f = &m->frontends[d->frontend];
	if (d->route)
		tie_rule(&f->rules[d->rule], d, s);
	else
		f->service = s;
}

static void find_proxies(struct model *m)
{
	for (size_t i = 0; i < m->frontend_count; i++)
		m->frontends[i].instance = m->frontends[i].service->localities[0].members[0];
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
	for (size_t i = 0; i < n; i++)
		*arena_push(r->arena, m->kept, m->kept_count) = m->vips[i];
	for (size_t i = 0; i < r->opts->own_addr_count; i++)
		*arena_push(r->arena, m->kept, m->kept_count) = r->opts->own_addrs[i];
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
	for (size_t i = 0; i < r->draft_count; i++)
		tie(m, &r->drafts[i], &m->services[i]);
	m->instances = instances_finish(all, &m->instance_count);
	members_settle(m);
	find_proxies(m);
	list_vips(r);
}
