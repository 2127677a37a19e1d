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
		 const struct line_range *resting, size_t resting_count, uint32_t slot_lines,
		 uint32_t *bases, bool *fresh);

#endif
