/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet with an entry in the flow table: does it go the flow's way, and what does the flow
 * learn from it? Ordinary packets only read; the shared lines are written when a flag says
 * something new, or about once a second to show that the flow lives.
 */
#ifndef SPILLWAY_BPF_LIFE_H
#define SPILLWAY_BPF_LIFE_H

#include "halt.h"
#include "signal.h"

/*
 * A SYN on a flow that ends or is reset opens a new one. One that nobody has answered tries
 * elsewhere when its endpoint may not be picked any more, and so does UDP when its endpoint is down
 * or gone, unless the service leaves it there. `word` is the endpoint's.
 */
static inline bool life_opens_anew(const struct pkt *p, const struct spw_flow *f, __u32 word)
{
	bool repick;

	if (p->udp) {
		repick = !word_keeps_udp(word) && !halt_leaves_udp(p, f, word);
	} else {
		if (!pkt_is_syn(p))
			return false;
		if ((f->state & FLOW_ENDING) || (word & SPW_WORD_RESET))
			return true;
		repick = !(f->state & SPW_FLOW_ESTABLISHED) && !word_is_pickable(word);
	}
	if (repick)
		count(SPW_COUNT_FLOW_REPICKED);
	return repick;
}

/* State bits a client's packet sets. */
static inline __u32 life_client_bits(const struct pkt *p, __u32 state)
{
	__u32 bits = 0;

	if (!p->tcp)
		return 0;
	if (p->tcp->fin)
		bits |= SPW_FLOW_FIN_CLIENT;
	/* Before the handshake it may end a former connection's TIME_WAIT; the SYN comes again. */
	if (p->tcp->rst && (state & SPW_FLOW_ESTABLISHED))
		bits |= SPW_FLOW_RESET;
	if (p->tcp->ack && !p->tcp->rst && !p->tcp->syn && (state & SPW_FLOW_REPLIED))
		bits |= SPW_FLOW_ESTABLISHED;
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

static inline bool mac_differs(const __u8 *a, const __u8 *b)
{
	return __builtin_memcmp(a, b, ETH_ALEN) != 0;
}

static inline void life_note_path(const struct pkt *p, struct spw_flow *f)
{
	f->client_ifindex = p->ctx->ingress_ifindex;
	__builtin_memcpy(f->client_mac, p->eth->h_source, ETH_ALEN);
	__builtin_memcpy(f->own_mac, p->eth->h_dest, ETH_ALEN);
}

/* Replies go back the way the client's latest packet came: the reverse entry holds it. */
static inline void life_follow_client(const struct pkt *p, struct spw_flow *f)
{
	struct spw_flow *r;

	if (f->client_ifindex == p->ctx->ingress_ifindex &&
	    !mac_differs(f->client_mac, p->eth->h_source) &&
	    !mac_differs(f->own_mac, p->eth->h_dest))
		return;
	life_note_path(p, f);
	r = flow_partner(f, p->key.proto);
	if (r)
		life_note_path(p, r);
}

static inline enum verdict life_forward(struct pkt *p, struct spw_flow *f)
{
	__u32 bits, word;
	enum verdict v;

	f = flow_find_forward(p, f);
	if (!f)
		return NEXT;
	word = endpoint_word(f->endpoint);
	if (halt_may(word)) {
		v = halt(p, f, word);
		if (v != NEXT)
			return v;
	}
	if (pkt_is_syn(p))
		signal_retried(f, p->now_ns);
	if (life_opens_anew(p, f, word)) {
		flow_remove(&p->key, f);
		return NEXT;
	}
	bits = life_client_bits(p, f->state) & ~f->state;
	if (bits)
		flow_mark(f, bits);
	if (bits || flow_idle_ns(f, p->now_ns) >= FLOW_STEP_NS)
		f->seen_ns = p->now_ns;
	life_follow_client(p, f);
	p->flow = f;
	return NEXT;
}

/*
 * The reverse entry keeps copies: `state`, the bits already told to the forward entry, and
 * `seen_ns`, when it last looked there.
 */
static inline enum verdict life_reply(struct pkt *p, struct spw_flow *r)
{
	__u32 bits = life_endpoint_bits(p) & ~r->state;
	__u32 word = endpoint_word(r->endpoint);
	bool halts = halt_may(word) && halt_may_reply(p->side, r->service, word);
	struct spw_flow *f;
	enum verdict v;

	p->flow = r;
	if (!bits && !halts && flow_idle_ns(r, p->now_ns) < FLOW_STEP_NS)
		return NEXT;
	f = flow_find_partner(p, r);
	if (!f)
		return pass(SPW_PASS_NO_FLOW);
	if (halts) {
		v = halt(p, f, word);
		if (v != NEXT || p->cuts)
			return v;
	}
	if ((bits & SPW_FLOW_FIN_ENDPOINT) && (f->state & SPW_FLOW_FIN_CLIENT))
		bits |= SPW_FLOW_CLIENT_FIRST;
	/* The RST as first answer is a refusal. */
	if ((bits & SPW_FLOW_RESET) && !(f->state & SIGNAL_OVER))
		bits |= SPW_FLOW_FAILED;
	if (bits)
		signal_replied(f, flow_mark(f, bits), bits, p->now_ns);
	r->state |= bits & ~SPW_FLOW_FAILED;
	r->seen_ns = p->now_ns;
	f->seen_ns = p->now_ns;
	return NEXT;
}

/* Leaves p->flow NULL when there is none, or none any more. */
static inline enum verdict life_follow(struct pkt *p)
{
	struct spw_flow *f = bpf_map_lookup_elem(&flows, &p->key);

	if (!f)
		return NEXT;
	if (f->dir == SPW_FLOW_REVERSE)
		return life_reply(p, f);
	return life_forward(p, f);
}

#endif
