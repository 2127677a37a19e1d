/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flow table's maps, and where source ports are looked for next. As in maps.h. */
#ifndef SPILLWAY_BPF_FLOW_MAPS_H
#define SPILLWAY_BPF_FLOW_MAPS_H

#include "maps.h"

/* What the loader sets before it loads: sizes that follow from the maps'. */
const volatile __u32 flow_sets4 = 4;
const volatile __u32 flow_sets6 = 4;
const volatile __u32 flow_near4 = 2; /* of them, the first ones */
const volatile __u32 flow_near6 = 2;

/* Writer: the packet path (spillway_sweep included). Sets of SPW_SET_WAYS lines, see flow.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4 * SPW_SET_WAYS + 1);
	__type(key, __u32);
	__type(value, struct spw_flow4);
} flows4 SEC(".maps");

/* Writer: likewise. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4 * SPW_SET_WAYS + 1);
	__type(key, __u32);
	__type(value, struct spw_flow6);
} flows6 SEC(".maps");

/* Writer: likewise. Close together, so that they stay in cache: IPv4's, then IPv6's. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct spw_flow_head);
} flow_heads SEC(".maps");

/* Writer: the packet path. Cursor of (endpoint, source): endpoint * SPW_SOURCES_MAX + source. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4096 * SPW_SOURCES_MAX);
	__type(key, __u32);
	__type(value, __u32);
} cursors SEC(".maps");

#endif
