/* SPDX-License-Identifier: BSD-2-Clause */
/* Which project a request is for: flags, then the environment, then "default". */
#ifndef SPILLWAY_CTL_SCOPE_H
#define SPILLWAY_CTL_SCOPE_H

#include "ctl/ctl.h"

/* Fills in c->project. Nonzero, and said so, when it is not clear which is meant. */
int scope_read(struct ctl *c);

#endif
