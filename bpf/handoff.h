/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Flows of the userspace path. Their packets are passed to the host's stack as they came, which has
 * the connection, with a proxy behind it; steer.bpf.c reads the entry when it looks for a socket. So
 * an entry only has to say whom the flow was given to, from the SYN until the socket is found, and
 * that again when the SYN is repeated.
 *
 * Answers do not come by here: what the client sends is all that is known. Nothing is ever refused,
 * reset or judged, since the proxy does that.
 */
#ifndef SPILLWAY_BPF_HANDOFF_H
#define SPILLWAY_BPF_HANDOFF_H

#include "flow.h"
#include "pick.h"

/* To the stack, untouched. */
static inline enum verdict handoff_pass(const struct pkt *p)
{
	count_endpoint(p);
	return pass(SPW_PASS_HANDOFF);
}

/*
 * A SYN on a flow that ends opens a new one, and so does one whose handshake is not done when its
 * endpoint may not be picked any more. The stack has a word for a SYN within a connection (RFC 5961,
 * section 4).
 */
static inline bool handoff_opens_anew(const struct pkt *p)
{
	__u64 word = p->f->core.word;

	if (!pkt_is_syn(p))
		return false;
	if (word & FLOW_ENDING)
		return true;
	if ((word & SPW_FLOW_ESTABLISHED) || word_is_pickable(endpoint_word(p->f->core.endpoint)))
		return false;
	count(SPW_COUNT_FLOW_REPICKED);
	return true;
}

/* State bits that the packet sets. */
static inline __u32 handoff_bits(const struct pkt *p)
{
	if (p->tcp->rst)
		return SPW_FLOW_RESET;
	if (p->tcp->fin)
		return SPW_FLOW_FIN_CLIENT;
	return p->tcp->ack && !p->tcp->syn ? SPW_FLOW_ESTABLISHED | SPW_FLOW_RANKED : 0;
}

/*
 * The client's end is the only one that is seen, so it counts as the flow's: else the flow would be
 * open for as long as a closing one rests, and give way to nobody in a full table.
 */
static inline void handoff_mark(const struct pkt *p, __u32 bits)
{
	if (bits & FLOW_ENDING)
		bits |= SPW_FLOW_CLOSED;
	if (!(line_mark(p->v6, p->line, p->f->core.word, bits) & SPW_FLOW_CLOSED) &&
	    (bits & SPW_FLOW_CLOSED))
		count_closed(p->f->core.endpoint);
}

static inline void handoff_notes(const struct pkt *p)
{
	__u64 was = p->f->core.word;
	__u32 bits = handoff_bits(p);

	if (!flow_is_fresh(was, p->now))
		bits |= flow_long(was, p->f->core.service, 0, p->side);
	bits &= ~was;
	if (bits)
		handoff_mark(p, bits);
	if (bits || !flow_is_fresh(was, p->now))
		line_touch(p->v6, p->line, was, p->now);
}

/* NEXT when the packet has no flow any more, and perhaps is to open another. */
static __noinline enum verdict handoff_follow(struct pkt *p)
{
	__u64 was = p->f->core.word;
	bool expired;

	if (!p->tcp) /* a later fragment */
		return handoff_pass(p);
	expired = !flow_is_fresh(was, p->now) &&
		  flow_is_expired(was, p->f->core.service, 0, p->side, p->now);
	if (expired || handoff_opens_anew(p)) {
		if (pair_remove(p->v6, p->line, was, 0) && expired)
			count_shared(SPW_COUNT_FLOW_EXPIRED);
		flow_lose(p);
		return NEXT;
	}
	handoff_notes(p);
	return handoff_pass(p);
}

#endif
