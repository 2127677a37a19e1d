/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens a flow: reserves a source port and remembers both directions. The reverse entry comes
 * first, since it is the reservation.
 */
#ifndef SPILLWAY_BPF_OPEN_H
#define SPILLWAY_BPF_OPEN_H

#include "life.h"
#include "reserve.h"

#define OPEN_E2BIG 7 /* the kernel's hash map is full */

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
	err = flow_insert(&p->key, &o->entry);
	if (err && err != -RESERVE_EEXIST && err != -OPEN_E2BIG)
		err = flow_insert(&p->key, &o->entry);
	if (!err) {
		count_opened(p->endpoint);
		count(SPW_COUNT_FLOW_CREATED);
		return 0;
	}
	bpf_map_delete_elem(&flows, &o->reverse_key);
	if (err != -RESERVE_EEXIST)
		return err;
	count(SPW_COUNT_FLOW_RACED);
	return 0;
}

static inline void open_start(const struct pkt *p, const struct spw_endpoint *e, struct opening *o)
{
	__builtin_memset(o, 0, sizeof(*o));
	o->now_ns = p->now_ns;
	o->side = p->side;
	o->source_first = e->source_first;
	o->source_count = e->source_count;
	o->source_home = pick_scale(p->hash >> 32, e->source_count);
	o->reverse_key.saddr = e->addr;
	o->reverse_key.sport = e->port;
	o->reverse_key.proto = p->key.proto;
	open_fill_reverse(p, &o->entry);
}

static __noinline enum verdict open_pair(struct pkt *p, const struct spw_endpoint *e)
{
	struct opening *o = opening_scratch();
	long err;

	if (!o || !e || !p->settings)
		return drop(SPW_DROP_INTERNAL);
	open_start(p, e, o);
	err = reserve();
	if (err == -RESERVE_ENOENT)
		return refuse(SPW_DROP_NO_SOURCE);
	if (err == -RESERVE_EEXIST)
		return refuse(SPW_DROP_PORTS_EXHAUSTED);
	if (!err)
		err = open_insert(p, o);
	if (err == -OPEN_E2BIG)
		return refuse(SPW_DROP_FLOWS_FULL);
	/* A lock of the table was not to be had: the client's next try will find it free. */
	return err ? drop(SPW_DROP_FLOWS_BUSY) : NEXT;
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
		return refuse(SPW_DROP_NO_SOURCE);
	v = open_pair(p, e);
	if (v != NEXT)
		return v;
	p->flow = bpf_map_lookup_elem(&flows, &p->key);
	return p->flow ? NEXT : drop(SPW_DROP_INTERNAL);
}

#endif
