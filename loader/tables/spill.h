/* SPDX-License-Identifier: BSD-2-Clause */
/* Gives the free slots of a table to those who want some. */
#ifndef SPILLWAY_TABLES_SPILL_H
#define SPILLWAY_TABLES_SPILL_H

#include "tables/quota.h"

/*
 * Fills the slots that hold MAGLEV_FREE: wants[i] of them for member i, which sum to the number of
 * free slots. Lower tiers choose first, so that each lives on what those before it leave.
 */
void spill_fill(const struct member *members, size_t count, uint32_t *wants, uint32_t size,
		uint16_t *slots);

#endif
