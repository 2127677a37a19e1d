/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU counters, summed. */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane/state.h"

#define BATCH 256

void dataplane_stats(struct dataplane *dp, uint64_t stats[SPW_STAT_MAX])
{
	AUTO(free) uint64_t *values = calloc((size_t)dp->maps.cpus, sizeof(*values));

	memset(stats, 0, SPW_STAT_MAX * sizeof(*stats));
	for (uint32_t i = 0; values && i < SPW_STAT_MAX; i++) {
		if (bpf_map_lookup_elem(dp->maps.fd[MAP_STATS], &i, values))
			continue; /* pinned by an older version that did not count this */
		for (int cpu = 0; cpu < dp->maps.cpus; cpu++)
			stats[i] += values[cpu];
	}
}

static struct spw_endpoint_stats sum(const struct spw_endpoint_stats *v, int cpus)
{
	struct spw_endpoint_stats s = {0};

	for (int cpu = 0; cpu < cpus; cpu++) {
		s.flows_opened += v[cpu].flows_opened;
		s.flows_closed += v[cpu].flows_closed;
		s.packets_in += v[cpu].packets_in;
		s.bytes_in += v[cpu].bytes_in;
		s.packets_out += v[cpu].packets_out;
		s.bytes_out += v[cpu].bytes_out;
	}
	return s;
}

void dataplane_endpoint_stats(struct dataplane *dp, uint32_t endpoint_id,
			      struct spw_endpoint_stats *out)
{
	AUTO(free) struct spw_endpoint_stats *v = calloc((size_t)dp->maps.cpus, sizeof(*v));

	memset(out, 0, sizeof(*out));
	if (v && !bpf_map_lookup_elem(dp->maps.fd[MAP_ENDPOINT_STATS], &endpoint_id, v))
		*out = sum(v, dp->maps.cpus);
}

void dataplane_service_stats(struct dataplane *dp, uint32_t service_id,
			     struct spw_service_stats *out)
{
	AUTO(free) struct spw_service_stats *v = calloc((size_t)dp->maps.cpus, sizeof(*v));

	memset(out, 0, sizeof(*out));
	if (!v || bpf_map_lookup_elem(dp->maps.fd[MAP_SERVICE_STATS], &service_id, v))
		return;
	for (int cpu = 0; cpu < dp->maps.cpus; cpu++) {
		out->denied += v[cpu].denied;
		out->not_allowed += v[cpu].not_allowed;
		out->limited += v[cpu].limited;
		out->source_limited += v[cpu].source_limited;
	}
}

void service_forget(struct dataplane *dp, uint32_t id)
{
	static const struct spw_bucket full;
	const size_t bytes = sizeof(struct spw_service_stats) * (size_t)dp->maps.cpus;
	AUTO(free) void *none = calloc(1, bytes);

	if (none)
		(void)bpf_map_update_elem(dp->maps.fd[MAP_SERVICE_STATS], &id, none, BPF_ANY);
	(void)bpf_map_update_elem(dp->maps.fd[MAP_SERVICE_BUCKETS], &id, &full, BPF_ANY);
}

/* Kernels since 5.13 read arrays of CPUs in batches: one call for BATCH endpoints. */
void dataplane_all_endpoint_stats(struct dataplane *dp, struct arena *a,
				  struct spw_endpoint_stats **out, size_t *count)
{
	const size_t cpus = (size_t)dp->maps.cpus;
	AUTO(free) struct spw_endpoint_stats *v = calloc(BATCH * cpus, sizeof(*v));
	struct spw_endpoint_stats *all = arena_array(a, dp->endpoints_end + 1, sizeof(*all));
	uint32_t keys[BATCH], position, got;
	int err = v ? 0 : -ENOMEM;

	for (uint32_t from = 0; !err && from < dp->endpoints_end; from += got) {
		got = BATCH;
		err = bpf_map_lookup_batch(dp->maps.fd[MAP_ENDPOINT_STATS], from ? &position : NULL,
					   &position, keys, v, &got, NULL);
		for (uint32_t i = 0; i < got && from + i < dp->endpoints_end; i++)
			all[from + i] = sum(v + i * cpus, dp->maps.cpus);
	}
	*out = all;
	*count = dp->endpoints_end;
}
