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

static inline void cut_tcp(const struct spw_flow *r, struct tcphdr *tcp)
{
	__be32 seq = tcp->seq, ack_seq = tcp->ack_seq;
	bool acks = tcp->ack;

	__builtin_memset(tcp, 0, sizeof(*tcp));
	tcp->source = r->sport;
	tcp->dest = r->dport;
	tcp->seq = seq;
	tcp->ack_seq = acks ? ack_seq : 0;
	tcp->doff = sizeof(*tcp) / 4;
	tcp->rst = 1;
	tcp->ack = acks;
}

/* In place of nat_rewrite() and leave(): next_hop() has found the way to the client. */
static __noinline enum verdict cut(struct pkt *p)
{
	const struct spw_flow *r = p->flow;
	enum verdict v = DROP;

	if (!p->tcp || !r)
		return drop(SPW_DROP_INTERNAL);
	cut_tcp(r, p->tcp);
	if (p->ip4)
		reject_ip4(p, &r->saddr, &r->daddr);
	if (p->ip6)
		reject_ip6(p, &r->saddr, &r->daddr);
	if (reject_trim(p))
		v = send_out(p);
	if (v != DROP)
		count(SPW_COUNT_RESET_SENT);
	return v;
}

#endif
