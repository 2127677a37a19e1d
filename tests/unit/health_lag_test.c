/* SPDX-License-Identifier: BSD-2-Clause */
/* What counts as lag of the loop, and what is mere waiting. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "health/lag.h"

#define MS(n) ((uint64_t)(n) * 1000000u)

static const struct row {
	const char *what;
	int64_t may_wait_ms;
	unsigned turn_ms;
	unsigned waited_ms;
	unsigned lag_ms;
} rows[] = {
	{"a quiet turn", 1000, 1000, 1000, 0},
	{"a short turn of work", 1000, 205, 200, 0},
	{"two seconds of work", 1000, 2100, 100, 2000},
	{"work while no timer was set", -1, 2100, 100, 2000},
	{"a wait for ever is no lag", -1, 90000, 90000, 0},
	{"the wait ended two seconds late", 100, 2100, 2100, 2000},
	{"late by a timer's grain", 100, 102, 102, 0},
	{"late, and then work", 100, 400, 300, 300},
	{"work without a wait", 0, 50, 0, 50},
};

static void lag_is_work_and_waking_late_but_not_waiting(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct lag l;

		lag_init(&l, MS(5000), MS(700));
		lag_before_poll(&l, rows[i].may_wait_ms);
		lag_after_poll(&l, MS(5000 + rows[i].turn_ms), MS(700 + rows[i].waited_ms));
		if (lag_total_ms(&l) != rows[i].lag_ms)
			fail_msg("%s: %lu ms, not %u", rows[i].what,
				 (unsigned long)lag_total_ms(&l), rows[i].lag_ms);
	}
}

static void turns_add_up(void **state)
{
	struct lag l;

	(void)state;
	lag_init(&l, 0, 0);
	for (unsigned n = 1; n <= 3; n++) {
		lag_before_poll(&l, -1);
		lag_after_poll(&l, MS(n * 100), MS(n * 60));
	}
	assert_int_equal(lag_total_ms(&l), 120);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lag_is_work_and_waking_late_but_not_waiting),
		cmocka_unit_test(turns_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
