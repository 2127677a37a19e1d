/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU counters, summed. */
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane/state.h"

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

void dataplane_endpoint_stats(struct dataplane *dp, uint32_t endpoint_id,
			      struct spw_endpoint_stats *out)
{
	AUTO(free) struct spw_endpoint_stats *v = calloc((size_t)dp->maps.cpus, sizeof(*v));

	memset(out, 0, sizeof(*out));
	if (!v || bpf_map_lookup_elem(dp->maps.fd[MAP_ENDPOINT_STATS], &endpoint_id, v))
		return;
	for (int cpu = 0; cpu < dp->maps.cpus; cpu++) {
		out->flows_opened += v[cpu].flows_opened;
		out->flows_closed += v[cpu].flows_closed;
		out->packets_in += v[cpu].packets_in;
		out->bytes_in += v[cpu].bytes_in;
		out->packets_out += v[cpu].packets_out;
		out->bytes_out += v[cpu].bytes_out;
	}
}
