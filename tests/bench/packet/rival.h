/* SPDX-License-Identifier: BSD-2-Clause */
/* The conventional balancer: loaded and filled like the product, see conventional.bpf.c. */
#ifndef SPILLWAY_BENCH_RIVAL_H
#define SPILLWAY_BENCH_RIVAL_H

#include <stdint.h>

/* `flags`: of the product's program. Sets the driver's targets. */
int rival_open(uint32_t max_flows, uint32_t flags);
void rival_close(void);
int rival_services(uint32_t services, uint32_t endpoints); /* as fill_services() */
int rival_clear(void);					   /* forgets all flows */
uint64_t rival_packets(void);				   /* balanced so far */

#endif
