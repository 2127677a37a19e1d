/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners of layer 7 and the routes on them. All those of a Gateway on one VIP and port are one
 * frontend, whose service leads to the proxy; each rule of a route on a listener is a cluster. Several
 * routes on one listener all carry traffic, unlike those of layer 4.
 */
#include <string.h>

#include "base/addr.h"
#include "manifest/annotations.h"
#include "model/l7.h"

static enum frontend_kind kind_of(const struct listener *l)
{
	if (strcmp(l->protocol, "HTTP") == 0)
		return FRONTEND_HTTP;
	if (strcmp(l->protocol, "HTTPS") == 0)
		return FRONTEND_HTTPS;
	return strcmp(node_text_at(l->node, "tls.mode", "Terminate"), "Terminate") == 0
		       ? FRONTEND_END
		       : FRONTEND_PASS;
}

/* The latest are those of the same Gateway. */
static size_t find(const struct resolver *r, const struct listener *l, const struct spw_addr *vip)
{
	const struct model *m = r->model;

	for (size_t i = m->frontend_count; i > 0; i--) {
		const struct frontend *f = &m->frontends[i - 1];

		if (f->gateway != l->gateway)
			break;
		if (f->port == l->port && addr_equal(&f->vip, vip))
			return i - 1;
	}
	return m->frontend_count;
}

static void add_draft(struct resolver *r, struct listener *l, size_t frontend)
{
	const struct resource *gateway = &l->gateway->res;

	*arena_push(r->arena, r->drafts, r->draft_count) = (struct draft){
		.vip = r->model->frontends[frontend].vip,
		.listener = l,
		.name = arena_printf(r->arena, "%s/%s", gateway->namespace, gateway->name),
		.is_l7 = true,
		.frontend = frontend,
	};
}

static void open_one(struct resolver *r, struct listener *l, const struct l7_listener *part,
		     size_t v)
{
	const size_t at = find(r, l, &l->vips[v]);
	struct model *m = r->model;
	struct frontend *f;

	if (at == m->frontend_count) {
		*arena_push(r->arena, m->frontends, m->frontend_count) = (struct frontend){
			.kind = kind_of(l),
			.vip = l->vips[v],
			.port = l->port,
			.gateway = l->gateway,
		};
		add_draft(r, l, at);
	}
	f = &m->frontends[at];
	l->frontends[v] = at;
	l->places[v] = f->listener_count;
	*arena_push(r->arena, f->listeners, f->listener_count) = *part;
}

void frontends_open(struct resolver *r)
{
	for (size_t i = 0; i < r->listener_count; i++) {
		struct listener *l = &r->listeners[i];
		struct l7_listener part = {.name = l->name, .hostname = l->hostname};

		if (!l->is_l7 || l->refused.reason || !l->gateway->accepted)
			continue;
		if (kind_of(l) == FRONTEND_HTTPS || kind_of(l) == FRONTEND_END)
			listener_certs_read(r, l, &part);
		if (l->certs.reason) {
			l->degraded = (struct problem){"Invalid", l->certs.message};
			l->vip_count = 0;
		}
		l->frontends = arena_array(r->arena, l->vip_count, sizeof(*l->frontends));
		l->places = arena_array(r->arena, l->vip_count, sizeof(*l->places));
		for (size_t v = 0; v < l->vip_count; v++)
			open_one(r, l, &part, v);
	}
}

/* Those of one rule, for a cluster. */
static struct refs *refs_of_rule(struct resolver *r, const struct refs *all, size_t rule)
{
	struct refs *refs = arena_alloc(r->arena, sizeof(*refs));

	refs->proto = all->proto;
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].rule == rule)
			*arena_push(r->arena, refs->items, refs->count) = all->items[i];
	}
	return refs;
}

static uint32_t ppm_of(const struct rule_weights *w)
{
	if (w->total == w->invalid)
		return 1000000; /* nothing is left, or there was nothing */
	return (uint32_t)((unsigned __int128)w->invalid * 1000000 / w->total);
}

static bool has_rule(const struct object *route, const char *name)
{
	const struct node *rules = node_at(route->res.root, "spec.rules");

	for (size_t i = 0; i < node_count(rules); i++) {
		if (strcmp(node_text_at(node_item(rules, i), "name", ""), name) == 0)
			return true;
	}
	return false;
}

/* The first rule has the route's name. A number that is another rule's name has a sign in front. */
static const char *rule_name(struct resolver *r, const struct object *route,
			     const struct node *rule, size_t number)
{
	const struct resource *res = &route->res;
	const char *own = node_text_at(rule, "name", NULL);

	if (number == 0)
		return arena_printf(r->arena, "%s/%s", res->namespace, res->name);
	if (own)
		return arena_printf(r->arena, "%s/%s/%s", res->namespace, res->name, own);
	own = arena_printf(r->arena, "%zu", number);
	return arena_printf(r->arena, "%s/%s/%s%s", res->namespace, res->name,
			    has_rule(route, own) ? "#" : "", own);
}

/* A rule on one listener, about to be added to the frontends of its VIPs. */
struct feeding {
	struct resolver *resolver;
	struct parent *parent;
	struct listener *listener;
	const char **hosts; /* "": any */
	size_t host_count;
	size_t number;
	const struct node *rule;
	struct refs *refs; /* of the rule */
	struct target *target;
};

static struct backend *dynamic_of(const struct refs *refs)
{
	for (size_t i = 0; i < refs->count; i++) {
		if (refs->items[i].backend->dynamic)
			return refs->items[i].backend;
	}
	return NULL;
}

static void read_dynamic(struct feeding *fd, struct l7_rule *rule)
{
	struct resolver *r = fd->resolver;
	struct backend *b = dynamic_of(fd->refs);
	const struct endpoint any = {0};

	if (!b)
		return;
	rule->is_dynamic = true;
	rule->dynamic_private =
		strcmp(annotation_value(b->object->res.root, ANNOTATION_PRIVATE_TARGETS),
		       "allow") == 0;
	rule->dynamic_tls = tls_for_gateway(
		r->arena, tls_read(r->arena, b, tls_policies_find(r, b->object, 0), &any),
		&r->gateway_client[fd->listener->gateway - r->model->objects]);
}

static void add_match(struct feeding *fd, size_t v, const char *host, const struct node *node)
{
	struct frontend *f = &fd->resolver->model->frontends[fd->listener->frontends[v]];

	*arena_push(fd->resolver->arena, f->matches, f->match_count) = (struct l7_match){
		.listener = fd->listener->places[v],
		.host = *host ? host : NULL,
		.node = node,
		.rule = f->rule_count - 1,
	};
}

static void add_rule(struct feeding *fd, size_t v)
{
	struct resolver *r = fd->resolver;
	const size_t at = fd->listener->frontends[v];
	const struct node *list = node_member(fd->rule, "matches");
	struct frontend *f = &r->model->frontends[at];

	*arena_push(r->arena, f->rules, f->rule_count) = (struct l7_rule){
		.route = fd->parent->route,
		.node = fd->rule,
		.invalid_ppm = ppm_of(&fd->parent->refs->weights[fd->number]),
		.is_void = route_rule_is_void(fd->rule),
	};
	read_dynamic(fd, &f->rules[f->rule_count - 1]);
	*arena_push(r->arena, r->drafts, r->draft_count) = (struct draft){
		.vip = fd->listener->vips[v],
		.listener = fd->listener,
		.route = fd->parent->route,
		.refs = fd->refs,
		.target = fd->target,
		.name = rule_name(r, fd->parent->route, fd->rule, fd->number),
		.is_l7 = true,
		.frontend = at,
		.rule = f->rule_count - 1,
	};
	for (size_t h = 0; h < fd->host_count; h++) {
		if (!node_count(list))
			add_match(fd, v, fd->hosts[h], NULL);
		for (size_t i = 0; i < node_count(list); i++)
			add_match(fd, v, fd->hosts[h], node_item(list, i));
	}
}

static void list_hosts(struct feeding *fd)
{
	const struct node *names = node_at(fd->parent->route->res.root, "spec.hostnames");
	struct arena *a = fd->resolver->arena;
	const size_t count = node_count(names);

	for (size_t i = 0; i < (count ? count : 1); i++) {
		const char *own = count ? node_item(names, i)->text : NULL;
		const char *host = hosts_meet(fd->listener->hostname, own);

		if (host)
			*arena_push(a, fd->hosts, fd->host_count) = host;
	}
}

/* Upstream's words. */
static void refuse_dynamic(struct feeding *fd)
{
	struct refs *refs = fd->parent->refs;

	if (kind_of(fd->listener) != FRONTEND_END || !dynamic_of(fd->refs))
		return;
	fd->refs = refs_of_rule(fd->resolver, refs, SIZE_MAX);
	refs->problem = (struct problem){
		"UnsupportedValue",
		"Dynamic resolver backend is only supported with TLS passthrough listeners"};
	resolve_warn(fd->resolver, fd->parent->route, fd->rule->loc, refs->problem.message);
}

bool frontends_feed(struct resolver *r, struct parent *p, struct listener *l)
{
	const struct node *rules = node_at(p->route->res.root, "spec.rules");
	struct feeding fd = {.resolver = r, .parent = p, .listener = l};

	list_hosts(&fd);
	if (!fd.host_count)
		return false;
	for (size_t i = 0; i < node_count(rules); i++) {
		fd.number = i;
		fd.rule = node_item(rules, i);
		fd.refs = refs_of_rule(r, p->refs, i);
		refuse_dynamic(&fd);
		fd.target = targets_settle(r, p->route, i, l);
		if (fd.target)
			r->serves_l7[fd.target->policy - r->model->objects] = true;
		if (fd.target && fd.target->wider)
			r->serves_l7[fd.target->wider->policy - r->model->objects] = true;
		for (size_t v = 0; v < l->vip_count; v++)
			add_rule(&fd, v);
	}
	p->route->accepted = p->route->accepted || l->vip_count > 0;
	return true;
}

void frontends_finish(struct resolver *r)
{
	for (size_t i = 0; i < r->model->frontend_count; i++)
		matches_sort(&r->model->frontends[i]);
}
