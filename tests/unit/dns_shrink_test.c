/* SPDX-License-Identifier: BSD-2-Clause */
/* How far one answer may shrink a set, and when the rest follows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/addr.h"
#include "dns/shrink.h"

static const struct shrink_times times = {.step_ms = 10000, .confirm_ms = 60000};

/* The answer has 192.0.2.FIRST and `count` in all. */
static bool take(struct shrink *s, unsigned first, size_t count, uint64_t now_ms)
{
	struct spw_addr addrs[DNS_ADDRS_MAX];

	for (size_t i = 0; i < count; i++)
		addrs[i] = addr_from_v4(htobe32(0xc0000200u + first + (uint32_t)i));
	return shrink_take(s, addrs, count, now_ms, &times);
}

static unsigned last_byte(const struct shrink *s, size_t at)
{
	return s->addrs[at].b[15];
}

static void the_first_answer_is_taken_as_it_is(void **state)
{
	struct shrink s = {0};

	(void)state;
	assert_true(take(&s, 1, 1, 0));
	assert_int_equal(s.count, 1);
	assert_false(take(&s, 1, 1, 1000));
	assert_true(take(&s, 1, 10, 2000));
	assert_int_equal(s.count, 10);
}

static void half_of_a_set_may_go_at_once(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 10, 0);
	assert_true(take(&s, 6, 5, 1));
	assert_int_equal(s.count, 5);
	assert_int_equal(s.answered, 5);
	assert_int_equal(last_byte(&s, 0), 6);
}

static void of_one_in_ten_the_lowest_old_ones_make_half(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 10, 0);
	assert_true(take(&s, 8, 1, 1));
	assert_int_equal(s.count, 5);
	assert_int_equal(s.answered, 1);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(last_byte(&s, i), i + 1);
	assert_int_equal(last_byte(&s, 4), 8);
}

static void an_honest_shrink_arrives_in_steps(void **state)
{
	static const size_t want[] = {10, 5, 3, 2, 1, 1};
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 10, 0);
	for (size_t i = 1; i < 6; i++) {
		(void)take(&s, 8, 1, i * 10000);
		assert_int_equal(s.count, want[i]);
	}
	assert_int_equal(last_byte(&s, 0), 8);
	assert_int_equal(s.answered, s.count);
}

static void answers_that_come_fast_make_no_more_steps(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 10, 0);
	(void)take(&s, 8, 1, 10000);
	for (uint64_t now = 11000; now < 20000; now += 1000)
		assert_false(take(&s, 8, 1, now));
	assert_int_equal(s.count, 5);
	assert_true(take(&s, 8, 1, 20000));
	assert_int_equal(s.count, 3);
	(void)take(&s, 8, 2, 30000); /* accepted whole, and a step all the same */
	assert_int_equal(s.count, 2);
	(void)take(&s, 8, 0, 30001);
	assert_int_equal(s.count, 2);
}

static void the_next_good_answer_heals_a_broken_one(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 10, 0);
	(void)take(&s, 1, 0, 10000);
	assert_int_equal(s.count, 5);
	assert_true(take(&s, 1, 10, 11000));
	assert_int_equal(s.count, 10);
	(void)take(&s, 1, 1, 12000);
	assert_int_equal(s.count, 5);
}

static void a_set_that_is_replaced_is_followed_at_once(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 1, 0);
	assert_true(take(&s, 9, 1, 1));
	assert_int_equal(s.count, 1);
	assert_int_equal(last_byte(&s, 0), 9);
	(void)take(&s, 1, 3, 2);
	assert_true(take(&s, 11, 3, 3));
	assert_int_equal(s.count, 3);
	assert_int_equal(last_byte(&s, 0), 11);
	assert_true(take(&s, 21, 2, 4)); /* half, rounded up */
	assert_int_equal(s.count, 2);
	assert_int_equal(last_byte(&s, 0), 21);
}

static void the_last_address_goes_after_three_answers_and_a_minute(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 1, 0);
	assert_false(take(&s, 0, 0, 1000));
	assert_false(take(&s, 0, 0, 62000)); /* two */
	assert_true(take(&s, 0, 0, 63000));
	assert_int_equal(s.count, 0);
	(void)take(&s, 1, 1, 100000);
	for (uint64_t now = 101000; now < 160000; now += 1000)
		assert_false(take(&s, 0, 0, now)); /* no minute yet */
	assert_false(take(&s, 1, 1, 160000));
	assert_false(take(&s, 0, 0, 161000)); /* begins anew */
	assert_int_equal(s.count, 1);
}

static void an_empty_answer_halves_until_one_is_left(void **state)
{
	struct shrink s = {0};

	(void)state;
	(void)take(&s, 1, 10, 0);
	for (uint64_t now = 10000; now <= 40000; now += 10000)
		assert_true(take(&s, 0, 0, now));
	assert_int_equal(s.count, 1);
	assert_false(take(&s, 0, 0, 60000));
	assert_true(take(&s, 0, 0, 70000));
	assert_int_equal(s.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_answer_is_taken_as_it_is),
		cmocka_unit_test(half_of_a_set_may_go_at_once),
		cmocka_unit_test(of_one_in_ten_the_lowest_old_ones_make_half),
		cmocka_unit_test(an_honest_shrink_arrives_in_steps),
		cmocka_unit_test(answers_that_come_fast_make_no_more_steps),
		cmocka_unit_test(the_next_good_answer_heals_a_broken_one),
		cmocka_unit_test(a_set_that_is_replaced_is_followed_at_once),
		cmocka_unit_test(the_last_address_goes_after_three_answers_and_a_minute),
		cmocka_unit_test(an_empty_answer_halves_until_one_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
