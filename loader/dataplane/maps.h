/* SPDX-License-Identifier: BSD-2-Clause */
/* The maps of the BPF side: their names, sizes and, for the arrays filled in bulk, their memory. */
#ifndef SPILLWAY_DATAPLANE_MAPS_H
#define SPILLWAY_DATAPLANE_MAPS_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `meta` is pinned last: a directory that has it has all of them. */
#define MAPS(X)                                                                                    \
	X(ADDRS, addrs)                                                                            \
	X(SERVICES, services)                                                                      \
	X(SERVICE_ROWS, service_rows)                                                              \
	X(SLOTS, slots)                                                                            \
	X(PORTS, ports)                                                                            \
	X(ENDPOINTS, endpoints)                                                                    \
	X(ENDPOINT_WORDS, endpoint_words)                                                          \
	X(ENDPOINT_STATS, endpoint_stats)                                                          \
	X(ENDPOINT_SIGNALS, endpoint_signals)                                                      \
	X(FLOWS, flows)                                                                            \
	X(CURSORS, cursors)                                                                        \
	X(CONFIG, config)                                                                          \
	X(INTERFACES, interfaces)                                                                  \
	X(TX_PORTS, tx_ports)                                                                      \
	X(STATS, stats)                                                                            \
	X(EVENTS, events)                                                                          \
	X(META, meta)

enum map_id {
#define MAP_ENUM(id, name) MAP_##id,
	MAPS(MAP_ENUM)
#undef MAP_ENUM
		MAP_COUNT
};

/* Descriptors belong to the BPF object; the memory is ours. */
struct maps {
	int fd[MAP_COUNT];
	size_t bytes[MAP_COUNT]; /* mapped */
	struct spw_service_row *service_rows;
	struct spw_slot_line *slots;
	struct spw_port_line *ports;
	struct spw_endpoint *endpoints;
	struct spw_word *words;
	struct spw_signals *signals;
	struct spw_config *config;
	int cpus; /* values in an entry of a per-CPU map */
};

const char *map_name(enum map_id id);
/* Entries for these sizes; 0: as the BPF object has it. */
uint32_t map_entries(enum map_id id, const struct spw_meta *meta);

/* Maps the arrays into memory; `fd` is filled already. */
int maps_mmap(struct maps *maps, const struct spw_meta *meta);
void maps_unmap(struct maps *maps);

/* Memory the kernel charges for all maps. */
uint64_t maps_memory(const struct maps *maps);

#endif
