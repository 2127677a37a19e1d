/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start, apply, health change, operator's word and recovery all end here: compile, diff, apply. What
 * the maps hold is remembered; after a failed write it is read back, since nobody knows any more.
 */
#include "control/rebuild.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "tables/compile.h"
#include "tables/diff.h"

#define RETRY_MS 1000

enum resting { RESTING_HEEDED, RESTING_IGNORED };

/* What a compile made; zero-initialise. Lives in the arena given to make_plan(). */
struct plan {
	struct tables want;
	struct steps steps;
	const char *why; /* it failed */
};

static int make_plan(struct engine *e, const struct generation *g, struct arena *a,
		     enum resting resting, struct plan *p)
{
	const uint32_t slot_lines = dataplane_meta(e->dp)->slot_lines;
	const struct health_view view = generation_view(g);
	struct line_range *ranges = NULL;
	size_t count = 0;
	int err = tables_compile(a, g->model, &view, e->ids, slot_lines, NULL, &p->want, &p->why);

	if (err)
		return err;
	if (resting == RESTING_HEEDED)
		dataplane_resting(e->dp, a, &ranges, &count);
	err = tables_diff(a, &e->have, &p->want, ranges, count, slot_lines, &p->steps);
	if (err)
		p->why =
			arena_printf(a,
				     "the pick tables do not fit beside those in use into %u lines "
				     "of %d slots: use fewer different sets of endpoints",
				     slot_lines, SPW_LINE_SLOTS);
	return err;
}

int rebuild_trial(struct engine *e, struct generation *g, struct arena *a, const char **why)
{
	struct plan p = {0};
	int err = ids_assign(e->ids, g->model, &p.why);

	generation_set_admins(g, &e->admins);
	if (!err)
		err = make_plan(e, g, a, RESTING_IGNORED, &p);
	if (err)
		*why = arena_strdup(a, p.why ? p.why : strerror(-err));
	return err;
}

void rebuild_renumber(struct engine *e)
{
	const char *why = NULL;
	int err = ids_assign(e->ids, e->now->model, &why);

	e->numbered = !err;
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

static int failed(struct engine *e, int err, const char *why)
{
	engine_set_problem(e, why ? why : strerror(-err));
	(void)uv_timer_start(&e->retry, on_retry, RETRY_MS, 0);
	return err;
}

int engine_rebuild(struct engine *e)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct plan p = {0};
	int err;

	if (!a)
		return failed(e, -ENOMEM, NULL);
	if (!e->numbered)
		rebuild_renumber(e);
	if (!e->numbered)
		return failed(e, -ENOSPC, e->problem);
	health_fill(e->health, e->now->entries, e->now->model->instance_count);
	generation_set_admins(e->now, &e->admins);
	err = make_plan(e, e->now, a, RESTING_HEEDED, &p);
	if (err)
		return failed(e, err, p.why);
	if (steps_empty(&p.steps)) {
		engine_set_problem(e, NULL);
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
	engine_set_problem(e, NULL);
	return 0;
}

/* Marks the instances of services in which nobody would be left: their panic is the rebuild's. */
static void spare_last_ones(const struct model *m, const struct health_entry *entries, bool *spared)
{
	const struct service *s;
	const struct locality *l;
	bool is_left;

	for (size_t n = 0; n < m->service_count; n++) {
		s = &m->services[n];
		is_left = false;
		for (size_t i = 0; i < s->locality_count; i++) {
			l = &s->localities[i];
			for (size_t k = 0; k < l->count && !is_left; k++)
				is_left = health_is_healthy(&entries[l->members[k]->index]);
		}
		for (size_t i = 0; i < s->locality_count && !is_left; i++) {
			l = &s->localities[i];
			for (size_t k = 0; k < l->count; k++)
				spared[l->members[k]->index] = true;
		}
	}
}

static struct table_endpoint *have_endpoint(struct engine *e, uint32_t id)
{
	size_t low = 0, high = e->have.endpoint_count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (e->have.endpoints[mid].id == id)
			return &e->have.endpoints[mid];
		if (e->have.endpoints[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

static void take_out(struct engine *e, const struct instance *i)
{
	const uint32_t id = ids_endpoint(e->ids, i);
	struct table_endpoint *row = have_endpoint(e, id);

	if (!row || !row->up)
		return;
	dataplane_set_word(e->dp, id, false, false);
	row->pickable = false;
	row->up = false;
}

void rebuild_on_health(void *engine)
{
	struct engine *e = engine;
	const struct model *m = e->now->model;
	const size_t count = m->instance_count;
	AUTO(arena_free) struct arena *a = arena_new();
	struct health_entry *entries, *before = e->now->entries;
	bool *spared;

	if (a && e->numbered) {
		entries = arena_array(a, count, sizeof(*entries));
		spared = arena_array(a, count, sizeof(*spared));
		memcpy(entries, before, count * sizeof(*entries));
		health_fill(e->health, entries, count);
		spare_last_ones(m, entries, spared);
		for (size_t i = 0; i < count; i++) {
			if (health_is_healthy(&before[i]) && !health_is_healthy(&entries[i]) &&
			    !spared[i])
				take_out(e, &m->instances[i]);
		}
	}
	(void)engine_rebuild(e);
}
