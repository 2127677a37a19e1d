/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A number given out too early would send a stranger's packets to the wrong endpoint, so three
 * things must hold: the counters say that no flow is active, that has been so for longer than any
 * closing timeout, and a walk over the flows meets none that has the number.
 */
#include "control/rest.h"

#include "base/clock.h"
#include "base/log.h"

#define REST_MS 180000 /* closed flows keep their entry and their source port for a shorter time */

/* The flows are walked over on another thread: it owns this, and the engine may end before it. */
struct rest_walk {
	struct engine *e; /* NULL: closed */
	uint64_t now_ms;
	bool is_someone;		    /* a number has rested long enough */
	bool in_flows[SPW_ENDPOINTS_LIMIT]; /* by endpoint id */
};

static bool has_rested(struct rest_walk *w, uint32_t id)
{
	uint64_t *since_ms = &w->e->rest_since_ms[id];
	struct spw_endpoint_stats stats = {0};

	dataplane_endpoint_stats(w->e->dp, id, &stats);
	if (stats.flows_opened != stats.flows_closed) {
		*since_ms = 0;
		return false;
	}
	if (!*since_ms)
		*since_ms = w->now_ms;
	return w->now_ms - *since_ms >= REST_MS;
}

/* First pass: is a walk over all flows worth it? Releases nothing. */
static bool look(void *ctx, uint32_t id)
{
	struct rest_walk *w = ctx;

	if (has_rested(w, id))
		w->is_someone = true;
	return false;
}

static bool note_flow(void *ctx, const struct flow_row *row)
{
	struct rest_walk *w = ctx;

	w->in_flows[row->endpoint_id] = true;
	return true;
}

static bool release(void *ctx, uint32_t id)
{
	struct rest_walk *w = ctx;

	if (w->in_flows[id] || !has_rested(w, id) || motions_name(&w->e->have, id))
		return false;
	w->e->rest_since_ms[id] = 0;
	log_debug("endpoints: number %u: free again", id);
	return true;
}

static void on_walked(void *ctx, int err)
{
	AUTO(free) struct rest_walk *w = ctx;

	if (!w->e)
		return;
	w->e->rest_walk = NULL;
	if (!err)
		ids_release(w->e->ids, release, w);
}

void rest_release(struct engine *e)
{
	AUTO(free) struct rest_walk *w = e->rest_walk ? NULL : calloc(1, sizeof(*w));
	struct rest_walk *walk;

	if (!w)
		return;
	w->e = e;
	w->now_ms = clock_ms();
	ids_release(e->ids, look, w);
	if (!w->is_someone)
		return;
	walk = TAKE(w);
	e->rest_walk = walk;
	if (dataplane_walk_flows(e->dp, note_flow, on_walked, walk) == 0)
		return;
	e->rest_walk = NULL;
	free(walk);
}

void rest_close(struct engine *e)
{
	if (e->rest_walk)
		e->rest_walk->e = NULL;
}
