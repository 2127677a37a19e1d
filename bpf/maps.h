/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every map, each with its one writer. The sizes here are small defaults: the loader sets those in
 * force with bpf_map__set_max_entries() before it loads, from what the operator asked for. The
 * layouts are in <spillway/abi.h>; arrays that the daemon fills in bulk are MMAPABLE.
 */
#ifndef SPILLWAY_BPF_MAPS_H
#define SPILLWAY_BPF_MAPS_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include <spillway/abi.h>
#include <spillway/events.h>
#include <spillway/stats.h>

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

/* Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct spw_service_key);
	__type(value, __u32);
} services SEC(".maps");

/* Writer: the daemon, always the side that `config.active` does not name. 2 * max_services. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * 1024);
	__type(key, __u32);
	__type(value, struct spw_service_row);
} service_rows SEC(".maps");

/* Writer: the daemon, only lines that no row of the active side names. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_slot_line);
} slots SEC(".maps");

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

/* Writer: the packet path (spillway_sweep included). Two entries a flow: 2 * max_flows. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * 65536);
	__type(key, struct spw_flow_key);
	__type(value, struct spw_flow);
} flows SEC(".maps");

/* Writer: the packet path. Cursor of (endpoint, source): endpoint * SPW_SOURCES_MAX + source. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096 * SPW_SOURCES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} cursors SEC(".maps");

/* Writer: the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct spw_config);
} config SEC(".maps");

/* Writer: the daemon. Attached interfaces, by ifindex. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, struct spw_interface);
} interfaces SEC(".maps");

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

/* A flow in the making: what open.h, reserve.h and port.h work on. */
struct opening {
	struct spw_flow_key reverse_key; /* endpoint to source; its dport is what is looked for */
	struct spw_flow entry;		 /* the reverse entry, then the forward one */
	__u64 now_ns;
	__u32 side;	    /* of the settings */
	__u32 source_first; /* the endpoint's source addresses */
	__u32 source_count;
	__u32 source_home; /* the one that is tried first, 0 .. count - 1 */
	__u32 source;	   /* index in the settings of the one that is tried now */
	__u32 rest;	   /* enum port_rest of the port tried last */
	struct {
		__u32 rest; /* likewise; PORT_IN_USE: there is none */
		__u32 place;
		__u32 turn; /* of the source address, as reserve_turn() counts */
	} early;	    /* the port to reuse early */
	__u32 pad;
};

/* Writer: the packet path. Scratch, since XDP is not interrupted on its CPU; not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct opening);
} opening SEC(".maps");

#define UNREACH_QUOTE 512 /* of the packet answered; bpf_csum_diff() takes no more */

/* An ICMP answer in the making, and when the latest ones were sent: unreach.h. */
struct unreach {
	__u64 paid_ns;
	__u32 quote_len;
	struct ethhdr eth; /* of the answer */
	__u8 pad[6];
	__u8 quote[UNREACH_QUOTE];
};

/* Writer: the packet path. Not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unreach);
} unreach SEC(".maps");

/* Writer: the packet path. When an address was last told of, by a hash of it; not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} event_times SEC(".maps");

#endif
