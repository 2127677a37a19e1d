/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree that is complete: one block of memory, shared by whoever counts himself in. Generations
 * share the trees of what did not change between them. Of one thread.
 */
#ifndef SPILLWAY_MANIFEST_FROZEN_H
#define SPILLWAY_MANIFEST_FROZEN_H

#include "manifest/node.h"

struct frozen;

/* A copy of the tree, counted once. Without memory: abort(), as an arena does. */
struct frozen *frozen_new(const struct node *root);
/* Members must not be added to it or its values changed; places may be. */
struct node *frozen_root(struct frozen *f);
struct frozen *frozen_share(struct frozen *f); /* one more; NULL is fine */
void frozen_release(struct frozen *f);	       /* the last one frees it; NULL is fine */

#endif
