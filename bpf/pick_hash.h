/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The numbers that slots are chosen by: of the packet and the seed alone, equal on all gateways. */
#ifndef SPILLWAY_BPF_PICK_HASH_H
#define SPILLWAY_BPF_PICK_HASH_H

#include <spillway/flow.h>
#include <spillway/hash.h>

/*
 * Each round waits for the one before, so there are no more than needed: IPv4 has one for both addresses,
 * IPv6 two for either, side by side, before the ports follow.
 */
static inline __u64 pick_hash(const struct spw_flow_key *k, __u32 seed)
{
	__u64 ports = (__u64)k->sport << 32 | (__u64)k->dport << 16 | k->proto;
	__u64 h, to;

	if (spw_addr_is_mapped(&k->daddr)) {
		h = spw_mix(seed, (__u64)k->saddr.w[3] << 32 | k->daddr.w[3]);
		return spw_mix(h, ports);
	}
	h = spw_mix(seed, (__u64)k->saddr.w[0] << 32 | k->saddr.w[1]);
	h = spw_mix(h, (__u64)k->saddr.w[2] << 32 | k->saddr.w[3]);
	to = spw_mix(ports, (__u64)k->daddr.w[0] << 32 | k->daddr.w[1]);
	to = spw_mix(to, (__u64)k->daddr.w[2] << 32 | k->daddr.w[3]);
	return spw_mix(h, to);
}

/* All flows of a client alike, to whatever service. */
static inline __u64 pick_hash_source(const struct spw_flow_key *k, __u32 seed)
{
	__u64 h = spw_mix(seed, (__u64)k->saddr.w[0] << 32 | k->saddr.w[1]);

	return spw_mix(h, (__u64)k->saddr.w[2] << 32 | k->saddr.w[3]);
}

/* Maps a hash onto 0 .. n - 1 evenly, without a division. */
static inline __u32 pick_scale(__u32 hash, __u32 n)
{
	return (__u64)hash * n >> 32;
}

#endif
