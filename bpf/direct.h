/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Direct return: endpoints answer clients themselves, so the gateway sees one direction, rewrites no
 * address and, as a rule, remembers nothing: the hash of a packet gives a slot, the slot an endpoint. That
 * is all as long as the slot is settled and its endpoint may be picked. Else the flow table is asked, and
 * told (motion.h, direct_entry.h).
 *
 * Services may have endpoints of other modes as well. Where one of these is the answer, or the flow
 * has an entry of theirs, the packet goes on to their stages.
 */
#ifndef SPILLWAY_BPF_DIRECT_H
#define SPILLWAY_BPF_DIRECT_H

#include "direct_entry.h"
#include "direct_for.h"
#include "direct_send.h"
#include "motion.h"
#include "quic.h"

/* If it is of direct return and of the packet's family. A removed one is as long as it has flows. */
static inline const struct spw_endpoint *direct_endpoint(__u32 id, __u32 v6)
{
	const struct spw_endpoint *e = bpf_map_lookup_elem(&endpoints, &id);

	return e && mode_is_direct(direct_mode(e)) && addr_is_v4(&e->addr) == !v6 ? e : NULL;
}

static inline bool direct_reaches(__u32 id, __u32 v6)
{
	return direct_endpoint(id, v6);
}

static inline bool direct_takes(__u32 id, __u32 v6)
{
	return id != SPW_ENDPOINT_NONE && word_is_pickable(endpoint_word(id)) &&
	       direct_reaches(id, v6);
}

/* A service without endpoints says what becomes of flows that exist. */
static inline enum verdict direct_live(const struct pkt *p, const struct spw_service_row *row)
{
	if (!(row->flags & SPW_SERVICE_EMPTY))
		return NEXT;
	switch ((enum spw_no_endpoint)row->live_flows) {
	case SPW_NO_ENDPOINT_ANSWER:
		return p->tcp ? refuse(SPW_DROP_LIVE_NO_ENDPOINT)
			      : unreachable_for(SPW_DROP_LIVE_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_UNREACHABLE:
		return unreachable_for(SPW_DROP_LIVE_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_DROP:
		return drop(SPW_DROP_LIVE_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_PASS:
		return pass(SPW_PASS_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_LEAVE:
		return NEXT;
	}
	return NEXT;
}

/*
 * TCP that is no SYN, and later fragments: the flow exists, and whose it is can be told. A function of its
 * own, since Linux 6.1 never gets to remember ACKs where it is inlined.
 */
static __noinline enum verdict direct_old(struct pkt *p, const struct spw_service_row *row,
					  const struct motion *m, __u32 slot)
{
	__u32 id = motion_owner(m, slot), word = endpoint_word(id);
	enum verdict v;

	if (!direct_reaches(id, p->v6))
		return direct_live(p, row);
	if (p->tcp && !p->tcp->rst) {
		if (word & SPW_WORD_RESET)
			return refuse(SPW_DROP_FLOW_RESET);
		v = halt_may(word) ? direct_live(p, row) : NEXT;
		if (v != NEXT)
			return v;
	}
	p->endpoint = id;
	/* Without room it is the owner's all the same. */
	if (p->tcp && motion_is_remembered(m) && !p->tcp->rst &&
	    !direct_remember(p, SPW_FLOW_ESTABLISHED))
		count(SPW_COUNT_DIRECT_UNKEPT);
	return NEXT;
}

/*
 * A SYN, or UDP without an entry, which is asked each time: so limits, which would count its datagrams, are
 * not for UDP.
 */
static inline enum verdict direct_admit(struct pkt *p, const struct spw_service_row *row)
{
	int why;

	if (!(row->flags & SPW_SERVICE_GUARDED))
		return NEXT;
	if (p->tcp)
		return pkt_is_syn(p) ? admit(p, row) : NEXT;
	why = p->udp ? admit_listed(p->service, p->side) : ADMIT_OK;
	return why == ADMIT_OK ? NEXT : drop(why);
}

/* May the endpoint of before have the packet, a SYN or UDP? */
static inline bool direct_was_takes(const struct pkt *p, __u32 was)
{
	if (p->tcp)
		return direct_takes(was, p->v6);
	return word_keeps_udp(endpoint_word(was)) && direct_reaches(was, p->v6);
}

/* A pick that the slot would not repeat, or that the next packets would not follow, is remembered. */
static inline enum verdict direct_keep(struct pkt *p, const struct motion *m, __u32 slot)
{
	__u32 owner = motion_owner(m, slot);

	if (!motion_is_remembered(m) && p->endpoint == slot)
		return NEXT;
	if (direct_remember(p, p->udp ? SPW_FLOW_ESTABLISHED : 0))
		return NEXT;
	count(SPW_COUNT_DIRECT_UNKEPT);
	if (p->endpoint == owner)
		return NEXT;
	p->endpoint = SPW_ENDPOINT_NONE;
	return refuse(SPW_DROP_FLOWS_FULL);
}

/* A SYN or UDP. */
static inline enum verdict direct_new(struct pkt *p, const struct spw_service_row *row,
				      const struct motion *m, __u32 slot)
{
	enum verdict v;

	if (m->phase == MOTION_FIRST && direct_was_takes(p, m->was)) {
		v = direct_admit(p, row);
		p->endpoint = m->was;
		return v == NEXT ? direct_keep(p, m, slot) : v;
	}
	if (p->udp && !motion_is_remembered(m) && slot != SPW_ENDPOINT_NONE &&
	    word_keeps_udp(endpoint_word(slot)) && direct_reaches(slot, p->v6)) {
		p->endpoint = slot; /* it drains, and the flow may be an old one */
		return direct_admit(p, row);
	}
	v = pick_endpoint(p);
	if (v != NEXT)
		return v;
	if (!direct_reaches(p->endpoint, p->v6)) {
		p->endpoint = SPW_ENDPOINT_NONE;
		return NEXT;
	}
	v = direct_admit(p, row);
	return v == NEXT ? direct_keep(p, m, slot) : v;
}

/* The slot is in motion, or its endpoint is or was not to be picked: p->endpoint, if direct return has it. */
static __noinline enum verdict direct_slowly(struct pkt *p, const struct spw_service_row *row,
					     const struct motion *m, __u32 slot)
{
	enum verdict v;

	flow_lose(p);
	p->line = flow_get(p->key, p->v6, p->f);
	if (p->line != TABLE_NONE) {
		if (!(p->f->core.flags & SPW_FLOW_DIRECT))
			return NEXT;
		v = direct_follow(p);
		if (v != NEXT || p->endpoint != SPW_ENDPOINT_NONE)
			return v;
	}
	if (p->udp || pkt_is_syn(p))
		return direct_new(p, row, m, slot);
	return direct_old(p, row, m, slot);
}

/* The service of a key, if it has endpoints of direct return. */
static inline const struct spw_service_row *direct_service(struct pkt *p,
							   const struct spw_flow_key *k)
{
	const struct spw_service_row *row =
		service_find(k, p->side, p->settings->service_seed, &p->service);

	return row && (row->flags & SPW_SERVICE_DIRECT) ? row : NULL;
}

/* The endpoint of the key's slot, and its motion. */
static inline __u32 direct_slot(struct pkt *p, const struct spw_service_row *row,
				const struct spw_flow_key *k, struct motion *m)
{
	pick_hashes(p, k, row);
	motion_read(p, row, k, m);
	return row->table.size ? pick_slot(p->carry->pick, row->table.base, row->table.size)
			       : SPW_ENDPOINT_NONE;
}

/* Its connection ID names p->endpoint, which may be of mode nat: that packet is for those stages. */
static inline enum verdict direct_named(struct pkt *p, const struct spw_service_row *row)
{
	enum verdict v;

	if (!direct_reaches(p->endpoint, p->v6)) {
		p->endpoint = SPW_ENDPOINT_NONE;
		return NEXT;
	}
	v = direct_admit(p, row);
	if (v == NEXT)
		count(SPW_COUNT_QUIC_ROUTED);
	return v;
}

/* The last stage. NEXT: another mode's packet. */
static inline enum verdict direct(struct pkt *p)
{
	const struct spw_service_row *row;
	enum verdict v = NEXT;
	struct motion m;
	__u32 slot;

	row = direct_service(p, p->key);
	if (!row)
		return NEXT;
	slot = direct_slot(p, row, p->key, &m);
	p->endpoint = quic_direct(p, row);
	if (p->endpoint != SPW_ENDPOINT_NONE) {
		v = direct_named(p, row);
	} else if (m.phase != MOTION_SETTLED || !word_is_settled(endpoint_word(slot))) {
		v = direct_slowly(p, row, &m, slot);
	} else if (direct_reaches(slot, p->v6)) {
		p->endpoint = slot;
		v = direct_admit(p, row);
	}
	if (v != NEXT || p->endpoint == SPW_ENDPOINT_NONE) {
		p->line = TABLE_NONE;
		return v;
	}
	return direct_send(p);
}

#endif
