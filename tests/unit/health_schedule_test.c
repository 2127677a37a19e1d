/* SPDX-License-Identifier: BSD-2-Clause */
/* When probes start, what a late loop does to them, and how changes are told. */
#include "health_rig.h"

#include <fcntl.h>
#include <sys/resource.h>

#define MANY 1000

/* MANY endpoints on one listening socket: 127.0.x.y, all local. Static: a model outlives its use. */
static struct instance many[MANY];

static void make_many(uint16_t port, const struct check *c)
{
	char addr[ADDR_TEXT_MAX];

	for (unsigned n = 0; n < MANY; n++) {
		(void)snprintf(addr, sizeof(addr), "127.0.%u.%u", n / 250 + 1, n % 250 + 1);
		many[n] = rig_instance(addr, port, 1, c);
	}
}

static unsigned count_state(struct rig *r, enum health_state state)
{
	static struct health_entry entries[MANY];
	unsigned found = 0;

	health_fill(r->health, entries, MANY);
	for (size_t n = 0; n < MANY; n++)
		found += entries[n].state == state;
	return found;
}

static bool all_up(void *ctx)
{
	return count_state(ctx, HEALTH_UP) == MANY;
}

static void an_interval_is_counted_from_start_to_start(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, "ok");
	struct check c = rig_check(CHECK_TCP);
	struct instance i = rig_instance("127.0.0.1", s->port, 1, &c);
	uint64_t first, last;
	struct rig r;

	(void)state;
	c.interval_ms = 100;
	c.send = payload("?");
	c.receive = payload("ok");
	s->pause_ms = 60; /* counted from the end, it would be 160 ms */
	rig_start(&r);
	rig_sync(&r, &i, 1);
	(void)rig_run(&r, 1400, NULL, NULL);
	rig_stop(&r);
	assert_in_range(s->accepted, 11, 15);
	first = s->accepted_ms[1];
	last = s->accepted_ms[10];
	assert_in_range(last - first, 800, 1100);
	server_stop(s);
}

static void a_new_endpoint_is_probed_at_once_and_one_probe_at_a_time(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct check c = rig_check(CHECK_TCP);
	struct instance i = rig_instance("127.0.0.1", s->port, 1, &c);
	uint64_t began = clock_ms();
	struct rig r;

	(void)state;
	c.interval_ms = 50;
	c.timeout_ms = 330;
	c.receive = payload("never");
	rig_start(&r);
	rig_sync(&r, &i, 1);
	(void)rig_run(&r, 310, NULL, NULL);
	assert_int_equal(s->accepted, 1);
	assert_in_range(s->accepted_ms[0] - began, 0, 200);
	(void)rig_run(&r, 310, NULL, NULL);
	assert_int_equal(s->accepted, 2);
	rig_stop(&r);
	server_stop(s);
}

static void jitter_delays_the_first_probe(void **state)
{
	struct server *s = server_start("0.0.0.0", SERVER_CLOSES, "");
	struct check c = rig_check(CHECK_TCP);
	unsigned early;
	struct rig r;

	(void)state;
	c.interval_ms = 60000;
	c.jitter_ms = 1000;
	make_many(s->port, &c);
	rig_start(&r);
	rig_sync(&r, many, 100);
	(void)rig_run(&r, 500, NULL, NULL);
	early = s->accepted;
	(void)rig_run(&r, 650, NULL, NULL);
	assert_in_range(early, 25, 75);
	assert_int_equal(s->accepted, 100);
	rig_stop(&r);
	server_stop(s);
}

/*
 * Twentieths of the interval, 50 probes in each by rights. A test machine that holds the loop up spoils
 * those in which it does and the one after them; bursts, however many, would leave most of them empty.
 */
static void many_endpoints_are_probed_evenly_over_the_interval(void **state)
{
	struct server *s = server_start("0.0.0.0", SERVER_CLOSES, "");
	struct check c = rig_check(CHECK_TCP);
	unsigned in_twentieth[20] = {0}, first_round, even = 0;
	uint64_t began;
	struct rig r;

	(void)state;
	c.interval_ms = 1000;
	make_many(s->port, &c);
	rig_start(&r);
	began = clock_ms();
	rig_sync(&r, many, MANY);
	assert_true(rig_run(&r, 3000, all_up, &r));
	first_round = (unsigned)(clock_ms() - began);
	assert_in_range(first_round, 150, 2500); /* 4 in a millisecond, not one burst */
	(void)rig_run(&r, 3600 - first_round, NULL, NULL);
	rig_stop(&r);
	for (size_t n = 0; n < s->accepted; n++) {
		uint64_t at = s->accepted_ms[n] - began;

		if (at >= 2500 && at < 3500)
			in_twentieth[(at - 2500) / 50]++;
	}
	for (size_t n = 0; n < 20; n++)
		even += in_twentieth[n] >= 25 && in_twentieth[n] <= 75;
	assert_in_range(even, 12, 20);
	server_stop(s);
}

static void block(uv_timer_t *timer)
{
	(void)timer;
	usleep(2000000);
}

static bool all_asked(void *ctx)
{
	const struct server *s = ctx;

	return s->accepted == MANY;
}

/*
 * All probes are under way when the block begins, the answers come in the midst of it, and when it
 * ends all deadlines have passed. The first result decides, so one false timeout is seen.
 */
static void a_loop_blocked_for_two_seconds_fails_no_check(void **state)
{
	struct server *s = server_start("0.0.0.0", SERVER_SILENT,
					"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	struct check tcp = rig_check(CHECK_TCP), http = rig_check(CHECK_HTTP);
	uv_timer_t blocker;
	struct rig r;

	(void)state;
	tcp.interval_ms = http.interval_ms = 60000;
	tcp.timeout_ms = http.timeout_ms = 1900;
	tcp.send = payload("GET / HTTP/1.0\r\n\r\n");
	tcp.receive = payload("ok");
	make_many(s->port, &tcp);
	for (size_t n = 0; n < MANY; n += 2)
		many[n].check = &http;
	rig_start(&r);
	rig_sync(&r, many, MANY);
	assert_true(rig_run(&r, 1500, all_asked, s));
	(void)rig_run(&r, 100, NULL, NULL);
	assert_int_equal(count_state(&r, HEALTH_UNKNOWN), MANY);
	s->answer_at_ms = clock_ms() + 500;
	assert_int_equal(uv_timer_init(&r.loop, &blocker), 0);
	assert_int_equal(uv_timer_start(&blocker, block, 0, 0), 0);
	(void)rig_run(&r, 2100, NULL, NULL);
	assert_int_equal(count_state(&r, HEALTH_UP), MANY);
	uv_close((uv_handle_t *)&blocker, NULL);
	rig_stop(&r);
	server_stop(s);
}

/*
 * A check that is wrong in itself has its result at once, and its change blocks the loop in the
 * very turn in which the others were started: connected long since when it goes on, but nothing
 * was sent yet, so there is no answer to read.
 */
static void a_probe_that_could_not_go_on_gets_its_time_back(void **state)
{
	struct server *s = server_start("0.0.0.0", SERVER_ANSWERS, "ok");
	struct check c = rig_check(CHECK_TCP), wrong = rig_check(CHECK_HTTP);
	struct rig r;

	(void)state;
	c.interval_ms = wrong.interval_ms = 60000;
	c.send = payload("?");
	c.receive = payload("ok");
	wrong.http_path = "/a b";
	make_many(s->port, &c);
	many[0].check = &wrong;
	rig_start(&r);
	r.block_ms = 1000;
	rig_sync(&r, many, 30);
	usleep(20000); /* all are due, and started in one turn */
	(void)rig_run(&r, 1500, NULL, NULL);
	assert_int_equal(rig_info(&r, &many[0]).state, HEALTH_DOWN);
	for (size_t n = 1; n < 30; n++)
		assert_string_equal(rig_info(&r, &many[n]).reason, "answered");
	rig_stop(&r);
	server_stop(s);
}

static void a_dead_endpoint_is_found_in_spite_of_a_loop_that_blocks_now_and_then(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct check c = rig_check(CHECK_TCP);
	struct instance i = rig_instance("127.0.0.1", s->port, 1, &c);
	struct wait_for w = {.instance = &i, .state = HEALTH_DOWN};
	uv_timer_t blocker;
	struct rig r;
	uint64_t began;

	(void)state;
	c.receive = payload("never");
	w.rig = &r;
	rig_start(&r);
	assert_int_equal(uv_timer_init(&r.loop, &blocker), 0);
	assert_int_equal(uv_timer_start(&blocker, block, 100, 0), 0);
	began = clock_ms();
	rig_sync(&r, &i, 1);
	assert_true(rig_run(&r, 4000, is_state, &w));
	assert_in_range(clock_ms() - began, 2290, 3500); /* 300 ms and the 2 s nobody listened */
	uv_close((uv_handle_t *)&blocker, NULL);
	rig_stop(&r);
	server_stop(s);
}

static void changes_of_one_turn_are_told_once(void **state)
{
	struct check c = rig_check(CHECK_TCP);
	struct instance i[4];
	uint16_t port;
	int fd = refused_port(&port);
	struct rig r;

	(void)state;
	c.interval_ms = 60000;
	for (size_t n = 0; n < 4; n++)
		i[n] = rig_instance("127.0.0.1", port, n + 1, &c);
	rig_start(&r);
	rig_sync(&r, i, 4);
	usleep(5000); /* all are due; refused at once, all in one turn */
	(void)rig_run(&r, 100, NULL, NULL);
	assert_int_equal(r.changes, 1);
	for (size_t n = 0; n < 4; n++)
		assert_int_equal(rig_info(&r, &i[n]).state, HEALTH_DOWN);
	rig_stop(&r);
	(void)close(fd);
}

static void without_descriptors_nothing_is_learnt_and_nothing_goes_down(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_CLOSES, "");
	struct check tcp = rig_check(CHECK_TCP), http = rig_check(CHECK_HTTP);
	struct instance i[2];
	struct rlimit before, none;
	struct wait_for w;
	struct rig r;

	(void)state;
	i[0] = rig_instance("127.0.0.1", s->port, 1, &tcp);
	i[1] = rig_instance("127.0.0.1", s->port, 2, &http);
	rig_start(&r);
	health_seed(r.health, &i[0].addr, s->port, 1, HEALTH_UP);
	health_seed(r.health, &i[1].addr, s->port, 2, HEALTH_UP);
	(void)uv_run(&r.loop, UV_RUN_NOWAIT);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	rig_sync(&r, i, 2);
	(void)rig_run(&r, 300, NULL, NULL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(s->accepted, 0);
	assert_int_equal(rig_info(&r, &i[0]).state, HEALTH_UP);
	assert_int_equal(rig_info(&r, &i[1]).state, HEALTH_UP);
	assert_int_equal(rig_info(&r, &i[1]).streak, 0);
	w = (struct wait_for){&r, &i[1], HEALTH_DOWN}; /* it closes without an answer */
	assert_true(rig_run(&r, 2000, is_state, &w));
	rig_stop(&r);
	server_stop(s);
}

static void a_failure_and_the_recovery_are_logged_and_told(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_ANSWERS, "PONG");
	struct check c = rig_check(CHECK_TCP);
	struct instance i = rig_instance("127.0.0.1", s->port, 1, &c);
	char want[200], text[4096] = "";
	int out[2], err = dup(STDERR_FILENO);
	struct wait_for w = {.instance = &i};
	struct rig r;

	(void)state;
	w.rig = &r;
	c.send = payload("PING");
	c.receive = payload("PONG");
	c.timeout_ms = 100;
	assert_int_equal(pipe2(out, O_NONBLOCK), 0);
	(void)dup2(out[1], STDERR_FILENO);
	rig_start(&r);
	rig_sync(&r, &i, 1);
	w.state = HEALTH_UP;
	(void)rig_run(&r, 1000, is_state, &w);
	s->answer = "LOADING";
	w.state = HEALTH_DOWN;
	(void)rig_run(&r, 1000, is_state, &w);
	s->answer = "PONG";
	w.state = HEALTH_UP;
	(void)rig_run(&r, 1000, is_state, &w);
	(void)rig_run(&r, 200, NULL, NULL);
	(void)dup2(err, STDERR_FILENO);
	(void)close(err);
	(void)read(out[0], text, sizeof(text) - 1);
	(void)close(out[0]);
	(void)close(out[1]);
	(void)snprintf(want, sizeof(want),
		       "info: health: backend default/web endpoint 127.0.0.1:%u: "
		       "unknown -> up (answered)\n"
		       "info: health: backend default/web endpoint 127.0.0.1:%u: "
		       "up -> down (closed before the answer)\n",
		       s->port, s->port);
	assert_memory_equal(text, want, strlen(want));
	assert_int_equal(r.changes, 3);
	assert_non_null(strstr(text, "down -> up (answered)\n"));
	rig_stop(&r);
	server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interval_is_counted_from_start_to_start),
		cmocka_unit_test(a_new_endpoint_is_probed_at_once_and_one_probe_at_a_time),
		cmocka_unit_test(jitter_delays_the_first_probe),
		cmocka_unit_test(many_endpoints_are_probed_evenly_over_the_interval),
		cmocka_unit_test(a_loop_blocked_for_two_seconds_fails_no_check),
		cmocka_unit_test(a_probe_that_could_not_go_on_gets_its_time_back),
		cmocka_unit_test(
			a_dead_endpoint_is_found_in_spite_of_a_loop_that_blocks_now_and_then),
		cmocka_unit_test(changes_of_one_turn_are_told_once),
		cmocka_unit_test(without_descriptors_nothing_is_learnt_and_nothing_goes_down),
		cmocka_unit_test(a_failure_and_the_recovery_are_logged_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
