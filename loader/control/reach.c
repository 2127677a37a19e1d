/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asked whenever a status is, since routes and drivers change by themselves. So nothing knows since
 * when it is so, and the condition has no time of transition.
 */
#include "control/reach.h"

#include <string.h>

#include "base/addr.h"
#include "control/tree.h"

/* Instances of one address and port are reached alike, whoever's they are. */
static const char *obstacle(struct engine *e, struct arena *a, const struct spw_addr *addr,
			    uint16_t port)
{
	size_t first, count = generation_range(e->now, addr, port, &first);
	const char *text = NULL;
	uint32_t id;

	for (size_t i = 0; i < count && !text; i++) {
		id = engine_endpoint_id(e, e->now->by_address[first + i]);
		if (id != SPW_ENDPOINT_NONE)
			text = dataplane_endpoint_obstacle(e->dp, a, id);
	}
	return text;
}

/* Of those that are handed off: the first one's. */
static const char *handoff_trouble(struct engine *e, struct arena *a, const struct object *backend)
{
	const struct model *m = e->now->model;
	const char *name, *text;

	if (!e->handoff || !handoff_has_obstacles(e->handoff))
		return NULL;
	name = arena_printf(a, "%s/%s", backend->res.namespace, backend->res.name);
	for (size_t i = 0; i < m->instance_count; i++) {
		const struct instance *in = &m->instances[i];

		if (!in->carried || in->mode != SPW_MODE_HANDOFF || strcmp(in->backend, name) != 0)
			continue;
		text = handoff_obstacle(e->handoff, engine_endpoint_id(e, in));
		if (text)
			return arena_printf(a, "endpoint %s: %s", in->name, text);
	}
	return NULL;
}

const char *reach_problem(struct engine *e, struct arena *a, const struct object *backend)
{
	const struct node *list = node_at(backend->res.root, "spec.endpoints");
	const char *first = handoff_trouble(e, a, backend), *text;
	char name[ADDR_PORT_TEXT_MAX];
	struct spw_addr addr;
	int64_t port;
	size_t more = 0;

	for (size_t i = 0; i < node_count(list); i++) {
		port = node_int_at(node_item(list, i), "ip.port", 0);
		if (port <= 0 || port > UINT16_MAX ||
		    addr_parse(node_text_at(node_item(list, i), "ip.address", ""), &addr))
			continue;
		text = obstacle(e, a, &addr, (uint16_t)port);
		if (text && first)
			more++;
		if (text && !first)
			first = arena_printf(a, "endpoint %s: %s",
					     addr_print_port(&addr, (uint16_t)port, name), text);
	}
	return more ? arena_printf(a, "%s (and %zu more of its endpoints)", first, more) : first;
}

void reach_overlay(struct engine *e, struct arena *a, struct node *conditions,
		   const struct object *backend)
{
	const char *problem = reach_problem(e, a, backend);
	struct node *c;

	if (!problem)
		return;
	for (size_t i = 0; i < conditions->count; i++) {
		c = conditions->items[i];
		if (strcmp(node_text_at(c, "type", ""), "Programmed") != 0)
			continue;
		tree_set_text(a, c, "message",
			      arena_printf(a, "%s; %s", node_text_at(c, "message", ""), problem));
		return;
	}
	c = tree_append_map(a, conditions);
	tree_set_text(a, c, "type", "Programmed");
	tree_set_text(a, c, "status", "False");
	tree_set_text(a, c, "reason", REACH_REASON);
	tree_set_text(a, c, "message", problem);
	tree_set_int(a, c, "observedGeneration", backend->generation);
}
