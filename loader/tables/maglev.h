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

/*
 * Fills slots[size] with indices of `members`, fewer than MAGLEV_FREE of them. The order of members
 * decides ties only; give them in one that does not depend on the input's. Returns false, slots
 * undefined, when all shares are 0.
 */
bool maglev_fill(const struct member *members, size_t count, uint32_t size, uint16_t *slots);

#endif
