/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Opens a flow: reserves a source port and remembers both directions. The reverse entry comes
 * first, since it is the reservation.
 */
#ifndef SPILLWAY_BPF_OPEN_H
#define SPILLWAY_BPF_OPEN_H

#include "life.h"
#include "reserve.h"

/* What replies become: from the VIP to the client. */
static inline void open_fill_reverse(const struct pkt *p, struct entry *r)
{
	r->to_saddr = p->key->daddr;
	r->to_daddr = p->key->saddr;
	r->core.to_sport = p->key->dport;
	r->core.to_dport = p->key->sport;
	r->core.endpoint = p->endpoint;
	r->core.dir = SPW_FLOW_REVERSE;
	r->core.service = p->service;
	r->core.born = flow_clock();
	path_note(p, &r->core);
}

/* What the client's packets become: from our source to the endpoint. Both entries share the rest. */
static inline void open_make_forward(const struct pkt *p, struct opening *o)
{
	o->entry.to_saddr = o->reverse_key.daddr;
	o->entry.to_daddr = o->reverse_key.saddr;
	o->entry.core.to_sport = o->reverse_key.dport;
	o->entry.core.to_dport = o->reverse_key.sport;
	o->entry.core.dir = SPW_FLOW_FORWARD;
	diff_entry(p->key, &o->entry);
}

/* The reverse entry stands. When another CPU opened the same flow, ours goes and theirs holds. */
static __noinline long open_insert(struct pkt *p, struct opening *o)
{
	long line;

	open_make_forward(p, o);
	line = insert(p->key, &o->entry, o->v6, o->now);
	if (line == -INSERT_EBUSY || (line == -INSERT_E2BIG && evict(p->key, o->v6, o->now)))
		line = insert(p->key, &o->entry, o->v6, o->now);
	if (line > 0) {
		p->line = line;
		count_opened(p->endpoint);
		count(SPW_COUNT_FLOW_CREATED);
		return 0;
	}
	pair_drop(&o->reverse_key, o->v6);
	if (line != -INSERT_EEXIST)
		return line;
	count(SPW_COUNT_FLOW_RACED);
	return 0;
}

static __noinline int open_start(const struct pkt *p, const struct spw_endpoint *e,
				 struct opening *o)
{
	__builtin_memset(o, 0, sizeof(*o));
	o->now = p->now;
	o->side = p->side;
	o->v6 = p->v6;
	o->source_first = e->source_first;
	o->source_count = e->source_count;
	o->source_home = pick_scale(p->carry->hash >> 32, e->source_count);
	o->reverse_key.saddr = e->addr;
	o->reverse_key.sport = e->port;
	o->reverse_key.proto = p->key->proto;
	open_fill_reverse(p, &o->entry);
	return 0;
}

/* What the insertion of a pair of entries came to: 0, or what it failed with. */
static inline enum verdict open_verdict(long err)
{
	switch (err) {
	case 0:
		return NEXT;
	case -RESERVE_ENOENT:
		return refuse(SPW_DROP_NO_SOURCE);
	case -INSERT_EEXIST:
		return refuse(SPW_DROP_PORTS_EXHAUSTED);
	case -INSERT_E2BIG:
		return refuse(SPW_DROP_FLOWS_FULL);
	}
	/* A lock of the table was not to be had: the client's next try will find it free. */
	return drop(SPW_DROP_FLOWS_BUSY);
}

/* Its steps are functions side by side: the stack of the deepest has no room for one around them. */
static inline enum verdict open_pair(struct pkt *p, const struct spw_endpoint *e)
{
	struct opening *o = opening_scratch();
	long err;

	if (!o || !e || !p->eth)
		return drop(SPW_DROP_INTERNAL);
	open_start(p, e, o);
	err = reserve();
	return open_verdict(err > 0 ? open_insert(p, o) : err);
}

/* The entry just inserted: what it says, and its word, or 0 if another flow has its line already. */
static inline __u64 open_word(struct pkt *p)
{
	const struct opening *o = opening_scratch();

	if (!o)
		return 0;
	*p->f = o->entry;
	p->f->core.word = line_word(p->key, p->line, p->v6);
	return p->f->core.word;
}

/* Where another CPU's flow of the same key holds, that may be gone again: the client repeats. */
static __noinline enum verdict open_find(struct pkt *p)
{
	if (p->line != TABLE_NONE && !open_word(p))
		p->line = TABLE_NONE;
	else if (p->line == TABLE_NONE)
		p->line = flow_get(p->key, p->v6, p->f);
	if (p->line == TABLE_NONE)
		return drop(SPW_DROP_FLOWS_BUSY);
	flow_refer(p->f, p->line, p->forward);
	return NEXT;
}

static inline enum verdict flow_open(struct pkt *p)
{
	const struct spw_endpoint *e;
	enum verdict v;

	if (p->line)
		return NEXT;
	e = bpf_map_lookup_elem(&endpoints, &p->endpoint);
	if (!e)
		return drop(SPW_DROP_INTERNAL);
	if (!e->source_count || !p->settings->port_count)
		return refuse(SPW_DROP_NO_SOURCE);
	v = open_pair(p, e);
	return v == NEXT ? open_find(p) : v;
}

#endif
