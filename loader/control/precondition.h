/* SPDX-License-Identifier: BSD-2-Clause */
/* What must hold of the stored objects for a change to be made. */
#ifndef SPILLWAY_CONTROL_PRECONDITION_H
#define SPILLWAY_CONTROL_PRECONDITION_H

#include "control/change_decode.h"

/*
 * Looks up what is stored of each item (`old`), and whether the request's mode allows that. -EINVAL
 * with the result filled in when it does not.
 */
int precondition_check(struct change *c);

#endif
