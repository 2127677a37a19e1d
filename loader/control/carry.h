/* SPDX-License-Identifier: BSD-2-Clause */
/* What a change may not take away: traffic that is carried now, and what other projects have. */
#ifndef SPILLWAY_CONTROL_CARRY_H
#define SPILLWAY_CONTROL_CARRY_H

#include "control/change_decode.h"

/* 0, or -EINVAL with the result filled in. `next` is what the change would put in force. */
int carry_check(struct change *c, const struct generation *next);

#endif
