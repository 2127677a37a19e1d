/* SPDX-License-Identifier: BSD-2-Clause */
/* The manifests that one would write by hand: nothing in them that is not needed. */
#include <string.h>

#include "ctl/expose.h"

#define GATEWAY_CLASS "spillway"

static const struct loc nowhere;

static void set_text(struct arena *a, struct node *map, const char *key, const char *text)
{
	node_set(a, map, key, node_new_string(a, text, nowhere));
}

static struct node *set_map(struct arena *a, struct node *map, const char *key)
{
	struct node *member = node_new(a, NODE_MAP, nowhere);

	node_set(a, map, key, member);
	return member;
}

static struct node *set_list(struct arena *a, struct node *map, const char *key)
{
	struct node *member = node_new(a, NODE_LIST, nowhere);

	node_set(a, map, key, member);
	return member;
}

static struct node *append_map(struct arena *a, struct node *list)
{
	struct node *item = node_new(a, NODE_MAP, nowhere);

	node_append(a, list, item);
	return item;
}

static struct node *new_object(const struct expose *e, enum kind_id id, const char *name)
{
	struct arena *a = e->c->arena;
	struct node *object = node_new(a, NODE_MAP, nowhere), *metadata;

	set_text(a, object, "apiVersion", kind_api_version(a, &kinds[id], NULL));
	set_text(a, object, "kind", kinds[id].name);
	metadata = set_map(a, object, "metadata");
	set_text(a, metadata, "name", name);
	set_text(a, metadata, "namespace", e->c->namespace);
	return object;
}

static const char *listener_name(const struct expose *e)
{
	return arena_printf(e->c->arena, "%s-%lld", strcmp(e->protocol, "UDP") == 0 ? "udp" : "tcp",
			    (long long)e->port);
}

static void add_listener(const struct expose *e, struct node *spec)
{
	struct arena *a = e->c->arena;
	struct node *list = node_member(spec, "listeners");
	struct node *listener = append_map(a, list ? list : set_list(a, spec, "listeners"));

	set_text(a, listener, "name", listener_name(e));
	node_set(a, listener, "port", node_new_int(a, e->port, nowhere));
	set_text(a, listener, "protocol", e->protocol);
}

struct node *expose_gateway(const struct expose *e, const struct node *stored)
{
	struct arena *a = e->c->arena;
	char text[ADDR_TEXT_MAX];
	struct node *gateway, *spec, *list, *address;

	if (stored) {
		gateway = node_copy(a, stored);
		node_remove(gateway, "status");
		add_listener(e, node_member(gateway, "spec"));
		return gateway;
	}
	gateway = new_object(e, KIND_GATEWAY, e->name);
	spec = set_map(a, gateway, "spec");
	set_text(a, spec, "gatewayClassName", GATEWAY_CLASS);
	list = set_list(a, spec, "addresses");
	for (size_t i = 0; i < e->address_count; i++) {
		address = append_map(a, list);
		set_text(a, address, "type", "IPAddress");
		set_text(a, address, "value", addr_print(&e->addresses[i], text));
	}
	add_listener(e, spec);
	return gateway;
}

struct node *expose_route(const struct expose *e, const char *name)
{
	struct arena *a = e->c->arena;
	const enum kind_id id = strcmp(e->protocol, "UDP") == 0 ? KIND_UDPROUTE : KIND_TCPROUTE;
	struct node *route = new_object(e, id, name);
	struct node *spec = set_map(a, route, "spec");
	struct node *parent = append_map(a, set_list(a, spec, "parentRefs"));
	struct node *rule = append_map(a, set_list(a, spec, "rules"));
	struct node *backend = append_map(a, set_list(a, rule, "backendRefs"));

	set_text(a, parent, "name", e->name);
	set_text(a, parent, "sectionName", listener_name(e));
	set_text(a, backend, "group", kinds[KIND_BACKEND].group);
	set_text(a, backend, "kind", kinds[KIND_BACKEND].name);
	set_text(a, backend, "name", e->backend);
	if (e->weight >= 0)
		node_set(a, backend, "weight", node_new_int(a, e->weight, nowhere));
	return route;
}
