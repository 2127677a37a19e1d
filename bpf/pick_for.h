/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an endpoint must be able to take, to be picked for a packet. */
#ifndef SPILLWAY_BPF_PICK_FOR_H
#define SPILLWAY_BPF_PICK_FOR_H

#include "pkt.h"

/* Direct return: it answers clients itself. */
static inline bool mode_is_direct(__u32 mode)
{
	return mode == SPW_MODE_L2 || mode == SPW_MODE_IPIP || mode == SPW_MODE_GUE;
}

/* What the picked endpoint must be able to take. */
enum pick_for {
	PICK_IPV6 = 1,	 /* else IPv4 */
	PICK_TCP = 2,	 /* else UDP */
	PICK_DIRECT = 4, /* one that answers clients itself will do */
};

static inline __u32 pick_for(const struct pkt *p)
{
	return (p->v6 ? PICK_IPV6 : 0) | (p->tcp ? PICK_TCP : 0) | (p->direct ? PICK_DIRECT : 0);
}

#endif
