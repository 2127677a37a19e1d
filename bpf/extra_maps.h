/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What <spillway/extras.h> is about; each map with its one writer, as in maps.h. */
#ifndef SPILLWAY_BPF_EXTRA_MAPS_H
#define SPILLWAY_BPF_EXTRA_MAPS_H

#include "maps.h"

/* Writer: the daemon, always the side that `config.active` does not name. 2 * max_services. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * 1024);
	__type(key, __u32);
	__type(value, struct spw_service_extra);
} service_extras SEC(".maps");

/* Writer: the packet path. By service id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct spw_bucket);
} service_buckets SEC(".maps");

/* Writer: the packet path. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SPW_SOURCE_LINES);
	__type(key, __u32);
	__type(value, struct spw_source_line);
} source_buckets SEC(".maps");

/* Writer: the packet path. By service id. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct spw_service_stats);
} service_stats SEC(".maps");

/* Writers: the packet path; the daemon sets it right. By endpoint id. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct spw_load);
} endpoint_loads SEC(".maps");

#endif
