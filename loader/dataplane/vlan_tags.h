/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hardware that takes the VLAN tag off a frame hands it to the kernel beside the frame, where XDP
 * does not see it: such a frame would be taken for an untagged one. So it is told to leave tags in.
 */
#ifndef SPILLWAY_DATAPLANE_VLAN_TAGS_H
#define SPILLWAY_DATAPLANE_VLAN_TAGS_H

#include <stdint.h>

#include "dataplane/journal.h"

/* Switches rx-vlan-offload off where it is on, noted in the journal first. */
int vlan_tags_keep(struct journal *j, const char *interface);

/*
 * Sets back what was changed on the interface of that name, which may have another one by now or be
 * gone, and forgets it.
 */
void vlan_tags_set_back(struct journal *j, const char *interface, uint32_t ifindex);

/* Sets back all that is noted and not changed by others since; the journal stays as it is. */
void vlan_tags_undo(const struct journal *j);

#endif
