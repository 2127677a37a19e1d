/* SPDX-License-Identifier: BSD-2-Clause */
/* `apply --prune`: what a change takes away besides what it puts in place. */
#ifndef SPILLWAY_CONTROL_PRUNE_H
#define SPILLWAY_CONTROL_PRUNE_H

#include "control/change_decode.h"

/*
 * Adds an item for each stored object that goes; the request's own must be sorted. Returns how many
 * were added: they are not sorted yet.
 */
size_t prune_find(struct change *c);

#endif
