/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The health module as the rest of the daemon sees it: keeps the targets in step with the model
 * and answers what is known of them. A new model never touches the history of an endpoint that
 * is in it still.
 */
#include "health/health.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/addr.h"
#include "health/funnel.h"
#include "health/schedule.h"
#include "health/target.h"

#define REASON_NO_CHECK "no check"
#define REASON_GRPC	"gRPC checks are not run by this version"
#define REASON_SEEDED	"before the restart"

struct health {
	struct scheduler scheduler;
	struct target_table targets;
	struct target **by_index; /* by instance.index of the current model; owned */
	size_t instance_count;
	struct health_hooks hooks;
};

static void on_result(void *ctx, struct target *t, const struct verdict *v)
{
	struct health *h = ctx;

	if (funnel_judge(t, v))
		schedule_wake(&h->scheduler);
}

static void on_turn(void *ctx)
{
	struct health *h = ctx;

	h->hooks.changed(h->hooks.ctx);
}

static void on_closed(void *ctx)
{
	free(ctx);
}

int health_new(uv_loop_t *loop, const struct health_options *opts, struct health **out)
{
	AUTO(free) struct health *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	h->hooks = opts->hooks;
	h->scheduler.result = on_result;
	h->scheduler.turn = on_turn;
	h->scheduler.closed = on_closed;
	h->scheduler.ctx = h;
	err = schedule_init(&h->scheduler, loop);
	if (err)
		return err;
	*out = TAKE(h);
	return 0;
}

static void drop(void *ctx, struct target *t)
{
	schedule_remove(ctx, t);
	free(t);
}

static bool any(const struct target *t)
{
	(void)t;
	return true;
}

static bool not_listed(const struct target *t)
{
	return !t->listed;
}

/* Neither known to the model before nor seeded: made by the health_sync() under way. */
static bool is_new(const struct target *t)
{
	return !t->instance && t->known.state == HEALTH_UNKNOWN;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	target_sweep(&h->targets, any, drop, &h->scheduler);
	target_table_done(&h->targets);
	free(h->by_index);
	schedule_close(&h->scheduler);
}

static bool is_run(const struct check *c)
{
	return c && c->type != CHECK_GRPC;
}

/* Everything that can fail. Leaves the table as it was on failure. */
static int make_targets(struct health *h, const struct model *m, struct target **by_index)
{
	size_t most = h->targets.count + m->instance_count;

	if (target_table_reserve(&h->targets, most) || schedule_reserve(&h->scheduler, most))
		return -ENOMEM;
	for (size_t n = 0; n < m->instance_count; n++) {
		const struct instance *i = &m->instances[n];
		struct target *t = target_find(&h->targets, &i->addr, i->port, i->profile);

		if (!t)
			t = target_add(&h->targets, &i->addr, i->port, i->profile);
		if (!t) {
			target_sweep(&h->targets, is_new, drop, &h->scheduler);
			return -ENOMEM;
		}
		by_index[i->index] = t;
	}
	return 0;
}

/*
 * The state under another profile of the same address and port: better than none, until the
 * first result. Down wins, since traffic to a dead endpoint costs more than a moment without it.
 */
static const struct target *predecessor(const struct health *h, const struct target *t)
{
	const struct target *best = NULL;

	for (const struct target *i = target_chain(&h->targets, &t->addr, t->port); i;
	     i = i->next) {
		if (i == t || i->port != t->port || !addr_equal(&i->addr, &t->addr))
			continue;
		if (i->known.state == HEALTH_DOWN)
			return i;
		if (i->known.state == HEALTH_UP && (i->checked || !i->instance))
			best = i;
	}
	return best;
}

static void inherit(const struct health *h, struct target *t)
{
	const struct target *from = predecessor(h, t);

	if (!from)
		return;
	t->known.state = from->known.state;
	memcpy(t->reason, from->reason, sizeof(t->reason));
	memcpy(t->latest, from->latest, sizeof(t->latest));
	t->since_ms = from->since_ms;
}

static void point_to(struct target *t, const struct instance *i)
{
	const struct check *c = i->check;

	t->instance = i;
	t->listed = true;
	t->checked = is_run(c);
	t->job.kind = i->kind;
	t->job.host = i->host;
	t->job.tls = i->tls;
	t->job.app = i->app;
	t->job.addr = i->addr;
	t->job.port = c && c->port ? c->port : i->port;
	t->job.check = c;
	t->job.hostname = i->hostname;
}

static void start_or_stop(struct health *h, struct target *t)
{
	const struct rise_fall up = {.state = HEALTH_UP, .settled = true};
	const char *reason = t->job.check ? REASON_GRPC : REASON_NO_CHECK;

	if (t->checked) {
		if (!t->scheduler)
			schedule_add(&h->scheduler, t);
		return;
	}
	schedule_remove(&h->scheduler, t);
	if (t->known.state != HEALTH_UP || strcmp(t->reason, reason) != 0)
		funnel_adopt(t, up, reason);
}

int health_sync(struct health *h, const struct model *m)
{
	struct target **by_index = calloc(m->instance_count + 1, sizeof(struct target *));

	if (!by_index || make_targets(h, m, by_index)) {
		free(by_index);
		return -ENOMEM;
	}
	for (size_t n = 0; n < m->instance_count; n++)
		if (is_new(by_index[n]))
			inherit(h, by_index[n]);
	for (size_t n = m->instance_count; n-- > 0;)
		point_to(by_index[m->instances[n].index], &m->instances[n]);
	target_sweep(&h->targets, not_listed, drop, &h->scheduler);
	for (size_t n = 0; n < m->instance_count; n++) {
		by_index[n]->listed = false;
		start_or_stop(h, by_index[n]);
	}
	free(h->by_index);
	h->by_index = by_index;
	h->instance_count = m->instance_count;
	return 0;
}

void health_seed(struct health *h, const struct spw_addr *addr, uint16_t port, uint64_t profile,
		 enum health_state state)
{
	const struct rise_fall known = {.state = state, .settled = true};
	struct target *t;

	if (state == HEALTH_UNKNOWN || target_find(&h->targets, addr, port, profile))
		return;
	if (target_table_reserve(&h->targets, h->targets.count + 1))
		return; /* then it starts as unknown */
	t = target_add(&h->targets, addr, port, profile);
	if (t)
		funnel_adopt(t, known, REASON_SEEDED);
}

void health_set_admin(struct health *h, const struct spw_addr *addr, uint16_t port,
		      enum spw_admin admin, const char *reason)
{
	(void)h;
	(void)addr;
	(void)port;
	(void)admin;
	(void)reason;
}

void health_fill(const struct health *h, struct health_entry *entries, size_t count)
{
	if (count > h->instance_count)
		count = h->instance_count;
	for (size_t n = 0; n < count; n++)
		entries[n].state = h->by_index[n]->known.state;
}

void health_get(const struct health *h, const struct instance *i, struct health_info *out)
{
	const struct target *t = target_find(&h->targets, &i->addr, i->port, i->profile);

	if (!t) {
		*out = (struct health_info){.reason = "not checked yet", .latest = ""};
		return;
	}
	*out = (struct health_info){
		.state = t->known.state,
		.reason = t->reason[0] ? t->reason : "not checked yet",
		.latest = t->latest,
		.since_ms = t->since_ms,
		.last_probe_ms = t->last_probe_ms,
		.streak = t->known.streak,
		.checked = t->checked,
	};
}
