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

#include "tables/motion.h"
#include "tables/perfect.h"

#define ADDR_BITS_MIN 65536
#define ENTRIES_A_SET                                                                              \
	7 /* of 15: so full, hardly one entry in 30,000 finds no room in its two sets */

static const char *const names[MAP_COUNT] = {
#define MAP_NAME(id, name) [MAP_##id] = #name,
	MAPS(MAP_NAME)
#undef MAP_NAME
};

const char *map_name(enum map_id id)
{
	return names[id];
}

uint32_t maps_flow_sets(uint32_t max_flows)
{
	uint64_t sets = (2ull * max_flows + ENTRIES_A_SET - 1) / ENTRIES_A_SET;

	return sets < 2 ? 2 : (uint32_t)sets;
}

uint32_t maps_near_sets(uint32_t sets)
{
	return sets < SPW_NEAR_SHARE ? 1 : sets / SPW_NEAR_SHARE;
}

uint32_t maps_addr_bits(uint32_t max_services)
{
	uint32_t bits = ADDR_BITS_MIN;

	while (bits / 64 < max_services)
		bits *= 2;
	return bits;
}

static uint32_t lines(uint64_t entries, uint32_t in_a_line)
{
	return (uint32_t)((entries + in_a_line - 1) / in_a_line);
}

/* Of the flow table's maps. */
static uint32_t flow_entries(enum map_id id, const struct spw_meta *meta)
{
	const uint32_t sets4 = maps_flow_sets(meta->max_flows);
	const uint32_t sets6 = maps_flow_sets(meta->max_flows6);

	if (id == MAP_FLOW_HEADS)
		return sets4 + sets6;
	return (id == MAP_FLOWS4 ? sets4 : sets6) * SPW_SET_WAYS + 1;
}

uint32_t map_entries(enum map_id id, const struct spw_meta *meta)
{
	switch (id) {
	case MAP_ADDRS:
		return meta->max_services + 4 * SPW_SOURCES_MAX;
	case MAP_ADDR_BITS:
	case MAP_DIRECT_BITS:
		return lines(maps_addr_bits(meta->max_services), SPW_ADDR_LINE_BITS);
	case MAP_SERVICES:
		return meta->max_services;
	case MAP_SERVICE_DISPLACE:
		return lines(2ull * perfect_displace_count(meta->max_services), SPW_DISPLACE_LINE);
	case MAP_SERVICE_SLOTS:
		return lines(2ull * perfect_slot_count(meta->max_services), SPW_SERVICE_LINE);
	case MAP_SERVICE_ROWS:
	case MAP_SERVICE_EXTRAS:
		return 2 * meta->max_services;
	case MAP_SERVICE_BUCKETS:
	case MAP_SERVICE_STATS:
		return meta->max_services;
	case MAP_SOURCE_BUCKETS:
		return SPW_SOURCE_LINES;
	case MAP_MOTIONS:
		return motion_room(meta->slot_lines);
	case MAP_SLOTS:
		return meta->slot_lines;
	case MAP_PORTS:
		return 2 * SPW_PORT_LINES;
	case MAP_ENDPOINTS:
	case MAP_ENDPOINT_WORDS:
	case MAP_ENDPOINT_STATS:
	case MAP_ENDPOINT_LOADS:
	case MAP_ENDPOINT_SIGNALS:
	case MAP_NEXT_HOPS:
		return meta->max_endpoints;
	case MAP_FLOWS4:
	case MAP_FLOWS6:
	case MAP_FLOW_HEADS:
		return flow_entries(id, meta);
	case MAP_INTERFACES:
		return SPW_INTERFACES;
	case MAP_FRAGMENTS:
		return SPW_FRAGMENT_LINES;
	case MAP_STEER_SOCKETS:
		return meta->max_endpoints * SPW_STEER_FAMILIES;
	case MAP_CURSORS:
		return meta->max_endpoints * SPW_SOURCES_MAX;
	case MAP_CONFIG:
	case MAP_TUNNELS:
	case MAP_TX_PORTS:
	case MAP_STATS:
	case MAP_EVENTS:
	case MAP_EARLY_FRAGMENTS:
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

struct mapped {
	enum map_id id;
	size_t value_bytes;
	size_t member; /* of struct maps: where its address goes */
};

#define MAPPED(id, member) {id, sizeof(*((struct maps *)0)->member), offsetof(struct maps, member)}

static const struct mapped mapped[] = {
	MAPPED(MAP_ADDR_BITS, addr_bits),
	MAPPED(MAP_SERVICE_DISPLACE, displace),
	MAPPED(MAP_SERVICE_SLOTS, service_slots),
	MAPPED(MAP_SERVICE_ROWS, service_rows),
	MAPPED(MAP_SERVICE_EXTRAS, service_extras),
	MAPPED(MAP_SLOTS, slots),
	MAPPED(MAP_MOTIONS, motions),
	MAPPED(MAP_DIRECT_BITS, direct_bits),
	MAPPED(MAP_TUNNELS, tunnels),
	MAPPED(MAP_PORTS, ports),
	MAPPED(MAP_ENDPOINTS, endpoints),
	MAPPED(MAP_ENDPOINT_WORDS, words),
	MAPPED(MAP_ENDPOINT_LOADS, loads),
	MAPPED(MAP_ENDPOINT_SIGNALS, signals),
	MAPPED(MAP_CONFIG, config),
	MAPPED(MAP_FLOWS4, flows4),
	MAPPED(MAP_FLOWS6, flows6),
	MAPPED(MAP_NEXT_HOPS, next_hops),
	MAPPED(MAP_INTERFACES, interfaces),
	MAPPED(MAP_FRAGMENTS, fragments),
};

#define MAPPED_COUNT (sizeof(mapped) / sizeof(mapped[0]))

int maps_mmap(struct maps *maps, const struct spw_meta *meta)
{
	uint32_t entries;
	int err;

	maps->cpus = libbpf_num_possible_cpus();
	if (maps->cpus < 0)
		return maps->cpus;
	for (size_t i = 0; i < MAPPED_COUNT; i++) {
		entries = map_entries(mapped[i].id, meta);
		err = map_one(maps, mapped[i].id, mapped[i].value_bytes, entries ? entries : 1,
			      (char *)maps + mapped[i].member);
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
	for (size_t i = 0; i < MAPPED_COUNT; i++)
		unmap_one(maps, mapped[i].id, (char *)maps + mapped[i].member);
}

uint64_t maps_flow_memory(const struct spw_meta *meta)
{
	return (uint64_t)map_entries(MAP_FLOWS4, meta) * sizeof(struct spw_flow4) +
	       (uint64_t)map_entries(MAP_FLOWS6, meta) * sizeof(struct spw_flow6) +
	       (uint64_t)map_entries(MAP_FLOW_HEADS, meta) * sizeof(struct spw_flow_head);
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
