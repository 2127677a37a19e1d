/* SPDX-License-Identifier: BSD-2-Clause */
/* One program of a kind a network namespace. */
#ifndef SPILLWAY_DATAPLANE_NETNS_LOCK_H
#define SPILLWAY_DATAPLANE_NETNS_LOCK_H

#include "dataplane/why.h"

/*
 * Held until *fd is closed, however the process ends. -EBUSY when another process has it; the
 * sentence names its pid. The lock is the abstract Unix address `program`, of which each network
 * namespace has its own (unix(7)).
 */
int netns_lock(const char *program, int *fd, struct why why);

#endif
