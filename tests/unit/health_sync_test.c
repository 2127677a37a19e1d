/* SPDX-License-Identifier: BSD-2-Clause */
/* What health_sync() keeps, takes over and removes; no loop has to run for most of it. */
#include "health_rig.h"

static struct check hourly(void)
{
	struct check c = rig_check(CHECK_TCP);

	c.interval_ms = 3600000;
	return c;
}

static void seed(struct rig *r, const struct instance *i, enum health_state state)
{
	health_seed(r->health, &i->addr, i->port, i->profile, state);
}

static void before_the_first_result_the_state_is_unknown(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("127.0.0.1", 9, 1, &c);
	struct health_entry e = {.state = HEALTH_DOWN, .admin = SPW_ADMIN_DRAIN};
	struct health_info info;
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	info = rig_info(&r, &i);
	assert_int_equal(info.state, HEALTH_UNKNOWN);
	assert_string_equal(info.reason, "not checked yet");
	assert_true(info.checked);
	assert_int_equal(info.last_probe_ms, 0);
	health_fill(r.health, &e, 1);
	assert_int_equal(e.state, HEALTH_UNKNOWN);
	assert_int_equal(e.admin, SPW_ADMIN_AUTO);
	assert_int_equal(info.standing, STANDING_UNKNOWN);
	rig_stop(&r);
}

static void without_a_check_it_is_up_and_never_probed(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct instance i[] = {
		rig_instance("127.0.0.1", s->port, 0, NULL),
		rig_instance("127.0.0.1", s->port, 7, NULL),
	};
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, i, 2);
	assert_false(rig_run(&r, 100, NULL, NULL));
	assert_int_equal(rig_info(&r, &i[0]).state, HEALTH_UP);
	assert_string_equal(rig_info(&r, &i[0]).reason, "no check");
	assert_false(rig_info(&r, &i[0]).checked);
	assert_int_equal(rig_info(&r, &i[1]).state, HEALTH_UP);
	assert_string_equal(rig_info(&r, &i[1]).reason, "no check");
	assert_int_equal(s->accepted, 0);
	assert_int_equal(r.changes, 0);
	rig_stop(&r);
	server_stop(s);
}

/* The second model is other memory, as it is in the daemon; the first one is gone by then. */
static void the_same_endpoint_keeps_state_and_schedule(void **state)
{
	struct check *c = malloc(sizeof(*c));
	struct instance *i = malloc(sizeof(*i)), again[2];
	struct check c2 = hourly();
	struct health_info before, after;
	struct wait_for w;
	uint16_t port;
	int fd = refused_port(&port);
	struct rig r;

	(void)state;
	*c = hourly();
	*i = rig_instance("127.0.0.1", port, 5, c);
	rig_start(&r);
	rig_sync(&r, i, 1);
	w = (struct wait_for){&r, i, HEALTH_DOWN};
	assert_true(rig_run(&r, 2000, is_state, &w));
	before = rig_info(&r, i);
	again[0] = rig_instance("127.0.0.2", port, 5, NULL);
	again[1] = rig_instance("127.0.0.1", port, 5, &c2);
	rig_sync(&r, again, 2);
	free(i);
	free(c);
	(void)rig_run(&r, 100, NULL, NULL);
	after = rig_info(&r, &again[1]);
	assert_int_equal(after.state, HEALTH_DOWN);
	assert_string_equal(after.reason, "connection refused");
	assert_true(after.since_ms == before.since_ms);
	assert_true(after.last_probe_ms == before.last_probe_ms);
	rig_stop(&r);
	(void)close(fd);
}

static void another_profile_keeps_the_state_until_its_first_result(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct check c = rig_check(CHECK_TCP);
	struct instance old = rig_instance("127.0.0.1", s->port, 1, &c), new = old, other = old;
	struct wait_for w;
	struct rig r;

	(void)state;
	c.healthy_threshold = 9;
	rig_start(&r);
	seed(&r, &old, HEALTH_DOWN);
	new.profile = 2;
	other.profile = 2;
	other.port = old.port == 1 ? 2 : 1;
	{
		struct instance both[] = {new, other};

		rig_sync(&r, both, 2);
		assert_int_equal(rig_info(&r, &new).state, HEALTH_DOWN);
		assert_int_equal(rig_info(&r, &other).state, HEALTH_UNKNOWN);
		w = (struct wait_for){&r, &new, HEALTH_UP};
		assert_true(rig_run(&r, 1000, is_state, &w));
		assert_int_equal(rig_info(&r, &new).streak, 1);
		assert_string_equal(rig_info(&r, &old).reason, "not checked yet"); /* it is gone */
	}
	rig_stop(&r);
	server_stop(s);
}

static void a_seeded_state_stands_until_the_first_result(void **state)
{
	struct check c = rig_check(CHECK_TCP);
	uint16_t port;
	int fd = refused_port(&port);
	struct instance i = rig_instance("127.0.0.1", port, 1, &c);
	struct wait_for w;
	struct rig r;

	(void)state;
	rig_start(&r);
	seed(&r, &i, HEALTH_UP);
	seed(&r, &i, HEALTH_DOWN); /* the first word counts */
	rig_sync(&r, &i, 1);
	assert_int_equal(rig_info(&r, &i).state, HEALTH_UP);
	assert_string_equal(rig_info(&r, &i).reason, "before the restart");
	w = (struct wait_for){&r, &i, HEALTH_DOWN};
	assert_true(rig_run(&r, 2000, is_state, &w));
	assert_int_equal(rig_info(&r, &i).streak, 1);
	rig_stop(&r);
	(void)close(fd);
}

static void a_seed_of_nothing_in_the_model_is_forgotten(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("127.0.0.1", 9, 1, &c);
	struct instance gone = rig_instance("127.0.0.3", 9, 1, &c);
	struct rig r;

	(void)state;
	rig_start(&r);
	seed(&r, &gone, HEALTH_DOWN);
	rig_sync(&r, &i, 1);
	rig_sync(&r, &gone, 1);
	assert_int_equal(rig_info(&r, &gone).state, HEALTH_UNKNOWN);
	rig_stop(&r);
}

static void a_check_taken_away_brings_the_endpoint_up(void **state)
{
	struct check c = hourly();
	struct instance i = rig_instance("127.0.0.1", 9, 1, &c), bare = i;
	struct rig r;

	(void)state;
	bare.profile = 0;
	bare.check = NULL;
	rig_start(&r);
	seed(&r, &i, HEALTH_DOWN);
	rig_sync(&r, &i, 1);
	assert_int_equal(rig_info(&r, &i).state, HEALTH_DOWN);
	rig_sync(&r, &bare, 1);
	assert_int_equal(rig_info(&r, &bare).state, HEALTH_UP);
	assert_string_equal(rig_info(&r, &bare).reason, "no check");
	rig_sync(&r, &i, 1);
	assert_int_equal(rig_info(&r, &i).state, HEALTH_UNKNOWN); /* "no check" was no result */
	rig_stop(&r);
}

/* In HTTP and TCP, with the request out and no answer yet; the server must see the end of it. */
static void removing_an_endpoint_ends_the_probe_under_way(void **state)
{
	static const enum check_type types[] = {CHECK_TCP, CHECK_HTTP};

	(void)state;
	for (size_t n = 0; n < 2; n++) {
		struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
		struct check c = rig_check(types[n]);
		struct instance i = rig_instance("127.0.0.1", s->port, 1, &c);
		struct timeval wait = {.tv_sec = 1};
		char buf[4096];
		struct rig r;

		c.timeout_ms = 10000;
		c.receive = payload("never");
		rig_start(&r);
		rig_sync(&r, &i, 1);
		(void)rig_run(&r, 100, NULL, NULL);
		assert_int_equal(s->accepted, 1);
		rig_sync(&r, NULL, 0);
		(void)rig_run(&r, 50, NULL, NULL);
		assert_int_equal(r.changes, 0);
		(void)setsockopt(s->held[0], SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		while (recv(s->held[0], buf, sizeof(buf), 0) > 0)
			;
		assert_int_equal(recv(s->held[0], buf, sizeof(buf), 0), 0);
		rig_stop(&r);
		server_stop(s);
	}
}

static void freeing_with_probes_under_way_closes_everything(void **state)
{
	struct server *s = server_start("0.0.0.0", SERVER_SILENT, "");
	struct check tcp = rig_check(CHECK_TCP), http = rig_check(CHECK_HTTP);
	struct instance i[100];
	struct rig r;

	(void)state;
	tcp.receive = payload("never");
	tcp.timeout_ms = http.timeout_ms = 10000;
	for (size_t n = 0; n < 100; n++)
		i[n] = rig_instance("127.0.0.1", s->port, n + 1, n % 2 ? &tcp : &http);
	rig_start(&r);
	rig_sync(&r, i, 100);
	(void)rig_run(&r, 150, NULL, NULL);
	assert_int_equal(s->accepted, 100);
	rig_stop(&r); /* asserts that the loop has no handle left */
	server_stop(s);
}

static void freeing_before_the_loop_has_run_is_fine(void **state)
{
	struct check c = rig_check(CHECK_TCP);
	struct instance i = rig_instance("127.0.0.1", 9, 1, &c);
	struct rig r;

	(void)state;
	rig_start(&r);
	rig_sync(&r, &i, 1);
	rig_stop(&r);
	health_free(NULL);
}

struct callback_rig {
	struct health *health;
	struct model next;
	unsigned calls;
};

static void sync_then_free(void *ctx)
{
	struct callback_rig *r = ctx;

	if (++r->calls == 1) {
		assert_int_equal(health_sync(r->health, &r->next), 0);
		return;
	}
	health_free(r->health);
	r->health = NULL;
}

/* The receiver of a change may do to the module what it likes: it is called last in a turn. */
static void a_change_may_be_answered_by_a_new_model_or_the_end(void **state)
{
	struct server *s = server_start("0.0.0.0", SERVER_SILENT, "");
	struct check c = rig_check(CHECK_TCP);
	struct instance a = rig_instance("127.0.0.1", s->port, 1, &c);
	struct instance b = rig_instance("127.0.0.2", s->port, 1, &c);
	const struct model first = {.instances = &a, .instance_count = 1};
	struct callback_rig r = {.next = {.instances = &b, .instance_count = 1}};
	const struct health_options opts = {.hooks = {.changed = sync_then_free, .ctx = &r}};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(health_new(&loop, &opts, &r.health), 0);
	assert_int_equal(health_sync(r.health, &first), 0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0); /* ends when all handles are closed */
	assert_int_equal(r.calls, 2);
	assert_null(r.health);
	assert_int_equal(uv_loop_close(&loop), 0);
	server_stop(s);
}

/* One address in two modes is one target: it is probed once, and both show it. */
static void instances_that_differ_in_mode_share_their_probes(void **state)
{
	struct server *s = server_start("127.0.0.1", SERVER_SILENT, "");
	struct check c = hourly();
	struct instance i[2] = {rig_instance("127.0.0.1", s->port, 1, &c)};
	struct health_entry e[2] = {0};
	struct wait_for w;
	struct rig r;

	(void)state;
	i[1] = i[0];
	i[1].carried = false;
	rig_start(&r);
	rig_sync(&r, i, 2);
	w = (struct wait_for){&r, &i[1], HEALTH_UP};
	assert_true(rig_run(&r, 1000, is_state, &w));
	(void)rig_run(&r, 100, NULL, NULL);
	health_fill(r.health, e, 2);
	assert_int_equal(e[0].state, HEALTH_UP);
	assert_int_equal(e[1].state, HEALTH_UP);
	assert_int_equal(s->accepted, 1);
	rig_stop(&r);
	server_stop(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_the_first_result_the_state_is_unknown),
		cmocka_unit_test(without_a_check_it_is_up_and_never_probed),
		cmocka_unit_test(the_same_endpoint_keeps_state_and_schedule),
		cmocka_unit_test(another_profile_keeps_the_state_until_its_first_result),
		cmocka_unit_test(a_seeded_state_stands_until_the_first_result),
		cmocka_unit_test(a_seed_of_nothing_in_the_model_is_forgotten),
		cmocka_unit_test(a_check_taken_away_brings_the_endpoint_up),
		cmocka_unit_test(removing_an_endpoint_ends_the_probe_under_way),
		cmocka_unit_test(freeing_with_probes_under_way_closes_everything),
		cmocka_unit_test(freeing_before_the_loop_has_run_is_fine),
		cmocka_unit_test(a_change_may_be_answered_by_a_new_model_or_the_end),
		cmocka_unit_test(instances_that_differ_in_mode_share_their_probes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
