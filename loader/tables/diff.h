/* SPDX-License-Identifier: BSD-2-Clause */
/* What to write, and in which order, to get from `have` to `want`; pure. */
#ifndef SPILLWAY_TABLES_DIFF_H
#define SPILLWAY_TABLES_DIFF_H

#include "tables/motion.h"
#include "tables/tables.h"

/*
 * The steps are the arrays below, carried out in this order by dataplane_apply():
 *  1. `words` that take an endpoint out (effective at the next packet);
 *  2. `endpoints_put`: rows of new or changed endpoints;
 *  3. slots of every table in `want` whose base was TABLE_UNPLACED: tables_diff() has placed it
 *     in free lines, those of `have` and of `resting` excepted;
 *  4. `services_put`: keys of new services (their rows are still invalid);
 *  5. all service rows of the other generation side, then the switch of `active`;
 *  6. `words` that bring an endpoint in go before 5, so that the new tables find it;
 *  7. `services_del`, then `endpoints_del`, which clears their words too: up to the switch they
 *     are those that answer.
 */
struct word_step {
	uint32_t id;
	bool pickable, up;
	bool takes_out; /* first, before anything else */
};

struct steps {
	const struct tables *want; /* its `slots[].base` are all placed */
	struct word_step *words;
	size_t word_count;
	const struct table_endpoint **endpoints_put;
	size_t endpoints_put_count;
	uint32_t *endpoints_del; /* ids */
	size_t endpoints_del_count;
	uint32_t *slots_put; /* indices in want->slots to be written */
	size_t slots_put_count;
	uint32_t *motions_put; /* indices in want->motions to be written, before the switch */
	size_t motions_put_count;
	const struct table_service **services_put;
	size_t services_put_count;
	const struct table_service **services_del; /* of `have` */
	size_t services_del_count;
	bool switch_rows; /* service rows differ: write the other side and switch */
};

/* Lines that may still be read by packets under way, or were freed less than a second ago. */
struct line_range {
	uint32_t base; /* slot number, multiple of SPW_LINE_SLOTS */
	uint32_t lines;
};

/* How many lines a map has (`slots`, `motions`), and which of them rest. */
struct line_space {
	uint32_t lines;
	const struct line_range *resting;
	size_t resting_count;
};

/*
 * -ENOSPC when the slots or the motions do not fit beside those in use (*out untouched, places as they
 * were). motions_make() comes before. No step at all means nothing to do: steps_empty().
 */
int tables_diff(struct arena *a, const struct tables *have, struct tables *want,
		const struct line_space *slots, const struct line_space *motions,
		struct steps *out);
bool steps_empty(const struct steps *s);
void steps_print(const struct steps *s, struct strbuf *out);

#endif
