/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Replies go back the way the client's latest packet came: its source MAC, its VLAN tag and the
 * interface, kept in both entries of the flow.
 */
#ifndef SPILLWAY_BPF_PATH_H
#define SPILLWAY_BPF_PATH_H

#include "flow.h"
#include "mac.h"

/* Where the packet came from. */
static inline void path_note(const struct pkt *p, struct spw_flow_core *c)
{
	*(word64 *)c->client_mac = mac_word(mac_source(p->eth), p->vlan);
	c->client_ifindex = p->ctx->ingress_ifindex;
	c->flags = 0;
}

static inline bool path_is_same(const struct pkt *p)
{
	const struct spw_flow_core *c = &p->f->core;

	if (c->client_ifindex != p->ctx->ingress_ifindex)
		return false;
	return mac_word(mac_source(p->eth), p->vlan) == *(const word64 *)c->client_mac;
}

/* By swaps from what was read, so that the line's next tenant keeps its own. */
static inline void path_store(__u32 v6, __u32 line, const struct spw_flow_core *was,
			      const struct spw_flow_core *here)
{
	struct spw_flow_core *at = lines_at(v6, line);

	if (line == TABLE_NONE || !at)
		return;
	swap64((__u64 *)at->client_mac, *(const word64 *)was->client_mac,
	       *(const word64 *)here->client_mac);
	swap64((__u64 *)&at->client_ifindex, *(const word64 *)&was->client_ifindex,
	       *(const word64 *)&here->client_ifindex);
}

/* The client's packet came another way than the one before. */
static __noinline int path_change(const struct pkt *p)
{
	const struct pair_scratch *s = lines_scratch(LINES_FLOW);
	struct spw_flow_core here;

	path_note(p, &here);
	path_store(p->v6, p->line, &p->f->core, &here);
	if (s)
		path_store(p->v6, flow_partner(p->f, p->v6), &s->entry.core, &here);
	return 0;
}

static inline void path_follow(const struct pkt *p)
{
	if (!path_is_same(p))
		path_change(p);
}

#endif
