/* SPDX-License-Identifier: BSD-2-Clause */
/* What this process must be allowed to do. */
#ifndef SPILLWAY_DATAPLANE_PRIVILEGES_H
#define SPILLWAY_DATAPLANE_PRIVILEGES_H

#include "dataplane/why.h"

/* -EPERM, with the names of the capabilities that this process lacks. */
int privileges_check(struct why why);

#endif
