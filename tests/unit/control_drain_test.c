/* SPDX-License-Identifier: BSD-2-Clause */
/* Drains by way of the API: their terms, course, end, and what a restart makes of them. */
#include <arpa/inet.h>

#include "base/clock.h"
#include "control/drain.h"

#include "engine_fixture.h"

#define ONE "10.0.0.1:8080"
#define TWO "10.0.0.2:8080"

static void apply_all(struct fixture *f)
{
	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
}

static uint32_t id_of(const char *address)
{
	return fake_endpoint(address)->id;
}

static void set_open(const char *address, uint64_t flows)
{
	fake.stats[id_of(address)].flows_opened = 100;
	fake.stats[id_of(address)].flows_closed = 100 - flows;
}

static struct node *begin(struct fixture *f, const char *body)
{
	return must(f, 200, "POST", OWN "/drains", body);
}

/* NULL: no such drain. */
static struct node *drain_of(struct fixture *f, const char *address)
{
	struct node *list =
		node_member(must(f, 200, "GET",
				 arena_printf(f->arena, OWN "/drains?address=%s", address), NULL),
			    "drains");

	assert_true(node_count(list) <= 1);
	return node_count(list) ? node_item(list, 0) : NULL;
}

static void wait_for_state(struct fixture *f, const char *address, const char *state)
{
	const uint64_t end_ms = clock_ms() + 10000;

	while (strcmp(node_text_at(drain_of(f, address), "state", ""), state) != 0) {
		if (clock_ms() > end_ms)
			fail_msg("%s is not %s", address, state);
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(5000);
	}
}

/* "started, done": what the drain's events say, in order. */
static const char *told(struct fixture *f, const char *address)
{
	struct node *list = node_member(must(f, 200, "GET", OWN "/events", NULL), "events"), *e;
	const char *text = "";

	for (size_t i = 0; i < node_count(list); i++) {
		e = node_item(list, i);
		if (strcmp(node_text_at(e, "kind", ""), "drain") == 0 &&
		    strcmp(node_text_at(e, "subject", ""), address) == 0)
			text = arena_printf(f->arena, "%s%s%s", text, text[0] ? ", " : "",
					    node_text_at(e, "to", ""));
	}
	return text;
}

static void a_drain_is_done_when_its_last_flow_has_ended(void **state)
{
	struct fixture *f = *state;
	struct node *row;

	apply_all(f);
	set_open(ONE, 3);
	row = node_item(node_member(begin(f, "{\"address\":\"" ONE "\"}"), "endpoints"), 0);
	assert_string_equal(node_text_at(row, "from", ""), "auto");
	assert_string_equal(node_text_at(row, "to", ""), "drain");
	assert_int_equal(node_int_at(row, "activeFlows", 0), 3);
	assert_int_equal(fake.admin[id_of(ONE)], SPW_ADMIN_DRAIN);
	assert_false(fake_endpoint(ONE)->pickable);
	row = drain_of(f, ONE);
	assert_string_equal(node_text_at(row, "state", ""), "draining");
	assert_string_equal(node_text_at(row, "then", ""), "leave");
	assert_string_equal(node_text_at(row, "backend", ""), "default/web");
	assert_int_equal(node_int_at(row, "flowsAtStart", 0), 3);
	assert_int_equal(node_int_at(row, "activeFlows", 0), 3);
	assert_true(node_member(row, "deadlineSecondsLeft")->type == NODE_NULL);
	assert_true(node_member(row, "estimateSeconds")->type == NODE_NULL);
	set_open(ONE, 0);
	wait_for_state(f, ONE, "done");
	assert_int_equal(node_int_at(drain_of(f, ONE), "estimateSeconds", -1), 0);
	assert_string_equal(told(f, ONE), "started, done");
	assert_false(fake.reset[id_of(ONE)]);
}

static void at_the_deadline_its_flows_are_reset_until_another_word(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	set_open(ONE, 3);
	begin(f, "{\"address\":\"" ONE "\",\"deadlineSeconds\":1,\"then\":\"reset\"}");
	assert_int_equal(node_int_at(drain_of(f, ONE), "deadlineSecondsLeft", 0), 1);
	assert_false(fake.reset[id_of(ONE)]);
	wait_for_state(f, ONE, "deadline");
	assert_true(fake.reset[id_of(ONE)]);
	assert_false(fake.reset[id_of(TWO)]);
	assert_int_equal(node_int_at(drain_of(f, ONE), "deadlineSecondsLeft", -1), 0);
	set_open(ONE, 0);
	wait_for_state(f, ONE, "done");
	assert_string_equal(told(f, ONE), "started, deadline, done");
	must(f, 200, "POST", OWN "/endpoints/state",
	     "{\"address\":\"" ONE "\",\"state\":\"auto\"}");
	assert_false(fake.reset[id_of(ONE)]);
	assert_true(fake_endpoint(ONE)->pickable);
	assert_null(drain_of(f, ONE));
}

static void at_the_deadline_its_flows_are_left_by_default(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	set_open(ONE, 3);
	begin(f, "{\"address\":\"" ONE "\",\"deadlineSeconds\":1}");
	wait_for_state(f, ONE, "deadline");
	assert_false(fake.reset[id_of(ONE)]);
	assert_int_equal(fake.admin[id_of(ONE)], SPW_ADMIN_DRAIN);
}

static void a_deadline_that_passed_without_a_daemon_is_acted_on_once(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	set_open(ONE, 3);
	begin(f, "{\"address\":\"" ONE "\",\"deadlineSeconds\":1,\"then\":\"reset\"}");
	fixture_close(f);
	usleep(1100 * 1000);
	fixture_open(f);
	assert_string_equal(node_text_at(drain_of(f, ONE), "then", ""), "reset");
	assert_int_equal(node_int_at(drain_of(f, ONE), "flowsAtStart", 0), 3);
	assert_int_equal(fake.admin[id_of(ONE)], SPW_ADMIN_DRAIN);
	wait_for_state(f, ONE, "deadline");
	assert_true(fake.reset[id_of(ONE)]);
	fixture_close(f);
	fake.reset[id_of(ONE)] = false; /* whatever the maps say */
	fake.reset[id_of(TWO)] = true;
	fixture_open(f);
	assert_true(fake.reset[id_of(ONE)]);
	assert_false(fake.reset[id_of(TWO)]);
	assert_string_equal(node_text_at(drain_of(f, ONE), "state", ""), "deadline");
	set_open(ONE, 0);
	wait_for_state(f, ONE, "done");
	assert_string_equal(told(f, ONE), "started, deadline, done");
}

static void new_terms_begin_a_drain_anew_and_a_plain_word_keeps_them(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	set_open(ONE, 3);
	begin(f, "{\"address\":\"" ONE "\",\"deadlineSeconds\":1,\"then\":\"reset\"}");
	wait_for_state(f, ONE, "deadline");
	begin(f, "{\"address\":\"" ONE "\",\"deadlineSeconds\":600,\"then\":\"reset\"}");
	assert_string_equal(node_text_at(drain_of(f, ONE), "state", ""), "draining");
	assert_int_equal(node_int_at(drain_of(f, ONE), "deadlineSecondsLeft", 0), 600);
	assert_false(fake.reset[id_of(ONE)]);
	must(f, 200, "POST", OWN "/endpoints/state",
	     "{\"address\":\"" ONE "\",\"state\":\"drain\"}");
	assert_int_equal(node_int_at(drain_of(f, ONE), "deadlineSecondsLeft", 0), 600);
	assert_string_equal(told(f, ONE), "started, deadline, started");
}

static void a_backend_is_drained_whole_and_what_it_shares_is_said(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," BACKEND(
		     "other", "10.0.0.2",
		     "10.0.0.3") "," GATEWAY ","
				 "{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","
				 "\"metadata\":{\"name\":\"web\"},\"spec\":{\"parentRefs\":[{\"name\":\"edge\"}],"
				 "\"rules\":[{\"backendRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":"
				 "\"Backend\",\"name\":\"web\"},{\"group\":\"gateway.envoyproxy.io\",\"kind\":"
				 "\"Backend\",\"name\":\"other\"}]}]}}"));
	answer = begin(f, "{\"backend\":\"default/web\"}");
	assert_int_equal(node_count(node_member(answer, "endpoints")), 2);
	assert_int_equal(node_count(node_member(answer, "shared")), 1);
	assert_string_equal(node_item(node_member(answer, "shared"), 0)->text, TWO);
	assert_false(fake_endpoint(ONE)->pickable);
	assert_false(fake_endpoint(TWO)->pickable);
	assert_true(fake_endpoint("10.0.0.3:8080")->pickable);
}

static void a_drain_lists_its_longest_lived_flows(void **state)
{
	struct fixture *f = *state;
	struct node *list;

	apply_all(f);
	set_open(ONE, 3);
	for (size_t i = 0; i < 3; i++) {
		fake.flows[i] = (struct flow_row){.endpoint_id = id_of(i == 1 ? TWO : ONE),
						  .age_ms = 1000 * (i + 1)};
		assert_int_equal(addr_parse("203.0.113.5", &fake.flows[i].key.saddr), 0);
		fake.flows[i].key.sport = htons((uint16_t)(40000 + i));
	}
	fake.flow_count = 3;
	begin(f, "{\"address\":\"" ONE "\"}");
	assert_int_equal(fake.walks, 1);
	list = node_member(drain_of(f, ONE), "longest");
	assert_int_equal(fake.walks, 1); /* asked again at once */
	assert_int_equal(node_count(list), 2);
	assert_int_equal(node_int_at(node_item(list, 0), "ageSeconds", 0), 3);
	assert_string_equal(node_text_at(node_item(list, 0), "client", ""), "203.0.113.5:40002");
	assert_int_equal(node_int_at(node_item(list, 1), "ageSeconds", 0), 1);
	set_open(ONE, 0); /* what was found before is of no interest any more */
	assert_int_equal(node_count(node_member(drain_of(f, ONE), "longest")), 0);
}

/* Nobody asked for the lists but the first GET, and a daemon that starts looks by itself. */
static void the_longest_lived_flows_are_there_when_they_are_first_asked_for(void **state)
{
	struct fixture *f = *state;
	const uint64_t end_ms = clock_ms() + 10000;

	apply_all(f);
	set_open(ONE, 3);
	begin(f, "{\"address\":\"" ONE "\"}");
	fixture_close(f);
	fixture_open(f);
	fake.flows[0] = (struct flow_row){.endpoint_id = id_of(ONE), .age_ms = 1000};
	assert_int_equal(addr_parse("203.0.113.5", &fake.flows[0].key.saddr), 0);
	fake.flow_count = 1;
	fake.walks = 0;
	while (!fake.walks && clock_ms() < end_ms)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(node_count(node_member(drain_of(f, ONE), "longest")), 1);
}

static void a_drains_deadline_waits_for_an_endpoint_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	set_open(ONE, 3);
	begin(f, "{\"address\":\"" ONE "\",\"deadlineSeconds\":1,\"then\":\"reset\"}");
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.2", "10.0.0.3")));
	usleep(1100 * 1000);
	for (int i = 0; i < 30; i++) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(50 * 1000);
	}
	assert_string_equal(told(f, ONE), "started");
	assert_null(drain_of(f, ONE));
	apply_all(f);
	set_open(ONE, 3);
	wait_for_state(f, ONE, "deadline");
	assert_true(fake.reset[id_of(ONE)]);
	assert_string_equal(told(f, ONE), "started, deadline");
}

static void a_clock_that_is_set_moves_no_deadline(void **state)
{
	struct admin_entry d = {.admin = SPW_ADMIN_DRAIN};
	int64_t wall_ms = drain_wall_ms();

	(void)state;
	d.drain.started_ms = wall_ms;
	drain_set_clock(&d);
	assert_in_range(drain_now_ms(&d) - wall_ms, 0, 1000);
	d.skew_ms += 5000; /* as if the wall clock went on and was then set back by 5 s */
	assert_in_range(drain_now_ms(&d) - wall_ms, 5000, 6000);
	d.drain.started_ms = wall_ms + 86400000; /* a clock set back by a day, then a restart */
	d.drain.deadline_ms = d.drain.started_ms + 60000;
	drain_set_clock(&d);
	assert_in_range(d.drain.deadline_ms - drain_now_ms(&d), 59000, 60000);
}

/* The few flows that are remembered come and go, and say nothing of the others. */
static void a_drain_of_direct_return_ends_by_its_deadline_only(void **state)
{
	struct fixture *f = *state;
	struct node *row;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(DIRECT("web", "ipip", "10.0.0.1", "10.0.0.2") "," GATEWAY "," ROUTE));
	row = node_item(node_member(begin(f, "{\"address\":\"10.0.0.1:80\",\"deadlineSeconds\":1,"
					     "\"then\":\"reset\"}"),
				    "endpoints"),
			0);
	assert_int_equal(node_member(row, "activeFlows")->type, NODE_NULL);
	usleep(200 * 1000); /* the timer looks, and finds no flow */
	(void)uv_run(&f->loop, UV_RUN_ONCE);
	row = drain_of(f, "10.0.0.1:80");
	assert_string_equal(node_text_at(row, "state", ""), "draining");
	assert_int_equal(node_member(row, "activeFlows")->type, NODE_NULL);
	assert_int_equal(node_member(row, "flowsAtStart")->type, NODE_NULL);
	assert_int_equal(node_member(row, "estimateSeconds")->type, NODE_NULL);
	wait_for_state(f, "10.0.0.1:80", "deadline");
	assert_true(fake.reset[id_of("10.0.0.1:80")]);
	assert_string_equal(told(f, "10.0.0.1:80"), "started, deadline");
	for (int i = 0; i < 3; i++)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_string_equal(node_text_at(drain_of(f, "10.0.0.1:80"), "state", ""), "deadline");
}

static void a_drain_that_cannot_be_meant_is_refused(void **state)
{
	static const struct {
		int code;
		const char *body;
	} rows[] = {
		{404, "{\"address\":\"10.9.9.9:80\"}"},
		{404, "{\"backend\":\"default/nope\"}"},
		{400, "{\"backend\":\"web\"}"},
		{400, "{\"address\":\"web\"}"},
		{400, "{\"address\":\"" ONE "\",\"backend\":\"default/web\"}"},
		{400, "{\"address\":\"" ONE "\",\"then\":\"explode\"}"},
		{400, "{\"address\":\"" ONE "\",\"then\":\"reset\"}"},
		{400, "{\"address\":\"" ONE "\",\"deadlineSeconds\":-1}"},
		{400, "{\"address\":\"" ONE "\",\"deadlineSeconds\":\"600\"}"},
		{400, "{\"address\":\"" ONE "\",\"deadlineSeconds\":1.5}"},
		{400, "{\"address\":\"" ONE "\",\"then\":null}"},
		{400, "{}"},
	};
	struct fixture *f = *state;

	apply_all(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		must(f, rows[i].code, "POST", OWN "/drains", rows[i].body);
	must(f, 400, "GET", OWN "/drains?address=web", NULL);
	assert_null(drain_of(f, ONE));
	assert_true(fake_endpoint(ONE)->pickable);
}

static void the_estimate_follows_the_rate_of_decline(void **state)
{
	struct admin_entry d = {.admin = SPW_ADMIN_DRAIN};
	struct drain_course *c = &d.course;

	(void)state;
	assert_int_equal(drain_estimate_s(&d, 5000), -1); /* never looked */
	*c = (struct drain_course){
		.is_known = true, .active = 100, .count = 1, .at_ms = {1000}, .flows = {100}};
	assert_int_equal(drain_estimate_s(&d, 11000), -1); /* none ended */
	c->active = 80;
	assert_int_equal(drain_estimate_s(&d, 1500), -1);  /* too early to say */
	assert_int_equal(drain_estimate_s(&d, 11000), 40); /* two a second, 80 left */
	c->active = 101;
	assert_int_equal(drain_estimate_s(&d, 11000), -1);
	c->active = 0;
	assert_int_equal(drain_estimate_s(&d, 11000), 0);
}

static void a_drains_terms_are_text_in_the_store(void **state)
{
	static const char *const texts[] = {
		"up",
		"drain",
		"drain started=1767323045.123 then=leave flows=3",
		"drain started=1767323045.000 deadline=1767323645.500 then=reset flows=0 over done",
	};
	char text[ADMIN_TEXT_MAX];
	struct admin_entry e;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		e = (struct admin_entry){0};
		assert_int_equal(admin_parse_word(texts[i], &e), 0);
		assert_string_equal(admin_print_word(&e, text), texts[i]);
	}
	assert_int_equal(e.drain.deadline_ms, 1767323645500);
	assert_true(e.drain.over && e.drain.done && e.drain.reset);
	assert_int_equal(admin_parse_word("drain deadline=1767323045 then=reset", &e), 0);
	assert_int_equal(e.drain.deadline_ms, 1767323045000);
	assert_int_equal(admin_parse_word("drain mood=good later", &e), 0);
	assert_int_equal(admin_parse_word("drain deadline=soon", &e), -EINVAL);
	assert_int_equal(admin_parse_word("up deadline=1", &e), -EINVAL);
	assert_int_equal(admin_parse_word("sideways", &e), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_drain_is_done_when_its_last_flow_has_ended),
		TEST(at_the_deadline_its_flows_are_reset_until_another_word),
		TEST(at_the_deadline_its_flows_are_left_by_default),
		TEST(a_deadline_that_passed_without_a_daemon_is_acted_on_once),
		TEST(new_terms_begin_a_drain_anew_and_a_plain_word_keeps_them),
		TEST(a_backend_is_drained_whole_and_what_it_shares_is_said),
		TEST(a_drain_lists_its_longest_lived_flows),
		TEST(the_longest_lived_flows_are_there_when_they_are_first_asked_for),
		TEST(a_drains_deadline_waits_for_an_endpoint_that_is_not_there),
		TEST(a_drain_of_direct_return_ends_by_its_deadline_only),
		TEST(a_drain_that_cannot_be_meant_is_refused),
		cmocka_unit_test(a_clock_that_is_set_moves_no_deadline),
		cmocka_unit_test(the_estimate_follows_the_rate_of_decline),
		cmocka_unit_test(a_drains_terms_are_text_in_the_store),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
