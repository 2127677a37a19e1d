/* SPDX-License-Identifier: BSD-2-Clause */
/* One data path a network namespace. */
#ifndef SPILLWAY_DATAPLANE_NETNS_LOCK_H
#define SPILLWAY_DATAPLANE_NETNS_LOCK_H

#include "dataplane/why.h"

/*
 * Held until *fd is closed, however the process ends. -EBUSY when another process has it; the
 * sentence names its pid. The lock is the abstract Unix address "spillwayd", of which each network
 * namespace has its own (unix(7)).
 */
int netns_lock(int *fd, struct why why);

#endif
