/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which endpoint a new flow gets: a hash of its 5-tuple, or of its source, chooses a slot. Where that
 * slot's endpoint may not be picked (its word changes before any table does), further slots are probed,
 * then the spare table. The hash depends on the packet and the seed only, so all gateways agree. Where
 * the service asks for it, the first slot and its first probe are two choices, and load decides.
 */
#ifndef SPILLWAY_BPF_PICK_H
#define SPILLWAY_BPF_PICK_H

#include <bpf/bpf_endian.h>

#include "admit.h"
#include "pick_for.h"
#include "pick_hash.h"

static inline __u32 endpoint_word(__u32 id)
{
	struct spw_word *w = bpf_map_lookup_elem(&endpoint_words, &id);

	return w ? *(volatile __u32 *)&w->word : 0;
}

static inline enum spw_admin word_admin(__u32 word)
{
	return (word & SPW_WORD_ADMIN_MASK) >> SPW_WORD_ADMIN_SHIFT;
}

/* May new flows go there? The operator's word counts at once, before the daemon has seen it. */
static inline bool word_is_pickable(__u32 word)
{
	enum spw_admin admin = word_admin(word);

	if (!(word & SPW_WORD_PICKABLE) || (word & SPW_WORD_RESET))
		return false;
	return admin != SPW_ADMIN_DOWN && admin != SPW_ADMIN_DRAIN;
}

/* May a UDP flow stay there? UDP tells nobody that its endpoint is gone; draining ones keep it. */
static inline bool word_keeps_udp(__u32 word)
{
	if (word & SPW_WORD_RESET)
		return false;
	return (word & (SPW_WORD_UP | SPW_WORD_PICKABLE)) && word_admin(word) != SPW_ADMIN_DOWN;
}

/*
 * Pickable for such a packet: an endpoint of the other family cannot take it, but one that the
 * userspace path reaches takes TCP of either, and nothing else.
 */
static inline bool pick_fits(__u32 id, __u32 what)
{
	const struct spw_endpoint *e;

	if (id == SPW_ENDPOINT_NONE || !word_is_pickable(endpoint_word(id)))
		return false;
	e = bpf_map_lookup_elem(&endpoints, &id);
	if (!e)
		return false;
	if (e->mode == SPW_MODE_HANDOFF)
		return what & PICK_TCP;
	if (e->mode != SPW_MODE_NAT && !((what & PICK_DIRECT) && mode_is_direct(e->mode)))
		return false;
	return addr_is_v4(&e->addr) == !(what & PICK_IPV6);
}

static inline __u32 pick_slot(__u64 hash, __u32 base, __u32 size)
{
	__u32 slot = base + pick_scale(hash, size);
	__u32 line = slot / SPW_LINE_SLOTS;
	const struct spw_slot_line *l = bpf_map_lookup_elem(&slots, &line);

	return l ? l->endpoint[slot % SPW_LINE_SLOTS] : SPW_ENDPOINT_NONE;
}

/* Probes go on from a hash by mixing it with their number. */
static inline __u64 pick_probe(__u64 hash, __u32 number)
{
	return spw_mix(hash, number);
}

/*
 * SPW_ENDPOINT_NONE when the slot and its probes found nobody. A global function, so that the
 * verifier walks its loop once and not on every path that leads here.
 */
__noinline __u32 pick_from(__u64 hash, const struct spw_table_ref *t, __u32 tries, __u32 what)
{
	__u32 i;

	if (!t || !t->size)
		return SPW_ENDPOINT_NONE;
	for (i = 0; i < tries && i < SPW_PICK_LAST; i++) {
		__u32 id = pick_slot(hash, t->base, t->size);

		if (pick_fits(id, what)) {
			if (i)
				count(SPW_COUNT_PICK_PROBED);
			return id;
		}
		hash = pick_probe(hash, i + 1);
	}
	return SPW_ENDPOINT_NONE;
}

/* Not exact: other CPUs count meanwhile. */
static inline __u64 pick_load(__u32 id)
{
	const struct spw_load *l = bpf_map_lookup_elem(&endpoint_loads, &id);
	__s64 open = l ? load64(&l->open) : 0;

	return open > 0 ? open : 0;
}

static inline bool pick_is_counted(__u32 id)
{
	const struct spw_endpoint *e = bpf_map_lookup_elem(&endpoints, &id);

	return e && e->mode == SPW_MODE_NAT && (e->flags & SPW_ENDPOINT_COUNTED);
}

/*
 * Two choices (Mitzenmacher, 2001): of the slot's endpoint and that of its first probe, the one with
 * fewer open flows for its weight. Slots are drawn by weight already, so that alone shares idle
 * endpoints out by weight, and the quotient keeps it so under load: without it the light ones would be
 * brought up to as many flows as the heavy ones. An equal load is the first one's, or a weight of two
 * would attract everything that is idle.
 *
 * NONE where there are not two to choose from: then pick_from() goes on, with the same slots. So an
 * endpoint of the userspace path is only ever the one that steer.bpf.c would find, too.
 */
__noinline __u32 pick_two(__u64 hash, const struct spw_table_ref *t, const struct spw_table_ref *w,
			  __u32 what)
{
	__u64 other = pick_probe(hash, 1), weight[2] = {1, 1};
	__u32 a, b;

	if (!t || !t->size || !w)
		return SPW_ENDPOINT_NONE;
	a = pick_slot(hash, t->base, t->size);
	b = pick_slot(other, t->base, t->size);
	if (a == b || !pick_fits(a, what) || !pick_fits(b, what) || !pick_is_counted(a) ||
	    !pick_is_counted(b))
		return SPW_ENDPOINT_NONE;
	if (w->size) {
		weight[0] = pick_slot(hash, w->base, w->size);
		weight[1] = pick_slot(other, w->base, w->size);
	}
	if (pick_load(a) * weight[1] <= pick_load(b) * weight[0])
		return a;
	count(SPW_COUNT_PICK_SECOND);
	return b;
}

static inline __u32 pick_least(const struct pkt *p, const struct spw_service_row *row)
{
	const struct spw_service_extra *x;

	/* Direct return does not count flows, and its next packets are to find the slot's endpoint. */
	if (row->pick != SPW_PICK_LEAST || !p->tcp || p->direct)
		return SPW_ENDPOINT_NONE;
	x = service_extra(p->side, p->service);
	return x ? pick_two(p->carry->pick, &row->table, &x->weights, pick_for(p))
		 : SPW_ENDPOINT_NONE;
}

static inline __u32 pick_in_table(const struct pkt *p, const struct spw_table_ref *t)
{
	return pick_from(p->carry->pick, t, SPW_PICK_PROBES + 1, pick_for(p));
}

/*
 * While no daemon puts a new table in place, a service without a spare one must not refuse a flow
 * because five slots happened to be those of endpoints that were taken out.
 */
static inline __u32 pick_last(const struct pkt *p, const struct spw_service_row *row)
{
	if (row->flags & SPW_SERVICE_EMPTY)
		return SPW_ENDPOINT_NONE;
	return pick_from(spw_mix(p->carry->pick, SPW_PICK_LAST), &row->table, SPW_PICK_LAST,
			 pick_for(p));
}

/* Nobody can be picked: what the service says becomes of a new flow then. */
static inline enum verdict pick_nobody(const struct pkt *p, const struct spw_service_row *row)
{
	switch ((enum spw_no_endpoint)row->new_flows) {
	case SPW_NO_ENDPOINT_UNREACHABLE:
		return unreachable_for(SPW_DROP_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_DROP:
		return drop(SPW_DROP_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_PASS:
		return pass(SPW_PASS_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_ANSWER:
	case SPW_NO_ENDPOINT_LEAVE:
		break;
	}
	return p->tcp ? refuse(SPW_DROP_NO_ENDPOINT) : unreachable_for(SPW_DROP_NO_ENDPOINT);
}

/* Of the flow, and what slots are picked by. */
static inline void pick_hashes(const struct pkt *p, const struct spw_flow_key *k,
			       const struct spw_service_row *row)
{
	p->carry->hash = pick_hash(k, p->settings->seed);
	p->carry->pick = p->carry->hash;
	if (row->pick == SPW_PICK_SOURCE)
		p->carry->pick = pick_hash_source(k, p->settings->seed);
}

static inline enum verdict pick_endpoint(struct pkt *p)
{
	const struct spw_service_row *row;
	enum verdict v;

	if (p->line)
		return NEXT;
	row = service_row(p, p->service);
	if (!row)
		return drop(SPW_DROP_INTERNAL);
	/* Direct return asks when it knows that the packet is its own. */
	v = p->direct ? NEXT : admit(p, row);
	if (v != NEXT)
		return v;
	pick_hashes(p, p->key, row);
	p->endpoint = p->carry->named;
	if (p->endpoint != SPW_ENDPOINT_NONE)
		count(SPW_COUNT_QUIC_ROUTED);
	else
		p->endpoint = pick_least(p, row);
	if (p->endpoint == SPW_ENDPOINT_NONE)
		p->endpoint = pick_in_table(p, &row->table);
	if (p->endpoint != SPW_ENDPOINT_NONE)
		return NEXT;
	p->endpoint = pick_in_table(p, &row->spare);
	if (p->endpoint != SPW_ENDPOINT_NONE) {
		count(SPW_COUNT_PICK_SPARE);
		return NEXT;
	}
	p->endpoint = pick_last(p, row);
	return p->endpoint == SPW_ENDPOINT_NONE ? pick_nobody(p, row) : NEXT;
}

#endif
