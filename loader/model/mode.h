/* SPDX-License-Identifier: BSD-2-Clause */
/* Modes: how packets get to endpoints, see enum spw_mode in <spillway/abi.h>. */
#ifndef SPILLWAY_MODEL_MODE_H
#define SPILLWAY_MODEL_MODE_H

#include <spillway/abi.h>
#include <stdbool.h>

/* "nat", "l2", "ipip", "gue", as the annotation has them; "handoff", "none". "unknown" beyond. */
const char *mode_text(enum spw_mode mode);
/* By the annotation's word. */
enum spw_mode mode_of_word(const char *word);

/* Direct return: endpoints of such a mode answer clients themselves. */
static inline bool mode_is_direct(enum spw_mode mode)
{
	return mode == SPW_MODE_L2 || mode == SPW_MODE_IPIP || mode == SPW_MODE_GUE;
}

#endif
