/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: which events are about what, and since when. */
#include <errno.h>

#include "ctl_fixture.h"

#include "ctl/events.h"

static void since_is_a_number_or_a_duration(void **state)
{
	static const struct {
		const char *text;
		int err;
		int64_t after_seq, not_before_ms;
	} rows[] = {
		{"0", 0, 0, 0},
		{"17", 0, 17, 0},
		{"10m", 0, 0, 9400000},
		{"1h30m", 0, 0, 4600000},
		{"9h", 0, 0, 1},
		{"-1", -EINVAL, 0, 0},
		{"yesterday", -EINVAL, 0, 0},
		{"", -EINVAL, 0, 0},
		{"10 m", -EINVAL, 0, 0},
		{"99999999999999999999", -EINVAL, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct event_filter f = {0};

		assert_int_equal(event_since_parse(rows[i].text, 10000000, &f), rows[i].err);
		assert_int_equal(f.after_seq, rows[i].after_seq);
		assert_int_equal(f.not_before_ms, rows[i].not_before_ms);
	}
}

static void times_have_milliseconds_or_not(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} rows[] = {
		{"1970-01-01T00:00:01Z", 1000},
		{"1970-01-01T00:00:01.678Z", 1678},
		{"1970-01-01T00:01:00.6Z", 60600},
		{"1970-01-01T00:00:01.678901Z", 1678},
		{"1970-01-01T00:00:01", -1},
		{"1970-01-01T00:00:01.5", -1},
		{"1970-01-01T00:00:01+01:00", -1},
		{"now", -1},
		{NULL, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(event_unix_ms(rows[i].text), rows[i].ms);
}

static void a_word_finds_endpoints_backends_and_services(void **state)
{
	static const struct {
		const char *about, *subject, *backend;
		bool wanted;
	} rows[] = {
		{"10.0.0.1:80", "10.0.0.1:80", "default/web", true},
		{"10.0.0.1", "10.0.0.1:80", "default/web", true},
		{"10.0.0.1", "10.0.0.10:80", "default/web", false},
		{"10.0.0.1:8", "10.0.0.1:80", "default/web", false},
		{"2001:db8:0::1", "[2001:db8::1]:80", "", true},
		{"[2001:DB8::1]:80", "[2001:db8::1]:80", "", true},
		{"[2001:db8::1]:81", "[2001:db8::1]:80", "", false},
		{"api.example.com", "api.example.com:443", "", true},
		{"api.example.com:443", "api.example.com:443", "", true},
		{"api", "api.example.com:443", "", false},
		{"unix:/run/x.sock", "unix:/run/x.sock", "", true},
		{"web", "10.0.0.1:80", "default/web", true},
		{"web", "10.0.0.1:80", "other/web", false},
		{"other/web", "10.0.0.1:80", "other/web", true},
		{"web", "10.0.0.1:80", "default/web2", false},
		{"web", "default/web at 192.0.2.1:80/tcp", "", true},
		{"web", "default/web2 at 192.0.2.1:80/tcp", "", false},
		{"web", "other/web at 192.0.2.1:80/tcp", "", false},
		{"default/web", "default/web at 192.0.2.1:80/tcp", "", true},
		{"default", "default/web at 192.0.2.1:80/tcp", "default/web", false},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct event_filter f = {.about = rows[i].about, .namespace = "default"};
		const struct node *event = json(a, arena_printf(a,
								"{\"subject\":\"%s\",\"backend\":"
								"\"%s\"}",
								rows[i].subject, rows[i].backend));

		if (event_is_wanted(&f, event) != rows[i].wanted)
			fail_msg("--for %s: %s of %s", rows[i].about, rows[i].subject,
				 rows[i].backend);
	}
}

static void older_ones_are_left_out(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const struct node *event = json(a, "{\"time\":\"1970-01-01T00:00:10.500Z\"}");
	const struct event_filter then = {.not_before_ms = 10500}, later = {.not_before_ms = 10501},
				  always = {0};

	(void)state;
	assert_true(event_is_wanted(&then, event));
	assert_false(event_is_wanted(&later, event));
	assert_true(event_is_wanted(&always, event));
}

static void the_latest_are_kept(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct node *list = json(a, "[1,2,3]");

	(void)state;
	events_keep_latest(list, 5);
	assert_int_equal(node_count(list), 3);
	events_keep_latest(list, 2);
	assert_int_equal(node_count(list), 2);
	assert_int_equal(node_item(list, 0)->integer, 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(since_is_a_number_or_a_duration),
		cmocka_unit_test(times_have_milliseconds_or_not),
		cmocka_unit_test(a_word_finds_endpoints_backends_and_services),
		cmocka_unit_test(older_ones_are_left_out),
		cmocka_unit_test(the_latest_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
