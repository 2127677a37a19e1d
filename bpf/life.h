/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet with an entry in the flow table: does it go the flow's way, and what does the flow
 * learn from it? Ordinary packets only read; the shared lines are written when a flag says
 * something new, or now and then to show that the flow lives (flow_is_fresh()).
 */
#ifndef SPILLWAY_BPF_LIFE_H
#define SPILLWAY_BPF_LIFE_H

#include "halt.h"
#include "handoff.h"
#include "path.h"
#include "signal.h"

/*
 * A SYN on a flow that ends or is reset opens a new one. One that nobody has answered tries
 * elsewhere when its endpoint may not be picked any more, and so does UDP when its endpoint is down
 * or gone, unless the service leaves it there. `word` is the endpoint's.
 */
static inline bool life_opens_anew(const struct pkt *p, __u32 word)
{
	bool repick;

	if (p->udp) {
		repick = !word_keeps_udp(word) && !halt_leaves_udp(p, word);
	} else {
		if (!pkt_is_syn(p))
			return false;
		if ((p->forward->word & FLOW_ENDING) || (word & SPW_WORD_RESET))
			return true;
		repick = !(p->forward->word & SPW_FLOW_ESTABLISHED) && !word_is_pickable(word);
	}
	if (repick)
		count(SPW_COUNT_FLOW_REPICKED);
	return repick;
}

/* UDP that was answered is established, but of rank only when it is still used two seconds on. */
static inline __u32 life_udp_rank(__u64 word, __u32 born)
{
	if ((word & SPW_FLOW_RANKED) || !(word & SPW_FLOW_ESTABLISHED))
		return 0;
	return (__s32)(flow_clock() - born) >= (__s32)FLOW_RANK_UNITS ? SPW_FLOW_RANKED : 0;
}

/* State bits a client's packet sets. */
static inline __u32 life_client_bits(const struct pkt *p, __u64 word)
{
	__u32 bits = 0;

	if (!p->tcp)
		return life_udp_rank(word, p->f->core.born);
	if (p->tcp->fin)
		bits |= SPW_FLOW_FIN_CLIENT;
	/* Before the handshake it may end a former connection's TIME_WAIT; the SYN comes again. */
	if (p->tcp->rst && (word & SPW_FLOW_ESTABLISHED))
		bits |= SPW_FLOW_RESET;
	if (p->tcp->ack && !p->tcp->rst && !p->tcp->syn && (word & SPW_FLOW_REPLIED))
		bits |= SPW_FLOW_ESTABLISHED | SPW_FLOW_RANKED;
	return bits;
}

/* State bits an endpoint's packet sets. */
static inline __u32 life_endpoint_bits(const struct pkt *p)
{
	__u32 bits = SPW_FLOW_REPLIED;

	if (!p->tcp)
		return bits | SPW_FLOW_ESTABLISHED;
	if (p->tcp->rst)
		return SPW_FLOW_RESET;
	if (p->tcp->fin)
		bits |= SPW_FLOW_FIN_ENDPOINT;
	return bits;
}

static inline enum verdict life_forward(struct pkt *p)
{
	__u64 was = p->f->core.word;
	__u32 bits, word;
	enum verdict v;

	flow_refer(p->f, p->line, p->forward);
	if (!flow_is_fresh(was, p->now) &&
	    flow_is_expired(was, p->f->core.service, p->udp != NULL, p->side, p->now)) {
		flow_expire(p->v6, p->forward);
		flow_lose(p);
		return NEXT;
	}
	word = endpoint_word(p->f->core.endpoint);
	if (halt_may(word)) {
		v = halt(p, word);
		if (v != NEXT)
			return v;
	}
	if (pkt_is_syn(p))
		signal_retried(p);
	if (life_opens_anew(p, word)) {
		pair_remove(p->v6, p->line, was, 0);
		flow_lose(p);
		return NEXT;
	}
	bits = life_client_bits(p, was);
	if (!flow_is_fresh(was, p->now))
		bits |= flow_long(was, p->f->core.service, p->udp != NULL, p->side);
	bits &= ~was;
	if (bits)
		flow_mark(p->v6, p->forward, bits);
	if (bits || !flow_is_fresh(was, p->now))
		line_touch(p->v6, p->line, was, p->now);
	path_follow(p);
	return NEXT;
}

/* An endpoint's packet that says something new, or that the flow still lives. */
static __noinline enum verdict life_reply_notes(struct pkt *p, __u32 bits, __u32 word, bool halts)
{
	enum verdict v;
	__u32 rank;

	if (!flow_find_forward(p->key, p->f, p->v6, p->forward))
		return pass(SPW_PASS_NO_FLOW);
	if (!flow_is_fresh(p->forward->word, p->now) &&
	    flow_is_expired(p->forward->word, p->forward->service, p->udp != NULL, p->side,
			    p->now)) {
		flow_expire(p->v6, p->forward);
		return pass(SPW_PASS_NO_FLOW);
	}
	if (halts) {
		v = halt(p, word);
		if (v != NEXT || p->cuts)
			return v;
	}
	if ((bits & SPW_FLOW_FIN_ENDPOINT) && (p->forward->word & SPW_FLOW_FIN_CLIENT))
		bits |= SPW_FLOW_CLIENT_FIRST;
	/* The RST as first answer is a refusal. */
	if ((bits & SPW_FLOW_RESET) && !(p->forward->word & SIGNAL_OVER))
		bits |= SPW_FLOW_FAILED;
	rank = p->udp ? life_udp_rank(p->forward->word, p->forward->born)
		      : p->forward->word & SPW_FLOW_RANKED;
	rank |= flow_long(p->forward->word, p->forward->service, p->udp != NULL, p->side);
	if (bits)
		signal_replied(p, flow_mark(p->v6, p->forward, bits | rank), bits);
	else if (rank)
		flow_mark(p->v6, p->forward, rank);
	line_mark(p->v6, p->line, p->f->core.word, (bits & ~SPW_FLOW_FAILED) | rank);
	line_touch(p->v6, p->line, p->f->core.word, p->now);
	line_touch(p->v6, p->forward->line, p->forward->word, p->now);
	return NEXT;
}

/*
 * The reverse entry keeps copies: its state, the bits already told to the forward entry, and its
 * age, when it last looked there.
 */
static inline enum verdict life_reply(struct pkt *p)
{
	__u32 bits = life_endpoint_bits(p) & ~p->f->core.word;
	__u32 word = endpoint_word(p->f->core.endpoint);
	bool halts = halt_may(word) && halt_may_reply(p->side, p->f->core.service, word);

	if (!bits && !halts && flow_is_fresh(p->f->core.word, p->now))
		return NEXT;
	return life_reply_notes(p, bits, word, halts);
}

/* The first fragment was the packet that the flow learnt from, a moment ago. */
static inline enum verdict life_fragment(struct pkt *p)
{
	if (p->line == TABLE_NONE)
		return drop(SPW_DROP_FRAGMENT);
	flow_refer(p->f, p->line, p->forward); /* of a reply nobody looks there */
	return NEXT;
}

/*
 * A packet that has an entry of direct return, and is for another mode all the same: its connection ID
 * names whom (quic.h), or its service is direct return's no more. The entry is nobody's then.
 */
static __noinline enum verdict life_renamed(struct pkt *p)
{
	pair_remove(p->v6, p->line, p->f->core.word, 0);
	flow_lose(p);
	return NEXT;
}

/* Leaves p->line TABLE_NONE when there is no flow, or none any more. */
static inline enum verdict life_follow(struct pkt *p)
{
	p->line = TABLE_FAMILIES(p->v6, flow_of(p, 0), flow_of(p, 1));
	if (p->line != TABLE_NONE && (p->f->core.flags & SPW_FLOW_ALONE)) {
		if (p->f->core.flags & SPW_FLOW_HANDOFF)
			return handoff_follow(p);
		if (p->carry->shape.fragment != FRAGMENT_LATER)
			return life_renamed(p);
		p->line = TABLE_NONE;
	}
	if (p->carry->shape.fragment == FRAGMENT_LATER)
		return life_fragment(p);
	if (p->line == TABLE_NONE)
		return NEXT;
	return pkt_is_reply(p) ? life_reply(p) : life_forward(p);
}

#endif
