/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One heap, one timer. The timer's callback judges nothing: libuv runs timers before it polls, so
 * after a long callback they would all fire before a single answer was read. It only makes sure
 * that the poll does not wait; the uv_check handle behind the poll then looks at what is due, with
 * every answer that was there already taken, and with deadlines moved by the lag (lag.h).
 *
 * Starts keep a phase: target k gets the fraction k * phi of the interval, which spreads any
 * number of targets evenly. First probes are started at once, but 4 in a millisecond; the second
 * one, half to one and a half intervals later, is on the phase.
 */
#include "health/schedule.h"

#include <stdlib.h>
#include <sys/resource.h>

#include "base/addr.h"
#include "base/clock.h"
#include "base/log.h"
#include "health/tls.h"

#define TURN_BATCH	  64 /* starts and deadlines in a turn of the loop; then others have theirs */
#define TURN_BATCH_LEAST  4
#define TURN_LONG_NS	  10000000u /* then fewer in the next turns: TLS costs a millisecond each */
#define START_SLACK_MS	  4	    /* starts this near are made together: fewer wake-ups */
#define FULL_RETRY_MS	  10
#define INTERVAL_MIN_MS	  10
#define FIRSTS_PER_MS	  4
#define WARN_EVERY_MS	  60000
#define DESCRIPTORS_LEAST 64
#define GOLDEN_RATIO	  0x9e3779b9u /* 2^32 / phi */

static uint64_t interval_of(const struct target *t)
{
	uint32_t ms = t->job.check->interval_ms;

	return ms < INTERVAL_MIN_MS ? INTERVAL_MIN_MS : ms;
}

static void on_nudge(uv_idle_t *idle)
{
	(void)idle;
}

static void nudge(struct scheduler *s)
{
	(void)uv_idle_start(&s->nudge, on_nudge);
}

static void on_timer(uv_timer_t *timer)
{
	nudge(timer->data);
}

/* The first moment at or after `from` that is on the target's phase. */
static uint64_t on_phase(const struct target *t, uint64_t from)
{
	uint64_t interval = interval_of(t);
	uint64_t phase = (t->phase * interval) >> 32;

	return from + (phase + interval - from % interval) % interval;
}

/* Start to start: what was missed while a probe took long, or the loop, is left out. */
static void plan_next(struct scheduler *s, struct target *t, uint64_t now)
{
	uint64_t interval = interval_of(t);

	if (t->in_phase)
		t->planned_ms += interval;
	else
		t->planned_ms = on_phase(t, t->planned_ms + interval / 2);
	t->in_phase = true;
	if (t->planned_ms <= now)
		t->planned_ms += ((now - t->planned_ms) / interval + 1) * interval;
	due_put(&s->queue, &t->due, t->planned_ms);
}

static void warn_not_made(struct scheduler *s, const struct target *t, const char *why)
{
	char buf[ADDR_PORT_TEXT_MAX];
	uint64_t now = clock_ms();

	if (s->warned_ms && now - s->warned_ms < WARN_EVERY_MS)
		return;
	s->warned_ms = now;
	log_warn("health: endpoint %s: no probe was made, its state stays: %s",
		 t->instance && t->instance->name ? t->instance->name
						  : addr_print_port(&t->addr, t->port, buf),
		 why);
}

static void end_probe(struct target *t, const struct verdict *v)
{
	struct scheduler *s = t->scheduler;
	uint64_t now = clock_ms();

	plan_next(s, t, now);
	if (v->kind == VERDICT_NONE) {
		warn_not_made(s, t, v->reason);
		return;
	}
	t->last_probe_ms = now;
	s->result(s->ctx, t, v);
}

static void on_done(void *ctx, const struct verdict *v)
{
	struct target *t = ctx;

	t->probe = NULL;
	t->scheduler->under_way--;
	end_probe(t, v);
}

static struct probe *start_check(struct scheduler *s, struct target *t, struct verdict *now)
{
	const struct probe_order order = {&t->job, t->job.addr, on_done, t};

	if (t->job.kind == ENDPOINT_FQDN)
		return probe_name_start(&s->tools, &order, now);
	return probe_start(&s->tools, &order, now);
}

static void start_probe(struct scheduler *s, struct target *t, uint64_t now)
{
	struct verdict v;

	if (s->under_way >= s->under_way_max) {
		due_put(&s->queue, &t->due, now + FULL_RETRY_MS);
		return;
	}
	t->started_ms = now;
	t->lag_ms = lag_total_ms(&s->lag);
	t->probe = start_check(s, t, &v);
	if (!t->probe) {
		end_probe(t, &v);
		return;
	}
	s->under_way++;
	due_put(&s->queue, &t->due, now + t->job.check->timeout_ms);
}

static void cancel_probe(struct scheduler *s, struct target *t)
{
	if (!t->probe)
		return;
	t->probe->cancel(t->probe);
	t->probe = NULL;
	s->under_way--;
}

/* The deadline of the probe under way has come, unless lag has moved it. */
static void judge_late(struct scheduler *s, struct target *t, uint64_t now)
{
	uint64_t lag = lag_total_ms(&s->lag) - t->lag_ms;
	uint64_t deadline = t->started_ms + t->job.check->timeout_ms + lag;
	struct verdict v = verdict_make(VERDICT_BAD, "timeout");

	if (deadline > now) {
		due_put(&s->queue, &t->due, deadline);
		return;
	}
	cancel_probe(s, t);
	end_probe(t, &v);
}

/* True when the first in the queue was due and has been handled. */
static bool run_first(struct scheduler *s, uint64_t now)
{
	struct due *d = due_first(&s->queue);
	struct target *t;

	if (!d)
		return false;
	t = (struct target *)((char *)d - offsetof(struct target, due));
	if (d->at_ms > now + (t->probe ? 0 : START_SLACK_MS))
		return false;
	if (t->probe)
		judge_late(s, t, now);
	else
		start_probe(s, t, now);
	return true;
}

static void arm(struct scheduler *s)
{
	const struct due *d = due_first(&s->queue);
	uint64_t now = clock_ms();

	if (!d) {
		(void)uv_timer_stop(&s->timer);
		return;
	}
	uv_update_time(s->timer.loop);
	(void)uv_timer_start(&s->timer, on_timer, d->at_ms > now ? d->at_ms - now : 0, 0);
}

/* Not uv_backend_timeout(): that says 0 whenever a descriptor is yet to be added to epoll. */
static void on_prepare(uv_prepare_t *prepare)
{
	struct scheduler *s = prepare->data;
	bool armed = uv_is_active((uv_handle_t *)&s->timer);

	lag_before_poll(&s->lag, armed ? (int64_t)uv_timer_get_due_in(&s->timer) : -1);
}

/* Called before lag_after_poll(): how many to start in this turn, after what the last one cost. */
static void set_batch(struct scheduler *s, uint64_t now_ns, uint64_t idle_ns)
{
	uint64_t busy = now_ns - s->lag.now_ns - (idle_ns - s->lag.idle_ns);

	if (busy > TURN_LONG_NS)
		s->batch = s->batch / 2 > TURN_BATCH_LEAST ? s->batch / 2 : TURN_BATCH_LEAST;
	else if (s->batch < TURN_BATCH)
		s->batch++;
}

/* Behind the poll: every answer that was there has been read. The last thing done is `turn`. */
static void on_check(uv_check_t *check)
{
	struct scheduler *s = check->data;
	uint64_t now = clock_ms(), now_ns = uv_hrtime();
	uint64_t idle_ns = uv_metrics_idle_time(check->loop);
	unsigned ran = 0;

	set_batch(s, now_ns, idle_ns);
	lag_after_poll(&s->lag, now_ns, idle_ns);
	(void)uv_idle_stop(&s->nudge);
	while (ran < s->batch && run_first(s, now))
		ran++;
	if (ran == s->batch)
		nudge(s);
	arm(s);
	if (!s->woken)
		return;
	s->woken = false;
	s->turn(s->ctx);
}

static void on_closed(uv_handle_t *handle)
{
	struct scheduler *s = handle->data;

	if (--s->open_handles == 0)
		s->closed(s->ctx);
}

/* Half of the descriptors: the daemon's other sockets must not find none left. */
static size_t probes_at_once(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur / 2 < DESCRIPTORS_LEAST)
		return DESCRIPTORS_LEAST;
	return limit.rlim_cur / 2;
}

/* None of these can fail in libuv 1.x; prepare and check alone do not keep the loop running. */
static void open_handles(struct scheduler *s, uv_loop_t *loop)
{
	(void)uv_timer_init(loop, &s->timer);
	(void)uv_prepare_init(loop, &s->prepare);
	(void)uv_check_init(loop, &s->check);
	(void)uv_idle_init(loop, &s->nudge);
	s->timer.data = s->prepare.data = s->check.data = s->nudge.data = s;
	s->open_handles = 4;
	(void)uv_prepare_start(&s->prepare, on_prepare);
	(void)uv_check_start(&s->check, on_check);
	uv_unref((uv_handle_t *)&s->prepare);
	uv_unref((uv_handle_t *)&s->check);
}

static int open_tools(struct scheduler *s, uv_loop_t *loop)
{
	int err = tls_cache_new(&s->tools.tls);

	if (err)
		return err;
	err = dns_new(loop, &s->dns, &s->tools.dns);
	if (err) {
		tls_cache_free(s->tools.tls);
		return err;
	}
	err = http_new(loop, &s->tools.http);
	if (err) {
		dns_free(s->tools.dns);
		tls_cache_free(s->tools.tls);
		return err;
	}
	s->tools.loop = loop;
	return 0;
}

int schedule_init(struct scheduler *s, uv_loop_t *loop)
{
	int err = uv_loop_configure(loop, UV_METRICS_IDLE_TIME);

	if (err)
		return err;
	err = open_tools(s, loop);
	if (err)
		return err;
	s->under_way_max = probes_at_once();
	s->batch = TURN_BATCH;
	lag_init(&s->lag, uv_hrtime(), uv_metrics_idle_time(loop));
	open_handles(s, loop);
	return 0;
}

void schedule_close(struct scheduler *s)
{
	http_free(s->tools.http);
	dns_free(s->tools.dns);
	tls_cache_free(s->tools.tls);
	due_done(&s->queue);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	uv_close((uv_handle_t *)&s->prepare, on_closed);
	uv_close((uv_handle_t *)&s->check, on_closed);
	uv_close((uv_handle_t *)&s->nudge, on_closed);
}

int schedule_reserve(struct scheduler *s, size_t targets)
{
	return due_reserve(&s->queue, targets);
}

void schedule_add(struct scheduler *s, struct target *t)
{
	uint64_t soonest = clock_ms() * FIRSTS_PER_MS;
	uint32_t jitter = t->job.check->jitter_ms;

	if (s->first_free < soonest)
		s->first_free = soonest;
	t->planned_ms = s->first_free++ / FIRSTS_PER_MS;
	if (jitter)
		t->planned_ms += arc4random_uniform(jitter);
	t->scheduler = s;
	t->phase = s->ordinal++ * GOLDEN_RATIO;
	t->in_phase = false;
	due_put(&s->queue, &t->due, t->planned_ms);
	nudge(s);
}

void schedule_remove(struct scheduler *s, struct target *t)
{
	cancel_probe(s, t);
	due_remove(&s->queue, &t->due);
	t->scheduler = NULL;
}

void schedule_wake(struct scheduler *s)
{
	s->woken = true;
	nudge(s);
}
