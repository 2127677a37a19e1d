/* SPDX-License-Identifier: BSD-2-Clause */
/* How far apart two words are, for "did you mean". */
#ifndef SPILLWAY_CTL_SIMILAR_H
#define SPILLWAY_CTL_SIMILAR_H

#include <stddef.h>

/* Letters to insert, delete or replace (Levenshtein), any case; large for long words. */
size_t similar_distance(const char *a, const char *b);

#endif
