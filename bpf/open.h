/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens a flow: reserves a source port and remembers both directions. The reverse entry is the
 * reservation: endpoint, source address and port name one client, and inserting it without
 * overwriting is the test. A cursor for each endpoint and source address walks the list of ports,
 * so that the port that has rested longest comes next.
 */
#ifndef SPILLWAY_BPF_OPEN_H
#define SPILLWAY_BPF_OPEN_H

#include "life.h"

#define OPEN_EEXIST 17

/*
 * The flow in the making lies in a per-CPU map and not on the stack: a global function gets at it
 * there, and Linux 6.1 takes no other memory that such a function is given for a map's key.
 */
static inline struct opening *open_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&opening, &zero);
}

static inline __be16 open_port(const struct spw_settings *s, __u32 place)
{
	__u32 at = s->port_count ? place % s->port_count : 0;
	__u32 line = s->port_line + at / SPW_LINE_SLOTS;
	const struct spw_port_line *l = bpf_map_lookup_elem(&ports, &line);

	return l ? l->port[at % SPW_LINE_SLOTS] : 0;
}

/* A fresh cursor starts anywhere: after a restart the first ports are those used last. */
static inline __u32 open_next_place(__u32 endpoint, __u32 source)
{
	__u32 key = endpoint * SPW_SOURCES_MAX + source;
	__u32 *cursor = bpf_map_lookup_elem(&cursors, &key);

	if (!cursor)
		return 0;
	if (!*(volatile __u32 *)cursor)
		__sync_val_compare_and_swap(cursor, 0, bpf_get_prandom_u32() | 1);
	return __sync_fetch_and_add(cursor, 1);
}

/*
 * Takes a port away from a flow that is over: its time has passed, or it is closed and nothing is
 * under way any more. The reverse entry in the way is looked at with its partner; without one it
 * is being made or removed by another CPU.
 */
static __noinline bool open_reclaim(const struct opening *o, const struct spw_settings *s)
{
	const struct spw_flow_key *reverse_key = &o->reverse_key;

	struct spw_flow *r = bpf_map_lookup_elem(&flows, reverse_key);
	struct spw_flow_key key;
	struct spw_flow *f;
	__u64 idle_ns;

	if (!s || !r || r->dir != SPW_FLOW_REVERSE)
		return false;
	flow_partner_key(r, reverse_key->proto, &key);
	f = bpf_map_lookup_elem(&flows, &key);
	if (!f)
		return false;
	if (flow_is_expired(f, key.proto, s, o->now_ns)) {
		flow_expire(&key, f);
		return true;
	}
	idle_ns = flow_idle_ns(f, o->now_ns);
	if (!(f->state & SPW_FLOW_CLOSED) || idle_ns < FLOW_SETTLED_NS || !flow_remove(&key, f))
		return false;
	count(SPW_COUNT_PORT_REUSED_EARLY);
	return true;
}

static inline long open_reserve_fresh(struct opening *o, const struct spw_settings *s)
{
	long err = -OPEN_EEXIST;
	int i;

	for (i = 0; i < SPW_PORT_TRIES && err == -OPEN_EEXIST; i++) {
		__u32 place = open_next_place(o->entry.endpoint, o->source);

		if (!i)
			o->first = place;
		o->reverse_key.dport = open_port(s, place);
		err = bpf_map_update_elem(&flows, &o->reverse_key, &o->entry, BPF_NOEXIST);
	}
	return err;
}

/* The same ports once more, now those of flows that are over. */
static inline long open_reserve_used(struct opening *o, const struct spw_settings *s)
{
	long err = -OPEN_EEXIST;
	int i;

	for (i = 0; i < SPW_PORT_TRIES && err == -OPEN_EEXIST; i++) {
		o->reverse_key.dport = open_port(s, o->first + i);
		if (open_reclaim(o, s))
			err = bpf_map_update_elem(&flows, &o->reverse_key, &o->entry, BPF_NOEXIST);
	}
	return err;
}

/*
 * Inserts the reverse entry under a port of the list: 0, or the negative errno of the last try. A
 * global function: the verifier walks its loops once.
 */
__noinline long open_reserve(void)
{
	struct opening *o = open_scratch();
	const struct spw_settings *s;
	long err;

	if (!o)
		return -1;
	s = config_settings(o->side);
	if (!s)
		return -1;
	err = open_reserve_fresh(o, s);
	if (err == -OPEN_EEXIST)
		err = open_reserve_used(o, s);
	return err;
}

/* What replies become: from the VIP to the client. */
static inline void open_fill_reverse(const struct pkt *p, struct spw_flow *r)
{
	r->saddr = p->key.daddr;
	r->daddr = p->key.saddr;
	r->sport = p->key.dport;
	r->dport = p->key.sport;
	r->endpoint = p->endpoint;
	r->dir = SPW_FLOW_REVERSE;
	r->service = p->service;
	r->born_ns = p->now_ns;
	r->seen_ns = p->now_ns;
	life_note_path(p, r);
}

/* What the client's packets become: from our source to the endpoint. Both entries share the rest. */
static inline void open_make_forward(struct opening *o)
{
	o->entry.saddr = o->reverse_key.daddr;
	o->entry.daddr = o->reverse_key.saddr;
	o->entry.sport = o->reverse_key.dport;
	o->entry.dport = o->reverse_key.sport;
	o->entry.dir = SPW_FLOW_FORWARD;
}

/* The reverse entry stands. When another CPU opened the same flow, ours goes and theirs holds. */
static __noinline long open_insert(struct pkt *p, struct opening *o)
{
	long err;

	open_make_forward(o);
	err = bpf_map_update_elem(&flows, &p->key, &o->entry, BPF_NOEXIST);
	if (!err) {
		count_opened(p->endpoint);
		count(SPW_COUNT_FLOW_CREATED);
		return 0;
	}
	bpf_map_delete_elem(&flows, &o->reverse_key);
	if (err != -OPEN_EEXIST)
		return err;
	count(SPW_COUNT_FLOW_RACED);
	return 0;
}

static inline void open_start(const struct pkt *p, const struct spw_endpoint *e, struct opening *o)
{
	__builtin_memset(o, 0, sizeof(*o));
	o->now_ns = p->now_ns;
	o->side = p->side;
	o->source = e->source_first + pick_scale(p->hash >> 32, e->source_count);
	o->source %= SPW_SOURCES_MAX;
	o->reverse_key.saddr = e->addr;
	o->reverse_key.daddr = p->settings->source[o->source];
	o->reverse_key.sport = e->port;
	o->reverse_key.proto = p->key.proto;
	open_fill_reverse(p, &o->entry);
}

static __noinline enum verdict open_pair(struct pkt *p, const struct spw_endpoint *e)
{
	struct opening *o = open_scratch();
	long err;

	if (!o || !e || !p->settings)
		return drop(SPW_DROP_INTERNAL);
	open_start(p, e, o);
	err = open_reserve();
	if (err == -OPEN_EEXIST)
		return drop(SPW_DROP_PORTS_EXHAUSTED);
	if (err || open_insert(p, o))
		return drop(SPW_DROP_FLOWS_FULL);
	return NEXT;
}

static inline enum verdict flow_open(struct pkt *p)
{
	const struct spw_endpoint *e;
	enum verdict v;

	if (p->flow)
		return NEXT;
	e = bpf_map_lookup_elem(&endpoints, &p->endpoint);
	if (!e)
		return drop(SPW_DROP_INTERNAL);
	if (!e->source_count || !p->settings->port_count)
		return drop(SPW_DROP_NO_SOURCE);
	v = open_pair(p, e);
	if (v != NEXT)
		return v;
	p->flow = bpf_map_lookup_elem(&flows, &p->key);
	return p->flow ? NEXT : drop(SPW_DROP_INTERNAL);
}

#endif
