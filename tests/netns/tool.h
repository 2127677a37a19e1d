/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs share that tests run in namespaces. */
#ifndef SPILLWAY_TESTS_TOOL_H
#define SPILLWAY_TESTS_TOOL_H

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ends the program with the word for errno. */
static inline _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Stays on the CPU of this number; "-": on any. */
static inline void on_cpu(const char *text)
{
	cpu_set_t set;

	if (!strcmp(text, "-"))
		return;
	CPU_ZERO(&set);
	CPU_SET(atoi(text), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fail("sched_setaffinity");
}

#endif
