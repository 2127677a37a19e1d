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

struct walk {
	struct engine *e;
	uint64_t now_ms;
	bool *in_flows;	 /* by endpoint id; NULL until the walk */
	bool is_someone; /* a number has rested long enough */
};

static bool has_rested(struct walk *w, uint32_t id)
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
	struct walk *w = ctx;

	if (has_rested(w, id))
		w->is_someone = true;
	return false;
}

static bool note_flow(void *ctx, const struct flow_row *row)
{
	struct walk *w = ctx;

	w->in_flows[row->endpoint_id] = true;
	return true;
}

static bool release(void *ctx, uint32_t id)
{
	struct walk *w = ctx;

	if (w->in_flows[id] || !has_rested(w, id))
		return false;
	w->e->rest_since_ms[id] = 0;
	log_debug("endpoints: number %u: free again", id);
	return true;
}

void rest_release(struct engine *e)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct walk w = {.e = e, .now_ms = clock_ms()};

	if (!a)
		return;
	ids_release(e->ids, look, &w);
	if (!w.is_someone)
		return;
	w.in_flows = arena_array(a, SPW_ENDPOINTS_LIMIT, sizeof(bool));
	if (dataplane_each_flow(e->dp, note_flow, &w) == 0)
		ids_release(e->ids, release, &w);
}
