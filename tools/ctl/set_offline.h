/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's word while no daemon runs: straight into the pinned maps. */
#ifndef SPILLWAY_CTL_SET_OFFLINE_H
#define SPILLWAY_CTL_SET_OFFLINE_H

#include "ctl/ctl.h"

/*
 * `address` was checked to be ADDRESS or ADDRESS:PORT, `state` to be a word of the API; `unreachable`
 * says why the daemon could not be asked, for when the maps cannot be written either. The verb has a
 * flag "bpffs". The exit code.
 */
int set_offline(struct ctl *c, const char *address, const char *state, const char *unreachable);

#endif
