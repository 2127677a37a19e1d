/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Slots in motion, for services of direct return: whose flows a slot had before, and since when it has
 * others. The tables say what should be; this is what remains of what was, so it follows from the tables
 * in force and the new ones. Pure; struct spw_motion in <spillway/abi.h> says how packets read it.
 */
#ifndef SPILLWAY_TABLES_MOTION_H
#define SPILLWAY_TABLES_MOTION_H

#include "tables/tables.h"

/* Nobody had a slot's flows: those without an entry are the slot's endpoint's. */
#define MOTION_NOBODY SPW_MOTION_NOBODY

/* Times in ticks of the kernel (jiffies). */
struct motion_clock {
	uint32_t now;
	uint32_t hz;
	uint16_t round;	      /* of the sweep: the latest that is finished; 0: none yet */
	uint16_t running;     /* the latest that has begun */
	uint32_t round_began; /* when the finished one did */
};

/* The size of a table that slots of direct return are in: two classes, so that it hardly ever changes. */
uint32_t motion_table_size(size_t members);

/*
 * Fills in want->motions and the services' `motion`: slots that get another endpoint by the step from
 * `have` to `want` begin to move, those that move go on, and those settle that may. Slots of endpoints with
 * strays are in motion as well, so that entries are asked for until a sweep has met none. Blocks that stay as
 * they are keep their place; others are TABLE_UNPLACED. Everything lives in `a` or in `have`.
 */
void motions_make(struct arena *a, const struct tables *have, struct tables *want,
		  const struct motion_clock *clock);

/* Would motions_make() settle a slot, if nothing else changed? */
bool motions_are_due(const struct tables *have, const struct motion_clock *clock);

/* Lines of map `motions` that a block takes: a head, and eight slots each. */
uint32_t motion_lines(uint32_t size);

/* Lines of the map for so many of map `slots`: a block takes four times as many as its table. */
uint32_t motion_room(uint32_t slot_lines);

/* Slots of the service that are in motion. `t` is in force. */
uint32_t motions_of(const struct tables *t, const struct table_service *s);

/* Does a slot name the endpoint as the one it was? `t` is in force. */
bool motions_name(const struct tables *t, uint32_t endpoint_id);

#endif
