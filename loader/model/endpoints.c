/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the endpoints of a Backend to the members of a service: a name becomes one member for each of
 * its addresses, each judged by itself, and what cannot be carried for this service is left to be
 * judged and shown only.
 */
#include <string.h>

#include "base/addr.h"
#include "model/resolver.h"

bool endpoint_is_promoted(const struct backend *b, const struct endpoint *e, uint8_t proto)
{
	return e->kind == ENDPOINT_FQDN && !e->tls && (proto == IPPROTO_UDP || b->xdp_names);
}

/* HAProxy would connect to this gateway, and again, until no descriptor is left. */
static bool leads_back(const struct resolver *r, const struct endpoint *e, uint8_t proto)
{
	bool found = false;

	for (size_t i = 0; i < r->listener_count && e->kind == ENDPOINT_IP; i++) {
		const struct listener *l = &r->listeners[i];

		if (l->port != e->port || (l->proto && l->proto != proto))
			continue;
		for (size_t n = 0; n < l->vip_count; n++)
			found = found || addr_equal(&l->vips[n], &e->addr);
	}
	return found;
}

/* Datagrams have no proxy: what XDP cannot reach is not reached. */
bool endpoint_is_served(const struct resolver *r, const struct backend *b, const struct endpoint *e,
			uint8_t proto)
{
	if (e->unusable)
		return false;
	if (!e->handoff || endpoint_is_promoted(b, e, proto))
		return true;
	return proto == IPPROTO_TCP && !r->opts->no_userspace && !leads_back(r, e, proto);
}

static void follow(struct resolver *r, const struct name_wish *w)
{
	struct model *m = r->model;

	for (size_t i = 0; i < m->wish_count; i++) {
		const struct name_wish *have = &m->wishes[i];

		if (have->family == w->family && have->refresh_ms == w->refresh_ms &&
		    have->respect_ttl == w->respect_ttl && strcmp(have->host, w->host) == 0)
			return;
	}
	*arena_push(m->arena, m->wishes, m->wish_count) = *w;
}

static void add(struct resolver *r, struct adding *add, const struct endpoint *e)
{
	struct locality *l = add->locality;
	size_t n = l->count, k = n;

	*arena_push(r->arena, l->backends, n) = add->backend->object;
	*arena_push(r->arena, l->zones, k) = e->zone;
	*arena_push(r->arena, l->members, l->count) =
		instances_get(add->all, add->backend, e, add->judges);
}

/* One of the addresses that a name stands for, as if the manifest had said it. */
static struct endpoint resolved(struct arena *a, const struct endpoint *e,
				const struct spw_addr *addr, bool promoted)
{
	struct endpoint one = *e;
	char text[ADDR_PORT_TEXT_MAX];

	one.kind = ENDPOINT_IP;
	one.addr = *addr;
	one.fqdn = e->host;
	one.host = NULL;
	one.hostname = e->hostname ? e->hostname : e->host;
	one.handoff = !promoted;
	one.name = arena_strdup(a, addr_print_port(addr, e->port, text));
	return one;
}

/* Those that no connection reaches. */
static void leave(struct resolver *r, struct adding *to, const struct endpoint *e)
{
	struct service *s = to->service;
	size_t n = s->handoff_count, k = n;
	struct endpoint shown = *e;

	shown.unusable = e->unusable ? e->unusable : "not carried";
	*arena_push(r->arena, s->handoff_backends, n) = to->backend->object;
	*arena_push(r->arena, s->handoff_tiers, k) = to->backend->tier;
	*arena_push(r->arena, s->handoff, s->handoff_count) =
		instances_get(to->all, to->backend, &shown, to->judges);
}

static bool add_resolved(struct resolver *r, struct adding *to, const struct endpoint *e)
{
	const bool promoted =
		!to->service->proxied && endpoint_is_promoted(to->backend, e, to->service->proto);
	struct name_wish w = to->judges->dns;
	struct name_addrs found = {0};

	w.host = e->host;
	follow(r, &w);
	if (r->opts->resolve)
		found = r->opts->resolve(r->opts->resolve_ctx, &w);
	for (size_t i = 0; i < found.count; i++) {
		const struct endpoint one = resolved(r->arena, e, &found.addrs[i], promoted);

		if (leads_back(r, &one, to->service->proto))
			leave(r, to, &one);
		else if (!promoted ||
			 family_of_addr(&one.addr) == family_of_addr(&to->service->vip))
			add(r, to, &one);
	}
	return found.count > 0;
}

/* Packets of direct return keep the port that they come to. */
static bool has_other_port(const struct adding *to, const struct endpoint *e)
{
	return mode_is_direct(to->backend->mode) && !e->handoff && !e->unusable &&
	       e->port != to->service->port;
}

static void leave_other_port(struct resolver *r, struct adding *to, struct endpoint *e)
{
	struct backend *b = r->backend_of[to->backend->object - r->model->objects];

	names_add(r->arena, &b->other_ports, e->name);
	e->unusable = arena_printf(r->arena, "not carried: mode %s keeps the listener's port %u",
				   mode_text(b->mode), to->service->port);
	leave(r, to, e);
}

void endpoints_add(struct resolver *r, struct adding *to)
{
	const struct backend *b = to->backend;
	const uint8_t proto = to->service->proto;
	const struct client_cert *client =
		&r->gateway_client[to->service->gateway - r->model->objects];

	for (size_t i = 0; i < b->count; i++) {
		struct endpoint own = b->endpoints[i], *e = &own;
		bool carried;

		own.tls = tls_for_gateway(r->arena, own.tls, client);
		own.handoff = own.handoff || (to->service->proxied && !own.unusable);
		if (has_other_port(to, e)) {
			leave_other_port(r, to, e);
			continue;
		}
		carried = endpoint_is_served(r, b, e, proto);
		if (carried && e->kind == ENDPOINT_FQDN && add_resolved(r, to, e))
			continue;
		if (!carried || e->kind == ENDPOINT_FQDN) {
			if (e->handoff)
				leave(r, to, e);
		} else if (e->handoff ||
			   family_of_addr(&e->addr) == family_of_addr(&to->service->vip)) {
			add(r, to, e);
		}
	}
}

static const char *why_left(const struct resolver *r, uint8_t proto)
{
	if (proto == IPPROTO_UDP)
		return "the userspace path that they need carries TCP only";
	if (r->opts->no_userspace)
		return r->opts->no_userspace;
	return "a listener of this gateway has that address and port: connections would come back";
}

/* What of a Backend a route of this protocol cannot use, besides what nobody can; or NULL. */
const char *endpoints_left_out(struct resolver *r, const struct backend *b, uint8_t proto)
{
	struct name_list names = {0};

	for (size_t i = 0; i < b->count; i++) {
		const struct endpoint *e = &b->endpoints[i];

		if (!e->unusable && !endpoint_is_served(r, b, e, proto))
			names_add(r->arena, &names, e->name);
	}
	if (!names.count)
		return NULL;
	return arena_printf(r->arena, "%s: %s", names_text(r->arena, &names), why_left(r, proto));
}
