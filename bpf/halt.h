/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows that do not go on: their endpoint's word asks for a reset, or the endpoint is down and its
 * service has nobody left and says what becomes of established flows then. Packets of other flows
 * look at the word, and that is all.
 *
 * A reset flow's entries stay until its closing time, so that either side's next packets can be
 * answered. RSTs themselves are never answered: they go their flow's way, and so reach the other side.
 */
#ifndef SPILLWAY_BPF_HALT_H
#define SPILLWAY_BPF_HALT_H

#include "flow.h"
#include "pick.h"

/* Of a word: does it take a closer look at the packet? */
static inline bool halt_may(__u32 word)
{
	return (word & SPW_WORD_RESET) || !(word & (SPW_WORD_UP | SPW_WORD_PICKABLE));
}

/*
 * TCP: an RST to whoever speaks, counted in `row`. But the client is who waits: as long as it was
 * not told, the endpoint's packet goes on to it as an RST, and the endpoint, which hears nothing,
 * speaks again and is told then. The flow is over from the first on.
 */
static inline enum verdict halt_reset(struct pkt *p, enum spw_stat row)
{
	const struct flow_ref *f = p->forward;

	if (!(f->word & SPW_FLOW_RESET))
		line_touch(p->v6, f->line, f->word, p->now);
	p->cuts = pkt_is_reply(p) && !(f->word & SPW_FLOW_CLIENT_TOLD);
	flow_mark(p->v6, f, SPW_FLOW_RESET | SPW_FLOW_CLIENT_TOLD);
	if (!p->cuts)
		return refuse(row);
	count(row);
	return NEXT;
}

/* The row of the flow's service, when that has nobody left; else NULL. */
static inline const struct spw_service_row *halt_row(const struct pkt *p)
{
	const struct spw_service_row *row = service_row(p, p->forward->service);

	return row && (row->flags & SPW_SERVICE_EMPTY) ? row : NULL;
}

/*
 * The same question about an endpoint's packet, when halt_may() is true: where established flows
 * are left, there is no need to look up the forward entry. A global function for the verifier.
 */
__noinline int halt_may_reply(__u32 side, __u32 service, __u32 word)
{
	const struct spw_service_row *row;

	if (word & SPW_WORD_RESET)
		return 1;
	row = service_row_on(side, service);
	return row && (row->flags & SPW_SERVICE_EMPTY) && row->live_flows != SPW_NO_ENDPOINT_LEAVE;
}

static inline enum verdict halt_answer(struct pkt *p)
{
	if (p->tcp)
		return halt_reset(p, SPW_DROP_LIVE_NO_ENDPOINT);
	if (pkt_is_reply(p))
		return drop(SPW_DROP_LIVE_NO_ENDPOINT);
	return unreachable_for(SPW_DROP_LIVE_NO_ENDPOINT);
}

/* An established flow whose endpoint is down. The client's side is told; the other one if TCP. */
static inline enum verdict halt_live(struct pkt *p)
{
	const struct spw_service_row *row = halt_row(p);

	if (!row || !(p->forward->word & SPW_FLOW_ESTABLISHED))
		return NEXT;
	switch ((enum spw_no_endpoint)row->live_flows) {
	case SPW_NO_ENDPOINT_ANSWER:
		return halt_answer(p);
	case SPW_NO_ENDPOINT_UNREACHABLE:
		return pkt_is_reply(p) ? drop(SPW_DROP_LIVE_NO_ENDPOINT)
				       : unreachable_for(SPW_DROP_LIVE_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_DROP:
		return drop(SPW_DROP_LIVE_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_PASS:
		return pkt_is_reply(p) ? NEXT : pass(SPW_PASS_NO_ENDPOINT);
	case SPW_NO_ENDPOINT_LEAVE:
		return NEXT;
	}
	return NEXT;
}

/* UDP that leave to where it is: picking again would find nobody, and its endpoint is known. */
static inline bool halt_leaves_udp(const struct pkt *p, __u32 word)
{
	const struct spw_service_row *row = halt_row(p);
	__u32 id = p->forward->endpoint;
	const struct spw_endpoint *e;

	if (!row || row->live_flows != SPW_NO_ENDPOINT_LEAVE ||
	    !(p->forward->word & SPW_FLOW_ESTABLISHED))
		return false;
	if ((word & SPW_WORD_RESET) || word_admin(word) == SPW_ADMIN_DOWN)
		return false;
	e = bpf_map_lookup_elem(&endpoints, &id);
	return e && e->mode != SPW_MODE_NONE;
}

/* Nothing is left to answer for: both sides have ended the connection. */
static inline bool halt_is_over(__u64 word)
{
	return (word & FLOW_BOTH_FINS) == FLOW_BOTH_FINS && !(word & SPW_FLOW_RESET);
}

/* By the forward entry of the packet's flow and its endpoint's word. life.h opens anew. */
static __noinline enum verdict halt(struct pkt *p, __u32 word)
{
	__u64 flow = p->forward->word;

	if (!p->forward->line || (p->tcp && (p->tcp->rst || halt_is_over(flow))))
		return NEXT;
	if (pkt_is_syn(p) && !pkt_is_reply(p) && ((word & SPW_WORD_RESET) || (flow & FLOW_ENDING)))
		return NEXT;
	if (!(word & SPW_WORD_RESET))
		return halt_live(p);
	return p->tcp ? halt_reset(p, SPW_DROP_FLOW_RESET) : NEXT;
}

#endif
