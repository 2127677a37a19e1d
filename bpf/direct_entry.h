/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows of direct return that are remembered: those of slots in motion, and those whose endpoint is
 * another than their slot's. One entry says which endpoint a flow has. Answers do not come by here, so
 * what the client sends is all that is known.
 */
#ifndef SPILLWAY_BPF_DIRECT_ENTRY_H
#define SPILLWAY_BPF_DIRECT_ENTRY_H

#include "halt.h"
#include "handoff_open.h"

/* The packet's flow gets an entry that starts in this state; false: it has none. */
static inline bool direct_remember(struct pkt *p, __u32 state)
{
	struct opening *o = opening_scratch();
	long line;

	if (!o)
		return false;
	line = alone_insert(p->v6, p->now, p->service, p->endpoint,
			    SPW_FLOW_DIRECT | state << ALONE_STATE_SHIFT);
	if (line > 0) {
		count_opened(p->endpoint);
		count(SPW_COUNT_FLOW_CREATED);
		return true;
	}
	if (line != -INSERT_EEXIST)
		return false;
	count(SPW_COUNT_FLOW_RACED);
	if (flow_get(p->key, p->v6, p->f) == TABLE_NONE || !(p->f->core.flags & SPW_FLOW_DIRECT))
		return false;
	p->endpoint = p->f->core.endpoint;
	return true;
}

/* The packet asks for a flow of its own, though there is an entry. `word` is its endpoint's. */
static inline bool direct_opens_anew(const struct pkt *p, __u32 word)
{
	bool repick;

	if (p->udp) {
		repick = !word_keeps_udp(word) && !halt_leaves_udp(p, word);
	} else {
		if (!pkt_is_syn(p))
			return false;
		if ((p->f->core.word & FLOW_ENDING) || (word & SPW_WORD_RESET))
			return true;
		repick = !(p->f->core.word & SPW_FLOW_ESTABLISHED) && !word_is_pickable(word);
	}
	if (repick)
		count(SPW_COUNT_FLOW_REPICKED);
	return repick;
}

/*
 * State bits that the packet sets. A flow that was there before its entry, and UDP, are never to be
 * replaced once they are still used two seconds on.
 */
static inline __u32 direct_state(const struct pkt *p)
{
	const struct spw_flow_core *c = &p->f->core;
	__u32 bits = 0;

	if (p->tcp)
		bits = handoff_bits(p);
	else if (p->udp)
		bits = SPW_FLOW_ESTABLISHED;
	if ((bits & SPW_FLOW_ESTABLISHED) && (c->word & SPW_FLOW_ESTABLISHED) &&
	    (__s32)(flow_clock() - c->born) < (__s32)FLOW_RANK_UNITS)
		bits &= ~SPW_FLOW_RANKED;
	else if (bits & SPW_FLOW_ESTABLISHED)
		bits |= SPW_FLOW_RANKED;
	return bits;
}

static inline void direct_notes(const struct pkt *p)
{
	__u64 was = p->f->core.word;
	__u32 bits = direct_state(p);

	if (!flow_is_fresh(was, p->now))
		bits |= flow_long(was, p->f->core.service, p->udp != NULL, p->side);
	bits &= ~was;
	if (bits)
		handoff_mark(p, bits);
	if (bits || !flow_is_fresh(was, p->now))
		line_touch(p->v6, p->line, was, p->now);
}

/*
 * The packet has an entry, p->f: its endpoint into p->endpoint, unless that is over (SPW_ENDPOINT_NONE,
 * and no entry any more) or the verdict says that the packet does not go on.
 */
static __noinline enum verdict direct_follow(struct pkt *p)
{
	__u64 was = p->f->core.word;
	__u32 word = endpoint_word(p->f->core.endpoint);
	bool expired;

	flow_refer(p->f, p->line, p->forward);
	p->endpoint = p->f->core.endpoint;
	if (!p->tcp && !p->udp) /* a later fragment */
		return NEXT;
	expired = !flow_is_fresh(was, p->now) &&
		  flow_is_expired(was, p->f->core.service, p->udp != NULL, p->side, p->now);
	if (expired || direct_opens_anew(p, word)) {
		if (pair_remove(p->v6, p->line, was, 0) && expired)
			count_shared(SPW_COUNT_FLOW_EXPIRED);
		p->endpoint = SPW_ENDPOINT_NONE;
		flow_lose(p);
		return NEXT;
	}
	if (halt_may(word)) {
		enum verdict v = halt(p, word);

		if (v != NEXT)
			return v;
	}
	direct_notes(p);
	return NEXT;
}

#endif
