/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The packet path: the order of its stages, readable top to bottom. Each stage is in a header of
 * its own.
 */
#include "maps.h"

SEC("xdp")
int spillway_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("syscall")
int spillway_sweep(struct spw_sweep *sweep)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
