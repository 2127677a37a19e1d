/* SPDX-License-Identifier: BSD-2-Clause */
/* Members of one map that have the same key: mistakes, or merged ones that are overridden. */
#ifndef SPILLWAY_MANIFEST_SETTLE_H
#define SPILLWAY_MANIFEST_SETTLE_H

#include "manifest/node.h"

/*
 * Members [0, explicit_count) were written, the others came by merge keys. Of equal keys the first
 * stays; `twice` is told of each written one that goes. n log n: a hostile map may be huge.
 */
void settle_members(struct node *map, size_t explicit_count,
		    void (*twice)(void *arg, const struct node *first, const struct node *second),
		    void *arg);

#endif
