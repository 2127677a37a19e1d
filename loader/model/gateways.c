/* SPDX-License-Identifier: BSD-2-Clause */
/* Gateways: their addresses, and at the end what became of them and of their listeners. */
#include <string.h>

#include "base/addr.h"
#include "model/resolver.h"

struct vips {
	struct spw_addr *items;
	size_t count;
};

static void add_vip(struct resolver *r, struct vips *v, const struct spw_addr *vip)
{
	for (size_t i = 0; i < v->count; i++) {
		if (addr_equal(&v->items[i], vip))
			return;
	}
	*arena_push(r->arena, v->items, v->count) = *vip;
}

static void refuse_address(struct resolver *r, struct object *o, const struct node *n,
			   struct problem *out, const char *message)
{
	if (!out->reason)
		*out = (struct problem){"UnsupportedAddress", message};
	resolve_warn(r, o, member_loc(n, "value"), message);
}

static void read_address(struct resolver *r, struct object *o, const struct node *n,
			 struct vips *out, struct problem *problem)
{
	const char *type = node_text_at(n, "type", "IPAddress");
	const char *value = node_text_at(n, "value", "");
	struct spw_addr vip;

	/* Upstream accepts it; no address is had of it here, and Programmed says so. */
	if (strcmp(type, "Hostname") == 0)
		return;
	if (strcmp(type, "IPAddress") != 0) {
		refuse_address(r, o, n, problem,
			       arena_printf(r->arena,
					    "Gateway has an address with an unsupported type: %s",
					    type));
		return;
	}
	if (addr_parse(value, &vip)) {
		refuse_address(r, o, n, problem,
			       arena_printf(r->arena, "address %s is no IP address", value));
		return;
	}
	if (addr_is_unspecified(&vip) || addr_is_multicast(&vip) || addr_is_loopback(&vip)) {
		refuse_address(r, o, n, problem,
			       arena_printf(r->arena, "no client can reach the address %s", value));
		return;
	}
	add_vip(r, out, &vip);
}

/* An address without a value asks for any: the same as none at all. */
static bool names_an_address(const struct node *list)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (*node_text_at(node_item(list, i), "value", ""))
			return true;
	}
	return false;
}

static void read_addresses(struct resolver *r, struct object *o, struct vips *out,
			   struct problem *problem)
{
	const struct node *list = node_at(o->res.root, "spec.addresses");

	if (!names_an_address(list)) {
		for (size_t i = 0; i < r->opts->host_addr_count; i++)
			add_vip(r, out, &r->opts->host_addrs[i]);
		return;
	}
	for (size_t i = 0; i < node_count(list); i++)
		read_address(r, o, node_item(list, i), out, problem);
}

static void read_listeners(struct resolver *r, struct object *o, const struct vips *vips)
{
	const struct node *list = node_at(o->res.root, "spec.listeners");

	r->first_listener[o - r->model->objects] = r->listener_count;
	o->attached = arena_array(r->arena, node_count(list), sizeof(*o->attached));
	for (size_t i = 0; i < node_count(list); i++) {
		struct listener *l = arena_push(r->arena, r->listeners, r->listener_count);

		l->gateway = o;
		l->attached = &o->attached[i];
		l->node = node_item(list, i);
		l->name = node_text_at(l->node, "name", "");
		l->protocol = node_text_at(l->node, "protocol", "");
		l->hostname = node_text_at(l->node, "hostname", NULL);
		l->port = (uint16_t)node_int_at(l->node, "port", 0);
		l->vips = arena_array(r->arena, vips->count, sizeof(*l->vips));
		l->vip_count = vips->count;
		if (vips->count)
			memcpy(l->vips, vips->items, vips->count * sizeof(*l->vips));
	}
}

/* The certificate that endpoints are shown by all that comes through this Gateway. */
static void read_client(struct resolver *r, struct object *o)
{
	const struct node *ref = node_at(o->res.root, "spec.tls.backend.clientCertificateRef");
	const char *namespace = node_text_at(ref, "namespace", o->res.namespace);
	const char *name = node_text_at(ref, "name", "");
	struct cert_problem why = {0};
	const char *text;

	if (!ref)
		return;
	if (!grants_allow(r, o, "", "Secret", namespace, name))
		why = (struct cert_problem){
			.reason = "RefNotPermitted",
			.message = arena_printf(r->arena,
						"Secret %s/%s not permitted by any ReferenceGrant.",
						namespace, name)};
	else if (certs_client(r, o, ref, &r->gateway_client[o - r->model->objects], &why))
		return;
	r->gateway_client[o - r->model->objects] = (struct client_cert){0};
	text = text_sentence(r->arena, why.message);
	condition_plain(r, o, "ResolvedRefs", false, why.reason, text);
	if (!why.follows)
		resolve_warn(r, o, member_loc(ref, "name"), text);
}

/* What of a Gateway nothing acts on, and an address that is none while others are. */
static const char *idle_fields(struct arena *a, const struct object *o)
{
	static const char *const paths[] = {"spec.infrastructure", "spec.allowedListeners"};
	const struct node *addresses = node_at(o->res.root, "spec.addresses");
	const char *list = NULL;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (node_at(o->res.root, paths[i]))
			list = text_join(a, list, ", ", paths[i]);
	}
	for (size_t i = 0; i < node_count(addresses); i++) {
		if (strcmp(node_text_at(node_item(addresses, i), "type", ""), "Hostname") == 0)
			list = text_join(a, list, ", ",
					 arena_printf(a, "spec.addresses[%zu]: Hostname", i));
	}
	return list;
}

static const char *accepted_text(struct arena *a, const struct object *o)
{
	static const char plain[] = "The Gateway is accepted";
	const char *idle = idle_fields(a, o);

	return idle ? arena_printf(a, "%s, but in this version these fields have no effect: %s",
				   plain, idle)
		    : plain;
}

/* Oldest Gateway first, so that claims of addresses are settled in the order of the list. */
void gateways_read(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_age, KIND_GATEWAY, &count);

	r->gateway_client =
		arena_array(r->arena, r->model->object_count, sizeof(*r->gateway_client));
	r->first_listener = arena_array(r->arena, r->model->object_count, sizeof(size_t));
	for (size_t i = 0; i < count; i++) {
		struct problem problem = {0};
		struct vips vips = {0};

		if (list[i]->foreign)
			continue;
		read_addresses(r, list[i], &vips, &problem);
		list[i]->accepted = !problem.reason;
		if (problem.reason)
			condition_plain(r, list[i], "Accepted", false, problem.reason,
					problem.message);
		else
			condition_plain(r, list[i], "Accepted", true, "Accepted",
					accepted_text(r->arena, list[i]));
		read_client(r, list[i]);
		read_listeners(r, list[i], &vips);
	}
}

static void report_part(struct resolver *r, const struct listener *l, const char *type,
			const struct problem *p, const char *good_reason, const char *good)
{
	const struct condition c = {
		.type = type,
		.status = !p->reason,
		.reason = p->reason ? p->reason : good_reason,
		.message = p->reason ? p->message : good,
		.section = l->name,
	};

	condition_add(r, l->gateway, &c);
}

/* The Gateway API has it apart, and the other way round. */
static void report_conflict(struct resolver *r, const struct listener *l)
{
	const struct condition c = {
		.type = "Conflicted",
		.status = true,
		.reason = l->refused.reason,
		.message = l->refused.message,
		.section = l->name,
	};

	condition_add(r, l->gateway, &c);
}

static void report_listener(struct resolver *r, const struct listener *l)
{
	static const struct problem refused = {"Invalid", "the listener is not accepted"};
	static const struct problem homeless = {"Pending", "the Gateway has no address"};
	const struct problem *p = &l->degraded;

	if (l->refused.reason)
		p = &refused;
	else if (!p->reason && l->vip_count == 0)
		p = &homeless;
	report_part(r, l, "Accepted", &l->refused, "Accepted",
		    strcmp(node_text_at(l->node, "allowedRoutes.namespaces.from", "Same"),
			   "Selector") == 0
			    ? "The listener is accepted, but namespaces have no labels here, so "
			      "its allowedRoutes.namespaces.selector matches none"
			    : "The listener is accepted");
	if (strstr(l->refused.reason ? l->refused.reason : "", "Conflict"))
		report_conflict(r, l);
	report_part(r, l, "ResolvedRefs", l->certs.reason ? &l->certs : &l->kinds, "ResolvedRefs",
		    "Resolved all the Object references for the listener");
	report_part(r, l, "Programmed", p, "Programmed",
		    node_count(node_at(l->node, "tls.options"))
			    ? "The listener is programmed, but tls.options have no effect"
			    : "The listener is programmed");
}

static void report_gateway(struct resolver *r, struct object *o, size_t ready, bool has_address)
{
	if (!has_address)
		condition_plain(r, o, "Programmed", false, "AddressNotAssigned",
				"No addresses have been assigned to the Gateway");
	else if (ready == 0)
		condition_plain(r, o, "Programmed", false, "Invalid",
				"no listener of the Gateway can be programmed");
	else
		condition_plain(r, o, "Programmed", true, "Programmed",
				"The Gateway is programmed");
}

/* The Gateway API's word: accepted all the same, since the others work. */
static void note_invalid(struct resolver *r, struct object *o, size_t first, size_t end)
{
	struct name_list names = {0};

	for (size_t i = first; i < end; i++) {
		const struct listener *l = &r->listeners[i];

		if (l->refused.reason || l->certs.reason)
			names_add(r->arena, &names, l->name);
	}
	for (size_t i = 0; names.count && i < o->condition_count; i++) {
		struct condition *c = &o->conditions[i];

		if (strcmp(c->type, "Accepted") != 0 || c->section || !c->status)
			continue;
		c->reason = "ListenersNotValid";
		c->message = arena_printf(r->arena, "%s; these of its listeners are not valid: %s",
					  c->message, names_text(r->arena, &names));
	}
}

/* Listeners of one Gateway stand together. */
void gateways_report(struct resolver *r)
{
	size_t i = 0;

	while (i < r->listener_count) {
		struct object *o = r->listeners[i].gateway;
		const size_t first = i;
		bool has_address = false;
		size_t ready = 0;

		for (; i < r->listener_count && r->listeners[i].gateway == o; i++) {
			const struct listener *l = &r->listeners[i];

			ready += !l->refused.reason && l->vip_count > 0;
			has_address = has_address || l->vip_count > 0 || l->degraded.reason;
		}
		note_invalid(r, o, first, i);
		report_gateway(r, o, ready, has_address);
		for (size_t n = first; n < i; n++)
			report_listener(r, &r->listeners[n]);
	}
}
