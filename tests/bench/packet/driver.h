/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver program: loaded to match the product, and run. */
#ifndef SPILLWAY_BENCH_DRIVER_H
#define SPILLWAY_BENCH_DRIVER_H

#include <stdint.h>

#include "frames.h"
#include "shared.h"

#define DRIVER_ROWS (1u << 22) /* of the trace */

struct driver_run {
	double ns;	  /* a packet */
	uint32_t verdict; /* of the last packet */
	uint64_t failed;
};

/* `flags`: of the product's program; all programs of a prog array must agree in them. */
int driver_open(uint32_t flags);
void driver_close(void);
int driver_set_target(enum bench_target target, int program);

void driver_image(const struct image *image);
struct bench_row *driver_trace(void);
void driver_length(uint32_t rows);

/* Sends so many packets to the target, from row `at` of the trace on, round and round. */
int driver_run(enum bench_target target, uint32_t at, uint32_t packets, struct driver_run *out);

/* Really sends so many packets out of the world's interface, which must have an XDP program. */
int driver_send(uint32_t packets);

#endif
