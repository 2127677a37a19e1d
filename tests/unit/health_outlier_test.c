/* SPDX-License-Identifier: BSD-2-Clause */
/* The judging of passive signals and the steps of slow start, as tables. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "health/outlier.h"
#include "health/ramp.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void a_cohort_is_due_when_its_flows_had_their_time(void **state)
{
	const uint64_t span = 1ull << SPW_COHORT_SHIFT;
	const uint64_t end = 101 * span; /* of cohort 100 */
	const uint64_t due = end + SPW_COHORT_JUDGED_NS + OUTLIER_SETTLE_NS;

	(void)state;
	assert_int_equal(outlier_cohort_time(100, end), COHORT_EARLY);
	assert_int_equal(outlier_cohort_time(100, due - 1), COHORT_EARLY);
	assert_int_equal(outlier_cohort_time(100, due), COHORT_DUE);
	assert_int_equal(outlier_cohort_time(100, end + 6 * span - 1), COHORT_DUE);
	assert_int_equal(outlier_cohort_time(100, end + 6 * span), COHORT_LATE);
	/* Its place is cohort 108's: that one must not have begun while 100 is due. */
	assert_true(end + 6 * span < 108 * span);
	/* Due long enough for one sample in it, whenever the samples are. */
	assert_true(end + 6 * span - due > 134000000);
}

struct difference_row {
	const char *what;
	struct spw_cohort before, now;
	bool silence_counts;
	struct cohort_sum want;
};

static const struct difference_row differences[] = {
	{"nothing", {0}, {0}, true, {0}},
	{"all answered", {0}, {.opened = 9, .answered = 9}, true, {.answered = 9}},
	{"some silent", {0}, {.opened = 9, .answered = 6}, true, {.answered = 6, .silent = 3}},
	{"silence of one-way UDP", {0}, {.opened = 9, .answered = 6}, false, {.answered = 6}},
	{"each outcome once",
	 {0},
	 {.opened = 10, .answered = 1, .refused = 2, .unreachable = 3, .retried = 3},
	 true,
	 {1, 2, 3, 4}},
	{"only what is new",
	 {.opened = 100, .answered = 50, .refused = 50},
	 {.opened = 104, .answered = 52, .refused = 51},
	 true,
	 {.answered = 2, .refused = 1, .silent = 1}},
	{"sums that wrapped",
	 {.opened = UINT32_MAX - 1, .answered = UINT32_MAX},
	 {.opened = 3, .answered = 1},
	 true,
	 {.answered = 2, .silent = 3}},
	{"cleared for another endpoint",
	 {.opened = 100, .answered = 50, .refused = 50},
	 {.opened = 101, .answered = 51},
	 true,
	 {0}},
	{"first read in mid-cohort: more outcomes than births",
	 {.opened = 10},
	 {.opened = 11, .answered = 7},
	 true,
	 {.answered = 7}},
};

static void silence_is_what_has_no_other_outcome(void **state)
{
	(void)state;
	for (size_t n = 0; n < COUNT(differences); n++) {
		const struct difference_row *r = &differences[n];
		struct cohort_sum got = outlier_difference(&r->now, &r->before, r->silence_counts);

		if (got.answered != r->want.answered || got.refused != r->want.refused ||
		    got.unreachable != r->want.unreachable || got.silent != r->want.silent)
			fail_msg("%s: %u %u %u %u", r->what, got.answered, got.refused,
				 got.unreachable, got.silent);
	}
}

struct run_row {
	struct cohort_sum sum;
	uint32_t run, kept; /* proven now, and to go on from */
};

static void a_run_is_only_what_the_cohorts_prove(void **state)
{
	static const struct run_row rows[] = {
		{{.silent = 2}, 2, 2},
		{{.refused = 1, .silent = 1}, 4, 4},	/* no answer in between */
		{{0}, 4, 4},				/* no flows: nothing new */
		{{.answered = 1, .silent = 10}, 5, 0},	/* 5 on either side at best */
		{{.answered = 1, .silent = 11}, 6, 0},	/* one side has 6 */
		{{.answered = 10, .silent = 10}, 1, 0}, /* may be every other one */
		{{.answered = 9, .silent = 1}, 1, 0},
		{{.answered = 9}, 0, 0},
		{{.unreachable = 3}, 3, 3},
		{{.silent = UINT32_MAX}, UINT32_MAX, UINT32_MAX}, /* it does not wrap */
		{{.answered = UINT32_MAX, .silent = 7}, 1, 0},
	};
	uint32_t run = 0;

	(void)state;
	for (size_t n = 0; n < COUNT(rows); n++) {
		const uint32_t got = outlier_run(&run, &rows[n].sum);

		if (got != rows[n].run || run != rows[n].kept)
			fail_msg("row %zu: %u, keeps %u", n, got, run);
	}
}

static void the_reason_is_that_of_most_failures(void **state)
{
	const struct cohort_sum none = {.answered = 3}, refused = {.refused = 2, .unreachable = 1};
	const struct cohort_sum silent = {.refused = 2, .silent = 2};
	const struct cohort_sum unreachable = {.refused = 2, .unreachable = 3};

	(void)state;
	assert_int_equal(outlier_kind(&none), SPW_FAILURE_NONE);
	assert_string_equal(outlier_kind_text(outlier_kind(&refused)), "connection refused");
	assert_string_equal(outlier_kind_text(outlier_kind(&silent)), "no answer");
	assert_string_equal(outlier_kind_text(outlier_kind(&unreachable)), "ICMP unreachable");
}

static void a_percentage_needs_enough_flows(void **state)
{
	const struct passive p = {.failure_percent = 85}, off = {0};

	(void)state;
	assert_true(outlier_percent_is_bad(&p, 100, 85));
	assert_false(outlier_percent_is_bad(&p, 100, 84));
	assert_true(outlier_percent_is_bad(&p, 50, 43));
	assert_false(outlier_percent_is_bad(&p, 49, 49));
	assert_false(outlier_percent_is_bad(&off, 100, 100));
	assert_true(outlier_percent_is_bad(&p, UINT32_MAX, UINT32_MAX));
}

struct room_row {
	uint32_t percent;
	bool always_one;
	uint32_t hosts, ejected;
	bool has_room;
};

static void ejections_keep_to_the_percentage_but_for_one(void **state)
{
	static const struct room_row rows[] = {
		{10, false, 10, 0, true},
		{10, false, 10, 1, false},
		{10, false, 19, 1, false},
		{10, false, 20, 1, true},
		{10, false, 20, 2, false},
		{10, false, 100, 9, true},
		{10, false, 100, 10, false},
		/* Fewer than 10: one may always go. */
		{10, false, 9, 0, true},
		{10, false, 9, 1, false},
		{10, false, 1, 0, true},
		{10, false, 2, 1, false},
		/* From 10 on only by alwaysEjectOneEndpoint. */
		{5, false, 10, 0, false},
		{5, true, 10, 0, true},
		{5, true, 10, 1, false},
		{50, false, 3, 0, true},
		{50, false, 3, 1, false},
		{50, false, 4, 1, true},
		{100, false, 3, 2, true},
		{100, false, 1, 0, true},
		{100, false, 0, 0, true},
		{100, false, 65535, 65534, true},
	};

	(void)state;
	for (size_t n = 0; n < COUNT(rows); n++) {
		const struct passive p = {.max_ejection_percent = rows[n].percent,
					  .always_eject_one = rows[n].always_one};

		if (outlier_has_room(&p, rows[n].hosts, rows[n].ejected) != rows[n].has_room)
			fail_msg("row %zu: %u %% of %u, %u ejected", n, rows[n].percent,
				 rows[n].hosts, rows[n].ejected);
	}
}

static void an_ejection_lasts_longer_each_time_up_to_a_cap(void **state)
{
	const struct passive p = {.base_ejection_ms = 30000}, slow = {.base_ejection_ms = 600000};

	(void)state;
	assert_int_equal(outlier_ejection_ms(&p, 1), 30000);
	assert_int_equal(outlier_ejection_ms(&p, 3), 90000);
	assert_int_equal(outlier_ejection_ms(&p, 10), 300000);
	assert_int_equal(outlier_ejection_ms(&p, UINT32_MAX), 300000);
	assert_int_equal(outlier_ejection_ms(&slow, 1), 600000);
	assert_int_equal(outlier_ejection_ms(&slow, 5), 600000);
}

/* Readings as they are asked for: at the start, after the interval, and 1.2 s later. */
static void udp_requests_without_any_reply_are_silence(void **state)
{
	struct udp_watch w = {0};

	(void)state;
	assert_true(outlier_udp_is_due(&w, 1000, 3000));
	assert_int_equal(outlier_udp(&w, &(struct udp_reading){1000, 100, 90}), 0);
	assert_false(outlier_udp_is_due(&w, 3999, 3000));
	assert_true(outlier_udp_is_due(&w, 4000, 3000));
	assert_int_equal(outlier_udp(&w, &(struct udp_reading){4000, 107, 90}), 0);
	assert_false(outlier_udp_is_due(&w, 5199, 3000));
	assert_true(outlier_udp_is_due(&w, 5200, 3000));
	assert_int_equal(outlier_udp(&w, &(struct udp_reading){5200, 110, 90}), 7);
	/* The next one begins then and there. */
	assert_false(outlier_udp_is_due(&w, 8199, 3000));
	assert_true(outlier_udp_is_due(&w, 8200, 3000));
}

static void one_udp_reply_or_too_few_requests_are_no_silence(void **state)
{
	static const struct udp_reading rows[][3] = {
		{{1000, 0, 0}, {4000, 50, 1}, {7000, 50, 1}}, /* in the interval */
		{{1000, 0, 0}, {4000, 50, 0}, {5200, 50, 1}}, /* within its time */
		{{1000, 0, 0}, {4000, 4, 0}, {5200, 100, 0}}, /* the others are too young */
		{{1000, 0, 0}, {4000, 0, 0}, {5200, 0, 0}},
		{{1000, 900, 0}, {4000, 20, 0}, {5200, 30, 0}}, /* cleared meanwhile */
	};

	(void)state;
	for (size_t n = 0; n < COUNT(rows); n++) {
		struct udp_watch w = {0};

		for (size_t i = 0; i < 3; i++)
			assert_int_equal(outlier_udp(&w, &rows[n][i]), 0);
	}
}

struct ramp_row {
	uint64_t elapsed_ms;
	uint32_t window_ms;
	uint8_t percent;
	uint64_t next_ms;
};

static void slow_start_goes_from_ten_percent_by_fives(void **state)
{
	static const struct ramp_row rows[] = {
		{0, 0, 0, 0},
		{0, 60000, 10, 9000},
		{8999, 60000, 10, 1},
		{9000, 60000, 15, 3000},
		{30000, 60000, 50, 3000},
		{59999, 60000, 95, 1},
		{60000, 60000, 0, 0},
		{99999, 60000, 0, 0},
		{0, 1, 10, 1},
		{0, 7, 10, 2},
		{UINT64_MAX, 1000, 0, 0},
		{4294967294u, 4294967295u, 95, 1},
	};

	(void)state;
	for (size_t n = 0; n < COUNT(rows); n++) {
		const struct ramp_row *r = &rows[n];

		if (ramp_percent(r->elapsed_ms, r->window_ms) != r->percent ||
		    ramp_next_ms(r->elapsed_ms, r->window_ms) != r->next_ms)
			fail_msg("row %zu: %u, next in %llu", n,
				 ramp_percent(r->elapsed_ms, r->window_ms),
				 (unsigned long long)ramp_next_ms(r->elapsed_ms, r->window_ms));
	}
}

static void slow_start_ends_whatever_the_window(void **state)
{
	(void)state;
	for (uint32_t window = 1; window < 3000; window++) {
		uint64_t at = 0, step;
		unsigned steps = 0;

		while ((step = ramp_next_ms(at, window)) != 0) {
			assert_true(ramp_percent(at + step, window) != ramp_percent(at, window));
			at += step;
			assert_true(++steps <= 18);
		}
		assert_true(at >= window && at <= window + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cohort_is_due_when_its_flows_had_their_time),
		cmocka_unit_test(silence_is_what_has_no_other_outcome),
		cmocka_unit_test(a_run_is_only_what_the_cohorts_prove),
		cmocka_unit_test(the_reason_is_that_of_most_failures),
		cmocka_unit_test(a_percentage_needs_enough_flows),
		cmocka_unit_test(ejections_keep_to_the_percentage_but_for_one),
		cmocka_unit_test(an_ejection_lasts_longer_each_time_up_to_a_cap),
		cmocka_unit_test(udp_requests_without_any_reply_are_silence),
		cmocka_unit_test(one_udp_reply_or_too_few_requests_are_no_silence),
		cmocka_unit_test(slow_start_goes_from_ten_percent_by_fives),
		cmocka_unit_test(slow_start_ends_whatever_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
