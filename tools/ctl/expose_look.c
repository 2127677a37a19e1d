/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Before anything is made: what is there already. A port of an address belongs to one listener, in
 * whatever namespace its Gateway is; what is stored is added to, never changed.
 */
#include <string.h>

#include "ctl/expose.h"
#include "ctl/http.h"
#include "ctl/target.h"

/* *out is NULL when there is no such object. Nonzero, and said so, when there was no answer. */
static int fetch(const struct expose *e, enum kind_id id, const char *name, struct node **out)
{
	struct reply r;

	*out = NULL;
	if (http_request(e->c, "GET", target_path(e->c, &kinds[id], e->c->namespace, name), NULL,
			 &r))
		return 1;
	if (r.code == 404)
		return 0;
	if (r.code != 200 || !r.body)
		return http_error(&r);
	*out = r.body;
	return 0;
}

bool expose_has(const struct expose *e, const struct spw_addr *addr)
{
	for (size_t i = 0; i < e->address_count; i++) {
		if (addr_equal(&e->addresses[i], addr))
			return true;
	}
	return false;
}

static bool is_wanted(const struct expose *e, const char *text)
{
	struct spw_addr addr;

	return addr_parse(text, &addr) == 0 && expose_has(e, &addr);
}

/* How many of the Gateway's addresses are ours; *all: how many it has. */
static size_t count_shared(const struct expose *e, const struct node *gateway, size_t *all)
{
	const struct node *list = node_at(gateway, "spec.addresses");
	size_t shared = 0;

	*all = node_count(list);
	for (size_t i = 0; i < *all; i++)
		shared += is_wanted(e, node_text_at(node_item(list, i), "value", ""));
	return shared;
}

/* HTTP, HTTPS and TLS are TCP underneath. */
static bool takes_port(const struct expose *e, const struct node *listener)
{
	const bool udp = strcmp(node_text_at(listener, "protocol", ""), "UDP") == 0;

	return node_int_at(listener, "port", -1) == e->port &&
	       udp == (strcmp(e->protocol, "UDP") == 0);
}

static int check_ports(const struct expose *e, const struct node *gateway)
{
	const struct node *list = node_at(gateway, "spec.listeners");
	size_t all;

	if (!count_shared(e, gateway, &all))
		return 0;
	for (size_t i = 0; i < node_count(list); i++) {
		if (takes_port(e, node_item(list, i)))
			return ctl_error("port %lld/%s is taken: listener \"%s\" of Gateway %s/%s "
					 "has it on the same address",
					 (long long)e->port, e->protocol,
					 node_text_at(node_item(list, i), "name", ""),
					 node_text_at(gateway, "metadata.namespace", ""),
					 node_text_at(gateway, "metadata.name", ""));
	}
	return 0;
}

static int check_all_ports(const struct expose *e)
{
	const struct target t = {.kind = &kinds[KIND_GATEWAY]};
	struct found_list found = {0};
	struct refusals refused = {0};

	if (target_fetch(e->c, &t, NULL, &found, &refused) || refusals_print(&refused))
		return 1;
	for (size_t i = 0; i < found.count; i++) {
		if (check_ports(e, found.items[i].object))
			return 1;
	}
	return 0;
}

/* Another address would be served by all of the Gateway's listeners, which nobody asked for. */
static int check_addresses(const struct expose *e, const struct node *gateway)
{
	size_t all, shared = count_shared(e, gateway, &all);

	if (shared == all && all == e->address_count)
		return 0;
	return ctl_error("Gateway \"%s\" exists with other addresses, which are left as they are: "
			 "give the same --address, or another --name",
			 e->name);
}

/* NAME, or NAME-PORT when there is such a route already. */
static int find_route_name(const struct expose *e, const char **route)
{
	const enum kind_id id = strcmp(e->protocol, "UDP") == 0 ? KIND_UDPROUTE : KIND_TCPROUTE;
	const char *names[] = {e->name,
			       arena_printf(e->c->arena, "%s-%lld", e->name, (long long)e->port)};
	struct node *stored;

	for (size_t i = 0; i < 2; i++) {
		if (fetch(e, id, names[i], &stored))
			return 1;
		if (stored)
			continue;
		*route = names[i];
		return 0;
	}
	return ctl_error("%ss \"%s\" and \"%s\" exist: give another --name", kinds[id].name,
			 names[0], names[1]);
}

int expose_look(const struct expose *e, struct node **gateway, const char **route)
{
	const struct target backend = {.kind = &kinds[KIND_BACKEND], .name = e->backend};
	struct found_list found = {0};
	struct refusals refused = {0};

	if (target_fetch(e->c, &backend, e->c->namespace, &found, &refused) ||
	    refusals_print(&refused))
		return 1;
	if (fetch(e, KIND_GATEWAY, e->name, gateway) || check_all_ports(e))
		return 1;
	if (*gateway && check_addresses(e, *gateway))
		return 1;
	return find_route_name(e, route);
}
