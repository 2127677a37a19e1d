/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The maps of fragment.h: like those of maps.h, each with its one writer. */
#ifndef SPILLWAY_BPF_FRAGMENT_MAPS_H
#define SPILLWAY_BPF_FRAGMENT_MAPS_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include <spillway/fragment.h>

/* Writer: the packet path. Fragmented datagrams, see fragment.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SPW_FRAGMENT_LINES);
	__type(key, __u32);
	__type(value, struct spw_fragment);
} fragments SEC(".maps");

/* Writer: the packet path; struct spw_early for the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} early_fragments SEC(".maps");

/* Writer: the packet path. The next identification; not kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} fragment_ids SEC(".maps");

#endif
