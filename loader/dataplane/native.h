/* SPDX-License-Identifier: BSD-2-Clause */
/* Why an interface does not run in native mode, in words. */
#ifndef SPILLWAY_DATAPLANE_NATIVE_H
#define SPILLWAY_DATAPLANE_NATIVE_H

#include "dataplane/dataplane.h"
#include "dataplane/why.h"

struct interface;

/* Native mode was asked for and refused with that errno, which is returned. */
int native_refuse(const struct interface *i, int err, struct why why);

/*
 * The interface is in generic mode: keeps the reason for status in i->generic_why. `err`: what the
 * kernel said to native mode; 0: this start did not try it.
 */
void native_note_generic(struct interface *i, enum xdp_mode asked, int err);

#endif
