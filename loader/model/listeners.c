/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listeners: which protocol is carried, which contradict each other, and who has which port of
 * which address when several Gateways want it.
 */
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/hash.h"
#include "model/resolver.h"

/* Protocols that may share a port of TCP. */
enum family { FAMILY_NONE, FAMILY_TCP, FAMILY_UDP, FAMILY_HTTP, FAMILY_TLS };

static enum family family_of(const char *protocol)
{
	static const struct {
		const char *name;
		enum family family;
	} rows[] = {
		{"TCP", FAMILY_TCP},   {"UDP", FAMILY_UDP}, {"HTTP", FAMILY_HTTP},
		{"HTTPS", FAMILY_TLS}, {"TLS", FAMILY_TLS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, protocol) == 0)
			return rows[i].family;
	}
	return FAMILY_NONE;
}

const char *const *model_route_kinds(const struct node *listener)
{
	static const char *const none[] = {NULL}, *const tcp[] = {"TCPRoute", NULL},
				 *const udp[] = {"UDPRoute", NULL},
				 *const http[] = {"HTTPRoute", NULL},
				 *const passed[] = {"TLSRoute", NULL},
				 *const ended[] = {"TCPRoute", "TLSRoute", NULL};
	const char *protocol = node_text_at(listener, "protocol", "");
	const char *mode = node_text_at(listener, "tls.mode", "Terminate");

	switch (family_of(protocol)) {
	case FAMILY_TCP:
		return tcp;
	case FAMILY_UDP:
		return udp;
	case FAMILY_HTTP:
		return http;
	case FAMILY_TLS:
		if (strcmp(protocol, "HTTPS") == 0)
			return http;
		return strcmp(mode, "Terminate") == 0 ? ended : passed;
	case FAMILY_NONE:
		break;
	}
	return none;
}

static void refuse(struct listener *l, const char *reason, const char *message)
{
	if (!l->refused.reason)
		l->refused = (struct problem){reason, message};
}

static void check_protocol(struct resolver *r, struct listener *l)
{
	const char *text;

	switch (family_of(l->protocol)) {
	case FAMILY_TCP:
		l->proto = IPPROTO_TCP;
		break;
	case FAMILY_UDP:
		l->proto = IPPROTO_UDP;
		break;
	case FAMILY_HTTP:
	case FAMILY_TLS:
		l->proto = IPPROTO_TCP;
		l->is_l7 = true;
		if (r->opts->no_userspace)
			refuse(l, "UnsupportedProtocol",
			       arena_printf(r->arena, "%s listeners need the userspace path: %s",
					    l->protocol, r->opts->no_userspace));
		break;
	case FAMILY_NONE:
		text = arena_printf(r->arena,
				    "Protocol %s is unsupported, must be HTTP, HTTPS, TCP or UDP.",
				    l->protocol);
		refuse(l, "UnsupportedProtocol", text);
		resolve_warn(r, l->gateway, member_loc(l->node, "protocol"), text);
		break;
	}
}

static void check_kinds(struct resolver *r, struct listener *l)
{
	const struct node *listed = node_at(l->node, "allowedRoutes.kinds");
	const char *const *own = model_route_kinds(l->node);
	const char *names = own[0];

	if (own[0] && own[1])
		names = arena_printf(r->arena, "%s or %s", own[0], own[1]);
	for (size_t i = 0; l->proto && i < node_count(listed); i++) {
		const struct node *n = node_item(listed, i);
		const char *kind = node_text_at(n, "kind", "");
		const char *text;

		if ((strcmp(kind, own[0]) == 0 || (own[1] && strcmp(kind, own[1]) == 0)) &&
		    strcmp(node_text_at(n, "group", GATEWAY_GROUP), GATEWAY_GROUP) == 0)
			continue;
		text = arena_printf(r->arena, "%s is not supported here, kind must be %s", kind,
				    names);
		if (!l->kinds.reason)
			l->kinds = (struct problem){"InvalidRouteKinds", text};
		resolve_warn(r, l->gateway, member_loc(n, "kind"), text);
	}
}

static bool share_port(const struct listener *a, const struct listener *b)
{
	const enum family fa = family_of(a->protocol), fb = family_of(b->protocol);

	return a->gateway == b->gateway && a->port == b->port && fa != FAMILY_NONE &&
	       fb != FAMILY_NONE && (fa == FAMILY_UDP) == (fb == FAMILY_UDP);
}

/* The listeners of one Gateway: first .. first + count - 1. */
static void check_mixture(struct resolver *r, struct listener *first, size_t count,
			  struct listener *l)
{
	const char *names = NULL, *text;
	struct listener *head = NULL;
	bool mixed = false;

	for (size_t i = 0; i < count; i++) {
		if (!share_port(&first[i], l))
			continue;
		head = head ? head : &first[i];
		mixed = mixed || family_of(first[i].protocol) != family_of(l->protocol);
		names = text_join(r->arena, names, ", ",
				  arena_printf(r->arena, "%s/%s/%s", l->gateway->res.namespace,
					       l->gateway->res.name, first[i].name));
	}
	if (!mixed)
		return;
	text = arena_printf(r->arena,
			    "All listeners for a given port must use a compatible protocol, "
			    "conflicting listeners: %s",
			    names);
	l->refused = (struct problem){"ProtocolConflict", text};
	if (l != head)
		resolve_warn(r, l->gateway, member_loc(l->node, "protocol"), text);
}

/* What a proxy does with the bytes of a port is the same for all of it. */
static const char *way_of(const struct listener *l)
{
	if (strcmp(l->protocol, "TLS") != 0)
		return l->protocol;
	return node_text_at(l->node, "tls.mode", "Terminate");
}

static const char *host_of(const struct listener *l)
{
	return l->hostname ? l->hostname : "";
}

/* Listeners of layer 7 share a port; each has a host name of its own. */
static bool check_hosts(struct resolver *r, struct listener *other, struct listener *l)
{
	const char *ns = l->gateway->res.namespace, *gateway = l->gateway->res.name, *text;

	if (strcmp(way_of(other), way_of(l)) != 0) {
		text = arena_printf(r->arena,
				    "All listeners for a given port must be of one protocol and "
				    "TLS mode, conflicting listeners: %s/%s/%s, %s/%s/%s",
				    ns, gateway, other->name, ns, gateway, l->name);
		refuse(l, "ProtocolConflict", text);
	} else if (strcasecmp(host_of(other), host_of(l)) == 0) {
		text = arena_printf(r->arena,
				    "All listeners for a given port must use a unique hostname, "
				    "conflicting listeners: %s/%s/%s, %s/%s/%s",
				    ns, gateway, other->name, ns, gateway, l->name);
		refuse(l, "HostnameConflict", text);
	} else {
		return true;
	}
	resolve_warn(r, l->gateway, member_loc(l->node, "port"), text);
	return false;
}

static void check_twins(struct resolver *r, struct listener *first, struct listener *l)
{
	const char *text;

	if (!l->proto || l->refused.reason)
		return;
	for (struct listener *other = first; other < l; other++) {
		if (other->refused.reason || other->proto != l->proto || other->port != l->port)
			continue;
		if (l->is_l7 && check_hosts(r, other, l))
			continue;
		if (l->refused.reason)
			return;
		text = arena_printf(r->arena, "Only one %s listener is allowed in a given port",
				    l->protocol);
		refuse(l, "ProtocolConflict", text);
		resolve_warn(r, l->gateway, member_loc(l->node, "port"), text);
		return;
	}
}

void listeners_check(struct resolver *r)
{
	size_t first = 0;

	for (size_t i = 0; i < r->listener_count; i++) {
		check_protocol(r, &r->listeners[i]);
		check_kinds(r, &r->listeners[i]);
	}
	while (first < r->listener_count) {
		struct listener *head = &r->listeners[first];
		size_t count = 0;

		while (first + count < r->listener_count && head[count].gateway == head->gateway)
			count++;
		for (size_t i = 0; i < count; i++)
			check_mixture(r, head, count, &head[i]);
		for (size_t i = 0; i < count; i++)
			check_twins(r, head, &head[i]);
		first += count;
	}
}

/* Who has an address, port and protocol; open addressing. */
struct claims {
	struct claim {
		struct spw_addr vip;
		const struct listener *owner;
	} *items;
	size_t size;
};

static struct claim *find_claim(const struct claims *c, const struct spw_addr *vip, uint16_t port,
				uint8_t proto)
{
	const uint64_t seed = (uint64_t)port << 8 | proto;
	size_t at = hash_bytes(vip->b, sizeof(vip->b), seed) & (c->size - 1);

	for (; c->items[at].owner; at = (at + 1) & (c->size - 1)) {
		const struct claim *have = &c->items[at];

		if (addr_equal(&have->vip, vip) && have->owner->port == port &&
		    have->owner->proto == proto)
			break;
	}
	return &c->items[at];
}

/* Another project's names are none of this one's business. */
static void lose(struct resolver *r, struct listener *l, const struct spw_addr *vip,
		 const struct object *owner)
{
	const bool same = strcmp(owner->project, l->gateway->project) == 0;
	char text[ADDR_PORT_TEXT_MAX];
	const char *message = arena_printf(r->arena, "%s/%s belongs to %s%s%s%s, which is older",
					   addr_print_port(vip, l->port, text), l->protocol,
					   same ? "Gateway " : "a Gateway of another project",
					   same ? owner->res.namespace : "", same ? "/" : "",
					   same ? owner->res.name : "");

	*arena_push(r->arena, r->model->lost, r->model->lost_count) =
		(struct lost_claim){l->gateway, l->name, l->protocol, *vip, l->port, owner};
	l->degraded = (struct problem){"AddressInUse",
				       text_join(r->arena, l->degraded.message, "; ", message)};
	resolve_warn(r, l->gateway, l->node->loc, message);
}

void listeners_claim(struct resolver *r)
{
	struct claims c = {.size = 16};
	size_t wanted = 0;

	for (size_t i = 0; i < r->listener_count; i++)
		wanted += r->listeners[i].vip_count;
	while (c.size < 2 * wanted)
		c.size *= 2;
	c.items = arena_array(r->arena, c.size, sizeof(*c.items));
	for (size_t i = 0; i < r->listener_count; i++) {
		struct listener *l = &r->listeners[i];
		size_t kept = 0;

		if (!l->proto || l->refused.reason || !l->gateway->accepted)
			continue;
		for (size_t v = 0; v < l->vip_count; v++) {
			struct claim *have = find_claim(&c, &l->vips[v], l->port, l->proto);

			if (have->owner && have->owner->is_l7 && l->is_l7 &&
			    have->owner->gateway == l->gateway) {
				l->vips[kept++] = l->vips[v];
				continue;
			}
			if (have->owner) {
				lose(r, l, &l->vips[v], have->owner->gateway);
				continue;
			}
			*have = (struct claim){l->vips[v], l};
			l->vips[kept++] = l->vips[v];
		}
		l->vip_count = kept;
	}
}
