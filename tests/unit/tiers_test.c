/* SPDX-License-Identifier: BSD-2-Clause */
/* Envoy's shares of the tiers, every published row (spec related.md 9.1 to 9.4, 4.1). */
#include "tables/tiers.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the above */
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	uint32_t total[3], healthy[3];
	uint32_t threshold;
	uint32_t load[3];
	bool panic[3];
	size_t count;
};

static void check_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		struct tier t[3];

		for (size_t k = 0; k < r->count; k++)
			t[k] = (struct tier){.total = r->total[k], .healthy = r->healthy[k]};
		tiers_load(t, r->count, r->threshold);
		for (size_t k = 0; k < r->count; k++) {
			if (t[k].load_percent != r->load[k] || t[k].panic != r->panic[k])
				print_error("row %zu tier %zu: load %u panic %d\n", i, k,
					    t[k].load_percent, t[k].panic);
			assert_int_equal(t[k].load_percent, r->load[k]);
			assert_int_equal(t[k].panic, r->panic[k]);
		}
	}
}

static void check_pair(uint32_t n, uint32_t healthy, uint32_t p0)
{
	struct tier t[2] = {{.total = n, .healthy = healthy}, {.total = 2, .healthy = 2}};

	tiers_load(t, 2, 50);
	if (t[0].load_percent != p0)
		print_error("%u of %u: %u, expected %u\n", healthy, n, t[0].load_percent, p0);
	assert_int_equal(t[0].load_percent, p0);
	assert_int_equal(t[1].load_percent, 100 - p0);
	assert_false(t[0].panic);
	assert_false(t[1].panic);
}

static void a_hundred_primaries_share_as_in_table_9_1(void **state)
{
	static const uint32_t rows[][2] = {
		{71, 99}, {70, 98}, {60, 84}, {50, 70}, {49, 68}, {40, 56}, {36, 50}, {35, 49},
		{30, 42}, {25, 35}, {20, 28}, {10, 14}, {5, 7},	  {2, 2},   {1, 1},   {0, 0},
	};

	(void)state;
	for (uint32_t h = 72; h <= 100; h++)
		check_pair(100, h, 100);
	for (size_t i = 0; i < ROWS(rows); i++)
		check_pair(100, rows[i][0], rows[i][1]);
}

static void small_primaries_share_as_in_table_9_2(void **state)
{
	/* From all up to none. */
	static const uint32_t p0[11][11] = {
		[1] = {100, 0},
		[2] = {100, 70, 0},
		[3] = {100, 93, 46, 0},
		[4] = {100, 100, 70, 35, 0},
		[5] = {100, 100, 84, 56, 28, 0},
		[6] = {100, 100, 93, 70, 46, 23, 0},
		[7] = {100, 100, 100, 80, 60, 40, 20, 0},
		[8] = {100, 100, 100, 87, 70, 52, 35, 17, 0},
		[9] = {100, 100, 100, 93, 77, 62, 46, 31, 15, 0},
		[10] = {100, 100, 100, 98, 84, 70, 56, 42, 28, 14, 0},
	};

	(void)state;
	for (uint32_t n = 1; n <= 10; n++) {
		for (uint32_t down = 0; down <= n; down++)
			check_pair(n, n - down, p0[n][down]);
	}
}

#define HUNDREDS {100, 100}

static void two_hurt_tiers_share_as_in_table_9_3(void **state)
{
	static const struct row rows[] = {
		{HUNDREDS, {50, 60}, 50, {70, 30}, {false, false}, 2},
		{HUNDREDS, {40, 40}, 50, {56, 44}, {false, false}, 2},
		{HUNDREDS, {30, 40}, 50, {50, 50}, {true, true}, 2},
		{HUNDREDS, {20, 50}, 50, {29, 71}, {true, false}, 2},
		{HUNDREDS, {5, 65}, 50, {8, 92}, {true, false}, 2},
		{HUNDREDS, {60, 10}, 50, {86, 14}, {false, true}, 2},
		{HUNDREDS, {49, 10}, 50, {50, 50}, {true, true}, 2},
		{HUNDREDS, {25, 25}, 50, {50, 50}, {true, true}, 2},
		{HUNDREDS, {0, 50}, 50, {0, 100}, {true, false}, 2},
		{HUNDREDS, {0, 20}, 50, {50, 50}, {true, true}, 2},
		{HUNDREDS, {0, 0}, 50, {50, 50}, {true, true}, 2},
		{HUNDREDS, {0, 0}, 0, {100, 0}, {false, false}, 2},
		/* panic switched off: the same rows without it */
		{HUNDREDS, {50, 60}, 0, {70, 30}, {false, false}, 2},
		{HUNDREDS, {40, 40}, 0, {56, 44}, {false, false}, 2},
		{HUNDREDS, {30, 40}, 0, {43, 57}, {false, false}, 2},
		{HUNDREDS, {20, 50}, 0, {29, 71}, {false, false}, 2},
		{HUNDREDS, {5, 65}, 0, {8, 92}, {false, false}, 2},
		{HUNDREDS, {60, 10}, 0, {86, 14}, {false, false}, 2},
		{HUNDREDS, {0, 50}, 0, {0, 100}, {false, false}, 2},
		{HUNDREDS, {49, 10}, 0, {83, 17}, {false, false}, 2},
		{HUNDREDS, {25, 25}, 0, {50, 50}, {false, false}, 2},
		{HUNDREDS, {0, 20}, 0, {0, 100}, {false, false}, 2},
		/* below the table */
		{{2, 2}, {1, 0}, 50, {100, 0}, {false, true}, 2},
		{{4, 2}, {1, 0}, 50, {67, 33}, {true, true}, 2},
		{{4, 2}, {1, 0}, 0, {100, 0}, {false, false}, 2},
		{{3, 1}, {0, 0}, 50, {75, 25}, {true, true}, 2},
		{{0, 3}, {0, 3}, 50, {0, 100}, {false, false}, 2},
		{{0, 3}, {0, 0}, 50, {0, 100}, {true, true}, 2},
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

static void what_a_tier_can_carry_is_cut_to_whole_percents(void **state)
{
	static const uint32_t rows[][3] = {{10, 10, 100}, {10, 8, 100}, {7, 5, 100}, {10, 7, 98},
					   {3, 2, 93},	  {3, 1, 46},	{100, 1, 1}, {200, 1, 0},
					   {4, 0, 0},	  {0, 0, 0}};

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct tier t = {.total = rows[i][0], .healthy = rows[i][1]};

		tiers_load(&t, 1, 50);
		assert_int_equal(t.available_percent, rows[i][2]);
	}
}

static void three_tiers_share_as_in_9_4(void **state)
{
	static const struct row rows[] = {
		{{100, 100, 100}, {100, 100, 100}, 50, {100, 0, 0}, {0}, 3},
		{{100, 100, 100}, {50, 100, 100}, 50, {70, 30, 0}, {0}, 3},
		{{100, 100, 100}, {30, 30, 30}, 50, {42, 42, 16}, {0}, 3},
		{{100, 100, 100}, {0, 0, 100}, 50, {0, 0, 100}, {0}, 3},
		{{100, 100, 100}, {71, 0, 0}, 50, {100, 0, 0}, {false, true, true}, 3},
		{{100, 100, 100}, {25, 25, 20}, 50, {34, 33, 33}, {true, true, true}, 3},
		{{100, 100, 100}, {25, 25, 20}, 0, {37, 35, 28}, {0}, 3},
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

static void loads_always_sum_to_a_hundred_or_to_nothing(void **state)
{
	(void)state;
	for (uint32_t n0 = 0; n0 <= 9; n0++)
		for (uint32_t n1 = 0; n1 <= 5; n1++)
			for (uint32_t h0 = 0; h0 <= n0; h0++)
				for (uint32_t h1 = 0; h1 <= n1; h1++)
					for (uint32_t t = 0; t <= 100; t += 25) {
						struct tier r[2] = {{.total = n0, .healthy = h0},
								    {.total = n1, .healthy = h1}};

						tiers_load(r, 2, t);
						assert_int_equal(r[0].load_percent +
									 r[1].load_percent,
								 n0 + n1 ? 100 : 0);
					}
}

static void a_threshold_above_a_hundred_counts_as_a_hundred(void **state)
{
	struct tier t = {.total = 3, .healthy = 2};

	(void)state;
	tiers_load(&t, 1, 4000);
	assert_int_equal(t.load_percent, 100);
	assert_true(t.panic);
}

static void health_lowers_the_weight_of_a_locality_as_in_4_1(void **state)
{
	(void)state;
	assert_int_equal(locality_effective_weight(3, 2, 4), 210ull * EFFECTIVE_UNIT);
	assert_int_equal(locality_effective_weight(1, 1, 1), 100ull * EFFECTIVE_UNIT);
	assert_int_equal(locality_effective_weight(3, 3, 4), 300ull * EFFECTIVE_UNIT);
	assert_int_equal(locality_effective_weight(1, 1, 3), 46666666);
	assert_int_equal(locality_effective_weight(1000000, 256, 256), 100000000000000ull);
	assert_int_equal(locality_effective_weight(7, 0, 4), 0);
	assert_int_equal(locality_effective_weight(7, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hundred_primaries_share_as_in_table_9_1),
		cmocka_unit_test(small_primaries_share_as_in_table_9_2),
		cmocka_unit_test(two_hurt_tiers_share_as_in_table_9_3),
		cmocka_unit_test(what_a_tier_can_carry_is_cut_to_whole_percents),
		cmocka_unit_test(three_tiers_share_as_in_9_4),
		cmocka_unit_test(loads_always_sum_to_a_hundred_or_to_nothing),
		cmocka_unit_test(a_threshold_above_a_hundred_counts_as_a_hundred),
		cmocka_unit_test(health_lowers_the_weight_of_a_locality_as_in_4_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
