/* SPDX-License-Identifier: BSD-2-Clause */
/* Where new slot tables go in the map: beside everything that packets may still read. */
#ifndef SPILLWAY_TABLES_PLACE_H
#define SPILLWAY_TABLES_PLACE_H

#include "tables/diff.h"

/*
 * The base of every table in `want` into bases[]: that of an equal table of `have`, else free
 * lines. *fresh (of want->slots_count) says which must be written. -ENOSPC when they do not fit.
 */
int place_tables(const struct tables *have, const struct tables *want,
		 const struct line_space *space, uint32_t *bases, bool *fresh);
/* Likewise the first line of every block of motions that has none; of others what they have. */
int place_motions(const struct tables *have, const struct tables *want,
		  const struct line_space *space, uint32_t *lines);

#endif
