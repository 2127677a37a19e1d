/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which program a packet is for: the one of all modes, or direct return's. */
#ifndef SPILLWAY_BPF_DIRECT_FOR_H
#define SPILLWAY_BPF_DIRECT_FOR_H

#include <spillway/hash.h>

#include "config.h"

/* A VIP with services of direct return, or an address that shares its bit. */
static inline bool direct_is_for(const struct pkt *p)
{
	__u32 bit = spw_addr_hash(&p->key->daddr) & addr_bits_mask, line = bit / SPW_ADDR_LINE_BITS;
	const struct spw_addr_line *l;

	p->carry->was_direct = p->carry->not_direct;
	p->carry->lost = 0;
	if (p->carry->not_direct) {
		p->carry->not_direct = 0;
		return false;
	}
	if (!config_has_direct())
		return false;
	l = bpf_map_lookup_elem(&direct_bits, &line);
	bit %= SPW_ADDR_LINE_BITS;
	return l && (l->w[bit / 64] >> (bit % 64) & 1);
}

/* An entry made it another mode's, and has just gone: only here any endpoint may be picked for it. */
static inline enum verdict direct_again(const struct pkt *p)
{
	return p->carry->lost ? DIRECT : NEXT;
}

#endif
