/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields that nothing acts on, for who knows a resource and not its tables. */
#ifndef SPILLWAY_MANIFEST_ACTS_H
#define SPILLWAY_MANIFEST_ACTS_H

#include "manifest/kind.h"

/*
 * The fields of its spec that are set and act nowhere, as paths, joined, or NULL. What has its
 * default asks for nothing. is_l7: requests are carried, so what acts on layer 7 does act.
 */
const char *acts_idle(struct arena *a, const struct kind *k, const struct node *root, bool is_l7);

#endif
