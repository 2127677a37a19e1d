/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet on its way through the stages, and how it can end. Which headers it has is said by the
 * pointers: NULL or not. The verifier does not know that a packet pointer is never NULL, so where
 * both families are dealt with, both pointers are asked: `else` would not load. Only reject(), cut()
 * and unreachable() resize a packet, as their last act, so the pointers stay valid throughout.
 */
#ifndef SPILLWAY_BPF_PKT_H
#define SPILLWAY_BPF_PKT_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include <spillway/abi.h>

/* What a stage says; kernel codes appear only at the edge, in spillway.bpf.c. */
enum verdict {
	NEXT = 0,
	PASS,
	DROP,
	REFUSE,	     /* dropped; reject() may make an answer of it, if it is TCP */
	UNREACHABLE, /* dropped; unreachable() may make an answer of it */
	TX,
	REDIRECT,
};

struct pkt {
	struct xdp_md *ctx;
	struct ethhdr *eth;
	struct iphdr *ip4;
	struct ipv6hdr *ip6;
	struct tcphdr *tcp;
	struct udphdr *udp;
	const struct spw_settings *settings; /* of the active side */
	struct spw_flow *flow;		     /* what it belongs to, once known */
	__u64 now_ns;
	__u64 hash;		 /* of a packet that opens a flow */
	struct spw_flow_key key; /* its 5-tuple as it came in */
	__u32 side;		 /* of the double-buffered rows */
	__u32 service;		 /* id, of a packet that opens a flow */
	__u32 endpoint;		 /* id, picked for it */
	__u32 egress;		 /* ifindex it leaves by */
	__u32 egress_flags;	 /* enum spw_interface_flag */
	bool cuts;		 /* a reply that goes on as an RST */
	__u16 l3_len;		 /* of the IP packet: the frame may be padded */
	__u16 l4_len;
};

static inline void *pkt_end(const struct pkt *p)
{
	return (void *)(long)p->ctx->data_end;
}

static inline bool pkt_is_reply(const struct pkt *p)
{
	return p->flow && p->flow->dir == SPW_FLOW_REVERSE;
}

/* A SYN that asks for a connection; nothing that contradicts itself. */
static inline bool pkt_is_syn(const struct pkt *p)
{
	return p->tcp && p->tcp->syn && !p->tcp->ack && !p->tcp->fin && !p->tcp->rst;
}

static inline bool addr_is_v4(const struct spw_addr *a)
{
	return !(a->w[0] | a->w[1]) && a->w[2] == bpf_htonl(0xffff);
}

static inline bool addr_is_none(const struct spw_addr *a)
{
	return !(a->w[0] | a->w[1] | a->w[2] | a->w[3]);
}

static inline bool addr_equal(const struct spw_addr *a, const struct spw_addr *b)
{
	return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2] && a->w[3] == b->w[3];
}

#endif
