/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network of the cost benchmark: a namespace of its own with one interface, to which clients
 * and endpoints are behind one router. Clients 198.18.0.0/15 and 2001:db8:c::/96, endpoints
 * 10.0.0.0/16 and fd00:2::/96, services 10.255.0.0/16 and fd00:3::/96.
 */
#ifndef SPILLWAY_BENCH_WORLD_H
#define SPILLWAY_BENCH_WORLD_H

#include <spillway/abi.h>
#include <stdint.h>

#define WORLD_INTERFACE "port"
#define WORLD_SOURCES	2 /* of each family */

extern const uint8_t world_mac[6], world_router_mac[6];

/* 0 or a negative errno. The namespace goes with the process. */
int world_open(void);
int world_ifindex(void);

struct spw_addr world_client(int family, uint32_t n);
struct spw_addr world_endpoint(int family, uint32_t n);
struct spw_addr world_vip(int family, uint32_t n);
struct spw_addr world_source(int family, uint32_t n); /* n < WORLD_SOURCES */
/* Routed past the gateway: nothing of ours. */
struct spw_addr world_foreign(int family, uint32_t n);

#endif
