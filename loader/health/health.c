/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The health module as the rest of the daemon sees it: its parts are started, connected and ended
 * here, and what is known of an instance is told. How it follows the models is sync.c's.
 */
#include "health/health.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "health/parts.h"

#define REASON_SEEDED "before the restart"

static void on_result(void *ctx, struct target *t, const struct verdict *v)
{
	struct health *h = ctx;

	funnel_judge(&h->funnel, t, v);
}

/* The receiver may free the module: it is called last. */
static void on_turn(void *ctx)
{
	struct health *h = ctx;

	health_arm_ramps(h);
	keep_changed(&h->keep);
	h->hooks.changed(h->hooks.ctx);
}

static void on_ramp(uv_timer_t *timer)
{
	health_arm_ramps(timer->data);
}

void health_arm_ramps(struct health *h)
{
	const uint64_t now = clock_ms();
	const uint64_t next = funnel_step_ramps(&h->funnel, now);

	if (!next) {
		(void)uv_timer_stop(&h->ramp_timer);
		return;
	}
	uv_update_time(h->ramp_timer.loop);
	(void)uv_timer_start(&h->ramp_timer, on_ramp, next > now ? next - now : 0, 0);
}

static void on_sample(uv_timer_t *timer)
{
	struct health *h = timer->data;

	signals_sample(&h->signals, clock_coarse_ns(), clock_ms());
}

void health_arm_signals(struct health *h)
{
	if (!h->signals.count)
		(void)uv_timer_stop(&h->sample_timer);
	else if (!uv_is_active((uv_handle_t *)&h->sample_timer))
		(void)uv_timer_start(&h->sample_timer, on_sample, SIGNALS_SAMPLE_MS,
				     SIGNALS_SAMPLE_MS);
}

static void one_closed(struct health *h)
{
	if (--h->open_handles == 0)
		free(h);
}

static void on_scheduler_closed(void *ctx)
{
	one_closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
	one_closed(handle->data);
}

/* Timers cannot fail to be made. */
static void open_timers(struct health *h, uv_loop_t *loop)
{
	(void)uv_timer_init(loop, &h->sample_timer);
	(void)uv_timer_init(loop, &h->ramp_timer);
	(void)keep_init(&h->keep, loop);
	h->sample_timer.data = h->ramp_timer.data = h;
	h->open_handles = 4;
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
	h->scheduler.closed = on_scheduler_closed;
	h->scheduler.ctx = h;
	h->scheduler.tools.on_host = opts->on_host;
	h->scheduler.dns.resolv_conf = opts->resolv_conf;
	h->funnel.hooks = &h->hooks;
	h->funnel.events = opts->events;
	h->funnel.scheduler = &h->scheduler;
	h->signals.hooks = &h->hooks;
	h->signals.funnel = &h->funnel;
	h->keep.path = opts->state_file;
	h->keep.events = opts->events;
	h->keep.targets = &h->targets;
	err = schedule_init(&h->scheduler, loop);
	if (err)
		return err;
	open_timers(h, loop);
	keep_load(&h->keep, &h->targets);
	*out = TAKE(h);
	return 0;
}

void health_set_socket_user(uid_t uid, gid_t gid)
{
	probe_set_socket_user(uid, gid);
}

void health_drop(void *ctx, struct target *t)
{
	struct health *h = ctx;

	schedule_remove(&h->scheduler, t);
	funnel_forget(&h->funnel, t);
	signals_forget(t);
	free(t);
}

static bool any(const struct target *t)
{
	(void)t;
	return true;
}

void health_free(struct health *h)
{
	if (!h)
		return;
	keep_save(&h->keep, PERSIST_ENDING);
	target_sweep(&h->targets, any, health_drop, h);
	target_table_done(&h->targets);
	signals_done(&h->signals);
	funnel_done(&h->funnel);
	words_done(&h->words);
	free(h->by_index);
	h->keep.timer.data = h;
	uv_close((uv_handle_t *)&h->sample_timer, on_timer_closed);
	uv_close((uv_handle_t *)&h->ramp_timer, on_timer_closed);
	uv_close((uv_handle_t *)&h->keep.timer, on_timer_closed);
	schedule_close(&h->scheduler);
}

/* The maps are written at once, the file a second later: a daemon that was killed in between. */
static void doubt_loaded(struct health *h, struct target *t, enum health_state state)
{
	if (!h->keep.was_cut || !t->loaded || state != HEALTH_DOWN ||
	    t->known.state == HEALTH_DOWN || t->ejection.on)
		return;
	funnel_adopt(&h->funnel, t, (struct rise_fall){.state = state}, REASON_SEEDED);
}

void health_seed(struct health *h, const struct spw_addr *addr, uint16_t port, uint64_t profile,
		 enum health_state state)
{
	struct target *t = target_find(&h->targets, addr, port, profile);

	if (t)
		doubt_loaded(h, t, state);
	if (t || state == HEALTH_UNKNOWN)
		return;
	if (target_table_reserve(&h->targets, h->targets.count + 1))
		return; /* then it starts as unknown */
	t = target_add(&h->targets, addr, port, profile);
	if (!t)
		return;
	t->standing = state == HEALTH_UP ? STANDING_UP : STANDING_DOWN;
	t->since_ms = clock_ms();
	funnel_adopt(&h->funnel, t, (struct rise_fall){.state = state}, REASON_SEEDED);
}

/* "operator" and "drain" alone would say little behind "up -> down". */
static const char *sentence(enum spw_admin admin, const char *reason)
{
	if (strcmp(reason, "drain") == 0)
		return "drained by the operator";
	if (admin == SPW_ADMIN_AUTO && strcmp(reason, "operator") == 0)
		return "no longer set by the operator";
	return strcmp(reason, "operator") == 0 ? "set by the operator" : reason;
}

void health_set_admin(struct health *h, const struct spw_addr *addr, uint16_t port,
		      enum spw_admin admin, const char *reason)
{
	struct word w = {.addr = *addr, .port = port, .admin = admin};
	struct target *next;

	(void)snprintf(w.reason, sizeof(w.reason), "%s", sentence(admin, reason));
	(void)words_set(&h->words, &w); /* without memory it holds for the targets of now */
	for (struct target *t = target_chain(&h->targets, addr, port); t; t = next) {
		next = t->next;
		if (t->begun && t->job.kind == ENDPOINT_IP && t->port == port &&
		    addr_equal(&t->addr, addr))
			funnel_set_admin(&h->funnel, t, admin, w.reason);
	}
}

void health_fill(const struct health *h, struct health_entry *entries, size_t count)
{
	if (count > h->instance_count)
		count = h->instance_count;
	for (size_t n = 0; n < count; n++)
		entries[n] = h->by_index[n]->entry;
}

void health_get(const struct health *h, const struct instance *i, struct health_info *out)
{
	const struct target *t = target_find(&h->targets, &i->addr, i->port, i->profile);
	const uint64_t now = clock_ms();

	if (!t) {
		*out = (struct health_info){
			.reason = "not checked yet", .latest = "", .ramp_percent = 100};
		return;
	}
	*out = (struct health_info){
		.state = t->known.state,
		.standing = t->standing,
		.reason = funnel_reason(t),
		.latest = t->latest,
		.since_ms = t->since_ms,
		.last_probe_ms = t->last_probe_ms,
		.streak = t->known.streak,
		.checked = t->checked,
		.passive = t->watch != NULL,
		.ejections = t->ejection.count,
		.ramp_percent = t->entry.ramp_percent ? t->entry.ramp_percent : 100,
	};
	/* It ends at the first interval's end after that: not 0 until it has ended. */
	if (t->ejection.on)
		out->ejected_left_ms = t->ejection.until_ms > now ? t->ejection.until_ms - now : 1;
}
