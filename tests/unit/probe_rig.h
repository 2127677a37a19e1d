/* SPDX-License-Identifier: BSD-2-Clause */
/* One endpoint probed by the scheduler alone, without the rest of health/. */
#ifndef SPILLWAY_TESTS_PROBE_RIG_H
#define SPILLWAY_TESTS_PROBE_RIG_H

#include <signal.h>
#include <stdio.h>

#include "base/addr.h"
#include "health/schedule.h"
#include "health_server.h"

struct probe_rig {
	struct verdict verdict; /* the first one */
	unsigned results;
	bool closed;
};

static inline void probe_on_result(void *ctx, struct target *t, const struct verdict *v)
{
	struct probe_rig *r = ctx;

	(void)t;
	if (r->results++ == 0)
		r->verdict = *v;
}

static inline void probe_on_turn(void *ctx)
{
	(void)ctx;
}

static inline void probe_on_closed(void *ctx)
{
	((struct probe_rig *)ctx)->closed = true;
}

static inline void probe_on_alarm(uv_timer_t *alarm)
{
	(void)alarm;
}

/* The first result of a job, or of none in 4 s kind VERDICT_NONE. `servers`: of names. */
static inline struct verdict first_verdict_with(const struct probe_job *job, const char *servers,
						bool on_host)
{
	struct probe_rig r = {0};
	struct scheduler s = {.result = probe_on_result,
			      .turn = probe_on_turn,
			      .closed = probe_on_closed,
			      .ctx = &r,
			      .tools = {.on_host = on_host},
			      .dns = {.servers = servers}};
	struct target t = {.job = *job};
	uint64_t end = clock_ms() + 4000;
	uv_loop_t loop;
	uv_timer_t alarm;

	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(uv_timer_init(&loop, &alarm), 0);
	assert_int_equal(uv_timer_start(&alarm, probe_on_alarm, 50, 50), 0);
	assert_int_equal(schedule_init(&s, &loop), 0);
	assert_int_equal(schedule_reserve(&s, 1), 0);
	schedule_add(&s, &t);
	while (!r.results && clock_ms() < end)
		(void)uv_run(&loop, UV_RUN_ONCE);
	schedule_remove(&s, &t);
	schedule_close(&s);
	uv_close((uv_handle_t *)&alarm, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_true(r.closed);
	assert_int_equal(uv_loop_close(&loop), 0);
	return r.verdict;
}

static inline struct verdict first_verdict_by(const struct probe_job *job, const char *servers)
{
	return first_verdict_with(job, servers, true);
}

static inline struct verdict first_verdict(const struct probe_job *job)
{
	return first_verdict_by(job, NULL);
}

static inline struct check probe_check(enum check_type type)
{
	static const uint16_t ok[] = {200};

	return (struct check){
		.type = type,
		.timeout_ms = 1000,
		.interval_ms = 60000,
		.http_path = "/healthz",
		.http_method = "GET",
		.expected = ok,
		.expected_count = 1,
		.grpc_service = "",
	};
}

static inline struct check_payload probe_payload(const char *text)
{
	return (struct check_payload){(const uint8_t *)text, text ? strlen(text) : 0};
}

static inline struct probe_job probe_to(const char *addr, uint16_t port, const struct check *c)
{
	struct probe_job job = {.kind = ENDPOINT_IP, .port = port, .check = c};

	assert_int_equal(addr_parse(addr, &job.addr), 0);
	return job;
}

static inline void assert_verdict(const struct probe_job *job, enum verdict_kind kind,
				  const char *reason)
{
	struct verdict v = first_verdict(job);

	if (v.kind != kind || strcmp(v.reason, reason) != 0)
		fail_msg("kind %d, '%s', not kind %d, '%s'", v.kind, v.reason, kind, reason);
}

#endif
