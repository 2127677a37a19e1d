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
	X(ADDR_BITS, addr_bits)                                                                    \
	X(SERVICES, services)                                                                      \
	X(SERVICE_DISPLACE, service_displace)                                                      \
	X(SERVICE_SLOTS, service_slots)                                                            \
	X(SERVICE_ROWS, service_rows)                                                              \
	X(SERVICE_EXTRAS, service_extras)                                                          \
	X(SERVICE_BUCKETS, service_buckets)                                                        \
	X(SERVICE_STATS, service_stats)                                                            \
	X(SOURCE_BUCKETS, source_buckets)                                                          \
	X(SLOTS, slots)                                                                            \
	X(MOTIONS, motions)                                                                        \
	X(DIRECT_BITS, direct_bits)                                                                \
	X(TUNNELS, tunnels)                                                                        \
	X(PORTS, ports)                                                                            \
	X(ENDPOINTS, endpoints)                                                                    \
	X(ENDPOINT_WORDS, endpoint_words)                                                          \
	X(ENDPOINT_STATS, endpoint_stats)                                                          \
	X(ENDPOINT_LOADS, endpoint_loads)                                                          \
	X(ENDPOINT_SIGNALS, endpoint_signals)                                                      \
	X(FLOWS4, flows4)                                                                          \
	X(FLOWS6, flows6)                                                                          \
	X(FLOW_HEADS, flow_heads)                                                                  \
	X(NEXT_HOPS, next_hops)                                                                    \
	X(CURSORS, cursors)                                                                        \
	X(CONFIG, config)                                                                          \
	X(INTERFACES, interfaces)                                                                  \
	X(TX_PORTS, tx_ports)                                                                      \
	X(STATS, stats)                                                                            \
	X(EVENTS, events)                                                                          \
	X(FRAGMENTS, fragments)                                                                    \
	X(EARLY_FRAGMENTS, early_fragments)                                                        \
	X(STEER_SOCKETS, steer_sockets)                                                            \
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
	struct spw_addr_line *addr_bits;
	struct spw_displace_line *displace;
	struct spw_service_line *service_slots;
	struct spw_service_row *service_rows;
	struct spw_service_extra *service_extras;
	struct spw_slot_line *slots;
	struct spw_motion_line *motions;
	struct spw_addr_line *direct_bits;
	struct spw_tunnels *tunnels;
	struct spw_port_line *ports;
	struct spw_endpoint *endpoints;
	struct spw_word *words;
	struct spw_load *loads;
	struct spw_signals *signals;
	struct spw_config *config;
	struct spw_flow4 *flows4;
	struct spw_flow6 *flows6;
	struct spw_next_hop *next_hops;
	struct spw_interface *interfaces;
	struct spw_fragment *fragments;
	int cpus; /* values in an entry of a per-CPU map */
};

const char *map_name(enum map_id id);
/* Entries for these sizes; 0: as the BPF object has it. */
uint32_t map_entries(enum map_id id, const struct spw_meta *meta);

/* Sets of the flow table for so many flows, two entries each: at least one near and one far. */
uint32_t maps_flow_sets(uint32_t max_flows);
/* How many of them are near: the first ones. */
uint32_t maps_near_sets(uint32_t sets);
/* Bits of `addr_bits`, a power of two. */
uint32_t maps_addr_bits(uint32_t max_services);

/* Maps the arrays into memory; `fd` is filled already. */
int maps_mmap(struct maps *maps, const struct spw_meta *meta);
void maps_unmap(struct maps *maps);

/* Memory the kernel charges for all maps. */
uint64_t maps_memory(const struct maps *maps);
/* Of the two flow tables alone. */
uint64_t maps_flow_memory(const struct spw_meta *meta);

#endif
