/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of health/ share: a health module on a loop, and models made by hand. */
#ifndef SPILLWAY_TESTS_HEALTH_RIG_H
#define SPILLWAY_TESTS_HEALTH_RIG_H

#include <stdio.h>

#include "base/addr.h"
#include "health/health.h"
#include "health_server.h"

struct rig {
	uv_loop_t loop;
	struct health *health;
	uv_timer_t alarm;
	bool alarmed;
	unsigned changes;	    /* calls of hooks.changed */
	unsigned block_ms;	    /* that the next one is to take */
	unsigned outs;		    /* calls of hooks.out */
	const struct instance *out; /* of the latest */
	struct event_log *events;
	const char *state_file; /* kept by rig_restart(); NULL: none */
	struct spw_signals *(*signals)(void *ctx, const struct instance *i);
	void (*traffic)(void *ctx, const struct instance *i, uint64_t *in, uint64_t *out);
};

static inline void rig_changed(void *ctx)
{
	struct rig *r = ctx;

	r->changes++;
	usleep(r->block_ms * 1000);
	r->block_ms = 0;
}

static inline void rig_out(void *ctx, const struct instance *i)
{
	struct rig *r = ctx;

	r->outs++;
	r->out = i;
}

/* With what is set in `r` already; all of it but these fields is made anew. */
static inline void rig_restart(struct rig *r)
{
	struct health_options opts;

	*r = (struct rig){
		.state_file = r->state_file, .signals = r->signals, .traffic = r->traffic};
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(uv_timer_init(&r->loop, &r->alarm), 0);
	r->alarm.data = r;
	r->events = event_log_new(10000);
	assert_non_null(r->events);
	opts = (struct health_options){
		.hooks = {.out = rig_out,
			  .changed = rig_changed,
			  .signals = r->signals,
			  .traffic = r->traffic,
			  .ctx = r},
		.events = r->events,
		.on_host = true,
		.state_file = r->state_file,
	};
	assert_int_equal(health_new(&r->loop, &opts, &r->health), 0);
}

static inline void rig_start(struct rig *r)
{
	*r = (struct rig){0};
	rig_restart(r);
}

/* Every handle must be closed by then, or uv_loop_close() says so. */
static inline void rig_stop(struct rig *r)
{
	health_free(r->health);
	event_log_free(r->events);
	uv_close((uv_handle_t *)&r->alarm, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
}

static inline void rig_on_alarm(uv_timer_t *alarm)
{
	((struct rig *)alarm->data)->alarmed = true;
}

/* Runs the loop until `done` holds, at most for_ms; whether it holds. NULL: all the time. */
static inline bool rig_run(struct rig *r, unsigned for_ms, bool (*done)(void *), void *ctx)
{
	r->alarmed = false;
	uv_update_time(&r->loop);
	(void)uv_timer_start(&r->alarm, rig_on_alarm, for_ms, 0);
	while (!r->alarmed && !(done && done(ctx)))
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	(void)uv_timer_stop(&r->alarm);
	return done && done(ctx);
}

static inline struct check rig_check(enum check_type type)
{
	static const uint16_t ok[] = {200};

	return (struct check){
		.type = type,
		.timeout_ms = 300,
		.interval_ms = 50,
		.unhealthy_threshold = 3,
		.healthy_threshold = 1,
		.http_path = "/healthz",
		.http_method = "GET",
		.expected = ok,
		.expected_count = 1,
	};
}

static inline struct check_payload payload(const char *text)
{
	return (struct check_payload){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline struct instance rig_instance(const char *addr, uint16_t port, uint64_t profile,
					   const struct check *c)
{
	struct instance i = {.port = port,
			     .mode = SPW_MODE_NAT,
			     .carried = true,
			     .profile = profile,
			     .check = c,
			     .backend = "default/web"};

	assert_int_equal(addr_parse(addr, &i.addr), 0);
	return i;
}

/* Numbers the instances and hands them over; they must outlive the next one. */
static inline void rig_sync(struct rig *r, struct instance *instances, size_t count)
{
	struct model m = {.instances = instances, .instance_count = count};

	for (size_t i = 0; i < count; i++)
		instances[i].index = (uint32_t)i;
	assert_int_equal(health_sync(r->health, &m), 0);
}

static inline struct health_info rig_info(struct rig *r, const struct instance *i)
{
	struct health_info info;

	health_get(r->health, i, &info);
	return info;
}

/* For rig_run(): until an instance has a state, or another one. */
struct wait_for {
	struct rig *rig;
	const struct instance *instance;
	enum health_state state;
};

static inline bool is_known(void *ctx)
{
	const struct wait_for *w = ctx;

	return rig_info(w->rig, w->instance).state != HEALTH_UNKNOWN;
}

static inline bool is_state(void *ctx)
{
	const struct wait_for *w = ctx;

	return rig_info(w->rig, w->instance).state == w->state;
}

struct outcome {
	enum health_state state;
	char reason[64];
	unsigned changes;
};

/* One endpoint, new, until its first result. */
static inline struct outcome first_result(struct instance i)
{
	struct rig r;
	struct wait_for w = {.rig = &r, .instance = &i};
	struct outcome o;
	struct health_info info;

	rig_start(&r);
	rig_sync(&r, &i, 1);
	(void)rig_run(&r, 3000, is_known, &w);
	info = rig_info(&r, &i);
	o.state = info.state;
	(void)snprintf(o.reason, sizeof(o.reason), "%s", info.reason);
	o.changes = r.changes;
	rig_stop(&r);
	return o;
}

#endif
