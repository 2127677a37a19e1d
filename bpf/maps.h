/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map, each with its one writer. The sizes here are small defaults: the loader sets those in
 * force with bpf_map__set_max_entries() before it loads, from what the operator asked for. The
 * layouts are in <spillway/abi.h>; arrays that the daemon fills in bulk are MMAPABLE.
 */
#ifndef SPILLWAY_BPF_MAPS_H
#define SPILLWAY_BPF_MAPS_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include <spillway/abi.h>
#include <spillway/events.h>
#include <spillway/stats.h>

/* What the loader sets before it loads: sizes that follow from the maps', and the host's ways. */
const volatile __u32 addr_bits_mask = 4 * SPW_ADDR_LINE_BITS - 1; /* bits, a power of two, less 1 */
const volatile __u32 displace_mask = 15;			  /* of one side, likewise */
const volatile __u32 slot_mask = 15;				  /* of one side, likewise */
const volatile __u32 ticks_a_second = 250;
const volatile bool weak_order = false; /* see atomic.h */

/* Writer: the loader that made the maps, once. The packet path does not read it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spw_meta);
} meta SEC(".maps");

/* Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct spw_addr);
	__type(value, __u32);
} addrs SEC(".maps");

/* Writer: the daemon. A bit for each address of `addrs`, shared by some that are not there. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct spw_addr_line);
} addr_bits SEC(".maps");

/* Writer: the daemon. The packet path does not read it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct spw_service_key);
	__type(value, __u32);
} services SEC(".maps");

/* Writer: the daemon, always the half of the side that `config.active` does not name. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct spw_displace_line);
} service_displace SEC(".maps");

/* Writer: the daemon, likewise. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct spw_service_line);
} service_slots SEC(".maps");

/* Writer: the daemon, always the side that `config.active` does not name. 2 * max_services. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * 1024);
	__type(key, __u32);
	__type(value, struct spw_service_row);
} service_rows SEC(".maps");

/* Writer: the daemon, only lines that no row of the active side names. Source lists are here too. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_slot_line);
} slots SEC(".maps");

/* Writers: the daemon, only blocks that no row of the active side names; the sweep its rounds. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_motion_line);
} motions SEC(".maps");

/* Writer: the daemon. Like `addr_bits`, of VIPs with services of direct return. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct spw_addr_line);
} direct_bits SEC(".maps");

/* Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spw_tunnels);
} tunnels SEC(".maps");

/* Writer: the daemon; two lists of SPW_PORT_LINES side by side, one of them in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * SPW_PORT_LINES);
	__type(key, __u32);
	__type(value, struct spw_port_line);
} ports SEC(".maps");

/* Writer: the daemon, a row before any table that names it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_endpoint);
} endpoints SEC(".maps");

/* Writers: the daemon and the operator's tool, by compare-and-swap, each its own bits. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_word);
} endpoint_words SEC(".maps");

/* Writer: the packet path. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_endpoint_stats);
} endpoint_stats SEC(".maps");

/* Writers: the packet path; the daemon exchanges run_max for 0, and ends a run with an ejection. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_signals);
} endpoint_signals SEC(".maps");

/* Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spw_config);
} config SEC(".maps");

/* Writer: the daemon. By endpoint id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_next_hop);
} next_hops SEC(".maps");

/* Writer: the daemon. Attached interfaces and VLAN devices on them, hashed by ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SPW_INTERFACES);
	__type(key, __u32);
	__type(value, struct spw_interface);
} interfaces SEC(".maps");

/* Writer: the daemon. Listening sockets by endpoint and family, see <spillway/abi.h>; read by steer.bpf.c. */
struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4096 * SPW_STEER_FAMILIES);
	__type(key, __u32);
	__type(value, __u64); /* a descriptor when written, the socket's cookie when read */
} steer_sockets SEC(".maps");

/* Writer: the daemon. The same interfaces once more, as redirect wants them. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} tx_ports SEC(".maps");

/* Writer: the packet path. By enum spw_stat. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SPW_STAT_MAX);
	__type(key, __u32);
	__type(value, __u64);
} stats SEC(".maps");

/* Writer: the packet path; struct spw_event for the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

/* Writer: the packet path. When an address was last told of, by a hash of it; not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} event_times SEC(".maps");

#endif
