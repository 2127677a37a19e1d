/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One source port: is it free, or may it be taken from the flow that holds it? The reverse entry
 * under it is what reserves it; reserve.h says which ports are looked at.
 */
#ifndef SPILLWAY_BPF_PORT_H
#define SPILLWAY_BPF_PORT_H

#include "diff.h"
#include "flow.h"
#include "evict.h"
#include "insert.h"

/* How far the flow that holds a port is over: the further, the sooner its port is taken. */
enum port_rest {
	PORT_IN_USE = 0,
	PORT_CLOSED,	   /* and silent for two seconds: nothing is under way any more */
	PORT_SAME_CLIENT,  /* likewise; for its own client a server may give TIME_WAIT up */
	PORT_NO_TIME_WAIT, /* likewise; the endpoint has forgotten it */
	PORT_EXPIRED,
};

static inline __be16 port_number(const struct spw_settings *s, __u32 place)
{
	__u32 at = s->port_count ? place % s->port_count : 0;
	__u32 line = s->port_line + at / SPW_LINE_SLOTS;
	const struct spw_port_line *l = bpf_map_lookup_elem(&ports, &line);

	return l ? l->port[at % SPW_LINE_SLOTS] : 0;
}

/* How far the flow that holds a port is over. */
static inline enum port_rest port_rest(const struct opening *o, const struct flow_ref *f)
{
	__u32 udp = o->reverse_key.proto == IPPROTO_UDP;

	if (flow_is_expired(f->word, f->service, udp, o->side, o->now))
		return PORT_EXPIRED;
	if (!(f->word & SPW_FLOW_CLOSED) || flow_idle(f->word, o->now) < lines_settled())
		return PORT_IN_USE;
	if (f->word & (SPW_FLOW_RESET | SPW_FLOW_CLIENT_FIRST))
		return PORT_NO_TIME_WAIT;
	return addr_equal(&o->holder.to_daddr, &o->entry.to_daddr) ? PORT_SAME_CLIENT : PORT_CLOSED;
}

/*
 * Takes the port from the flow that holds it, if that is over so far; o->rest says how far. Without
 * its partner it is being made or removed.
 */
static inline bool port_take(struct opening *o, __u32 least)
{
	struct flow_ref f;

	if (!o)
		return false;
	if (flow_get(&o->reverse_key, o->v6, &o->holder) == TABLE_NONE ||
	    o->holder.core.dir != SPW_FLOW_REVERSE ||
	    !flow_find_forward(&o->reverse_key, &o->holder, o->v6, &f))
		return false;
	o->rest = port_rest(o, &f);
	if (o->rest == PORT_IN_USE || o->rest < least || !pair_remove(o->v6, f.line, f.word, 0))
		return false;
	if (o->rest == PORT_EXPIRED)
		count_shared(SPW_COUNT_FLOW_EXPIRED);
	if (o->rest == PORT_CLOSED || o->rest == PORT_SAME_CLIENT)
		count(SPW_COUNT_PORT_REUSED_EARLY);
	return true;
}

static inline long port_insert(const struct opening *o)
{
	return insert(&o->reverse_key, &o->entry, o->v6, o->now);
}

/* The port tried last once more, if it found no room in the table and another flow gives way. */
static inline long port_insert_evicting(const struct opening *o, long err)
{
	if (err != -INSERT_E2BIG || !evict(&o->reverse_key, o->v6, o->now))
		return err;
	return port_insert(o);
}

/*
 * One port: the line of its entry or a negative errno. A global function: the verifier walks it once,
 * not per loop.
 */
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
	diff_entry(&o->reverse_key, &o->entry);
	err = port_insert(o);
	if (err != -INSERT_EEXIST || !port_take(o, least))
		return err;
	return port_insert(o);
}

#endif
