/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's clock tick, from outside. */
#include "dataplane/ticks.h"

#include <time.h>

#include <bpf/bpf.h>

#include <spillway/abi.h>

#define SECOND_NS 1000000000l

/* The coarse clock moves on once a tick. */
uint32_t ticks_a_second(void)
{
	struct timespec t = {0};

	if (clock_getres(CLOCK_MONOTONIC_COARSE, &t) || t.tv_sec || !t.tv_nsec)
		return 250;
	return (uint32_t)((SECOND_NS + t.tv_nsec / 2) / t.tv_nsec);
}

bool ticks_now(int sweep_fd, uint32_t *out)
{
	struct spw_sweep args = {0};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts), .ctx_in = &args, .ctx_size_in = sizeof(args)};

	if (bpf_prog_test_run_opts(sweep_fd, &opts))
		return false;
	*out = args.now;
	return true;
}
