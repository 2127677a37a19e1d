/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reserves a source port. The reverse entry is the reservation: endpoint, source address and port
 * name one client, and inserting it without overwriting is the test. A cursor for each endpoint and
 * source address walks the list of ports, so that the port that has rested longest comes next, also
 * where all have been used lately.
 */
#ifndef SPILLWAY_BPF_RESERVE_H
#define SPILLWAY_BPF_RESERVE_H

#include "flow.h"

#define RESERVE_EEXIST 17

/* How far the flow that holds a port is over: the further, the sooner its port is taken. */
enum reserve_rest {
	RESERVE_IN_USE = 0,
	RESERVE_CLOSED,	      /* and silent for two seconds: nothing is under way any more */
	RESERVE_SAME_CLIENT,  /* likewise; for its own client a server may give TIME_WAIT up */
	RESERVE_NO_TIME_WAIT, /* likewise; the endpoint has forgotten it */
	RESERVE_EXPIRED,
};

/*
 * The flow in the making lies in a per-CPU map and not on the stack: a global function gets at it
 * there, and Linux 6.1 takes no other memory that such a function is given for a map's key.
 */
static inline struct opening *reserve_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&opening, &zero);
}

static inline __be16 reserve_port(const struct spw_settings *s, __u32 place)
{
	__u32 at = s->port_count ? place % s->port_count : 0;
	__u32 line = s->port_line + at / SPW_LINE_SLOTS;
	const struct spw_port_line *l = bpf_map_lookup_elem(&ports, &line);

	return l ? l->port[at % SPW_LINE_SLOTS] : 0;
}

static inline __u32 *reserve_cursor(const struct opening *o)
{
	__u32 key = o->entry.endpoint * SPW_SOURCES_MAX + o->source;

	return bpf_map_lookup_elem(&cursors, &key);
}

/* A fresh cursor starts anywhere: after a restart the first ports are those used last. */
static inline __u32 reserve_next_place(const struct opening *o)
{
	__u32 *cursor = reserve_cursor(o);

	if (!cursor)
		return 0;
	if (!*(volatile __u32 *)cursor)
		__sync_val_compare_and_swap(cursor, 0, bpf_get_prandom_u32() | 1);
	return __sync_fetch_and_add(cursor, 1);
}

static inline void reserve_skip(const struct opening *o, __u32 places)
{
	__u32 *cursor = reserve_cursor(o);

	if (cursor && places)
		__sync_fetch_and_add(cursor, places);
}

/* How far the flow that holds a port is over. Without its partner it is being made or removed. */
static inline enum reserve_rest reserve_rest(const struct opening *o, const struct spw_settings *s,
					     const struct spw_flow *r, const struct spw_flow *f)
{
	if (!r || !f || r->dir != SPW_FLOW_REVERSE)
		return RESERVE_IN_USE;
	if (flow_is_expired(f, o->reverse_key.proto, s, o->now_ns))
		return RESERVE_EXPIRED;
	if (!(f->state & SPW_FLOW_CLOSED) || flow_idle_ns(f, o->now_ns) < FLOW_SETTLED_NS)
		return RESERVE_IN_USE;
	if (f->state & (SPW_FLOW_RESET | SPW_FLOW_CLIENT_FIRST))
		return RESERVE_NO_TIME_WAIT;
	return addr_equal(&r->daddr, &o->entry.daddr) ? RESERVE_SAME_CLIENT : RESERVE_CLOSED;
}

/* Takes the port from the flow that holds it, if that is over so far; o->rest says how far. */
static __noinline bool reserve_take(struct opening *o, const struct spw_settings *s, __u32 least)
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
	o->rest = reserve_rest(o, s, r, f);
	if (o->rest == RESERVE_IN_USE || o->rest < least || !flow_remove(&key, f))
		return false;
	if (o->rest == RESERVE_EXPIRED)
		count_shared(SPW_COUNT_FLOW_EXPIRED);
	if (o->rest == RESERVE_CLOSED || o->rest == RESERVE_SAME_CLIENT)
		count(SPW_COUNT_PORT_REUSED_EARLY);
	return true;
}

/* One port: 0 or a negative errno. A global function: the verifier walks it once, not per loop. */
__noinline long reserve_at(__u32 place, __u32 least)
{
	struct opening *o = reserve_scratch();
	const struct spw_settings *s;
	long err;

	if (!o)
		return -1;
	s = config_settings(o->side);
	if (!s)
		return -1;
	o->rest = RESERVE_IN_USE;
	o->reverse_key.dport = reserve_port(s, place);
	err = bpf_map_update_elem(&flows, &o->reverse_key, &o->entry, BPF_NOEXIST);
	if (err != -RESERVE_EEXIST || !reserve_take(o, s, least))
		return err;
	return bpf_map_update_elem(&flows, &o->reverse_key, &o->entry, BPF_NOEXIST);
}

/* The ports at the cursor. One that its server may refuse for a while is the second choice. */
static inline long reserve_walk(const struct opening *o)
{
	__u32 first = reserve_next_place(o), second = SPW_PORT_TRIES, best = RESERVE_IN_USE;
	long err = -RESERVE_EEXIST;
	__u32 i;

	for (i = 0; i < SPW_PORT_TRIES && err == -RESERVE_EEXIST; i++) {
		err = reserve_at(first + i, RESERVE_NO_TIME_WAIT);
		if (o->rest <= best)
			continue;
		best = o->rest;
		second = i;
	}
	reserve_skip(o, second < i ? second : i - 1);
	if (err == -RESERVE_EEXIST && second < SPW_PORT_TRIES)
		err = reserve_at(first + second, RESERVE_CLOSED);
	return err;
}

/*
 * Ports from anywhere in the list: past a long block of live flows, and in a full table to the
 * flows that are over, wherever they are.
 */
static inline long reserve_scatter(long worst)
{
	long err;
	int i;

	for (i = 0; i < SPW_PORT_TRIES; i++) {
		err = reserve_at(bpf_get_prandom_u32(), RESERVE_CLOSED);
		if (!err)
			return 0;
		if (err != -RESERVE_EEXIST)
			worst = err;
	}
	return worst;
}

/*
 * Inserts the reverse entry under a port of the list: 0 or a negative errno, -EEXIST when all are
 * taken. A global function: the verifier walks its loops once.
 */
__noinline long reserve(void)
{
	const struct opening *o = reserve_scratch();
	long err;

	if (!o)
		return -1;
	err = reserve_walk(o);
	return err ? reserve_scatter(err) : 0;
}

#endif
