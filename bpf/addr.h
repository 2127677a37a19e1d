/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one form of addresses, asked and made: struct spw_addr. */
#ifndef SPILLWAY_BPF_ADDR_H
#define SPILLWAY_BPF_ADDR_H

#include <stdbool.h>

#include <bpf/bpf_endian.h>

#include <spillway/addr.h>

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

static inline void addr_map_v4(struct spw_addr *a, __be32 v4)
{
	a->w[0] = 0;
	a->w[1] = 0;
	a->w[2] = bpf_htonl(0xffff);
	a->w[3] = v4;
}

#endif
