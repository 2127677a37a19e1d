/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Programs that packets go through one after the other, so that each is small enough for the verifier and
 * has a stack of its own. The map belongs to one set of programs: a newer set brings its own.
 */
#ifndef SPILLWAY_BPF_STAGES_H
#define SPILLWAY_BPF_STAGES_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

enum stages {
	STAGES_ALL,
	STAGES_DIRECT,
	STAGES_COUNT,
};

int spillway_xdp(struct xdp_md *ctx);
int spillway_direct(struct xdp_md *ctx);

/* Writer: the loader, once. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, STAGES_COUNT);
	__uint(key_size, sizeof(__u32));
	__array(values, int(void *));
} stages SEC(".maps") = {
	.values =
		{
			[STAGES_ALL] = (void *)&spillway_xdp,
			[STAGES_DIRECT] = (void *)&spillway_direct,
		},
};

#endif
