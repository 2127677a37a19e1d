/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which flows tell of their endpoint. Only those count whose packet has left for it, and of TCP
 * only a SYN that every host answers: else who wants an endpoint ejected sends SYNs that die on the
 * way, or that servers drop in silence. A flow that is no sample never becomes one.
 *
 * What this gateway drops itself is no sample yet, so its own trouble is never the endpoint's; but
 * that nobody resolves the next hop's address for as long as a SYN waits, is.
 */
#ifndef SPILLWAY_BPF_SAMPLE_H
#define SPILLWAY_BPF_SAMPLE_H

#include "segment.h"
#include "signal.h"

#define SAMPLE_HOPS    16 /* systems begin at 64 or more: with less it is made to die on the way */
#define SAMPLE_TCP_MAX 64 /* a TCP header has up to 60 bytes */
#define SAMPLE_OPTIONS 12 /* more is unusual */

#define TCP_OPTION_END 0
#define TCP_OPTION_NOP 1

/* MSS, window scale, SACK permitted, timestamps, fast open (RFC 9293, 7323, 2018, 7413). */
#define TCP_OPTIONS_USUAL (1ULL << 2 | 1ULL << 3 | 1ULL << 4 | 1ULL << 8 | 1ULL << 34)

/* A TCP header and its options, and how far they have been read. */
struct sample_tcp {
	__u8 b[SAMPLE_TCP_MAX];
	__u32 len;
	__u32 at; /* len: all of them are usual */
};

/*
 * One option: 0 to go on. Usual is what every server takes. It may drop signatures (RFC 2385, 5925)
 * in silence, and refuse to join a connection that another server has (RFC 8684).
 */
static long sample_option(__u32 i, struct sample_tcp *t)
{
	__u8 kind = t->b[t->at % SAMPLE_TCP_MAX];
	__u8 size = t->b[(t->at + 1) % SAMPLE_TCP_MAX];

	if (t->at >= t->len)
		return 1;
	if (kind == TCP_OPTION_END) {
		t->at = t->len;
		return 1;
	}
	if (kind == TCP_OPTION_NOP) {
		t->at += 1;
		return 0;
	}
	if (kind >= 64 || !(TCP_OPTIONS_USUAL >> kind & 1) || size < 2)
		return 1;
	t->at += size;
	return 0;
}

/*
 * Nobody takes a packet with a wrong checksum, and we send it on as wrong as it came. IP options and
 * extension headers are dropped in silence by many.
 */
static inline bool sample_ip_is_sound(const struct pkt *p)
{
	if (p->ip6)
		return p->ip6->nexthdr == IPPROTO_TCP && p->ip6->hop_limit > SAMPLE_HOPS;
	if (!p->ip4 || p->ip4->ihl * 4 != sizeof(*p->ip4) || p->ip4->ttl <= SAMPLE_HOPS)
		return false;
	return segment_ip4_is_sound(p->ip4);
}

/* A SYN without data that says nothing unusual. */
static inline bool sample_syn_is_sound(const struct pkt *p)
{
	__u32 len = p->tcp->doff * 4;
	struct sample_tcp tcp = {.len = len, .at = sizeof(struct tcphdr)};
	__u32 at = (void *)p->tcp - (void *)p->eth;

	if (p->tcp->psh || p->tcp->urg || len != p->l4_len)
		return false;
	if (len < sizeof(struct tcphdr) || len > SAMPLE_TCP_MAX - 4)
		return false;
	if (bpf_xdp_load_bytes(p->ctx, at, tcp.b, len))
		return false;
	if (csum_fold((__u32)bpf_csum_diff(NULL, 0, (__be32 *)tcp.b, len, segment_pseudo(p))))
		return false;
	if (len > sizeof(struct tcphdr))
		bpf_loop(SAMPLE_OPTIONS, sample_option, &tcp, 0);
	return tcp.at == len;
}

/* Before the packet is rewritten, and when it is certain that it leaves. */
static __noinline int sample_take(struct pkt *p)
{
	if (!p->forward->line)
		return 0;
	if (p->tcp && !(pkt_is_syn(p) && sample_ip_is_sound(p) && sample_syn_is_sound(p)))
		line_mark(p->v6, p->forward->line, p->forward->word,
			  SPW_FLOW_SAMPLED | SPW_FLOW_FAILED);
	else
		signal_opened(p->v6, p->forward);
	return 0;
}

/*
 * A stage: towards an endpoint, what has not been asked yet and has no answer. A datagram in fragments
 * may never become whole.
 */
static inline enum verdict sample(struct pkt *p)
{
	if (!pkt_is_reply(p) && !p->carry->shape.fragment &&
	    !(p->f->core.word & (SPW_FLOW_SAMPLED | SIGNAL_OVER)))
		sample_take(p);
	return NEXT;
}

#endif
