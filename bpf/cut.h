/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An endpoint's packet that reaches its client as an RST in its place: the flow is reset, and the
 * client waits for an answer. The sequence number is the packet's own, which is the one that the
 * client takes an RST by (RFC 5961, section 3.2); before the handshake it is the acknowledgement,
 * which stays as well (RFC 9293, 3.10.7.3).
 */
#ifndef SPILLWAY_BPF_CUT_H
#define SPILLWAY_BPF_CUT_H

#include "reject.h"

/* In place of nat_rewrite() and leave(): next_hop() has found the way to the client. */
static __noinline enum verdict cut(struct pkt *p)
{
	const struct spw_flow *r = p->flow;
	struct tcphdr *tcp = p->tcp;

	if (!tcp || !r)
		return drop(SPW_DROP_INTERNAL);
	reject_head(tcp, tcp->seq, tcp->ack_seq, tcp->ack);
	tcp->source = r->sport;
	tcp->dest = r->dport;
	return reject_send(p, &r->saddr, &r->daddr);
}

#endif
