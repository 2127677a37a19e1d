/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An endpoint that goes out is written out at once, whatever the number of services that have it:
 * one word, at the cost of looking at the counts of those services. The tables follow at the end
 * of the loop's turn, once for all that changed in it, or a little later when they were made just
 * now. The last healthy one of a service is spared:
 * whether panic gives it traffic is for the rebuild to say, and until then somebody must answer.
 */
#include "control/reaction.h"

#include "control/rebuild.h"
#include "control/userspace.h"

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

/* The operator's words are written by operator.c: they hold for the last one too. */
static void on_out(void *ctx, const struct instance *i)
{
	struct engine *e = ctx;
	const uint32_t id = engine_endpoint_id(e, i);
	struct table_endpoint *row;
	bool is_spared;

	if (!e->now || id == SPW_ENDPOINT_NONE)
		return;
	is_spared = !generation_discount(e->now, i);
	row = have_endpoint(e, id);
	if (is_spared || !row || !row->up ||
	    admins_get(&e->admins, &i->addr, i->port) != SPW_ADMIN_AUTO)
		return;
	dataplane_set_word(e->dp, id, false, false);
	row->pickable = false;
	row->up = false;
	e->stale = true;
}

/*
 * When many endpoints fail one after the other, packets avoid each by its word. Tables made anew for
 * each of them would leave the loop no time for the checks: half of it is theirs at most.
 */
static uint64_t rest_ms(const struct engine *e)
{
	const uint64_t passed_ns = uv_hrtime() - e->rebuilt_ns;
	const uint64_t wait_ms = dataplane_apply_wait_ms(e->dp);
	uint64_t own_ms = 0;

	if (passed_ns < e->rebuild_took_ns)
		own_ms = (e->rebuild_took_ns - passed_ns) / 1000000;
	return wait_ms > own_ms ? wait_ms : own_ms;
}

void reaction_look(struct engine *e)
{
	uint64_t wait_ms;

	if (!e->now)
		return;
	reaction_refresh(e);
	if (!e->stale)
		return;
	wait_ms = rest_ms(e);
	if (wait_ms)
		rebuild_later(e, wait_ms);
	else
		(void)engine_rebuild(e);
}

static void on_changed(void *ctx)
{
	reaction_look(ctx);
}

static struct spw_signals *signals_of(void *ctx, const struct instance *i)
{
	struct engine *e = ctx;
	const uint32_t id = engine_endpoint_id(e, i);

	return id == SPW_ENDPOINT_NONE ? NULL : dataplane_signals(e->dp, id);
}

static void traffic_of(void *ctx, const struct instance *i, uint64_t *packets_in,
		       uint64_t *packets_out)
{
	struct engine *e = ctx;
	const uint32_t id = engine_endpoint_id(e, i);
	struct spw_endpoint_stats s = {0};

	if (id != SPW_ENDPOINT_NONE)
		dataplane_endpoint_stats(e->dp, id, &s);
	*packets_in = s.packets_in;
	*packets_out = s.packets_out;
}

struct health_hooks reaction_hooks(struct engine *e)
{
	return (struct health_hooks){
		.out = on_out,
		.changed = on_changed,
		.signals = signals_of,
		.traffic = traffic_of,
		.ctx = e,
	};
}

void reaction_refresh(struct engine *e)
{
	struct generation *g = e->now;
	const size_t count = g->model->instance_count;
	AUTO(free) struct health_entry *next = calloc(count + 1, sizeof(*next));

	if (!next) {
		e->stale = true; /* with what is known; the next turn tries again */
		return;
	}
	health_fill(e->health, next, count);
	userspace_hold(e, next);
	if (generation_update(g, next))
		e->stale = true;
}
