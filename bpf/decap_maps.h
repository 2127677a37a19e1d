/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of spillway-decap. The loader fills them before the program is in force, and then keeps
 * `decap_hosts` and `decap_mss` up to date; the programs write the counters only.
 */
#ifndef SPILLWAY_BPF_DECAP_MAPS_H
#define SPILLWAY_BPF_DECAP_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <spillway/decap.h>

/* In host order; unused ones are 0, which no UDP packet is to. */
const volatile __u16 decap_ports[SPW_DECAP_PORTS_MAX];
const volatile __u32 decap_any_gateway;

/* Addresses of this host, which tunnels may end at. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct spw_addr);
	__type(value, __u32);
} decap_hosts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct spw_decap_prefix);
	__type(value, __u32);
} decap_vips SEC(".maps");

/* Senders of tunnels, unless all are (decap_any_gateway). */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct spw_decap_prefix);
	__type(value, __u32);
} decap_gateways SEC(".maps");

/* By interface. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct spw_decap_mss);
} decap_mss SEC(".maps");

/* Pinned, so that the sums survive the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SPW_DECAP_STAT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} decap_stats SEC(".maps");

static inline void decap_add(enum spw_decap_stat row, __u64 n)
{
	__u32 key = row;
	__u64 *sum = bpf_map_lookup_elem(&decap_stats, &key);

	if (sum)
		*sum += n;
}

static inline bool decap_is_vip(const struct spw_addr *addr)
{
	struct spw_decap_prefix key = {.bits = 128, .addr = *addr};

	return bpf_map_lookup_elem(&decap_vips, &key);
}

#endif
