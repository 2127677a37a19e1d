/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two things refuse a whole change although each of its objects is right. A listener that wants what a
 * Gateway of another project has: neither project can see the other's mistake. And a service that would
 * lose all its endpoints by way of objects that are not its own: who applies a Secret or a policy does not
 * mean to switch a service off. Whoever changes its Gateway, route or Backends, or deletes, does.
 */
#include "control/carry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

static bool is_same_claim(const struct lost_claim *a, const struct lost_claim *b)
{
	const struct object_key x = object_key(a->gateway), y = object_key(b->gateway);

	return a->port == b->port && addr_equal(&a->vip, &b->vip) &&
	       strcmp(a->listener, b->listener) == 0 && object_key_compare(&x, &y) == 0;
}

static bool was_lost(const struct model *m, const struct lost_claim *l)
{
	for (size_t i = 0; i < m->lost_count; i++) {
		if (is_same_claim(&m->lost[i], l))
			return true;
	}
	return false;
}

static int compare_key(const void *key, const void *item)
{
	return object_key_compare(key, &(*(struct change_item *const *)item)->key);
}

static struct change_item *item_of(const struct change *c, const struct object *o)
{
	const struct object_key key = object_key(o);
	struct change_item **found =
		bsearch(&key, c->sorted, c->count, sizeof(*c->sorted), compare_key);

	return found ? *found : NULL;
}

/* In the request, else -1. */
static int index_of(const struct change *c, const struct object *o)
{
	const struct change_item *it = item_of(c, o);

	return it ? (int)(it - c->items) : -1;
}

static void refuse_claim(struct change *c, const struct lost_claim *l)
{
	const bool is_ours = strcmp(l->gateway->project, c->req->project) == 0;
	const struct object *ours = is_ours ? l->gateway : l->owner;
	const struct object *theirs = is_ours ? l->owner : l->gateway;
	char text[ADDR_PORT_TEXT_MAX];

	change_cause(
		c, index_of(c, ours),
		arena_printf(c->answer,
			     "Gateway %s/%s: %s/%s %s a Gateway of project %s%s: use another "
			     "address or port, or end its use in project %s first",
			     ours->res.namespace, ours->res.name,
			     addr_print_port(&l->vip, l->port, text), l->protocol,
			     is_ours ? "belongs to" : "is carried for", theirs->project,
			     is_ours ? ""
				     : ", and this Gateway is older, so it would be taken away",
			     theirs->project));
}

/* Inside one project it is a condition: the older Gateway has it. */
static void check_claims(struct change *c, const struct generation *next)
{
	const struct model *m = next->model;

	for (size_t i = 0; i < m->lost_count; i++) {
		const struct lost_claim *l = &m->lost[i];

		if (strcmp(l->gateway->project, l->owner->project) != 0 &&
		    !was_lost(c->engine->now->model, l))
			refuse_claim(c, l);
	}
}

static bool is_carried(const struct service *s)
{
	return s->locality_count > 0;
}

static int compare_places(const struct service *a, const struct service *b)
{
	int order = strcmp(a->project, b->project);

	if (!order)
		order = addr_compare(&a->vip, &b->vip);
	if (!order)
		order = (int)a->port - (int)b->port;
	if (!order)
		order = (int)a->proto - (int)b->proto;
	return order ? order : (int)a->proxied - (int)b->proxied;
}

static int compare_services(const void *va, const void *vb)
{
	const struct service *a = va, *b = vb;
	int order = compare_places(a, b);

	return order || !a->proxied ? order : strcmp(a->name, b->name);
}

/* Services of both are in this order but for the names of rules, which are few at one place. */
static bool has_carried(const struct model *m, const struct service *s)
{
	size_t low = 0, high = m->service_count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (compare_places(&m->services[mid], s) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < m->service_count && compare_places(&m->services[low], s) == 0; low++) {
		if (compare_services(&m->services[low], s) == 0 && is_carried(&m->services[low]))
			return true;
	}
	return false;
}

static const struct node *listener_of(const struct object *gateway, const char *name)
{
	const struct node *list = node_at(gateway->res.root, "spec.listeners");

	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "name", ""), name) == 0)
			return node_item(list, i);
	}
	return NULL;
}

static bool is_equal(const struct node *a, const struct node *b)
{
	return (!a && !b) || (a && b && node_equal(a, b));
}

/* As the change would have it, or NULL. */
static const struct object *after(const struct generation *next, const struct object *o)
{
	const struct object_key key = object_key(o);

	return generation_find(next, &key);
}

static bool is_changed(const struct generation *next, const struct object *o)
{
	const struct object *now = o ? after(next, o) : NULL;

	return o && (!now || !node_equal(now->res.root, o->res.root));
}

/* A listener beside it, or a label, does not mean this one. */
static bool means_listener(const struct generation *next, const struct service *s)
{
	static const char *const paths[] = {"spec.addresses", "spec.gatewayClassName", "spec.tls"};
	const struct object *now = after(next, s->gateway);

	if (!now)
		return true;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!is_equal(node_at(now->res.root, paths[i]),
			      node_at(s->gateway->res.root, paths[i])))
			return true;
	}
	return !is_equal(listener_of(now, s->listener), listener_of(s->gateway, s->listener));
}

/* Names are looked up after the change, so what they come to is not its doing. */
static bool has_name(const struct locality *l)
{
	for (size_t i = 0; i < l->count; i++) {
		if (l->members[i]->kind == ENDPOINT_FQDN || l->members[i]->fqdn)
			return true;
	}
	return false;
}

/* The change says by itself that the service is to be another, or no more. */
static bool is_meant(const struct generation *next, const struct service *s)
{
	if (means_listener(next, s) || is_changed(next, s->route))
		return true;
	for (size_t i = 0; i < s->locality_count; i++) {
		const struct locality *l = &s->localities[i];

		if (has_name(l))
			return true;
		for (size_t k = 0; k < l->count; k++) {
			if (is_changed(next, l->backends[k]))
				return true;
		}
	}
	return false;
}

static bool has_changed(const struct model *m, const struct generation *other)
{
	for (size_t i = 0; i < m->object_count; i++) {
		const enum kind_id kind = m->objects[i].res.kind->id;

		if ((kind == KIND_REFERENCEGRANT || kind == KIND_GATEWAYCLASS) &&
		    is_changed(other, &m->objects[i]))
			return true;
	}
	return false;
}

/* To take back a permission, or to hand over a class, is to switch off what rests on it. */
static bool takes_back(const struct change *c, const struct generation *next)
{
	return has_changed(c->engine->now->model, next) || has_changed(next->model, c->engine->now);
}

static const char *bad_condition(const struct object *o, const char *section)
{
	for (size_t i = 0; o && i < o->condition_count; i++) {
		const struct condition *k = &o->conditions[i];

		if (!k->status && (!section || (k->section && strcmp(k->section, section) == 0)))
			return k->message;
	}
	return NULL;
}

static const char *why_lost(const struct generation *next, const struct service *s)
{
	const struct object_key gateway = object_key(s->gateway);
	const char *why = bad_condition(generation_find(next, &gateway), s->listener);
	struct object_key route;

	if (!why && s->route) {
		route = object_key(s->route);
		why = bad_condition(generation_find(next, &route), NULL);
	}
	return why ? why : "nothing is left that could be used";
}

static void refuse_loss(struct change *c, const struct generation *next, const struct service *s)
{
	char text[ADDR_PORT_TEXT_MAX];

	change_cause(c, c->count == 1 ? 0 : -1,
		     arena_printf(c->answer,
				  "service %s at %s/%s carries traffic and would lose all its "
				  "endpoints: %s: to end it, change or delete its route, listener "
				  "or Backends",
				  s->name, addr_print_port(&s->vip, s->port, text),
				  s->proto == IPPROTO_UDP ? "UDP" : "TCP", why_lost(next, s)));
}

/*
 * What the host has is not the change's doing either: names and addresses come and go. Only when a
 * service seems to be lost is it worth while to see what would be without the change.
 */
static const struct model *resolve_unchanged(struct change *c, struct arena *a)
{
	const struct model_options opts = engine_model_options(c->engine, a);
	const struct generation *now = c->engine->now;

	return model_resolve(a, generation_copy(now, a), now->model->object_count, &opts, NULL);
}

static void check_losses(struct change *c, const struct generation *next)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const struct model *now = c->engine->now->model, *unchanged = NULL;

	if (!a || c->req->mode == CHANGE_DELETE)
		return;
	for (size_t i = 0; i < now->service_count; i++) {
		const struct service *s = &now->services[i];

		if (!is_carried(s) || has_carried(next->model, s) || is_meant(next, s))
			continue;
		if (!unchanged && takes_back(c, next))
			return;
		if (!unchanged)
			unchanged = resolve_unchanged(c, a);
		if (has_carried(unchanged, s))
			refuse_loss(c, next, s);
	}
}

int carry_check(struct change *c, const struct generation *next)
{
	check_claims(c, next);
	if (!c->out->cause_count)
		check_losses(c, next);
	if (!c->out->cause_count)
		return 0;
	(void)change_refuse_causes(c);
	c->out->code = 409;
	c->out->reason = "Conflict";
	return -EINVAL;
}
