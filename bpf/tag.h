/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A packet that leaves with another 802.1Q tag than it came with: changed, put in or taken out. The
 * priority of a tag that came goes on with the packet.
 */
#ifndef SPILLWAY_BPF_TAG_H
#define SPILLWAY_BPF_TAG_H

#include "parse.h"

#define TAG_VID 0x0fff

/* Ethernet with a tag. */
struct tagged {
	__u8 dest[ETH_ALEN];
	__u8 source[ETH_ALEN];
	__be16 tpid;
	__be16 tci;
	__be16 proto;
} __attribute__((packed));

/*
 * Writes the whole Ethernet header anew, with `room` bytes behind it: 0, or -1 when they are not to be
 * had. No pointer is valid then.
 */
static __noinline int tag_change(struct pkt *p, int room)
{
	int grow =
		(p->egress_vlan == SPW_UNTAGGED ? 0 : 4) - (p->vlan == SPW_UNTAGGED ? 0 : 4) + room;
	__u16 priority = p->vlan == SPW_UNTAGGED ? 0 : p->vlan & ~TAG_VID;
	struct tagged *t;

	if (grow && bpf_xdp_adjust_head(p->ctx, -grow))
		return -1;
	t = (void *)(long)p->ctx->data;
	if ((void *)(t + 1) > pkt_end(p))
		return -1;
	mac_write(t, p->carry->dmac, p->carry->smac);
	if (p->egress_vlan == SPW_UNTAGGED) {
		t->tpid = p->l3_proto;
		return 0;
	}
	t->tpid = bpf_htons(ETH_P_8021Q);
	t->tci = bpf_htons(priority | (p->egress_vlan & TAG_VID));
	t->proto = p->l3_proto;
	return 0;
}

#endif
