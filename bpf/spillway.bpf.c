/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packet path: the order of its stages, readable top to bottom. Each stage says NEXT or how
 * the packet ends. Nothing is written to a packet before next_hop() has decided that it leaves, or
 * a stage that it is refused.
 */
#include "parse.h"
#include "shape.h"
#include "life.h"
#include "direct_icmp.h"
#include "direct_fast.h"
#include "handoff_open.h"
#include "open.h"
#include "fwd_nat.h"
#include "hop.h"
#include "partial.h"
#include "fwd_icmp.h"
#include "reject.h"
#include "answer.h"
#include "cut.h"
#include "mss.h"
#include "sample.h"
#include "stages.h"
#include "sweep.h"

#define STAGE(stage)                                                                               \
	do {                                                                                       \
		enum verdict v = stage(p);                                                         \
		if (v != NEXT)                                                                     \
			return v;                                                                  \
	} while (0)

static inline enum verdict ours(struct pkt *p)
{
	STAGE(parse_eth);
	STAGE(parse_ip);
	STAGE(only_ours); /* address and MAC, else it is somebody else's */
	return NEXT;
}

static inline enum verdict packet(struct pkt *p)
{
	STAGE(parse_shape); /* one whole IP packet, or a fragment */
	STAGE(fwd_icmp);    /* ICMP about a flow goes to its other side */
	STAGE(parse_l4);    /* TCP or UDP: now there is a 5-tuple */
	STAGE(config_read);
	STAGE(life_follow);   /* it may have a flow, in either direction */
	STAGE(direct_again);  /* it had one */
	STAGE(service_match); /* without one: SYN or UDP to a service */
	STAGE(quic_match);    /* without one: it may name its endpoint */
	STAGE(pick_endpoint); /* without one */
	STAGE(handoff_open);  /* the userspace path is to have it: it ends here */
	STAGE(hop_limit);
	STAGE(flow_open); /* without one */
	STAGE(next_hop);
	if (p->cuts)
		return cut(p);
	STAGE(sample);	    /* the endpoint is to answer this one */
	STAGE(partial_see); /* a checksum that is not made yet */
	STAGE(mss);	    /* no larger than the ways carry */
	STAGE(nat_rewrite);
	STAGE(partial);
	return leave(p);
}

/* Of a VIP with services of direct return. NEXT: another mode's. */
static inline enum verdict direct_packet(struct pkt *p)
{
	STAGE(parse_eth);
	STAGE(parse_ip);
	STAGE(parse_shape);
	STAGE(config_read);
	STAGE(direct_icmp);
	if (!p->carry->shape.fragment && !shape_is_l4(p))
		return NEXT; /* it may be about a flow of mode nat */
	STAGE(parse_l4);
	return direct(p);
}

/* What a verdict of the stages comes to. */
static inline int end(struct pkt *p, enum verdict v)
{
	p->carry->not_direct = 0; /* it ended on its way back */
	if (p->carry->shape.fragment == FRAGMENT_FIRST)
		fragment_remember(v);
	if (v == REFUSE)
		v = reject(p);
	if (v == UNREACHABLE || v == TOO_BIG || v == EXPIRED)
		v = answer(p, v);
	switch (v) {
	case NEXT:
	case REFUSE:
	case UNREACHABLE:
	case TOO_BIG:
	case EXPIRED:
	case DIRECT:
	case DROP:
		return XDP_DROP;
	case PASS:
		return XDP_PASS;
	case TX:
		return XDP_TX;
	case REDIRECT:
		return XDP_REDIRECT;
	}
	return XDP_ABORTED;
}

static inline bool begin(struct pkt *p)
{
	if (!p->carry)
		return false;
	p->key = &p->carry->key;
	p->f = &p->carry->f;
	p->forward = &p->carry->forward;
	p->carry->shape.fragment = FRAGMENT_NONE;
	return true;
}

static inline int direct_xdp(struct pkt *p)
{
	enum verdict v = direct_fast(p);

	if (v == TX)
		return XDP_TX;
	if (v == REDIRECT)
		return XDP_REDIRECT;
	if (v == NEXT) {
		bpf_tail_call(p->ctx, &stages, STAGES_DIRECT);
		drop(SPW_DROP_INTERNAL);
	}
	return XDP_DROP;
}

SEC("xdp.frags")
int spillway_xdp(struct xdp_md *ctx)
{
	struct pkt p = {.ctx = ctx, .carry = carry_scratch()};
	enum verdict v;

	if (!begin(&p))
		return XDP_ABORTED;
	v = ours(&p);
	if (v == NEXT && direct_is_for(&p))
		return direct_xdp(&p);
	if (v == NEXT)
		v = packet(&p);
	if (v == DIRECT) {
		bpf_tail_call(ctx, &stages, STAGES_DIRECT);
		v = drop(SPW_DROP_INTERNAL);
	}
	return end(&p, v);
}

/* Packets to VIPs of direct return. What is not for it goes through the stages above after all. */
SEC("xdp.frags")
int spillway_direct(struct xdp_md *ctx)
{
	struct pkt p = {.ctx = ctx, .carry = carry_scratch()};
	enum verdict v;

	if (!begin(&p))
		return XDP_ABORTED;
	p.direct = true;
	v = direct_packet(&p);
	if (v == NEXT) {
		p.carry->not_direct = 1;
		bpf_tail_call(ctx, &stages, STAGES_ALL);
		v = drop(SPW_DROP_INTERNAL);
	}
	return end(&p, v);
}

/* IPv4's sets are numbered first, IPv6's follow. */
SEC("syscall")
int spillway_sweep(struct spw_sweep *ctx)
{
	struct sweep s = {.now = (__u32)bpf_jiffies64() + ctx->later,
			  .side = config_side(),
			  .round = ctx->round};
	__u32 first = ctx->first;

	s.v6 = first >= flow_sets4;
	if (s.v6)
		first -= flow_sets4;
	ctx->first += sweep_sets(&s, first, ctx->sets);
	ctx->now = s.now;
	/* The verifier wants constant places in the context. */
	ctx->live[0] += s.v6 ? 0 : s.live;
	ctx->live[1] += s.v6 ? s.live : 0;
	ctx->expired += s.expired;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
