/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * First fit, the largest tables first: all tables of one size take equal gaps, so lines freed by
 * one generation serve the next but one, and holes stay few. Nothing is ever moved to make room:
 * packets read these lines while we write others.
 */
#include "tables/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct hashed {
	uint64_t hash;
	uint32_t index;
};

struct gaps {
	struct line_range *items; /* in lines: base is a line number here */
	size_t count;
};

static uint32_t lines_of(uint32_t size)
{
	return (size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS;
}

static int compare_hashes(const void *va, const void *vb)
{
	const struct hashed *a = va, *b = vb;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static int compare_ranges(const void *va, const void *vb)
{
	const struct line_range *a = va, *b = vb;

	return a->base < b->base ? -1 : a->base > b->base;
}

static uint64_t content_hash(const struct table_slots *t)
{
	return t->hash ? t->hash : table_hash(t->slots, t->size);
}

static bool is_equal(const struct table_slots *a, const struct table_slots *b)
{
	return a->size == b->size && memcmp(a->slots, b->slots, a->size * sizeof(*a->slots)) == 0;
}

static const struct table_slots *find_equal(const struct tables *have, const struct hashed *index,
					    const struct table_slots *t)
{
	const uint64_t hash = content_hash(t);
	size_t low = 0, high = have->slots_count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (index[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < have->slots_count && index[low].hash == hash; low++) {
		if (is_equal(&have->slots[index[low].index], t))
			return &have->slots[index[low].index];
	}
	return NULL;
}

static void reuse(const struct tables *have, const struct hashed *index, const struct tables *want,
		  uint32_t *bases, bool *fresh)
{
	for (size_t i = 0; i < want->slots_count; i++) {
		const struct table_slots *t = find_equal(have, index, &want->slots[i]);

		fresh[i] = !t;
		bases[i] = t ? t->base : TABLE_UNPLACED;
	}
}

/* Ranges in use, sorted, into the gaps between them. */
static void find_gaps(struct line_range *used, size_t count, uint32_t slot_lines, struct gaps *out)
{
	uint32_t next = 0;

	if (count > 1)
		qsort(used, count, sizeof(*used), compare_ranges);
	for (size_t i = 0; i < count && next < slot_lines; i++) {
		if (used[i].base > next)
			out->items[out->count++] = (struct line_range){next, used[i].base - next};
		if (used[i].base + used[i].lines > next)
			next = used[i].base + used[i].lines;
	}
	if (next < slot_lines)
		out->items[out->count++] = (struct line_range){next, slot_lines - next};
}

static uint32_t take_gap(struct gaps *gaps, size_t *from, uint32_t lines)
{
	for (size_t i = *from; i < gaps->count; i++) {
		struct line_range *g = &gaps->items[i];
		const uint32_t base = g->base;

		if (g->lines < lines)
			continue;
		g->base += lines;
		g->lines -= lines;
		*from = i; /* gaps before it are too small for this size, and sizes only fall */
		return base * SPW_LINE_SLOTS;
	}
	return TABLE_UNPLACED;
}

/* Fresh tables, the largest first; each size starts at the first gap again. */
static int fill_gaps(const struct tables *want, struct hashed *order, struct gaps *gaps,
		     uint32_t *bases, const bool *fresh)
{
	uint32_t size = 0;
	size_t from = 0, n = 0;

	for (size_t i = 0; i < want->slots_count; i++) {
		if (fresh[i])
			order[n++] = (struct hashed){UINT32_MAX - want->slots[i].size, (uint32_t)i};
	}
	if (n > 1)
		qsort(order, n, sizeof(*order), compare_hashes);
	for (size_t i = 0; i < n; i++) {
		const struct table_slots *t = &want->slots[order[i].index];

		if (t->size != size)
			from = 0;
		size = t->size;
		bases[order[i].index] = take_gap(gaps, &from, lines_of(size));
		if (bases[order[i].index] == TABLE_UNPLACED)
			return -ENOSPC;
	}
	return 0;
}

static size_t list_used(const struct tables *have, const struct line_space *space,
			struct line_range *out)
{
	size_t n = 0;

	for (size_t i = 0; i < have->slots_count; i++) {
		const struct table_slots *t = &have->slots[i];

		if (t->base != TABLE_UNPLACED)
			out[n++] = (struct line_range){t->base / SPW_LINE_SLOTS, lines_of(t->size)};
	}
	for (size_t i = 0; i < space->resting_count; i++)
		out[n++] = (struct line_range){space->resting[i].base / SPW_LINE_SLOTS,
					       space->resting[i].lines};
	return n;
}

int place_tables(const struct tables *have, const struct tables *want,
		 const struct line_space *space, uint32_t *bases, bool *fresh)
{
	const size_t ranges = have->slots_count + space->resting_count + 1;
	struct hashed *index = calloc(have->slots_count + want->slots_count + 1, sizeof(*index));
	struct line_range *used = calloc(2 * ranges, sizeof(*used));
	struct gaps gaps = {.items = used ? used + ranges : NULL};
	int err = -ENOMEM;

	if (index && used) {
		for (size_t i = 0; i < have->slots_count; i++)
			index[i] = (struct hashed){content_hash(&have->slots[i]), (uint32_t)i};
		if (have->slots_count > 1)
			qsort(index, have->slots_count, sizeof(*index), compare_hashes);
		reuse(have, index, want, bases, fresh);
		find_gaps(used, list_used(have, space, used), space->lines, &gaps);
		err = fill_gaps(want, index, &gaps, bases, fresh);
	}
	free(index);
	free(used);
	return err;
}

/* Line 0 says that there is no block. */
static size_t list_moving(const struct tables *have, const struct line_space *space,
			  struct line_range *out)
{
	size_t n = 0;

	out[n++] = (struct line_range){0, 1};
	for (size_t i = 0; i < have->motion_count; i++)
		out[n++] = (struct line_range){have->motions[i].line,
					       motion_lines(have->motions[i].size)};
	for (size_t i = 0; i < space->resting_count; i++)
		out[n++] = space->resting[i];
	return n;
}

int place_motions(const struct tables *have, const struct tables *want,
		  const struct line_space *space, uint32_t *lines)
{
	const size_t ranges = have->motion_count + space->resting_count + 2;
	struct line_range *used = want->motion_count ? calloc(2 * ranges, sizeof(*used)) : NULL;
	struct gaps gaps = {.items = used ? used + ranges : NULL};
	int err = 0;

	if (!want->motion_count)
		return 0;
	if (!used)
		return -ENOMEM;
	find_gaps(used, list_moving(have, space, used), space->lines, &gaps);
	for (size_t i = 0; i < want->motion_count && !err; i++) {
		const struct table_motion *m = &want->motions[i];
		size_t from = 0;

		lines[i] = m->line;
		if (m->line != TABLE_UNPLACED)
			continue;
		lines[i] = take_gap(&gaps, &from, motion_lines(m->size));
		if (lines[i] == TABLE_UNPLACED)
			err = -ENOSPC;
		else
			lines[i] /= SPW_LINE_SLOTS;
	}
	free(used);
	return err;
}
