/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet on its way through the stages, and how it can end. Which headers it has is said by the
 * pointers: NULL or not. The verifier does not know that a packet pointer is never NULL, so where
 * both families are dealt with, both pointers are asked: `else` would not load. Only reject(), cut()
 * and answer() resize a packet, as their last act, so the pointers stay valid throughout.
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

#include "addr.h"
#include "entry.h"

/* What a stage says; kernel codes appear only at the edge, in spillway.bpf.c. */
enum verdict {
	NEXT = 0,
	PASS,
	DROP,
	REFUSE,	     /* dropped; reject() may make an answer of it, if it is TCP */
	UNREACHABLE, /* dropped; answer() may make ICMP of it */
	TOO_BIG,     /* likewise, which says p->mtu */
	EXPIRED,     /* likewise: its hops are used up */
	DIRECT,	     /* direct return is to look at it once more */
	TX,
	REDIRECT,
};

/* The forward entry of a packet's flow, where its state is. */
struct flow_ref {
	__u64 word; /* as it was read */
	__u32 line; /* 0: not looked up, or there is none */
	__u32 service;
	__u32 born;
	__u32 endpoint;
};

/*
 * Where the transport header lies. In a map, so that to the verifier it is any offset, and packets
 * with options or extension headers go the path of those without.
 */
struct shape {
	__u32 l4_off;	/* from the IP header */
	__u32 fragment; /* enum fragment_kind */
	__u32 id_at;	/* where an IPv6 fragment's identification lies in the frame; else 0 */
	__u32 pad;
};

enum fragment_kind {
	FRAGMENT_NONE = 0, /* a whole packet */
	FRAGMENT_FIRST,
	FRAGMENT_LATER, /* without a transport header */
};

/* The part of a packet that lies in a map: it is large, and its values are nothing to the verifier. */
struct carry {
	struct spw_flow_key key;
	struct entry f;
	struct flow_ref forward;
	__u64 flow_seed;
	__u32 far_first;  /* as in the config */
	__u32 not_direct; /* the packet was looked at by spillway_direct */
	__u32 was_direct; /* likewise, for all that follows */
	__u32 lost;	  /* and the entry that made it another's is gone */
	__u32 hops_until;
	__u32 ingress_flags; /* enum spw_interface_flag */
	__u64 hash;	     /* of a packet that opens a flow */
	__u64 pick;	     /* likewise: what its slots are chosen by */
	__u32 named;	     /* likewise: the endpoint that its connection ID names, if any */
	__u32 pad;
	struct shape shape;
	struct spw_fragment fragment; /* its datagram, of a fragment */
	__u64 dmac; /* of the next hop, as a row of `next_hops` has them: with an MTU ... */
	__u64 smac; /* ... and a VLAN behind them, which count no more then (mac.h) */
};

struct pkt {
	struct xdp_md *ctx;
	struct carry *carry;
	struct ethhdr *eth;
	void *l3; /* behind Ethernet and its tag */
	struct iphdr *ip4;
	struct ipv6hdr *ip6;
	struct tcphdr *tcp;
	struct udphdr *udp;
	const struct spw_settings *settings; /* of the active side */
	struct entry *f;		     /* its entry, as it was at one moment, if it has one */
	struct flow_ref *forward;
	struct spw_flow_key *key; /* its 5-tuple as it came in */
	__u32 line;		  /* of its entry; 0: it has none, or it is not known yet */
	__u32 v6;		  /* of both sides: 0 or 1 */
	__u32 now;		  /* ticks */
	__u32 side;		  /* of the double-buffered rows */
	__u32 service;		  /* id, of a packet that opens a flow */
	__u32 endpoint;		  /* id, picked for it */
	__u32 egress_flags;	  /* enum spw_interface_flag */
	__u32 egress;		  /* ifindex it leaves by */
	__u16 egress_vlan;	  /* TCI, or SPW_UNTAGGED */
	__u16 mtu;		  /* of the way out; 0: no limit */
	bool partial;		  /* its checksum is yet to be made */
	bool cuts;		  /* a reply that goes on as an RST */
	bool direct;		  /* in the program for direct return */
	__be16 l3_proto;
	__u16 vlan;   /* its tag (TCI), or SPW_UNTAGGED */
	__u16 l3_len; /* of the IP packet: the frame may be padded */
	__u16 l4_len;
};

static inline void *pkt_end(const struct pkt *p)
{
	return (void *)(long)p->ctx->data_end;
}

static inline bool pkt_is_reply(const struct pkt *p)
{
	return p->line && p->f->core.dir == SPW_FLOW_REVERSE;
}

/* A SYN that asks for a connection; nothing that contradicts itself. */
static inline bool pkt_is_syn(const struct pkt *p)
{
	return p->tcp && p->tcp->syn && !p->tcp->ack && !p->tcp->fin && !p->tcp->rst;
}

#endif
