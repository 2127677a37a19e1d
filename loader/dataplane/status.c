/* SPDX-License-Identifier: BSD-2-Clause */
/* What `status` and conditions say about this part. */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "dataplane/offload.h"
#include "dataplane/state.h"
#include "model/mode.h"

static struct interface_status interface_status(const struct dataplane *dp, struct arena *a,
						const struct interface *i)
{
	return (struct interface_status){
		.name = arena_strdup(a, i->link.name),
		.attached = i->bpf_link >= 0,
		.native = i->bpf_link >= 0 && i->native,
		.generic = i->bpf_link >= 0 && !i->native ? arena_strdup(a, i->generic_why) : NULL,
		.driver = i->bpf_link >= 0 && i->driver.name[0] ? arena_strdup(a, i->driver.name)
								: NULL,
		.problem = i->problem[0] ? arena_strdup(a, i->problem) : transmit_problem(dp, a, i),
	};
}

static const char *sysctl_text(struct arena *a, const struct change *c)
{
	char *text = arena_printf(a, "%s: %s -> %s", c->name, c->from, c->to);

	for (char *p = text; *p && *p != ':'; p++) {
		if (*p == '/')
			*p = '.';
	}
	return text;
}

static void add_changes(const struct dataplane *dp, struct arena *a, struct dataplane_status *s)
{
	enum offload o;

	for (size_t i = 0; i < dp->journal.count; i++) {
		const struct change *c = &dp->journal.items[i];

		switch (c->kind) {
		case CHANGE_SYSCTL:
			*arena_push(a, s->sysctls, s->sysctl_count) = sysctl_text(a, c);
			break;
		case CHANGE_RX_VLAN:
		case CHANGE_GRO:
			*arena_push(a, s->offloads, s->offload_count) = arena_printf(
				a, "%s of %s: %s -> %s", offload_of(c, &o) ? offload_name(o) : "",
				c->name, c->from, c->to);
			break;
		case CHANGE_CLSACT: /* only spillway-decap puts one in */
		case CHANGE_MOUNT:
			break;
		}
	}
}

static const struct spw_settings *in_force(const struct dataplane *dp)
{
	return &dp->maps.config->settings[dp->maps.config->active & 1];
}

void dataplane_status(struct dataplane *dp, struct arena *a, struct dataplane_status *out)
{
	struct dataplane_status s = {.interface_count = dp->interface_count};

	s.interfaces = arena_array(a, dp->interface_count + 1, sizeof(*s.interfaces));
	for (size_t i = 0; i < dp->interface_count; i++)
		s.interfaces[i] = interface_status(dp, a, &dp->interfaces[i]);
	add_changes(dp, a, &s);
	for (size_t i = 0; i < SPW_SOURCES_MAX; i++) {
		const struct spw_addr *source = &in_force(dp)->source[i];

		if (!addr_is_unspecified(source))
			*arena_push(a, s.sources, s.source_count) = *source;
	}
	s.map_bytes = maps_memory(&dp->maps);
	s.flow_bytes = maps_flow_memory(&dp->meta);
	*out = s;
}

void dataplane_host_addrs(struct dataplane *dp, struct arena *a, struct spw_addr **out,
			  size_t *count)
{
	struct host_addr *addrs = NULL;
	size_t all = 0;

	*out = NULL;
	*count = 0;
	if (host_addrs_read(&dp->netlink, &addrs, &all))
		return;
	for (size_t i = 0; i < all; i++) {
		if (host_addr_usable(&addrs[i]) && interface_by_index(dp, addrs[i].ifindex))
			*arena_push(a, *out, *count) = addrs[i].addr;
	}
	free(addrs);
}

static const char *interface_problem(struct arena *a, const struct next_hop *hop)
{
	char name[IFNAMSIZ];

	if (!if_indextoname(hop->ifindex, name))
		return "its route leads to an interface that is gone";
	return arena_printf(a,
			    "its packets would leave by %s, where Spillway is not attached: start "
			    "spillwayd with --interface %s as well",
			    name, name);
}

static bool is_forwarded_to(const struct dataplane *dp, uint32_t id)
{
	return id < dp->meta.max_endpoints && dp->maps.endpoints[id].mode != SPW_MODE_NONE &&
	       dp->maps.endpoints[id].mode != SPW_MODE_HANDOFF;
}

/* Between two hosts of a link no router changes the packet's MAC addresses, which l2 goes by. */
static const char *link_problem(struct arena *a, const struct spw_endpoint *e,
				const struct next_hop *hop)
{
	char text[ADDR_TEXT_MAX];

	if (e->mode != SPW_MODE_L2 || addr_equal(&hop->addr, &e->addr))
		return NULL;
	return arena_printf(
		a,
		"its packets would go to the router %s, and mode l2 reaches only hosts on a "
		"link of this gateway: put it on one, or use mode ipip",
		addr_print(&hop->addr, text));
}

static const char *source_problem(const struct dataplane *dp, const struct spw_endpoint *e)
{
	const struct spw_tunnels *t = dp->maps.tunnels;

	if (e->source_count || e->mode == SPW_MODE_L2) /* clients' own addresses stay */
		return NULL;
	if (!mode_is_direct(e->mode))
		return "the route to it has no source address of its family: add an address to the "
		       "interface, or name one with --source-address";
	if (!addr_is_unspecified(addr_is_v4(&e->addr) ? &t->source4 : &t->source6))
		return NULL;
	return "the route to it has no source address of its family for the outer header: add an "
	       "address to the interface, or name one with --source-address or a prefix with "
	       "--tunnel-source";
}

const char *dataplane_endpoint_obstacle(struct dataplane *dp, struct arena *a, uint32_t endpoint_id)
{
	const struct interface *egress;
	const struct spw_endpoint *e;
	const struct next_hop *hop;
	const char *problem;

	if (!is_forwarded_to(dp, endpoint_id))
		return NULL;
	e = &dp->maps.endpoints[endpoint_id];
	hop = &dp->next_hops[endpoint_id];
	if (hop->kind == ROUTE_LOCAL)
		return "it is an address of this host, which XDP cannot forward to: let it listen "
		       "on another host";
	if (hop->kind != ROUTE_FORWARD)
		return "this host has no route to it: add one with `ip route`";
	egress = interface_by_index(dp, hop->ifindex);
	if (!egress)
		return interface_problem(a, hop);
	problem = transmit_endpoint_problem(dp, a, egress);
	if (!problem)
		problem = link_problem(a, e, hop);
	return problem ? problem : source_problem(dp, e);
}

const char *dataplane_endpoint_problem(struct dataplane *dp, struct arena *a, uint32_t endpoint_id)
{
	const char *obstacle = dataplane_endpoint_obstacle(dp, a, endpoint_id);
	const struct next_hop *hop;
	char text[ADDR_TEXT_MAX];

	if (obstacle || !is_forwarded_to(dp, endpoint_id))
		return obstacle;
	hop = &dp->next_hops[endpoint_id];
	if (!neighbour_resolved_lately(dp, hop->ifindex, &hop->addr))
		return arena_printf(a, "its next hop %s does not answer on the network",
				    addr_print(&hop->addr, text));
	return NULL;
}
