/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts of others on a terminal. */
#ifndef SPILLWAY_CTL_TERMINAL_H
#define SPILLWAY_CTL_TERMINAL_H

#include "base/arena.h"

/* The text with control characters as "^X"; line breaks and tabs stay. May be `text` itself. */
const char *terminal_safe(struct arena *a, const char *text);

#endif
