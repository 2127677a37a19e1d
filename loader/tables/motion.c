/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A block says for each slot of the table of before who has the flows that have no entry. As long as its
 * size is that of the table in force, slots begin and end to move one by one. When the size changes, or slots
 * are picked otherwise (by the source, not by the whole 5-tuple), they no longer correspond, so the whole block goes on until all of it may go, and starts again with each
 * further change: then an entry, or the block, knows of every flow, whatever came in between.
 */
#include "tables/motion.h"

#include <string.h>

#include "base/addr.h"
#include "model/idle.h"
#include "tables/maglev.h"

#define SIZE_SMALL	   4093 /* a prime */
#define SIZE_SMALL_MEMBERS 40

struct mover {
	struct arena *arena;
	const struct tables *have;
	struct tables *want;
	const struct motion_clock *clock;
};

/* A service before and after. */
struct step {
	const struct table_slots *old, *new; /* tables, never NULL */
	bool old_by_source, new_by_source;   /* how slots are picked */
	const struct table_motion *was;	     /* or NULL */
	uint32_t window; /* ticks until who has no entry is the new endpoint's */
};

uint32_t motion_table_size(size_t members)
{
	return members <= SIZE_SMALL_MEMBERS ? SIZE_SMALL : SPW_TABLE_SIZE_MAX;
}

uint32_t motion_lines(uint32_t size)
{
	return 1 + (size + SPW_MOTION_LINE - 1) / SPW_MOTION_LINE;
}

uint32_t motion_room(uint32_t slot_lines)
{
	return 5 * slot_lines; /* and blocks are replaced, some at a time */
}

static uint32_t window_of(const struct table_service *s, uint32_t hz)
{
	uint32_t idle_s = s->idle_s[SPW_IDLE_ESTABLISHED];

	return (idle_s ? idle_s : idle_default_s(s->proto, SPW_IDLE_ESTABLISHED)) * hz;
}

static bool is_over(const struct spw_motion *m, uint32_t window, const struct motion_clock *c)
{
	return c->now - m->since >= window;
}

/* No flow has an entry any more, as a round of the sweep has seen that began after the window's end. */
static bool is_empty(const struct spw_motion *m, uint32_t window, const struct motion_clock *c)
{
	return c->round && (int32_t)(c->round_began - m->since - window) >= 0 &&
	       m->kept != c->round && m->kept != c->running;
}

static bool may_settle(const struct spw_motion *m, uint32_t window, const struct motion_clock *c)
{
	return is_over(m, window, c) && is_empty(m, window, c);
}

/*
 * Who has the flows, if it was anybody. Also who is down: established flows are left where they are, as
 * those of mode nat are, and they go on when it comes back.
 */
static uint16_t heir(uint16_t id)
{
	return id == SPW_ENDPOINT_NONE ? MOTION_NOBODY : id;
}

static const struct spw_motion still = {0};

static bool has_strays(const struct mover *v, uint16_t id)
{
	return id != SPW_ENDPOINT_NONE && v->have->strays && v->have->strays[id];
}

/* In motion as one whose window is over: only a round of the sweep that begins from now on can settle it. */
static struct spw_motion look_again(const struct mover *v, const struct step *s,
				    struct spw_motion m)
{
	if (!m.was || is_over(&m, s->window, v->clock))
		m.since = v->clock->now - s->window;
	if (!m.was)
		m.was = MOTION_NOBODY;
	return m;
}

/* One slot, whose endpoint was `old` and is `new` from now on. */
static struct spw_motion move_slot(const struct mover *v, const struct step *s, struct spw_motion m,
				   uint16_t old, uint16_t new)
{
	const bool over = m.was && is_over(&m, s->window, v->clock);

	if (old == new) {
		if (has_strays(v, old))
			return look_again(v, s, m);
		if (!m.was)
			return still;
		if (may_settle(&m, s->window, v->clock))
			return still;
		return m;
	}
	if (!m.was && old == SPW_ENDPOINT_NONE)
		return still;
	m.was = heir(m.was && !over ? m.was : old);
	m.since = v->clock->now;
	return m;
}

static const struct spw_motion *make_equal(const struct mover *v, const struct step *s)
{
	struct spw_motion *slots = arena_array(v->arena, s->new->size, sizeof(*slots));
	bool any = false;

	for (uint32_t i = 0; i < s->new->size; i++) {
		slots[i] = move_slot(v, s, s->was ? s->was->slots[i] : still, s->old->slots[i],
				     s->new->slots[i]);
		any |= slots[i].was != 0;
	}
	return any ? slots : NULL;
}

/* Slots of the old table are those of the new one. */
static bool corresponds(const struct step *s)
{
	return s->old->size == s->new->size && s->old_by_source == s->new_by_source;
}

static bool is_same_table(const struct step *s)
{
	return corresponds(s) &&
	       memcmp(s->old->slots, s->new->slots, s->old->size * sizeof(*s->old->slots)) == 0;
}

static bool is_block_of_old(const struct step *s)
{
	return s->was && s->was->size == s->old->size && s->was->by_source == s->old_by_source;
}

static bool all_settle(const struct mover *v, const struct step *s)
{
	for (uint32_t i = 0; i < s->was->size; i++) {
		if (s->was->slots[i].was && !may_settle(&s->was->slots[i], s->window, v->clock))
			return false;
	}
	return true;
}

/* A block of the old table's size: all of its slots begin to move, or go on with what they were. */
static const struct spw_motion *make_whole(const struct mover *v, const struct step *s)
{
	const bool is_of_old = is_block_of_old(s);
	struct spw_motion *slots = arena_array(v->arena, s->old->size, sizeof(*slots));

	for (uint32_t i = 0; i < s->old->size; i++) {
		const struct spw_motion m = is_of_old ? s->was->slots[i] : still;
		const bool moves = m.was && !is_over(&m, s->window, v->clock);

		slots[i] = (struct spw_motion){
			.since = v->clock->now,
			.was = heir(moves ? m.was : s->old->slots[i]),
			.kept = m.kept,
		};
	}
	return slots;
}

static bool any_has_strays(const struct mover *v, const struct table_slots *t)
{
	for (uint32_t i = 0; v->have->strays && i < t->size; i++) {
		if (has_strays(v, t->slots[i]))
			return true;
	}
	return false;
}

/* A block of another kind than both tables goes on; its window starts again when the table changes. */
static const struct spw_motion *go_on(const struct mover *v, const struct step *s)
{
	const bool starts = !is_same_table(s), strays = any_has_strays(v, s->old);
	struct spw_motion *slots = arena_array(v->arena, s->was->size, sizeof(*slots));

	for (uint32_t i = 0; i < s->was->size; i++) {
		slots[i] = s->was->slots[i];
		if (starts)
			slots[i].since = v->clock->now;
		else if (strays)
			slots[i] = look_again(v, s, slots[i]);
	}
	return slots;
}

static bool is_whole_over(const struct mover *v, const struct step *s)
{
	for (uint32_t i = 0; i < s->was->size; i++) {
		if (!is_over(&s->was->slots[i], s->window, v->clock))
			return false;
	}
	return true;
}

/* The block that follows, but for its line; no slots: nothing moves. */
static struct table_motion make(const struct mover *v, const struct step *s)
{
	struct table_motion out = {.size = s->new->size, .by_source = s->new_by_source};

	if (corresponds(s) && (!s->was || is_block_of_old(s))) {
		out.slots = make_equal(v, s);
		return out;
	}
	if (s->was && !is_block_of_old(s)) {
		if (all_settle(v, s) && corresponds(s)) {
			struct step fresh = *s;

			fresh.was = NULL;
			out.slots = make_equal(v, &fresh);
			return out;
		}
		if (!all_settle(v, s) && (!is_whole_over(v, s) || is_same_table(s))) {
			out.size = s->was->size;
			out.by_source = s->was->by_source;
			out.slots = go_on(v, s);
			return out;
		}
		/* Who has no entry is the old table's by now; others have one. */
	}
	out.size = s->old->size;
	out.by_source = s->old_by_source;
	out.slots = make_whole(v, s);
	return out;
}

static const struct table_service *find_service(const struct tables *t,
						const struct table_service *s)
{
	size_t low = 0, high = t->service_count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (t->services[mid].id < s->id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == t->service_count || t->services[low].id != s->id)
		return NULL;
	if (!addr_equal(&t->services[low].vip, &s->vip) || t->services[low].port != s->port ||
	    t->services[low].proto != s->proto)
		return NULL;
	return &t->services[low];
}

/* A table whose slots are nobody's, for a service that has none. */
static const struct table_slots *table_of(struct arena *a, const struct tables *t, uint32_t index,
					  uint32_t size)
{
	struct table_slots *none;

	if (index != TABLE_NONE)
		return &t->slots[index];
	none = arena_array(a, 1, sizeof(*none));
	none->size = size;
	none->slots = arena_array(a, size, sizeof(uint16_t));
	return none;
}

static bool is_same_block(const struct table_motion *a, const struct table_motion *b)
{
	if (a->size != b->size || a->by_source != b->by_source)
		return false;
	for (uint32_t i = 0; i < a->size; i++) {
		if (a->slots[i].since != b->slots[i].since || a->slots[i].was != b->slots[i].was)
			return false;
	}
	return true;
}

/* What was over stays so when the window becomes longer: since then, who has no entry is the new one's. */
static const struct table_motion *hold_over(const struct mover *v, const struct table_motion *was,
					    uint32_t had_window, uint32_t window)
{
	struct table_motion *held;
	struct spw_motion *slots;

	if (!was || window <= had_window)
		return was;
	held = arena_array(v->arena, 1, sizeof(*held));
	slots = arena_array(v->arena, was->size, sizeof(*slots));
	for (uint32_t i = 0; i < was->size; i++) {
		slots[i] = was->slots[i];
		if (slots[i].was && is_over(&slots[i], had_window, v->clock) &&
		    !is_over(&slots[i], window, v->clock))
			slots[i].since = v->clock->now - window;
	}
	*held = *was;
	held->slots = slots;
	return held;
}

static void move_service(const struct mover *v, const struct table_service *had,
			 struct table_service *s)
{
	const struct table_motion *was = tables_motion(v->have, had);
	struct step step = {
		.window = window_of(s, v->clock->hz),
		.old_by_source = had->pick == SPW_PICK_SOURCE,
		.new_by_source = s->pick == SPW_PICK_SOURCE,
	};
	struct table_motion m;
	uint32_t size;

	step.was = hold_over(v, was, window_of(had, v->clock->hz), step.window);
	if (had->table == TABLE_NONE && s->table == TABLE_NONE && !step.was)
		return;
	size = had->table != TABLE_NONE ? v->have->slots[had->table].size
	       : s->table != TABLE_NONE ? v->want->slots[s->table].size
					: step.was->size;
	step.old = table_of(v->arena, v->have, had->table, size);
	step.new = table_of(v->arena, v->want, s->table, size);
	m = make(v, &step);
	if (!m.slots)
		return;
	m.line = was && is_same_block(was, &m) ? was->line : TABLE_UNPLACED;
	*arena_push(v->arena, v->want->motions, v->want->motion_count) = m;
	s->motion = (uint32_t)v->want->motion_count;
}

void motions_make(struct arena *a, const struct tables *have, struct tables *want,
		  const struct motion_clock *clock)
{
	struct mover v = {.arena = a, .have = have, .want = want, .clock = clock};

	want->motions = NULL;
	want->motion_count = 0;
	for (size_t i = 0; i < want->service_count; i++) {
		struct table_service *s = &want->services[i];
		const struct table_service *had = find_service(have, s);

		s->motion = 0;
		if (!had || !(had->direct || s->direct))
			continue;
		move_service(&v, had, s);
		s->direct |= s->motion != 0;
	}
}

bool motions_are_due(const struct tables *have, const struct motion_clock *clock)
{
	for (size_t i = 0; i < have->service_count; i++) {
		const struct table_service *s = &have->services[i];
		const uint32_t window = window_of(s, clock->hz);
		const struct table_motion *m;

		m = tables_motion(have, s);
		for (uint32_t n = 0; m && n < m->size; n++) {
			if (m->slots[n].was && may_settle(&m->slots[n], window, clock))
				return true;
		}
	}
	return false;
}

uint32_t motions_of(const struct tables *t, const struct table_service *s)
{
	const struct table_motion *m = tables_motion(t, s);
	uint32_t count = 0;

	for (uint32_t i = 0; m && i < m->size; i++)
		count += m->slots[i].was != 0;
	return count;
}

bool motions_name(const struct tables *t, uint32_t endpoint_id)
{
	for (size_t i = 0; i < t->motion_count; i++) {
		for (uint32_t n = 0; n < t->motions[i].size; n++) {
			if (t->motions[i].slots[n].was == endpoint_id)
				return true;
		}
	}
	return false;
}
