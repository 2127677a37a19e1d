/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Routes: which listeners they are attached to, and which of those they feed. Every route that may
 * attach is accepted; of several on one listener the oldest carries the traffic.
 */
#include <string.h>

#include "model/l7.h"

#define SELECTOR_NOTE                                                                              \
	" (namespaces have no labels here, so allowedRoutes.namespaces.selector matches none)"

static bool takes_kind(const struct listener *l, const char *name)
{
	const char *const *own = model_route_kinds(l->node);

	while (*own && strcmp(*own, name) != 0)
		own++;
	return *own != NULL;
}

static bool allows_kind(const struct listener *l, const struct object *route)
{
	const struct node *listed = node_at(l->node, "allowedRoutes.kinds");

	if (!takes_kind(l, route->res.kind->name))
		return false;
	for (size_t i = 0; i < node_count(listed); i++) {
		const struct node *n = node_item(listed, i);

		if (strcmp(node_text_at(n, "kind", ""), route->res.kind->name) == 0 &&
		    strcmp(node_text_at(n, "group", GATEWAY_GROUP), GATEWAY_GROUP) == 0)
			return true;
	}
	return node_count(listed) == 0;
}

static bool allows_namespace(const struct listener *l, struct parent *p)
{
	const char *from = node_text_at(l->node, "allowedRoutes.namespaces.from", "Same");

	if (strcmp(from, "All") == 0)
		return true;
	if (strcmp(from, "Same") == 0)
		return strcmp(l->gateway->res.namespace, p->route->res.namespace) == 0;
	p->selector = p->selector || strcmp(from, "Selector") == 0;
	return false;
}

static bool is_meant(const struct listener *l, const struct parent *p)
{
	return (!p->section || strcmp(p->section, l->name) == 0) &&
	       (!p->port || p->port == l->port);
}

static void refuse(struct resolver *r, struct parent *p, const char *reason, const char *message)
{
	p->refused = (struct problem){reason, message};
	resolve_warn(
		r, p->route,
		member_loc(p->node, node_member(p->node, "sectionName") ? "sectionName" : "name"),
		message);
}

static void add_drafts(struct resolver *r, struct parent *p, struct listener *l)
{
	struct target *target = targets_settle(r, p->route, 0, l);

	for (size_t i = 0; i < l->vip_count; i++) {
		p->refs->families |= family_of_addr(&l->vips[i]);
		*arena_push(r->arena, r->drafts, r->draft_count) = (struct draft){
			.vip = l->vips[i],
			.listener = l,
			.route = p->route,
			.refs = p->refs,
			.target = target,
			.name = arena_printf(r->arena, "%s/%s", p->route->res.namespace,
					     p->route->res.name),
		};
	}
}

static bool feed(struct resolver *r, struct parent *p, struct listener *l)
{
	if (l->route == p->route)
		return true; /* by an earlier parentRef */
	if (l->is_l7 && p->route->res.kind->id != KIND_TCPROUTE) {
		if (frontends_feed(r, p, l))
			l->route = p->route;
		return l->route == p->route;
	}
	if (l->route) {
		p->note = arena_printf(
			r->arena, ", but listener %s is fed by %s %s/%s, which is older", l->name,
			l->route->res.kind->name, l->route->res.namespace, l->route->res.name);
		return true;
	}
	l->route = p->route;
	if (l->is_l7)
		return frontends_feed(r, p, l);
	p->route->accepted = p->route->accepted || l->vip_count > 0;
	add_drafts(r, p, l);
	return true;
}

static void attach(struct resolver *r, struct parent *p)
{
	size_t meant = 0, allowed = 0, ready = 0, fed = 0;

	for (size_t i = r->first_listener[p->gateway - r->model->objects];
	     i < r->listener_count && r->listeners[i].gateway == p->gateway; i++) {
		struct listener *l = &r->listeners[i];

		if (!is_meant(l, p))
			continue;
		meant++;
		if (!allows_kind(l, p->route) || !allows_namespace(l, p))
			continue;
		allowed++;
		if (l->refused.reason || !p->gateway->accepted)
			continue;
		ready++;
		if (!feed(r, p, l))
			continue;
		fed++;
		*l->attached += l->latest != p->route;
		l->latest = p->route;
	}
	if (meant == 0)
		refuse(r, p, "NoMatchingParent", "No listeners match this parent ref");
	else if (allowed == 0)
		refuse(r, p, "NotAllowedByListeners",
		       p->selector ? "No listeners included by this parent ref allowed this "
				     "attachment." SELECTOR_NOTE
				   : "No listeners included by this parent ref allowed this "
				     "attachment.");
	else if (ready == 0)
		p->refused = (struct problem){"NoReadyListeners",
					      "There are no ready listeners for this parent ref"};
	else if (fed == 0)
		refuse(r, p, "NoMatchingListenerHostname",
		       arena_printf(r->arena,
				    "There were no hostname intersections between the %s and this "
				    "parent ref's Listener(s).",
				    p->route->res.kind->name));
}

static void add_condition(struct resolver *r, const struct parent *p, const char *type,
			  const struct problem *bad, const char *reason, const char *message)
{
	const struct condition c = {
		.type = type,
		.status = !bad->reason,
		.reason = bad->reason ? bad->reason : reason,
		.message = bad->reason ? bad->message : message,
		.parent = p->text,
		.section = p->section,
		.port = (uint16_t)p->port,
		.parent_kind = p->kind,
	};

	condition_add(r, p->route, &c);
}

static void report(struct resolver *r, const struct parent *p)
{
	const struct problem idle = {
		p->refs->left_out ? "EndpointsLeftOut" : "FieldsWithoutEffect",
		p->refs->left_out && p->refs->idle
			? text_join(r->arena, p->refs->left_out, "; ", p->refs->idle)
		: p->refs->left_out ? p->refs->left_out
				    : p->refs->idle};

	add_condition(r, p, "Accepted", &p->refused, "Accepted",
		      arena_printf(r->arena, "Route is accepted%s", p->note ? p->note : ""));
	add_condition(r, p, "ResolvedRefs", &p->refs->problem, "ResolvedRefs",
		      "Resolved all the Object references for the Route");
	if (idle.message)
		add_condition(r, p, "Programmed", &idle, NULL, NULL);
	if (p->refs->sources.reason)
		add_condition(r, p, "SourceLists", &p->refs->sources, NULL, NULL);
}

/*
 * A Gateway that is not there is not wrong: it may come later. What is said of a parent that another
 * controller has, as one of another group, is that one's.
 */
static void read_parent(struct resolver *r, struct object *route, struct refs *refs,
			const struct node *n)
{
	const char *namespace = node_text_at(n, "namespace", route->res.namespace);
	struct parent p = {
		.route = route,
		.node = n,
		.text = arena_printf(r->arena, "%s/%s", namespace, node_text_at(n, "name", "")),
		.section = node_text_at(n, "sectionName", NULL),
		.port = node_int_at(n, "port", 0),
		.refs = refs,
	};

	if (strcmp(node_text_at(n, "group", GATEWAY_GROUP), GATEWAY_GROUP) != 0)
		return;
	if (strcmp(node_text_at(n, "kind", "Gateway"), "Gateway") != 0) {
		p.kind = node_text_at(n, "kind", "");
		p.refused =
			(struct problem){"NoMatchingParent",
					 arena_printf(r->arena, "this version has no %s", p.kind)};
		*arena_push(r->arena, r->parents, r->parent_count) = p;
		return;
	}
	p.gateway =
		names_find(r, KIND_GATEWAY, route->project, namespace, node_text_at(n, "name", ""));
	if (p.gateway && p.gateway->foreign)
		return;
	if (p.gateway)
		attach(r, &p);
	else
		p.refused = (struct problem){
			"NoMatchingParent", arena_printf(r->arena, "Gateway %s not found", p.text)};
	*arena_push(r->arena, r->parents, r->parent_count) = p;
}

void routes_attach(struct resolver *r)
{
	static const enum kind_id routes[] = {KIND_TCPROUTE, KIND_UDPROUTE, KIND_TLSROUTE,
					      KIND_HTTPROUTE};

	r->serves_l7 = arena_array(r->arena, r->model->object_count, sizeof(*r->serves_l7));

	for (size_t k = 0; k < sizeof(routes) / sizeof(routes[0]); k++) {
		size_t count;
		struct object **list = names_of_kind(r, r->by_age, routes[k], &count);

		for (size_t i = 0; i < count; i++) {
			const struct node *parents = node_at(list[i]->res.root, "spec.parentRefs");
			struct refs *refs = refs_resolve(r, list[i]);

			for (size_t n = 0; n < node_count(parents); n++)
				read_parent(r, list[i], refs, node_item(parents, n));
		}
	}
}

void routes_report(struct resolver *r)
{
	const struct refs *last = NULL;

	for (size_t i = 0; i < r->parent_count; i++) {
		struct parent *p = &r->parents[i];

		if (p->refs != last)
			families_check(r, p->refs);
		last = p->refs;
		report(r, p);
	}
}
