/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Envoy's published shares as this compiler's tables: every row is a model with endpoints, some of
 * them down, compiled to slots. What a tier has of the slots is Envoy's percentage, and nobody who
 * must not be picked has one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "model_fixture.h"
#include "tables/compile.h"

#define LINES	1000000
#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	uint32_t total[3], healthy[3];
	uint8_t threshold;
	uint32_t load[3]; /* percent; all 0: nobody is picked */
	bool panic[3];
};

static struct fixture f;
static struct table_cache *cache;

static int setup(void **state)
{
	(void)state;
	cache = table_cache_new();
	return cache ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	table_cache_free(cache);
	return 0;
}

/* One Backend a tier; of each tier the first `healthy` are up. */
static void make_model(const struct row *r)
{
	size_t at = 0, total = r->total[0] + r->total[1] + r->total[2];
	struct service *s;

	fixture_init(&f);
	fixture_room(&f, total, 1);
	for (uint32_t i = 0; i < total; i++)
		(void)fixture_instance(&f, i + 1, 80);
	s = fixture_service(&f, 1, 80);
	s->panic_threshold = r->threshold;
	for (uint8_t t = 0; t < 3; t++) {
		for (size_t i = r->healthy[t]; i < r->total[t]; i++)
			f.health[at + i].state = HEALTH_DOWN;
		if (r->total[t])
			fixture_locality(&f, s, t, 1, at, r->total[t]);
		at += r->total[t];
	}
}

static void compile_model(struct ids **ids, struct tables *t)
{
	const char *why = NULL;

	*ids = ids_new(&(struct ids_limits){65536, 16});
	assert_non_null(*ids);
	assert_int_equal(ids_assign(*ids, &f.model, &why), 0);
	assert_int_equal(tables_compile(f.arena, &f.model, &f.view, *ids, LINES, cache, t, &why),
			 0);
}

/* Slots of the members first .. first + count - 1. */
static uint32_t count_slots(const struct ids *ids, const struct table_slots *t, size_t first,
			    size_t count)
{
	uint32_t n = 0;

	for (size_t i = first; i < first + count; i++) {
		const uint32_t id = ids_endpoint(ids, &f.model.instances[i]);

		for (uint32_t s = 0; s < t->size; s++)
			n += t->slots[s] == id;
	}
	return n;
}

/* A count is its share rounded, give or take one slot a member. */
static void check_tier(const struct row *r, size_t tier, uint32_t slots, uint32_t size)
{
	const double due = size * (double)r->load[tier] / 100;
	const uint32_t members = r->panic[tier] ? r->total[tier] : r->healthy[tier];

	if (slots > due + members || slots + members < due)
		print_error("tier %zu: %u slots of %u, %u %% are due\n", tier, slots, size,
			    r->load[tier]);
	assert_true(slots <= due + members && slots + members >= due);
}

static void check_slots(const struct row *r, const struct ids *ids, const struct tables *t)
{
	const struct table_slots *s;
	uint32_t sum = 0;
	size_t at = 0;

	assert_int_equal(t->services[0].empty, r->load[0] + r->load[1] + r->load[2] == 0);
	assert_int_equal(t->services[0].empty, t->services[0].table == TABLE_NONE);
	if (t->services[0].empty)
		return;
	s = &t->slots[t->services[0].table];
	for (size_t tier = 0; tier < 3; at += r->total[tier++]) {
		const uint32_t up = count_slots(ids, s, at, r->healthy[tier]);
		const uint32_t down = count_slots(ids, s, at + r->healthy[tier],
						  r->total[tier] - r->healthy[tier]);

		if (!r->panic[tier])
			assert_int_equal(down, 0);
		check_tier(r, tier, up + down, s->size);
		sum += up + down;
	}
	assert_int_equal(sum, s->size);
}

static void check_row(const struct row *r)
{
	AUTO(ids_free) struct ids *ids = NULL;
	struct service_plan plan;
	struct tables t;

	make_model(r);
	compile_model(&ids, &t);
	tables_plan(f.arena, &f.model.services[0], &f.view, &plan);
	for (size_t i = 0; i < 3; i++) {
		const uint32_t n = r->total[i], h = r->healthy[i];

		if (plan.tiers[i].load_percent != r->load[i] || plan.tiers[i].panic != r->panic[i])
			print_error("%u of %u up in tier %zu: %u %%, expected %u %%\n", h, n, i,
				    plan.tiers[i].load_percent, r->load[i]);
		assert_int_equal(plan.tiers[i].load_percent, r->load[i]);
		assert_int_equal(plan.tiers[i].panic, r->panic[i]);
		assert_int_equal(plan.tiers[i].available_percent, n == 0 ? 0
								  : 140 * h / n > 100
									  ? 100
									  : 140 * h / n);
	}
	check_slots(r, ids, &t);
	fixture_done(&f);
}

static void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i]);
}

/* P1 healthy. */
static void check_pair(uint32_t n, uint32_t healthy, uint32_t fallbacks, uint32_t p0)
{
	const struct row r = {{n, fallbacks}, {healthy, fallbacks}, 50, {p0, 100 - p0}, {0}};

	check_row(&r);
}

static void a_hundred_primaries_get_the_slots_of_table_9_1(void **state)
{
	static const uint32_t rows[][2] = {
		{71, 99}, {70, 98}, {60, 84}, {50, 70}, {49, 68}, {40, 56}, {36, 50}, {35, 49},
		{30, 42}, {25, 35}, {20, 28}, {10, 14}, {5, 7},	  {2, 2},   {1, 1},   {0, 0},
	};

	(void)state;
	for (uint32_t h = 72; h <= 100; h += 7)
		check_pair(100, h, 100, 100);
	for (size_t i = 0; i < ROWS(rows); i++)
		check_pair(100, rows[i][0], 100, rows[i][1]);
}

static void small_primaries_get_the_slots_of_table_9_2(void **state)
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
		for (uint32_t dead = 0; dead <= n; dead++)
			check_pair(n, n - dead, 2, p0[n][dead]);
	}
}

#define HUNDREDS {100, 100}

static void two_hurt_tiers_get_the_slots_of_table_9_3(void **state)
{
	static const struct row rows[] = {
		{HUNDREDS, {50, 60}, 50, {70, 30}, {false, false}},
		{HUNDREDS, {40, 40}, 50, {56, 44}, {false, false}},
		{HUNDREDS, {30, 40}, 50, {50, 50}, {true, true}},
		{HUNDREDS, {20, 50}, 50, {29, 71}, {true, false}},
		{HUNDREDS, {5, 65}, 50, {8, 92}, {true, false}},
		{HUNDREDS, {60, 10}, 50, {86, 14}, {false, true}},
		{HUNDREDS, {49, 10}, 50, {50, 50}, {true, true}},
		{HUNDREDS, {25, 25}, 50, {50, 50}, {true, true}},
		{HUNDREDS, {0, 50}, 50, {0, 100}, {true, false}},
		{HUNDREDS, {0, 20}, 50, {50, 50}, {true, true}},
		{HUNDREDS, {0, 0}, 50, {50, 50}, {true, true}},
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

static void without_panic_they_get_those_of_its_other_column(void **state)
{
	static const struct row rows[] = {
		{HUNDREDS, {50, 60}, 0, {70, 30}, {0}}, {HUNDREDS, {40, 40}, 0, {56, 44}, {0}},
		{HUNDREDS, {30, 40}, 0, {43, 57}, {0}}, {HUNDREDS, {20, 50}, 0, {29, 71}, {0}},
		{HUNDREDS, {5, 65}, 0, {8, 92}, {0}},	{HUNDREDS, {60, 10}, 0, {86, 14}, {0}},
		{HUNDREDS, {49, 10}, 0, {83, 17}, {0}}, {HUNDREDS, {25, 25}, 0, {50, 50}, {0}},
		{HUNDREDS, {0, 50}, 0, {0, 100}, {0}},	{HUNDREDS, {0, 20}, 0, {0, 100}, {0}},
		{HUNDREDS, {0, 0}, 0, {0, 0}, {0}}, /* Envoy: 100/0 and no host */
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

static void what_9_3_tells_below_its_table_holds(void **state)
{
	static const struct row rows[] = {
		/* P1 completely down: 50 % is not below 50, only the healthy one is used */
		{{2, 2}, {1, 0}, 50, {100, 0}, {false, true}},
		/* total panic: all six, dead ones included */
		{{4, 2}, {1, 0}, 50, {67, 33}, {true, true}},
		{{4, 2}, {1, 0}, 0, {100, 0}, {false, false}},
		/* uneven: 3 dead, 1 dead */
		{{3, 1}, {0, 0}, 50, {75, 25}, {true, true}},
		/* P0 empty */
		{{0, 3}, {0, 3}, 50, {0, 100}, {false, false}},
		{{0, 3}, {0, 0}, 50, {0, 100}, {false, true}},
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

static void three_tiers_get_the_slots_of_9_4(void **state)
{
	static const struct row rows[] = {
		{{100, 100, 100}, {100, 100, 100}, 50, {100, 0, 0}, {0}},
		{{100, 100, 100}, {50, 100, 100}, 50, {70, 30, 0}, {0}},
		{{100, 100, 100}, {30, 30, 30}, 50, {42, 42, 16}, {0}},
		{{100, 100, 100}, {0, 0, 100}, 50, {0, 0, 100}, {0}},
		{{100, 100, 100}, {71, 0, 0}, 50, {100, 0, 0}, {false, true, true}},
		{{100, 100, 100}, {25, 25, 20}, 50, {34, 33, 33}, {true, true, true}},
		{{100, 100, 100}, {25, 25, 20}, 0, {37, 35, 28}, {0}},
	};

	(void)state;
	check_rows(rows, ROWS(rows));
}

/* Shares of two localities of weights 3 and 1, 4 endpoints each, in tenths of a percent. */
static void check_localities(uint32_t up, uint32_t share)
{
	AUTO(ids_free) struct ids *ids = NULL;
	const struct table_slots *slots;
	struct service *s;
	struct tables t;
	uint32_t n;

	fixture_init(&f);
	fixture_room(&f, 8, 1);
	for (uint32_t i = 0; i < 8; i++)
		(void)fixture_instance(&f, i + 1, 80);
	for (uint32_t i = up; i < 4; i++)
		f.health[i].state = HEALTH_DOWN;
	s = fixture_service(&f, 1, 80);
	fixture_locality(&f, s, 0, 3, 0, 4);
	fixture_locality(&f, s, 0, 1, 4, 4);
	compile_model(&ids, &t);
	slots = &t.slots[t.services[0].table];
	n = count_slots(ids, slots, 0, up);
	assert_int_equal(count_slots(ids, slots, up, 4 - up), 0);
	assert_true(1000 * n < (share + 3) * slots->size &&
		    1000 * n + 3 * slots->size > share * slots->size);
	fixture_done(&f);
}

static void localities_get_the_slots_of_4_1(void **state)
{
	(void)state;
	check_localities(4, 750);
	check_localities(3, 750); /* min(100, 105) */
	check_localities(2, 677); /* 210 of 310 */
	check_localities(1, 512); /* 3 * 35 of 205 */
	check_localities(0, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_hundred_primaries_get_the_slots_of_table_9_1),
		TEST(small_primaries_get_the_slots_of_table_9_2),
		TEST(two_hurt_tiers_get_the_slots_of_table_9_3),
		TEST(without_panic_they_get_those_of_its_other_column),
		TEST(what_9_3_tells_below_its_table_holds),
		TEST(three_tiers_get_the_slots_of_9_4),
		TEST(localities_get_the_slots_of_4_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
