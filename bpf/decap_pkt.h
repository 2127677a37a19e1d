/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet on its way through the stages of decap.bpf.c. Places are offsets, and headers are copies:
 * what is behind an outer header with options lies anywhere, also in a fragment of a large frame, and
 * to the verifier offsets are plain numbers.
 */
#ifndef SPILLWAY_BPF_DECAP_PKT_H
#define SPILLWAY_BPF_DECAP_PKT_H

#include <stdbool.h>

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>

#include "decap_maps.h"

/* Ethernet with an 802.1Q tag, or without one. */
struct decap_link {
	__u8 macs[2 * ETH_ALEN];
	__be16 proto; /* behind the tag, if there is one */
	__be16 tci;
	__u32 len; /* 14, or 18 with a tag */
};

union decap_ip {
	struct iphdr v4;
	struct ipv6hdr v6;
};

struct decap {
	struct xdp_md *ctx;
	struct decap_link link;
	union decap_ip outer;
	union decap_ip inner;
	__u32 frame_len;
	__u32 at;  /* what is looked at next */
	__u32 end; /* of what carries it */
	__u16 udp_len;
	__u8 proto; /* of what is at `at` */
	bool outer_v6;
	bool inner_v6;
	bool gue;
};

enum decap_verdict { DECAP_NEXT, DECAP_PASS, DECAP_DROP };

static inline enum decap_verdict decap_pass(enum spw_decap_stat row)
{
	decap_add(row, 1);
	return DECAP_PASS;
}

static inline enum decap_verdict decap_drop(enum spw_decap_stat row)
{
	decap_add(row, 1);
	return DECAP_DROP;
}

/* The traffic class, IPv4's TOS. */
static inline __u8 decap_class(const union decap_ip *ip, bool v6)
{
	if (!v6)
		return ip->v4.tos;
	return ip->v6.priority << 4 | ip->v6.flow_lbl[0] >> 4;
}

#endif
