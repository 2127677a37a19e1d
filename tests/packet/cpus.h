/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads on CPUs of their own: the packet path's per-CPU memory is then another one each. */
#ifndef SPILLWAY_TESTS_CPUS_H
#define SPILLWAY_TESTS_CPUS_H

#include <stdbool.h>
#include <stdint.h>

struct cpu_job {
	void (*fn)(struct cpu_job *job);
	unsigned int cpu; /* the nth that the process may use */
	void *ctx;
	uint32_t rnd;
};

/* This thread to the nth CPU that it may use; any, where there is only one. */
void cpu_take(unsigned int nth);
/* This thread to all CPUs again. */
void cpu_release(void);
/* Runs all at once, each in a thread on its CPU, and waits for them. Not for assertions inside. */
void cpus_run(struct cpu_job *jobs, unsigned int count);

/* How often: `full` times when the environment has SPILLWAY_LONG, else `quick` times. */
uint32_t times(uint32_t quick, uint32_t full);

#endif
