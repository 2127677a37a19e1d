/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entries of the flow table out of their lines, in one shape for both families. */
#ifndef SPILLWAY_BPF_ENTRY_H
#define SPILLWAY_BPF_ENTRY_H

#include <spillway/flow.h>

/* A line's content without its key. */
struct entry {
	struct spw_flow_core core;
	struct spw_addr to_saddr;
	struct spw_addr to_daddr;
};

/* A line's tenant and its partner, while a pair is removed. */
struct pair_scratch {
	struct spw_flow_key key;
	struct spw_flow_key partner_key;
	struct entry entry;
};

#endif
