/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: how far drains are, in a line. */
#include "ctl_fixture.h"

#include "ctl/drain.h"

#define ROWS_MAX 4

static const char *sum_text(struct arena *a, const char *list)
{
	const struct node *rows[ROWS_MAX], *root = json(a, list);
	struct drain_sum sum;

	for (size_t i = 0; i < node_count(root); i++)
		rows[i] = node_item(root, i);
	sum = drain_sum_of(rows, node_count(root));
	return drain_sum_text(a, &sum);
}

#define ROW(state, active, start, estimate, deadline, then)                                        \
	"{\"state\":\"" state "\",\"activeFlows\":" #active ",\"flowsAtStart\":" #start            \
	",\"estimateSeconds\":" #estimate ",\"deadlineSecondsLeft\":" #deadline                    \
	",\"then\":\"" then "\"}"

static void one_drain_is_a_line(void **state)
{
	static const struct {
		const char *rows, *text;
	} rows[] = {
		{"[" ROW("draining", 37, 120, 130, 480, "reset") "]",
		 "37 of 120 flows left, about 2m10s; deadline in 8m, then reset"},
		{"[" ROW("draining", 37, 120, null, null, "leave") "]", "37 of 120 flows left"},
		{"[" ROW("draining", null, null, null, 480, "reset") "]",
		 "flows are not counted; deadline in 8m, then reset"},
		{"[" ROW("draining", 121, 120, null, null, "leave") "]", "121 of 121 flows left"},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(sum_text(a, rows[i].rows), rows[i].text);
}

static void several_drains_are_one_line_and_the_slowest_counts(void **state)
{
	static const struct {
		const char *rows, *text;
	} rows[] = {
		{"[" ROW("draining", 3, 10, 5, 60, "leave") "," ROW("draining", 4, 10, 90, 30,
								    "leave") "]",
		 "2 of 2 endpoints drain, 7 of 20 flows left, about 90s; deadline in 60s, then leave"},
		{"[" ROW("draining", 3, 10, 5, 60, "leave") "," ROW("done", 0, 10, 0, 30,
								    "reset") "]",
		 "1 of 2 endpoints drain, 3 of 20 flows left, about 5s; deadline in 60s, then leave"},
		{"[" ROW("draining", 3, 10, 5, 60, "leave") "," ROW("draining", null, null, null,
								    60, "leave") "]",
		 "2 of 2 endpoints drain, 3 of 10 flows left, those of 1 endpoint not counted; "
		 "deadline in 60s, then leave"},
		{"[" ROW("draining", 3, 10, null, 60, "leave") "," ROW("draining", 4, 10, 90, 30,
								       "reset") "]",
		 "2 of 2 endpoints drain, 7 of 20 flows left; deadline in 60s"},
		{"[" ROW("draining", 3, 10, 7, 60, "leave") "," ROW("draining", 4, 10, null, null,
								    "reset") "]",
		 "2 of 2 endpoints drain, 7 of 20 flows left; deadline in 60s, then leave"},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(sum_text(a, rows[i].rows), rows[i].text);
}

static void an_end_is_told_with_what_becomes_of_the_rest(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	assert_null(drain_end_text(a, json(a, ROW("draining", 1, 1, 1, 1, "leave"))));
	assert_string_equal(
		drain_end_text(a, json(a, "{\"address\":\"10.0.0.1:80\",\"state\":\"done\"}")),
		"endpoint 10.0.0.1:80 done: no flows left");
	assert_string_equal(
		drain_end_text(a, json(a, "{\"address\":\"10.0.0.1:80\",\"state\":\"deadline\","
					  "\"activeFlows\":5,\"then\":\"leave\"}")),
		"endpoint 10.0.0.1:80 deadline: 5 flows left are left to end");
	assert_string_equal(
		drain_end_text(a, json(a, "{\"address\":\"10.0.0.1:80\",\"state\":\"deadline\","
					  "\"activeFlows\":5,\"then\":\"reset\"}")),
		"endpoint 10.0.0.1:80 deadline: 5 flows left are reset at their next packet");
	assert_string_equal(
		drain_end_text(a, json(a, "{\"address\":\"10.0.0.1:80\",\"state\":\"deadline\","
					  "\"activeFlows\":null,\"then\":\"leave\"}")),
		"endpoint 10.0.0.1:80 deadline: flows are not counted, those left are left to end");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_drain_is_a_line),
		cmocka_unit_test(several_drains_are_one_line_and_the_slowest_counts),
		cmocka_unit_test(an_end_is_told_with_what_becomes_of_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
