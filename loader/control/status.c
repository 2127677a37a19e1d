/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model's conditions, sorted into the places the Gateway API has for them. What only the host
 * knows (an address that cannot be claimed, an endpoint out of reach) is laid over them here, since a model is immutable.
 */
#include "control/status.h"

#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "control/reach.h"
#include "control/tree.h"
#include "model/ancestors.h"

#define GATEWAY_GROUP "gateway.networking.k8s.io"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct node *add_condition(struct arena *a, struct node *list, const struct object *o,
				  size_t index)
{
	const struct condition *c = &o->conditions[index];
	struct node *n = tree_append_map(a, list);
	char when[24];

	tree_set_text(a, n, "type", c->type);
	tree_set_text(a, n, "status", c->status ? "True" : "False");
	tree_set_text(a, n, "reason", c->reason);
	tree_set_text(a, n, "message", c->message ? c->message : "");
	tree_set_text(a, n, "lastTransitionTime",
		      clock_rfc3339(o->conditions[index].since_s, when));
	tree_set_int(a, n, "observedGeneration", o->generation);
	return n;
}

/* Conditions about no parent and no section. */
static struct node *add_plain(struct arena *a, struct node *status, const struct object *o)
{
	struct node *list = tree_set_list(a, status, "conditions");

	for (size_t i = 0; i < o->condition_count; i++) {
		if (!o->conditions[i].section && !o->conditions[i].parent)
			add_condition(a, list, o, i);
	}
	return list;
}

/* What the host says about the Gateway's addresses: the first that cannot be used, or NULL. */
static const char *address_problem(struct engine *e, struct arena *a, const struct object *gateway)
{
	const struct model *m = e->now->model;
	const char *problem = NULL;

	for (size_t i = 0; i < m->service_count && !problem; i++) {
		if (m->services[i].gateway == gateway)
			problem = dataplane_vip_problem(e->dp, a, &m->services[i].vip);
	}
	return problem;
}

static void overlay_problem(struct arena *a, struct node *conditions, const char *problem)
{
	struct node *c;

	for (size_t i = 0; i < conditions->count; i++) {
		c = conditions->items[i];
		if (strcmp(node_text_at(c, "type", ""), "Programmed") != 0 ||
		    strcmp(node_text_at(c, "status", ""), "True") != 0)
			continue;
		tree_set_text(a, c, "status", "False");
		tree_set_text(a, c, "reason", "AddressNotUsable");
		tree_set_text(a, c, "message", problem);
	}
}

static void add_addresses(struct engine *e, struct arena *a, struct node *status,
			  const struct object *gateway)
{
	struct node *list = tree_set_list(a, status, "addresses"), *n;
	const struct model *m = e->now->model;
	const struct spw_addr *vip, *last = NULL;
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < m->service_count; i++) {
		vip = &m->services[i].vip;
		if (m->services[i].gateway != gateway || (last && addr_equal(last, vip)))
			continue;
		n = tree_append_map(a, list);
		tree_set_text(a, n, "type", "IPAddress");
		tree_set_text(a, n, "value", addr_print(vip, text));
		last = vip; /* services are ordered by VIP */
	}
}

static bool is_listed(const struct node *wanted, const char *name)
{
	for (size_t i = 0; i < node_count(wanted); i++) {
		if (strcmp(node_text_at(node_item(wanted, i), "kind", ""), name) == 0 &&
		    strcmp(node_text_at(node_item(wanted, i), "group", GATEWAY_GROUP),
			   GATEWAY_GROUP) == 0)
			return true;
	}
	return node_count(wanted) == 0;
}

static void add_kinds(struct arena *a, struct node *status, const struct node *listener)
{
	struct node *list = tree_set_list(a, status, "supportedKinds"), *n;
	const struct node *wanted = node_at(listener, "allowedRoutes.kinds");

	for (const char *const *kind = model_route_kinds(listener); *kind; kind++) {
		if (!is_listed(wanted, *kind))
			continue;
		n = tree_append_map(a, list);
		tree_set_text(a, n, "group", GATEWAY_GROUP);
		tree_set_text(a, n, "kind", *kind);
	}
}

static void add_listeners(struct arena *a, struct node *status, const struct object *o)
{
	const struct node *written = node_at(o->res.root, "spec.listeners");
	struct node *list = tree_set_list(a, status, "listeners"), *n, *conditions;
	const char *name;

	for (size_t i = 0; i < node_count(written); i++) {
		name = node_text_at(node_item(written, i), "name", "");
		n = tree_append_map(a, list);
		tree_set_text(a, n, "name", name);
		tree_set_int(a, n, "attachedRoutes", o->attached[i]);
		add_kinds(a, n, node_item(written, i));
		conditions = tree_set_list(a, n, "conditions");
		for (size_t c = 0; c < o->condition_count; c++) {
			if (is_same_text(o->conditions[c].section, name))
				add_condition(a, conditions, o, c);
		}
	}
}

static struct node *render_gateway(struct engine *e, struct arena *a, const struct object *o)
{
	struct node *status = tree_map(a), *conditions;
	const char *problem = address_problem(e, a, o);

	add_addresses(e, a, status, o);
	conditions = add_plain(a, status, o);
	add_listeners(a, status, o);
	if (problem)
		overlay_problem(a, conditions, problem);
	return status;
}

static struct node *add_parent(struct arena *a, struct node *parents, const struct condition *c)
{
	struct node *n = tree_append_map(a, parents), *ref = tree_set_map(a, n, "parentRef");
	const char *slash = c->parent ? strchr(c->parent, '/') : NULL;

	tree_set_text(a, ref, "group", GATEWAY_GROUP);
	tree_set_text(a, ref, "kind", c->parent_kind ? c->parent_kind : "Gateway");
	if (slash)
		tree_set_text(a, ref, "namespace",
			      arena_strndup(a, c->parent, (size_t)(slash - c->parent)));
	tree_set_text(a, ref, "name", slash ? slash + 1 : c->parent ? c->parent : "");
	if (c->section)
		tree_set_text(a, ref, "sectionName", c->section);
	if (c->port)
		tree_set_int(a, ref, "port", c->port);
	tree_set_text(a, n, "controllerName", CONTROLLER_NAME);
	return tree_set_list(a, n, "conditions");
}

/* One entry per parent, section and port, in the order of their first condition. */
static struct node *render_route(struct arena *a, const struct object *o)
{
	struct node *status = tree_map(a), *parents = tree_set_list(a, status, "parents");
	struct node **lists = arena_array(a, o->condition_count, sizeof(*lists));
	const struct condition *c;

	for (size_t i = 0; i < o->condition_count; i++) {
		c = &o->conditions[i];
		for (size_t k = 0; k < i && !lists[i]; k++) {
			if (is_same_text(o->conditions[k].parent, c->parent) &&
			    is_same_text(o->conditions[k].section, c->section) &&
			    is_same_text(o->conditions[k].parent_kind, c->parent_kind) &&
			    o->conditions[k].port == c->port)
				lists[i] = lists[k];
		}
		if (!lists[i])
			lists[i] = add_parent(a, parents, c);
		add_condition(a, lists[i], o, i);
	}
	return status;
}

/* What is said of a policy is the same below each Gateway. */
static struct node *render_policy(struct arena *a, const struct object *o)
{
	struct node *status = tree_map(a), *list = tree_set_list(a, status, "ancestors"), *n, *ref;

	for (size_t i = 0; i < o->ancestor_count; i++) {
		const struct ancestor *at = &o->ancestors[i];

		n = tree_append_map(a, list);
		ref = tree_set_map(a, n, "ancestorRef");
		tree_set_text(a, ref, "group", at->group);
		tree_set_text(a, ref, "kind", at->kind);
		tree_set_text(a, ref, "namespace", at->namespace);
		tree_set_text(a, ref, "name", at->name);
		if (at->section)
			tree_set_text(a, ref, "sectionName", at->section);
		tree_set_text(a, n, "controllerName", CONTROLLER_NAME);
		add_plain(a, n, o);
	}
	return status;
}

struct node *status_render(struct engine *e, struct arena *a, const struct object *o)
{
	struct node *status;

	if (o->foreign)
		return NULL;
	switch (o->res.kind->id) {
	case KIND_GATEWAY:
		return render_gateway(e, a, o);
	case KIND_TCPROUTE:
	case KIND_UDPROUTE:
	case KIND_HTTPROUTE:
	case KIND_TLSROUTE:
		return render_route(a, o);
	case KIND_BACKEND:
		status = tree_map(a);
		reach_overlay(e, a, add_plain(a, status, o), o);
		return status;
	case KIND_BACKENDTRAFFICPOLICY:
	case KIND_BACKENDTLSPOLICY:
		return render_policy(a, o);
	case KIND_GATEWAYCLASS:
		status = tree_map(a);
		add_plain(a, status, o);
		return status;
	case KIND_REFERENCEGRANT: /* these have none */
	case KIND_CONFIGMAP:
	case KIND_SECRET:
	case KIND_MAX:
		break;
	}
	return NULL;
}
