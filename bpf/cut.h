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
	const struct entry *r = p->f;
	struct tcphdr *tcp;

	if (!p->tcp || !p->line || !plain(p))
		return drop(SPW_DROP_INTERNAL);
	tcp = p->tcp;
	reject_head(tcp, tcp->seq, tcp->ack_seq, tcp->ack);
	tcp->source = r->core.to_sport;
	tcp->dest = r->core.to_dport;
	if (!reject_finish(p, &r->to_saddr, &r->to_daddr) || tag_change(p, 0))
		return DROP;
	return reject_send(p);
}

#endif
