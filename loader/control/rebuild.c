/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start, apply, health change, operator's word and recovery all end here: compile, diff, apply. What
 * the maps hold is remembered; after a failed write it is read back, since nobody knows any more.
 */
#include "control/rebuild.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "control/reaction.h"
#include "control/userspace.h"
#include "tables/compile.h"
#include "tables/diff.h"
#include "tables/motion.h"

#define RETRY_MS       1000
#define SETTLE_LOOK_MS 20

enum resting { RESTING_HEEDED, RESTING_IGNORED };

/* What a compile made; zero-initialise. Lives in the arena given to make_plan(). */
struct plan {
	struct tables want;
	struct steps steps;
	bool strays_left; /* there was no room to set their slots in motion */
	const char *why;  /* it failed */
};

/* The tables in force, with what packets, words and the sweep have made of them since. */
static struct tables have_now(struct engine *e, struct arena *a)
{
	struct tables have = e->have;

	have.motions = arena_array(a, have.motion_count, sizeof(*have.motions));
	if (have.motion_count)
		memcpy(have.motions, e->have.motions, have.motion_count * sizeof(*have.motions));
	dataplane_read_motions(e->dp, a, &have);
	dataplane_read_strays(e->dp, a, &have);
	return have;
}

static int compile(struct engine *e, const struct generation *g, struct arena *a, struct plan *p)
{
	const struct health_view view = generation_view(g);

	return tables_compile(a, g->model, &view, e->ids, dataplane_meta(e->dp)->slot_lines,
			      e->cache, &p->want, &p->why);
}

/* Without room for slots whose flows strayed, packets go on to look for these: words say so, too. */
static int plan_steps(struct engine *e, struct arena *a, enum resting resting, struct plan *p)
{
	struct line_space slots = {0}, motions = {0};
	struct tables have = have_now(e, a);
	bool *direct = arena_array(a, p->want.service_count, sizeof(*direct));
	struct motion_clock clock;
	int err;

	dataplane_motion_clock(e->dp, &clock);
	dataplane_resting(e->dp, a, &slots, &motions);
	if (resting == RESTING_IGNORED)
		slots.resting_count = motions.resting_count = 0;
	for (size_t i = 0; i < p->want.service_count; i++)
		direct[i] = p->want.services[i].direct;
	motions_make(a, &have, &p->want, &clock);
	err = tables_diff(a, &have, &p->want, &slots, &motions, &p->steps);
	if (!err || !have.strays)
		return err;
	have.strays = NULL;
	p->strays_left = true;
	for (size_t i = 0; i < p->want.service_count; i++)
		p->want.services[i].direct = direct[i];
	motions_make(a, &have, &p->want, &clock);
	return tables_diff(a, &have, &p->want, &slots, &motions, &p->steps);
}

/* How to get from the tables in force to p->want. */
static int make_plan(struct engine *e, struct arena *a, enum resting resting, struct plan *p)
{
	const uint32_t slot_lines = dataplane_meta(e->dp)->slot_lines;
	int err = plan_steps(e, a, resting, p);

	if (err)
		p->why = arena_printf(a,
				      "the pick tables do not fit beside those in use into %llu "
				      "slots: raise --max-slots, which takes effect after "
				      "spillwayd --detach, or change fewer services at once",
				      (unsigned long long)slot_lines * SPW_LINE_SLOTS);
	return err;
}

static void end_trial(struct engine *e)
{
	arena_free(e->trial.arena);
	e->trial = (struct trial){0};
}

static const struct health_entry *copy_entries(struct arena *a, const struct generation *g)
{
	const size_t count = g->model->instance_count;
	struct health_entry *copy = arena_array(a, count, sizeof(*copy));

	if (count)
		memcpy(copy, g->entries, count * sizeof(*copy));
	return copy;
}

/* With rows that a plan may place. */
static struct tables copy_rows(struct arena *a, const struct tables *t)
{
	struct tables copy = *t;

	copy.services = arena_array(a, t->service_count, sizeof(*t->services));
	copy.slots = arena_array(a, t->slots_count, sizeof(*t->slots));
	if (t->service_count)
		memcpy(copy.services, t->services, t->service_count * sizeof(*t->services));
	if (t->slots_count)
		memcpy(copy.slots, t->slots, t->slots_count * sizeof(*t->slots));
	return copy;
}

int rebuild_trial(struct engine *e, struct generation *g, struct arena *a, const char **why)
{
	AUTO(arena_free) struct arena *kept = arena_new();
	struct plan p = {0};
	int err = kept ? ids_assign(e->ids, g->model, &p.why) : -ENOMEM;

	end_trial(e);
	if (!err) {
		e->numbered_before = e->numbered;
		e->numbered = g->model;
		err = compile(e, g, kept, &p);
	}
	if (err) {
		*why = arena_strdup(a, p.why ? p.why : strerror(-err));
		return err;
	}
	e->trial = (struct trial){
		.model = g->model,
		.entries = copy_entries(kept, g),
		.want = p.want,
	};
	e->trial.arena = TAKE(kept);
	p.want = copy_rows(a, &p.want);
	err = make_plan(e, a, RESTING_IGNORED, &p);
	if (err)
		*why = p.why;
	return err;
}

static bool fits_now(const struct engine *e)
{
	const struct model *m = e->now->model;

	return e->trial.arena && e->trial.model == m &&
	       (!m->instance_count || memcmp(e->trial.entries, e->now->entries,
					     m->instance_count * sizeof(*e->now->entries)) == 0);
}

/* Tables of `now`, by the latest trial if they would be the same, in an arena that the caller frees. */
static int compile_now(struct engine *e, struct arena **a, struct plan *p)
{
	int err = 0;

	if (fits_now(e)) {
		p->want = e->trial.want;
		*a = TAKE(e->trial.arena);
	} else {
		*a = arena_new();
		err = *a ? compile(e, e->now, *a, p) : -ENOMEM;
	}
	end_trial(e);
	return err;
}

void rebuild_renumber(struct engine *e)
{
	const char *why = NULL;
	int err;

	if (e->numbered == e->now->model) {
		e->numbered_before = NULL;
		ids_settle(e->ids);
		return;
	}
	end_trial(e);
	if (e->numbered_before == e->now->model && ids_undo(e->ids)) {
		e->numbered = TAKE(e->numbered_before);
		return;
	}
	e->numbered_before = NULL;
	err = ids_assign(e->ids, e->now->model, &why);
	e->numbered = err ? NULL : e->now->model;
	if (err)
		engine_set_problem(e, why ? why : strerror(-err));
}

static void read_back(struct engine *e)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct tables have = {0};
	int err = a ? dataplane_readback(e->dp, a, &have) : -ENOMEM;

	if (err) {
		log_error("tables: read back: %s", strerror(-err));
		return;
	}
	arena_free(e->have_arena);
	e->have_arena = TAKE(a);
	e->have = have;
}

static void on_retry(uv_timer_t *t)
{
	(void)engine_rebuild(t->data);
}

void rebuild_later(struct engine *e, uint64_t wait_ms)
{
	if (uv_is_active((uv_handle_t *)&e->retry))
		return;
	uv_update_time(e->loop);
	(void)uv_timer_start(&e->retry, on_retry, wait_ms, 0);
}

static int failed(struct engine *e, int err, const char *why)
{
	engine_set_problem(e, why ? why : strerror(-err));
	e->stale = true;
	(void)uv_timer_start(&e->retry, on_retry, RETRY_MS, 0);
	return err;
}

/* The tables are in force: what they come to is news. */
static void done(struct engine *e, const struct plan *p)
{
	struct tier_news news = {
		.model = e->now->model,
		.view = generation_view(e->now),
		.loads = e->now->loads,
		.touched = e->now->touched,
		.events = e->events,
	};

	if (!p->strays_left)
		dataplane_strays_seen(e->dp);
	e->stale = false;
	(void)uv_timer_stop(&e->retry);
	engine_set_problem(e, NULL);
	tier_events_tell(&news);
	userspace_shares(e);
}

int engine_rebuild(struct engine *e)
{
	AUTO(arena_free) struct arena *a = NULL;
	const uint64_t start_ns = uv_hrtime();
	struct plan p = {0};
	int err;

	if (!e->numbered)
		rebuild_renumber(e);
	if (!e->numbered)
		return failed(e, -ENOSPC, e->problem);
	if (userspace_is_settling(e)) {
		e->stale = true;
		rebuild_later(e, SETTLE_LOOK_MS);
		return 0;
	}
	reaction_refresh(e);
	err = compile_now(e, &a, &p);
	if (!err)
		err = make_plan(e, a, RESTING_HEEDED, &p);
	if (err)
		return failed(e, err, p.why);
	if (steps_empty(&p.steps)) {
		done(e, &p);
		return 0;
	}
	err = dataplane_apply(e->dp, a, &p.steps, &p.why);
	if (err) {
		read_back(e);
		return failed(e, err, p.why);
	}
	log_debug("tables: %zu services, %zu endpoints in force: wrote %zu words, %zu slot tables",
		  p.want.service_count, p.want.endpoint_count, p.steps.word_count,
		  p.steps.slots_put_count);
	arena_free(e->have_arena);
	e->have_arena = TAKE(a);
	e->have = p.want;
	e->rebuilt_ns = uv_hrtime();
	e->rebuild_took_ns = e->rebuilt_ns - start_ns;
	done(e, &p);
	return 0;
}

static bool is_due(struct engine *e)
{
	AUTO(arena_free) struct arena *a = e->have.motion_count ? arena_new() : NULL;
	struct motion_clock clock;
	struct tables have;

	if (dataplane_has_strays(e->dp))
		return true;
	if (!a)
		return false;
	have = have_now(e, a);
	dataplane_motion_clock(e->dp, &clock);
	return motions_are_due(&have, &clock);
}

void rebuild_settle(struct engine *e)
{
	dataplane_end_strays(e->dp);
	if (!e->stale && is_due(e))
		(void)engine_rebuild(e);
}
