/* SPDX-License-Identifier: BSD-2-Clause */
/* Which CPUs the process may use is read once, before the first thread is bound to one of them. */
#include "cpus.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "world.h"

#define JOBS_MAX 8

static cpu_set_t allowed;

static void read_allowed(void)
{
	if (!CPU_COUNT(&allowed))
		(void)sched_getaffinity(0, sizeof(allowed), &allowed);
}

void cpu_take(unsigned int nth)
{
	cpu_set_t one;

	read_allowed();
	nth %= (unsigned int)CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed) || nth--)
			continue;
		CPU_SET(cpu, &one);
		break;
	}
	(void)sched_setaffinity(0, sizeof(one), &one);
}

void cpu_release(void)
{
	read_allowed();
	(void)sched_setaffinity(0, sizeof(allowed), &allowed);
}

static void *run(void *arg)
{
	struct cpu_job *job = arg;

	cpu_take(job->cpu);
	job->fn(job);
	return NULL;
}

void cpus_run(struct cpu_job *jobs, unsigned int count)
{
	pthread_t threads[JOBS_MAX];

	read_allowed();
	assert_in_range(count, 1, JOBS_MAX);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, &jobs[i]), 0);
	for (unsigned int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

uint32_t times(uint32_t quick, uint32_t full)
{
	return getenv("SPILLWAY_LONG") ? full : quick;
}
