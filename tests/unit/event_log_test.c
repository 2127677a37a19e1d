/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of events: numbers, room, and where reading goes on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/event_log.h"

static uint64_t add(struct event_log *l, uint64_t seq)
{
	const struct event e = {.seq = seq, .kind = "endpoint", .unix_ms = seq ? 5 : 0};

	return event_log_add(l, &e);
}

static void numbers_begin_at_one_and_times_are_filled_in(void **state)
{
	AUTO(event_log_free) struct event_log *l = event_log_new(4);
	const struct event *e;

	(void)state;
	assert_int_equal(event_log_last_seq(l), 0);
	assert_null(event_log_latest(l, 5));
	assert_null(event_log_next(l, 0));
	assert_int_equal(add(l, 0), 1);
	assert_int_equal(add(l, 0), 2);
	e = event_log_next(l, 1);
	assert_int_equal(e->seq, 2);
	assert_string_equal(e->kind, "endpoint");
	assert_true(e->unix_ms > 1000000000000);
	assert_true(e->mono_ns > 0);
	assert_null(event_log_next(l, 2));
	assert_null(event_log_next(l, UINT64_MAX));
}

static void old_events_make_room_and_the_oldest_is_found(void **state)
{
	AUTO(event_log_free) struct event_log *l = event_log_new(3);

	(void)state;
	for (int i = 0; i < 10; i++)
		add(l, 0);
	assert_int_equal(event_log_last_seq(l), 10);
	assert_int_equal(event_log_next(l, 0)->seq, 8);
	assert_int_equal(event_log_next(l, 8)->seq, 9);
	assert_int_equal(event_log_next(l, 9)->seq, 10);
	assert_null(event_log_next(l, 10));
	assert_int_equal(event_log_latest(l, 2)->seq, 9);
	assert_int_equal(event_log_latest(l, 100)->seq, 8);
	assert_null(event_log_latest(l, 0));
}

static void numbers_may_have_gaps_and_never_go_back(void **state)
{
	AUTO(event_log_free) struct event_log *l = event_log_new(8);

	(void)state;
	assert_int_equal(add(l, 7), 7);
	assert_int_equal(event_log_next(l, 0)->mono_ns, 0); /* of an earlier run */
	assert_int_equal(add(l, 20), 20);
	assert_int_equal(add(l, 3), 21);
	event_log_skip(l, 100);
	assert_int_equal(event_log_last_seq(l), 121);
	assert_int_equal(add(l, 0), 122);
	assert_int_equal(event_log_next(l, 0)->seq, 7);
	assert_int_equal(event_log_next(l, 7)->seq, 20);
	assert_int_equal(event_log_next(l, 10)->seq, 20);
	assert_int_equal(event_log_next(l, 21)->seq, 122);
}

static void a_text_that_is_too_long_is_cut(void **state)
{
	struct event e = {0};
	char text[2 * EVENT_TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event_text(e.subject, sizeof(e.subject), "%s", text);
	assert_int_equal(strlen(e.subject), EVENT_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_begin_at_one_and_times_are_filled_in),
		cmocka_unit_test(old_events_make_room_and_the_oldest_is_found),
		cmocka_unit_test(numbers_may_have_gaps_and_never_go_back),
		cmocka_unit_test(a_text_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
