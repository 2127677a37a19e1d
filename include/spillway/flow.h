/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table: keys, entries, timeouts. Part of the contract in abi.h. */
#ifndef SPILLWAY_FLOW_H
#define SPILLWAY_FLOW_H

#include <linux/types.h>

#include <spillway/addr.h>

/* A flow's key is the packet's own 5-tuple as it arrives, in either direction. */
struct spw_flow_key {
	struct spw_addr saddr;
	struct spw_addr daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 pad[3];
};

enum spw_flow_dir {
	SPW_FLOW_FORWARD = 0, /* client to service */
	SPW_FLOW_REVERSE = 1, /* endpoint to source address */
};

/* Bits of spw_flow.state, kept in the forward entry, set with atomic or. */
enum spw_flow_state {
	SPW_FLOW_REPLIED = 1,	  /* the endpoint has answered */
	SPW_FLOW_ESTABLISHED = 2, /* TCP: handshake done; UDP: answered */
	SPW_FLOW_FIN_CLIENT = 4,
	SPW_FLOW_FIN_ENDPOINT = 8,
	SPW_FLOW_RESET = 16,
	SPW_FLOW_CLOSED = 32,	    /* counted in flows_closed */
	SPW_FLOW_CLIENT_FIRST = 64, /* its FIN came first: no TIME_WAIT at the endpoint */
	SPW_FLOW_FAILED = 128,	    /* counted as a failure, or never to be counted */
	SPW_FLOW_SAMPLED = 256, /* a packet has left for the endpoint: counted as opened, if ever */
	SPW_FLOW_CLIENT_TOLD = 512, /* of the flow's reset, by an RST */
};

/*
 * Map `flows`. Both entries of a pair say what the packet becomes; the partner's key is the
 * rewritten tuple with its two sides swapped. State and age live in the forward entry.
 */
struct spw_flow {
	struct spw_addr saddr; /* rewritten to */
	struct spw_addr daddr;
	__be16 sport;
	__be16 dport;
	__u16 endpoint; /* id */
	__u8 dir;	/* enum spw_flow_dir */
	__u8 pad;
	__u32 state;
	__u32 client_ifindex; /* where the client's latest packet came in */
	__u8 client_mac[6];   /* its source, the destination of replies */
	__u8 own_mac[6];      /* its destination, the source of replies */
	__u32 service;	      /* id */
	__u64 born_ns;	      /* CLOCK_MONOTONIC_COARSE */
	__u64 seen_ns;	      /* latest packet of either side, to about a second */
};

enum spw_timeout {
	SPW_TIMEOUT_TCP_EMBRYONIC = 0,
	SPW_TIMEOUT_TCP_ESTABLISHED = 1,
	SPW_TIMEOUT_TCP_CLOSING = 2, /* after FIN or RST; the source port rests as long */
	SPW_TIMEOUT_UDP_NEW = 3,
	SPW_TIMEOUT_UDP_ESTABLISHED = 4,
	SPW_TIMEOUT_MAX = 5,
};

_Static_assert(sizeof(struct spw_flow_key) == 40, "abi");
_Static_assert(sizeof(struct spw_flow) == 80, "abi");

#endif
