/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slot tables: which member gets which slots. Depends on keys and shares alone, never on endpoint
 * numbers or on what a table held before, so every gateway makes the same.
 */
#ifndef SPILLWAY_TABLES_MAGLEV_H
#define SPILLWAY_TABLES_MAGLEV_H

#include <stdbool.h>

#include "tables/quota.h"

#define MAGLEV_FREE UINT16_MAX

/* Smallest prime of a fixed list that is at least 100 * members, from 251 to 65537. */
uint32_t maglev_size(size_t members);

/* Has anybody a share, at home and now? If not there is no table. */
bool maglev_is_wanted(const struct member *members, size_t count);

/*
 * The home table: fills slots[size] with indices of `members`, fewer than MAGLEV_FREE of them, and
 * counts[] with how many each has. Depends on keys and home shares alone. The order of members
 * decides ties only; give them in one that does not depend on the input's.
 */
void maglev_home(const struct member *members, size_t count, uint32_t size, uint32_t *counts,
		 uint16_t *slots);

/* From the home table, as maglev_home() left it, to the table of the shares now, in place. */
void maglev_move(const struct member *members, size_t count, uint32_t size, const uint32_t *home,
		 uint16_t *slots);

/* Both. Returns false, slots undefined, when there is no table. */
bool maglev_fill(const struct member *members, size_t count, uint32_t size, uint16_t *slots);

#endif
