/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP programs of others on an interface: two cannot share one, and theirs is left in place. */
#ifndef SPILLWAY_DATAPLANE_FOREIGN_H
#define SPILLWAY_DATAPLANE_FOREIGN_H

#include <stdint.h>

#include "dataplane/why.h"

/* 0 when there is none; else -EBUSY, and in words what it is and how it is taken off. */
int foreign_check(const char *interface, uint32_t ifindex, struct why why);

#endif
