/* SPDX-License-Identifier: BSD-2-Clause */
/* The pinned counters, summed over all CPUs. Needs no running program. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "decap/decap.h"

static const struct {
	const char *name, *text;
} rows[] = {
#define ROW(id, name, text) {name, text},
	SPW_DECAP_STATS(ROW)
#undef ROW
};

static int sum(int map, uint32_t row, uint64_t *values, int cpus, uint64_t *out)
{
	uint64_t total = 0;
	int err = bpf_map_lookup_elem(map, &row, values);

	if (err)
		return err;
	for (int i = 0; i < cpus; i++)
		total += values[i];
	*out = total;
	return 0;
}

int stats_print(struct arena *a, const struct decap_options *o, const char **why)
{
	struct why w = {a, why};
	int cpus = libbpf_num_possible_cpus(), err;
	AUTO(fd_close) int map = -1;
	char path[PATH_MAX];
	uint64_t *values, total;

	if (cpus < 0)
		return why_set(w, cpus, "the CPUs cannot be counted: %s", strerror(-cpus));
	stats_path(o->bpffs, path, sizeof(path));
	map = bpf_obj_get(path);
	if (map < 0)
		return why_set(w, -errno, "%s: %s: is spillway-decap in force, and are you root?",
			       path, strerror(errno));
	values = arena_array(a, (size_t)cpus, sizeof(*values));
	for (uint32_t i = 0; i < SPW_DECAP_STAT_MAX; i++) {
		err = sum(map, i, values, cpus, &total);
		if (err)
			return why_set(w, err, "%s: cannot be read: %s", path, strerror(-err));
		printf("%-20s %14" PRIu64 "  %s\n", rows[i].name, total, rows[i].text);
	}
	return 0;
}
