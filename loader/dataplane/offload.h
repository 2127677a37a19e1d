/* SPDX-License-Identifier: BSD-2-Clause */
/* What an interface does for the kernel with packets before XDP sees them, and is not to do while attached. */
#ifndef SPILLWAY_DATAPLANE_OFFLOAD_H
#define SPILLWAY_DATAPLANE_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/journal.h"

enum offload {
	/*
	 * Hardware that takes the VLAN tag off a frame hands it to the kernel beside the frame, where XDP
	 * does not see it: such a frame would be taken for an untagged one.
	 */
	OFFLOAD_RX_VLAN,
	/*
	 * In generic mode the kernel puts segments together before XDP sees them, and a redirect to another
	 * interface refuses what is longer than its MTU (xdp_ok_fwd_dev(), to Linux 6.18 at least).
	 */
	OFFLOAD_GRO,
	OFFLOADS,
};

/* As `ethtool -k` has it. */
const char *offload_name(enum offload o);

/* Switches it off where it is on, noted in the journal first. */
int offload_off(struct journal *j, enum offload o, const char *interface);

/*
 * Sets back what was changed on the interface of that name, which may have another one by now or be
 * gone, and forgets it.
 */
void offload_set_back(struct journal *j, enum offload o, const char *interface, uint32_t ifindex);

/* Is this change one of an offload? */
bool offload_of(const struct change *c, enum offload *out);

/* Sets back all that is noted and not changed by others since; the journal stays as it is. */
void offloads_undo(const struct journal *j);

#endif
