/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of rise and fall: g good, b bad, B bad at once, n nothing learnt; u up, d down. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "health/rise_fall.h"

struct row {
	const char *what;
	const char *start; /* "" new, "u"/"d" settled, "U"/"D" taken over from another profile */
	uint32_t healthy, unhealthy;
	const char *results;
	const char *states; /* after each result; ? unknown */
};

static const struct row rows[] = {
	{"the first success suffices", "", 5, 3, "g", "u"},
	{"the first failure suffices", "", 1, 3, "b", "d"},
	{"the first failure at once", "", 1, 3, "B", "d"},
	{"nothing learnt decides nothing", "", 1, 1, "nng", "??u"},
	{"three failures in a row", "", 1, 3, "gbbb", "uuud"},
	{"a success between starts over", "", 1, 3, "gbbgbbb", "uuuuuud"},
	{"nothing learnt keeps the row", "", 1, 3, "gbbnb", "uuuud"},
	{"an unexpected status is not counted", "", 1, 3, "gB", "ud"},
	{"counted failures before it do not matter", "", 1, 5, "gbB", "uud"},
	{"one success brings it back", "", 1, 3, "bg", "du"},
	{"two successes are asked for", "", 2, 3, "bgg", "ddu"},
	{"a failure between starts over", "", 2, 1, "bgbgg", "ddddu"},
	{"threshold of one", "", 1, 1, "gbgb", "udud"},
	{"a seeded up has thresholds", "u", 1, 3, "bbb", "uud"},
	{"a seeded down has thresholds", "d", 3, 3, "ggg", "ddu"},
	{"a taken over up is settled by one failure", "U", 1, 3, "b", "d"},
	{"a taken over down is settled by one success", "D", 3, 3, "g", "u"},
	{"then thresholds count", "D", 3, 2, "gbb", "uud"},
	{"it stays down", "", 1, 2, "bbbbB", "ddddd"},
	{"it stays up", "", 3, 2, "gggg", "uuuu"},
};

static enum verdict_kind kind_of(char c)
{
	switch (c) {
	case 'g':
		return VERDICT_GOOD;
	case 'b':
		return VERDICT_BAD;
	case 'B':
		return VERDICT_BAD_AT_ONCE;
	default:
		return VERDICT_NONE;
	}
}

static struct rise_fall start_of(const char *start)
{
	switch (start[0]) {
	case 'u':
		return (struct rise_fall){.state = HEALTH_UP, .settled = true};
	case 'd':
		return (struct rise_fall){.state = HEALTH_DOWN, .settled = true};
	case 'U':
		return (struct rise_fall){.state = HEALTH_UP};
	case 'D':
		return (struct rise_fall){.state = HEALTH_DOWN};
	default:
		return (struct rise_fall){.state = HEALTH_UNKNOWN};
	}
}

static void results_in_a_row_make_the_state_of_the_table(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		const struct row *r = &rows[n];
		struct rise_fall rf = start_of(r->start);
		char got[32] = "";

		for (size_t i = 0; r->results[i]; i++) {
			rf = rise_fall_next(rf, kind_of(r->results[i]),
					    (struct thresholds){r->healthy, r->unhealthy});
			got[i] = "?ud"[rf.state];
		}
		if (strcmp(got, r->states) != 0)
			fail_msg("%s: %s gives %s, not %s", r->what, r->results, got, r->states);
	}
}

static void the_streak_counts_equal_results_and_does_not_wrap(void **state)
{
	const struct thresholds t = {1, 3};
	struct rise_fall rf = {0};

	(void)state;
	rf = rise_fall_next(rf, VERDICT_GOOD, t);
	rf = rise_fall_next(rf, VERDICT_GOOD, t);
	assert_int_equal(rf.streak, 2);
	rf = rise_fall_next(rf, VERDICT_BAD, t);
	assert_int_equal(rf.streak, 1);
	rf.streak = UINT32_MAX;
	rf = rise_fall_next(rf, VERDICT_BAD, t);
	assert_true(rf.streak == UINT32_MAX);
	assert_int_equal(rf.state, HEALTH_DOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_in_a_row_make_the_state_of_the_table),
		cmocka_unit_test(the_streak_counts_equal_results_and_does_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
