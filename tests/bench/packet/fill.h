/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The product in the benchmark: loaded, filled and asked by the daemon's own functions, so what is
 * measured is what runs. The only file that knows anything of its maps is fill.c.
 */
#ifndef SPILLWAY_BENCH_FILL_H
#define SPILLWAY_BENCH_FILL_H

#include <spillway/stats.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "scenarios.h"

#define FILL_TCP_PORT 80
#define FILL_UDP_PORT 53
#define FILL_PORT     8080 /* of the endpoints */

/* Loads with room for so many flows, attached to the world's interface. Tells what went wrong. */
int fill_open(uint32_t max_flows, const char *interface);
void fill_close(void);

/* Descriptor and load flags (BPF_F_XDP_HAS_FRAGS) of the XDP program. */
int fill_program(void);
uint32_t fill_program_flags(void);

/*
 * TCP services on the first `services` IPv4 VIPs; TCP on the first IPv6 VIP and UDP on the first
 * VIP of each family; all with the first `endpoints` endpoints of their family. With `moves` these have
 * taken the place of as many others just now, in all slots.
 */
struct fill_want {
	uint32_t services, endpoints;
	uint8_t mode; /* enum spw_mode */
	enum scenario_extra extra;
	bool moves;
};
int fill_services(const struct fill_want *want);

/* Takes every flow out. */
int fill_clear(void);
/* Does what the daemon does about the flows there are: which sets of the table come first. */
int fill_settle(void);
int fill_each_flow(bool (*fn)(void *ctx, const struct flow_row *row), void *ctx);
void fill_stats(uint64_t stats[SPW_STAT_MAX]);

#endif
