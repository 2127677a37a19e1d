/* SPDX-License-Identifier: BSD-2-Clause */
/* preferLocal: what stays in the own zone, where the rest goes, and when zones have no say. */
#include "tables/zones.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "model_fixture.h"
#include "tables/compile.h"

static struct fixture f;
static struct service *s;
static struct service_plan plan;

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	fixture_room(&f, 64, 1);
	s = fixture_service(&f, 1, 80);
	s->prefer_local = (struct prefer_local){
		.enabled = true, .min_in_zone = 1, .min_endpoints = 6, .percent = 100};
	s->local_zone = "east";
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_done(&f);
	return 0;
}

/* A locality with endpoints of one zone (NULL: none). */
static void add(uint8_t tier, uint32_t weight, const char *zone, size_t count)
{
	const size_t first = f.model.instance_count;

	for (size_t i = 0; i < count; i++)
		fixture_instance(&f, (uint32_t)(first + i) + 1, 80)->zone = zone;
	fixture_locality(&f, s, tier, weight, first, count);
}

/* One locality whose endpoints are in these zones: a letter each, '-' for none. */
static void add_mixed(const char *zones)
{
	const size_t first = f.model.instance_count, count = strlen(zones);

	for (size_t i = 0; i < count; i++)
		fixture_instance(&f, (uint32_t)(first + i) + 1, 80)->zone =
			zones[i] == 'e'	  ? "east"
			: zones[i] == 'w' ? "west"
			: zones[i] == 'n' ? "north"
					  : NULL;
	fixture_locality(&f, s, 0, 1, first, count);
}

static void down(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		f.health[i].state = HEALTH_DOWN;
}

/* In ppm. */
static uint32_t share_of(const char *zone)
{
	uint32_t sum = 0;

	tables_plan(f.arena, s, &f.view, &plan);
	for (size_t i = 0; i < plan.share_count; i++) {
		const char *z = plan.shares[i].instance->zone;

		if (z == zone || (z && zone && strcmp(z, zone) == 0))
			sum += plan.shares[i].share_ppm;
	}
	return sum;
}

static void check_share(const char *zone, uint32_t ppm)
{
	const uint32_t share = share_of(zone);

	if (share > ppm + 10 || share + 10 < ppm)
		print_error("%s: %u ppm, expected %u\n", zone ? zone : "nowhere", share, ppm);
	assert_in_range(share, ppm > 10 ? ppm - 10 : 0, ppm + 10);
}

static void a_zone_with_its_part_of_the_endpoints_keeps_everything(void **state)
{
	(void)state;
	add_mixed("eewwnn");
	check_share("east", 1000000);
	check_share("west", 0);
	add_mixed("e");
	check_share("east", 1000000);
}

static void a_smaller_zone_keeps_what_it_can_and_the_rest_goes_where_there_is_room(void **state)
{
	(void)state;
	add_mixed("eewwwwnn"); /* 2/8 of 1/3; only west has more than a third */
	check_share("east", 750000);
	check_share("west", 250000);
	check_share("north", 0);
}

static void room_is_shared_in_proportion(void **state)
{
	(void)state;
	add_mixed("ewwwwwnnnnnn"); /* 1/12 of 1/3: 25 %; room 5/12 - 1/3 and 6/12 - 1/3 */
	check_share("east", 250000);
	check_share("west", 250000);
	check_share("north", 500000);
}

static void endpoints_without_a_zone_take_what_no_zone_can(void **state)
{
	(void)state;
	add_mixed("ewww----"); /* 1/8 of 1/2: 25 %; no gateway is there: room 4/8; west 3/8 - 1/2 */
	check_share("east", 250000);
	check_share(NULL, 750000);
	check_share("west", 0);
}

static void forced_the_own_zone_keeps_everything_while_it_has_enough(void **state)
{
	(void)state;
	add_mixed("eewwwwnn");
	s->prefer_local.force = true;
	s->prefer_local.min_in_zone = 2;
	check_share("east", 1000000);
	down(0, 1);
	check_share("east", 428571); /* 1/7 of 1/3 */
}

static void forced_a_single_zone_with_a_name_is_enough(void **state)
{
	(void)state;
	add_mixed("e-----");
	check_share("east", 166667);
	s->prefer_local.force = true;
	check_share("east", 1000000);
}

static void too_few_healthy_endpoints_switch_it_off(void **state)
{
	(void)state;
	add_mixed("eewwnn");
	down(5, 1);
	check_share("east", 400000);
	s->prefer_local.min_endpoints = 5;
	check_share("east", 1000000);
}

static void nobody_in_the_own_zone_switches_it_off(void **state)
{
	(void)state;
	add_mixed("eewwwwwwnnn");
	down(0, 2);
	check_share("west", 666667);
	check_share("north", 333333);
}

static void panic_switches_it_off(void **state)
{
	(void)state;
	add_mixed("eewwwwwwwwwwwwww");
	s->prefer_local.min_endpoints = 1;
	down(8, 8);
	check_share("east", 500000); /* 2/8 of 1/2: 8 of 16 is no panic */
	down(7, 1);
	check_share("east", 125000); /* all 16 alike */
}

static void a_percentage_mixes_it_with_the_plain_shares(void **state)
{
	(void)state;
	add_mixed("eewwnn");
	s->prefer_local.percent = 40;
	check_share("east", 600000); /* 40 % of 1 and 60 % of 1/3 */
	check_share("west", 200000);
	s->prefer_local.percent = 0;
	check_share("east", 333333);
}

static void within_a_zone_weights_hold(void **state)
{
	(void)state;
	add(0, 3, "east", 2);
	add(0, 1, "east", 2);
	add(0, 1, "west", 4);
	check_share("east", 1000000);
	assert_int_equal(plan.shares[0].share_ppm, 375000);
	assert_int_equal(plan.shares[2].share_ppm, 125000);
}

static void only_the_first_tier_heeds_zones(void **state)
{
	(void)state;
	add(0, 1, "east", 4);
	add(0, 1, "west", 4);
	add(1, 1, "east", 1);
	add(1, 1, "west", 3);
	s->prefer_local.min_endpoints = 1;
	down(0, 2);
	down(4, 2); /* 4 of 8: 70 %; east has half of them */
	check_share("east", 700000 + 150000);
	assert_int_equal(plan.tiers[0].load_percent, 70);
	down(0, 8);
	check_share("west", 500000); /* two localities of equal weight */
}

static void without_an_own_zone_or_the_wish_nothing_changes(void **state)
{
	(void)state;
	add_mixed("eewwww");
	s->local_zone = NULL;
	check_share("east", 333333);
	s->local_zone = "east";
	s->prefer_local.enabled = false;
	check_share("east", 333333);
}

/* Whoever compiles it: shares sum to one, and the order of localities does not matter. */
static void shares_always_sum_to_one(void **state)
{
	(void)state;
	add(0, 7, "east", 3);
	add(0, 2, "west", 5);
	add(0, 1, NULL, 2);
	add(0, 5, "north", 9);
	add(1, 1, "west", 2);
	for (uint32_t mask = 0; mask < 1u << 12; mask++) {
		uint32_t sum = 0;

		for (size_t i = 0; i < 21; i++)
			f.health[i].state = mask >> i % 12 & 1 ? HEALTH_DOWN : HEALTH_UP;
		s->prefer_local.force = mask & 1;
		s->prefer_local.percent = mask % 101;
		tables_plan(f.arena, s, &f.view, &plan);
		for (size_t i = 0; i < plan.share_count; i++)
			sum += plan.shares[i].share_ppm;
		assert_in_range(sum, 1000000 - 21, 1000000 + 21);
	}
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_zone_with_its_part_of_the_endpoints_keeps_everything),
		TEST(a_smaller_zone_keeps_what_it_can_and_the_rest_goes_where_there_is_room),
		TEST(room_is_shared_in_proportion),
		TEST(endpoints_without_a_zone_take_what_no_zone_can),
		TEST(forced_the_own_zone_keeps_everything_while_it_has_enough),
		TEST(forced_a_single_zone_with_a_name_is_enough),
		TEST(too_few_healthy_endpoints_switch_it_off),
		TEST(nobody_in_the_own_zone_switches_it_off),
		TEST(panic_switches_it_off),
		TEST(a_percentage_mixes_it_with_the_plain_shares),
		TEST(within_a_zone_weights_hold),
		TEST(only_the_first_tier_heeds_zones),
		TEST(without_an_own_zone_or_the_wish_nothing_changes),
		TEST(shares_always_sum_to_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
