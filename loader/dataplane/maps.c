/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arrays that the daemon fills in bulk are mapped: a pick table written by system calls takes
 * milliseconds, by memcpy microseconds, and an aligned store of up to 8 bytes is atomic to readers.
 */
#include "dataplane/maps.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const char *const names[MAP_COUNT] = {
#define MAP_NAME(id, name) [MAP_##id] = #name,
	MAPS(MAP_NAME)
#undef MAP_NAME
};

const char *map_name(enum map_id id)
{
	return names[id];
}

uint32_t map_entries(enum map_id id, const struct spw_meta *meta)
{
	switch (id) {
	case MAP_ADDRS:
		return meta->max_services + 4 * SPW_SOURCES_MAX;
	case MAP_SERVICES:
		return meta->max_services;
	case MAP_SERVICE_ROWS:
		return 2 * meta->max_services;
	case MAP_SLOTS:
		return meta->slot_lines;
	case MAP_PORTS:
		return 2 * SPW_PORT_LINES;
	case MAP_ENDPOINTS:
	case MAP_ENDPOINT_WORDS:
	case MAP_ENDPOINT_STATS:
	case MAP_ENDPOINT_SIGNALS:
		return meta->max_endpoints;
	case MAP_FLOWS:
		return 2 * meta->max_flows;
	case MAP_CURSORS:
		return meta->max_endpoints * SPW_SOURCES_MAX;
	case MAP_CONFIG:
	case MAP_INTERFACES:
	case MAP_TX_PORTS:
	case MAP_STATS:
	case MAP_EVENTS:
	case MAP_META:
	case MAP_COUNT:
		break;
	}
	return 0;
}

/* The kernel lays array values out at multiples of 8 bytes; those of ours all are. */
static int map_one(struct maps *maps, enum map_id id, size_t value_bytes, uint32_t entries,
		   void *out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t bytes = (value_bytes * entries + page - 1) / page * page;
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, maps->fd[id], 0);

	if (mem == MAP_FAILED)
		return -errno;
	maps->bytes[id] = bytes;
	*(void **)out = mem;
	return 0;
}

int maps_mmap(struct maps *maps, const struct spw_meta *meta)
{
	const struct {
		enum map_id id;
		size_t value_bytes;
		void *out;
	} rows[] = {
		{MAP_SERVICE_ROWS, sizeof(struct spw_service_row), &maps->service_rows},
		{MAP_SLOTS, sizeof(struct spw_slot_line), &maps->slots},
		{MAP_PORTS, sizeof(struct spw_port_line), &maps->ports},
		{MAP_ENDPOINTS, sizeof(struct spw_endpoint), &maps->endpoints},
		{MAP_ENDPOINT_WORDS, sizeof(struct spw_word), &maps->words},
		{MAP_ENDPOINT_SIGNALS, sizeof(struct spw_signals), &maps->signals},
		{MAP_CONFIG, sizeof(struct spw_config), &maps->config},
	};
	uint32_t entries;
	int err;

	maps->cpus = libbpf_num_possible_cpus();
	if (maps->cpus < 0)
		return maps->cpus;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		entries = map_entries(rows[i].id, meta);
		err = map_one(maps, rows[i].id, rows[i].value_bytes, entries ? entries : 1,
			      rows[i].out);
		if (err) {
			maps_unmap(maps);
			return err;
		}
	}
	return 0;
}

static void unmap_one(struct maps *maps, enum map_id id, void *at)
{
	void **mem = at;

	if (*mem)
		(void)munmap(*mem, maps->bytes[id]);
	*mem = NULL;
}

void maps_unmap(struct maps *maps)
{
	unmap_one(maps, MAP_SERVICE_ROWS, &maps->service_rows);
	unmap_one(maps, MAP_SLOTS, &maps->slots);
	unmap_one(maps, MAP_PORTS, &maps->ports);
	unmap_one(maps, MAP_ENDPOINTS, &maps->endpoints);
	unmap_one(maps, MAP_ENDPOINT_WORDS, &maps->words);
	unmap_one(maps, MAP_ENDPOINT_SIGNALS, &maps->signals);
	unmap_one(maps, MAP_CONFIG, &maps->config);
}

uint64_t maps_memory(const struct maps *maps)
{
	char path[64], line[128];
	unsigned long long bytes;
	uint64_t sum = 0;
	FILE *f;

	for (int i = 0; i < MAP_COUNT; i++) {
		(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", maps->fd[i]);
		f = fopen(path, "re");
		if (!f)
			continue;
		while (fgets(line, sizeof(line), f)) {
			if (sscanf(line, "memlock: %llu", &bytes) == 1)
				sum += bytes;
		}
		(void)fclose(f);
	}
	return sum;
}
