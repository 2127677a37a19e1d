/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One source port: is it free, or may it be taken from the flow that holds it? The reverse entry
 * under it is what reserves it; reserve.h says which ports are looked at.
 */
#ifndef SPILLWAY_BPF_PORT_H
#define SPILLWAY_BPF_PORT_H

#include "flow.h"

#define RESERVE_EEXIST 17

/* How far the flow that holds a port is over: the further, the sooner its port is taken. */
enum port_rest {
	PORT_IN_USE = 0,
	PORT_CLOSED,	   /* and silent for two seconds: nothing is under way any more */
	PORT_SAME_CLIENT,  /* likewise; for its own client a server may give TIME_WAIT up */
	PORT_NO_TIME_WAIT, /* likewise; the endpoint has forgotten it */
	PORT_EXPIRED,
};

/*
 * The flow in the making lies in a per-CPU map and not on the stack: a global function gets at it
 * there, and Linux 6.1 takes no other memory that such a function is given for a map's key.
 */
static inline struct opening *opening_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&opening, &zero);
}

static inline __be16 port_number(const struct spw_settings *s, __u32 place)
{
	__u32 at = s->port_count ? place % s->port_count : 0;
	__u32 line = s->port_line + at / SPW_LINE_SLOTS;
	const struct spw_port_line *l = bpf_map_lookup_elem(&ports, &line);

	return l ? l->port[at % SPW_LINE_SLOTS] : 0;
}

/* How far the flow that holds a port is over. Without its partner it is being made or removed. */
static inline enum port_rest port_rest(const struct opening *o, const struct spw_settings *s,
				       const struct spw_flow *r, const struct spw_flow *f)
{
	if (!r || !f || r->dir != SPW_FLOW_REVERSE)
		return PORT_IN_USE;
	if (flow_is_expired(f, o->reverse_key.proto, s, o->now_ns))
		return PORT_EXPIRED;
	if (!(f->state & SPW_FLOW_CLOSED) || flow_idle_ns(f, o->now_ns) < FLOW_SETTLED_NS)
		return PORT_IN_USE;
	if (f->state & (SPW_FLOW_RESET | SPW_FLOW_CLIENT_FIRST))
		return PORT_NO_TIME_WAIT;
	return addr_equal(&r->daddr, &o->entry.daddr) ? PORT_SAME_CLIENT : PORT_CLOSED;
}

/* Takes the port from the flow that holds it, if that is over so far; o->rest says how far. */
static __noinline bool port_take(struct opening *o, const struct spw_settings *s, __u32 least)
{
	struct spw_flow_key key = {};
	struct spw_flow *r, *f = NULL;

	if (!o || !s)
		return false;
	r = bpf_map_lookup_elem(&flows, &o->reverse_key);
	if (r) {
		flow_partner_key(r, o->reverse_key.proto, &key);
		f = bpf_map_lookup_elem(&flows, &key);
	}
	o->rest = port_rest(o, s, r, f);
	if (o->rest == PORT_IN_USE || o->rest < least || !flow_remove(&key, f))
		return false;
	if (o->rest == PORT_EXPIRED)
		count_shared(SPW_COUNT_FLOW_EXPIRED);
	if (o->rest == PORT_CLOSED || o->rest == PORT_SAME_CLIENT)
		count(SPW_COUNT_PORT_REUSED_EARLY);
	return true;
}

/* One port: 0 or a negative errno. A global function: the verifier walks it once, not per loop. */
__noinline long port_reserve(__u32 place, __u32 least)
{
	struct opening *o = opening_scratch();
	const struct spw_settings *s;
	long err;

	if (!o)
		return -1;
	s = config_settings(o->side);
	if (!s)
		return -1;
	o->rest = PORT_IN_USE;
	o->reverse_key.dport = port_number(s, place);
	err = flow_insert(&o->reverse_key, &o->entry);
	if (err != -RESERVE_EEXIST || !port_take(o, s, least))
		return err;
	return flow_insert(&o->reverse_key, &o->entry);
}

#endif
