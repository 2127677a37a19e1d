/* SPDX-License-Identifier: BSD-2-Clause */
/* From model and health to tables: shares, panic, the operator's word, sharing, limits. */
#include "tables/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/clock.h"
#include "model_fixture.h"
#include "tables/maglev.h"

#define LINES 1000000

struct ctx {
	struct fixture f;
	struct ids *ids;
	struct table_cache *cache;
	struct tables t;
};

static struct ctx c;

static int setup(void **state)
{
	const struct ids_limits limits = {65536, 16384};

	(void)state;
	memset(&c, 0, sizeof(c));
	fixture_init(&c.f);
	fixture_room(&c.f, 64, 8);
	c.ids = ids_new(&limits);
	c.cache = table_cache_new();
	return c.ids && c.cache ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ids_free(c.ids);
	table_cache_free(c.cache);
	fixture_done(&c.f);
	return 0;
}

/* Instances 0 .. count - 1: 10.0.0.1:80 and on. */
static void endpoints(size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)fixture_instance(&c.f, (uint32_t)i + 1, 80);
}

static void compile(void)
{
	const char *why = NULL;

	assert_int_equal(ids_assign(c.ids, &c.f.model, &why), 0);
	assert_int_equal(
		tables_compile(c.f.arena, &c.f.model, &c.f.view, c.ids, LINES, c.cache, &c.t, &why),
		0);
}

static uint32_t slots_of(uint32_t table, size_t instance)
{
	const struct table_slots *s = &c.t.slots[table];
	const uint32_t id = ids_endpoint(c.ids, &c.f.model.instances[instance]);
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->size; i++)
		n += s->slots[i] == id;
	return n;
}

/* In percent of the table, rounded to the nearest. */
static uint32_t percent_of(uint32_t table, size_t instance)
{
	const uint32_t size = c.t.slots[table].size;

	return (200 * slots_of(table, instance) + size) / (2 * size);
}

static const struct table_endpoint *row(size_t instance)
{
	return &c.t.endpoints[ids_endpoint(c.ids, &c.f.model.instances[instance]) - 1];
}

static void down(size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		c.f.health[i].state = HEALTH_DOWN;
}

static void a_service_without_a_fallback_has_no_spare_table(void **state)
{
	struct service *s;

	(void)state;
	endpoints(3);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	compile();
	assert_int_equal(c.t.slots_count, 1);
	assert_int_equal(c.t.services[0].table, 0);
	assert_int_equal(c.t.services[0].spare, TABLE_NONE);
	for (size_t i = 0; i < 3; i++)
		assert_in_range(slots_of(0, i), 169, 170);
}

static void the_fallback_is_the_spare_table_and_may_be_picked(void **state)
{
	struct service *s;

	(void)state;
	endpoints(5);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	fixture_locality(&c.f, s, 1, 1, 3, 2);
	compile();
	assert_int_equal(c.t.slots_count, 2);
	assert_int_equal(percent_of(c.t.services[0].table, 3), 0);
	assert_int_equal(percent_of(c.t.services[0].spare, 3), 50);
	assert_int_equal(percent_of(c.t.services[0].spare, 0), 0);
	assert_true(row(3)->pickable);
	down(0, 1);
	compile();
	assert_int_equal(slots_of(c.t.services[0].table, 0), 0);
	assert_false(row(0)->pickable);
	assert_false(row(0)->up);
	assert_in_range(percent_of(c.t.services[0].table, 1), 46, 47);
	assert_in_range(percent_of(c.t.services[0].table, 3), 3, 4);
}

static void weights_split_within_a_tier(void **state)
{
	struct service *s;

	(void)state;
	endpoints(6);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 3, 0, 4);
	fixture_locality(&c.f, s, 0, 1, 4, 2);
	compile();
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(percent_of(0, i), 19); /* 18.75 */
	assert_in_range(percent_of(0, 4), 12, 13);
	/* 2 of the 4 down: 210 against 100. */
	down(0, 2);
	compile();
	assert_int_equal(percent_of(0, 2), 34); /* 67.7 / 2 */
	assert_int_equal(percent_of(0, 4), 16); /* 32.3 / 2 */
}

/* Slot by slot: `before` is the table when everything was up, `first_up` and on are alive. */
static void check_moves(const uint16_t *before, uint32_t size, size_t first_up)
{
	const struct table_slots *now = &c.t.slots[c.t.services[0].table];

	assert_int_equal(now->size, size);
	for (uint32_t i = 0; i < size; i++) {
		if (before[i] <= first_up) /* numbers are given out in order, from 1 */
			assert_true(now->slots[i] > first_up);
		else
			assert_int_equal(now->slots[i], before[i]);
	}
}

static void from_all_up_exactly_the_slots_of_the_dead_move(void **state)
{
	for (size_t n = 1; n <= 12; n++) {
		const struct table_slots *home;
		struct service_plan plan;
		struct service *s;
		uint16_t *before;

		(void)teardown(state);
		(void)setup(state);
		endpoints(n + 2);
		s = fixture_service(&c.f, 1, 80);
		fixture_locality(&c.f, s, 0, 1, 0, n);
		fixture_locality(&c.f, s, 1, 1, n, 2);
		compile();
		home = &c.t.slots[c.t.services[0].table];
		before = arena_array(c.f.arena, home->size, sizeof(*before));
		memcpy(before, home->slots, home->size * sizeof(*before));
		for (size_t k = 1; k <= n; k++) {
			down(0, k);
			compile();
			check_moves(before, home->size, k);
			tables_plan(c.f.arena, s, &c.f.view, &plan);
			for (size_t i = 0; i < n + 2; i++) {
				const double have = slots_of(c.t.services[0].table, i) * 1e6;
				const double want = plan.shares[i].share_ppm;

				assert_true(have / home->size - want < 4000);
				assert_true(want - have / home->size < 4000);
			}
		}
	}
}

static void duplicates_are_two_shares(void **state)
{
	struct service *s;

	(void)state;
	endpoints(2);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 2);
	s->localities[0].members = arena_array(c.f.arena, 3, sizeof(struct instance *));
	s->localities[0].backends = arena_array(c.f.arena, 3, sizeof(struct object *));
	s->localities[0].zones = arena_array(c.f.arena, 3, sizeof(char *));
	s->localities[0].count = 3;
	s->localities[0].members[0] = s->localities[0].members[1] = &c.f.model.instances[0];
	s->localities[0].members[2] = &c.f.model.instances[1];
	compile();
	assert_int_equal(percent_of(0, 0), 67);
	assert_int_equal(percent_of(0, 1), 33);
	assert_int_equal(c.t.endpoint_count, 2);
}

static void a_tier_in_panic_spreads_over_all_but_those_taken_down(void **state)
{
	struct service *s;

	(void)state;
	endpoints(4);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 9, 0, 2);
	fixture_locality(&c.f, s, 0, 1, 2, 2);
	down(0, 3);
	c.f.health[0].admin = SPW_ADMIN_DOWN;
	compile();
	assert_int_equal(slots_of(0, 0), 0);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(percent_of(0, i), 33);
		assert_true(row(i)->pickable);
	}
	assert_false(row(0)->pickable);
	assert_false(row(1)->up);
	s->panic_threshold = 0;
	compile();
	assert_int_equal(percent_of(0, 3), 100);
	assert_false(row(1)->pickable);
}

static void the_operator_comes_first(void **state)
{
	struct service *s;

	(void)state;
	endpoints(4);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 4);
	down(0, 2);
	c.f.health[0].admin = SPW_ADMIN_UP;
	c.f.health[2].admin = SPW_ADMIN_DRAIN;
	c.f.health[3].admin = SPW_ADMIN_DOWN;
	s->panic_threshold = 0;
	compile();
	assert_int_equal(percent_of(0, 0), 100);
	assert_true(row(0)->up && row(0)->pickable);
	assert_true(!row(1)->up && !row(1)->pickable);
	assert_true(row(2)->up && !row(2)->pickable); /* draining: its flows stay */
	assert_true(!row(3)->up && !row(3)->pickable);
}

static void a_share_nobody_may_take_goes_to_the_other_tier(void **state)
{
	struct service *s;

	(void)state;
	endpoints(4);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 2);
	fixture_locality(&c.f, s, 1, 1, 2, 2);
	c.f.health[0].admin = c.f.health[1].admin = SPW_ADMIN_DOWN;
	down(2, 2);
	compile(); /* total panic, 50/50, and nobody of tier 0 is allowed */
	assert_int_equal(percent_of(c.t.services[0].table, 2), 50);
	assert_int_equal(percent_of(c.t.services[0].table, 3), 50);
	c.f.health[2].admin = c.f.health[3].admin = SPW_ADMIN_DRAIN;
	compile();
	assert_int_equal(c.t.services[0].table, TABLE_NONE);
	assert_int_equal(c.t.services[0].spare, TABLE_NONE);
	assert_int_equal(c.t.slots_count, 0);
}

static void an_instance_is_pickable_when_any_service_needs_it(void **state)
{
	struct service *s;

	(void)state;
	endpoints(3);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	s->panic_threshold = 0;
	down(0, 2);
	compile();
	assert_false(row(0)->pickable);
	s = fixture_service(&c.f, 2, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	compile();
	assert_true(row(0)->pickable);
	assert_int_equal(c.t.slots_count, 2);
}

static void services_of_equal_endpoints_share_a_table(void **state)
{
	struct service *s;

	(void)state;
	endpoints(5);
	for (uint32_t i = 0; i < 4; i++) {
		s = fixture_service(&c.f, i, 80);
		if (i % 2) { /* the other order */
			fixture_locality(&c.f, s, 0, 2, 2, 1);
			fixture_locality(&c.f, s, 0, 1, 0, 2);
		} else {
			fixture_locality(&c.f, s, 0, 1, 0, 2);
			fixture_locality(&c.f, s, 0, 2, 2, 1);
		}
		fixture_locality(&c.f, s, 1, 1, 3, 2);
	}
	compile();
	assert_int_equal(c.t.slots_count, 2);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(c.t.services[i].table, c.t.services[0].table);
		assert_int_equal(c.t.services[i].spare, c.t.services[0].spare);
	}
}

/* The same endpoints under other numbers: each slot names the same address. */
static void the_numbers_do_not_decide_who_gets_which_slot(void **state)
{
	struct service *s;
	struct tables first;
	uint32_t before[5];

	(void)state;
	endpoints(5);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 5);
	compile();
	first = c.t;
	for (size_t i = 0; i < 5; i++)
		before[i] = ids_endpoint(c.ids, &c.f.model.instances[i]);
	ids_free(c.ids);
	c.ids = ids_new(&(struct ids_limits){100, 10});
	{ /* another gateway: it has met them in another order */
		struct table_endpoint e[5];
		struct tables seed = {.endpoints = e, .endpoint_count = 5};

		for (uint32_t i = 0; i < 5; i++) {
			const struct instance *in = &c.f.model.instances[4 - i];

			e[i] = (struct table_endpoint){
				.id = i + 7, .addr = in->addr, .port = in->port, .mode = in->mode};
		}
		ids_seed(c.ids, &seed);
	}
	compile();
	for (uint32_t s_at = 0; s_at < first.slots[0].size; s_at++) {
		size_t i = 0;

		while (before[i] != first.slots[0].slots[s_at])
			i++;
		assert_int_equal(c.t.slots[0].slots[s_at],
				 ids_endpoint(c.ids, &c.f.model.instances[i]));
	}
}

static void the_plan_is_what_the_table_holds(void **state)
{
	struct service_plan plan;
	struct service *s;
	uint64_t sum = 0;

	(void)state;
	endpoints(5);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	fixture_locality(&c.f, s, 1, 1, 3, 2);
	down(1, 2);
	compile();
	tables_plan(c.f.arena, s, &c.f.view, &plan);
	assert_int_equal(plan.tiers[0].load_percent, 46);
	assert_int_equal(plan.tiers[1].load_percent, 54);
	assert_int_equal(plan.tiers[0].healthy, 1);
	assert_int_equal(plan.tiers[0].total, 3);
	assert_false(plan.tiers[0].panic);
	assert_int_equal(plan.share_count, 5);
	assert_int_equal(plan.shares[0].share_ppm, 460000);
	assert_int_equal(plan.shares[1].share_ppm, 0);
	assert_int_equal(plan.shares[3].share_ppm, 270000);
	for (size_t i = 0; i < 5; i++) {
		const uint32_t size = c.t.slots[0].size;
		const double share = plan.shares[i].share_ppm / 1e6 * size;

		sum += plan.shares[i].share_ppm;
		assert_true(slots_of(0, i) < share + 1 && slots_of(0, i) > share - 1);
	}
	assert_int_equal(sum, 1000000);
}

/* Tiers 0, 1 and 2, two endpoints each. */
static struct service *three_tiers(void)
{
	struct service *s;

	endpoints(6);
	s = fixture_service(&c.f, 1, 80);
	for (uint8_t t = 0; t < 3; t++)
		fixture_locality(&c.f, s, t, 1, 2 * t, 2);
	return s;
}

/* The first instance of the tier that the spare table is of; all of it must be in there. */
static void check_spare(size_t first)
{
	const struct table_service *s = &c.t.services[0];

	assert_int_not_equal(s->spare, TABLE_NONE);
	assert_in_range(percent_of(s->spare, first), 50, 50);
	assert_in_range(percent_of(s->spare, first + 1), 50, 50);
}

static void each_tier_lives_on_what_those_before_it_leave(void **state)
{
	static const uint32_t loads[][3] = {{100, 0, 0}, {70, 30, 0}, {0, 100, 0},
					    {0, 70, 30}, {0, 0, 100}, {0, 0, 100}};
	struct service_plan plan;
	struct service *s;

	(void)state;
	s = three_tiers();
	s->panic_threshold = 0;
	for (size_t k = 0; k < 6; k++) {
		compile();
		tables_plan(c.f.arena, s, &c.f.view, &plan);
		for (size_t t = 0; t < 3; t++) {
			const uint32_t slots = slots_of(c.t.services[0].table, 2 * t) +
					       slots_of(c.t.services[0].table, 2 * t + 1);

			assert_int_equal(plan.tiers[t].load_percent, loads[k][t]);
			assert_in_range(100 * slots + 50, 1021 * loads[k][t] - 150 * !!loads[k][t],
					1021 * loads[k][t] + 250);
		}
		down(k, 1);
	}
}

static void a_gap_between_tiers_changes_no_share(void **state)
{
	struct service_plan plan;
	struct service *s;

	(void)state;
	endpoints(10);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 2, 1, 0, 4);
	fixture_locality(&c.f, s, 7, 1, 4, 4);
	down(0, 3);
	down(4, 3); /* 35 and 35, both below half: total panic, by number */
	tables_plan(c.f.arena, s, &c.f.view, &plan);
	assert_int_equal(plan.tiers[2].load_percent, 50);
	assert_int_equal(plan.tiers[7].load_percent, 50);
	assert_true(plan.tiers[2].panic && plan.tiers[7].panic);
	assert_int_equal(plan.tiers[2].available_percent, 35);
	assert_false(plan.tiers[0].panic);
	s->panic_threshold = 0;
	down(0, 4);
	down(4, 4);
	compile();
	assert_true(c.t.services[0].empty);
	c.f.health[6].state = HEALTH_UP;
	compile();
	assert_int_equal(percent_of(0, 6), 100);
}

static void the_spare_table_is_of_the_next_tier_with_somebody_healthy(void **state)
{
	(void)state;
	(void)three_tiers();
	compile();
	check_spare(2);
	down(2, 1);
	compile();
	check_spare(2); /* whoever is down there */
	down(2, 2);
	compile();
	check_spare(4);
	c.f.health[2].state = c.f.health[3].state = HEALTH_UP;
	down(0, 2);
	compile(); /* tier 1 carries alone */
	check_spare(4);
	down(2, 4);
	compile(); /* nobody healthy: the second again */
	check_spare(2);
	c.f.health[2].admin = c.f.health[3].admin = SPW_ADMIN_DRAIN;
	compile();
	check_spare(4);
}

static void with_two_tiers_the_spare_table_never_changes_with_health(void **state)
{
	struct service *s;
	uint64_t hash;

	(void)state;
	endpoints(5);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	fixture_locality(&c.f, s, 1, 1, 3, 2);
	compile();
	hash = c.t.slots[c.t.services[0].spare].hash;
	for (uint32_t mask = 0; mask < 32; mask++) {
		for (size_t i = 0; i < 5; i++)
			c.f.health[i].state = mask >> i & 1 ? HEALTH_DOWN : HEALTH_UP;
		compile();
		assert_int_not_equal(c.t.services[0].spare, TABLE_NONE);
		assert_int_equal(c.t.slots[c.t.services[0].spare].hash, hash);
	}
}

static void slow_start_takes_from_the_share_within_the_locality(void **state)
{
	struct service *s;

	(void)state;
	endpoints(6);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 2);
	fixture_locality(&c.f, s, 0, 1, 2, 2);
	fixture_locality(&c.f, s, 1, 1, 4, 2);
	c.f.health[0].ramp_percent = 25;
	compile();
	assert_int_equal(percent_of(0, 0), 10); /* 25 of 125 of half */
	assert_int_equal(percent_of(0, 1), 40);
	assert_int_equal(percent_of(0, 2), 25);
	assert_int_equal(percent_of(0, 4), 0); /* the tiers do not notice */
	c.f.health[1].ramp_percent = 25;
	compile();
	assert_int_equal(percent_of(0, 0), 25); /* all of them start */
	c.f.health[1].ramp_percent = 0;
	down(1, 5); /* one of four: panic */
	compile();
	for (size_t i = 0; i < 4; i++)
		assert_in_range(percent_of(c.t.services[0].table, i), 16, 17);
}

static void an_ejected_endpoint_is_down(void **state)
{
	struct service *s;

	(void)state;
	endpoints(3);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	c.f.health[0].ejected = true;
	compile();
	assert_int_equal(slots_of(0, 0), 0);
	assert_true(!row(0)->pickable && !row(0)->up);
	c.f.health[0].admin = SPW_ADMIN_UP;
	compile();
	assert_true(row(0)->pickable && row(0)->up);
}

static void answers_without_endpoint_and_idle_times_go_with_the_service(void **state)
{
	struct service *s;

	(void)state;
	endpoints(1);
	c.f.model.instances[0].reset_on_removal = true;
	s = fixture_service(&c.f, 1, 80);
	s->new_flows = SPW_NO_ENDPOINT_DROP;
	s->live_flows = SPW_NO_ENDPOINT_LEAVE;
	s->idle_s[SPW_IDLE_EMBRYONIC] = 7;
	s->idle_s[SPW_IDLE_CLOSING] = 9;
	fixture_locality(&c.f, s, 0, 1, 0, 1);
	compile();
	assert_int_equal(c.t.services[0].new_flows, SPW_NO_ENDPOINT_DROP);
	assert_int_equal(c.t.services[0].live_flows, SPW_NO_ENDPOINT_LEAVE);
	assert_memory_equal(c.t.services[0].idle_s, s->idle_s, sizeof(s->idle_s));
	assert_false(c.t.services[0].empty);
	assert_int_equal(row(0)->flags, SPW_ENDPOINT_RESET_ON_REMOVAL);
	down(0, 1);
	compile(); /* panic: it may be picked */
	assert_false(c.t.services[0].empty);
	c.f.health[0].admin = SPW_ADMIN_DOWN;
	compile();
	assert_true(c.t.services[0].empty);
}

static void what_is_not_carried_is_in_no_row(void **state)
{
	struct service *s;

	(void)state;
	endpoints(3);
	c.f.model.instances[1].carried = false;
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 2, 1);
	compile();
	assert_int_equal(c.t.endpoint_count, 2);
	assert_int_equal(c.t.endpoints[1].id, 2);
	assert_true(addr_equal(&c.t.endpoints[1].addr, &c.f.model.instances[2].addr));
	assert_int_equal(percent_of(0, 2), 100);
}

static void members_of_several_backends_are_planned_under_their_own(void **state)
{
	static const struct object web;
	struct service_plan plan;
	struct service *s;

	(void)state;
	endpoints(2);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 2);
	s->localities[0].backends[1] = &web;
	tables_plan(c.f.arena, s, &c.f.view, &plan);
	assert_null(plan.shares[0].backend);
	assert_ptr_equal(plan.shares[1].backend, &web);
}

/* The same rows and the same slots. */
static void check_same(const struct tables *a, const struct tables *b)
{
	assert_int_equal(a->slots_count, b->slots_count);
	for (size_t i = 0; i < a->slots_count; i++) {
		assert_int_equal(a->slots[i].size, b->slots[i].size);
		assert_int_equal(a->slots[i].hash, b->slots[i].hash);
		assert_memory_equal(a->slots[i].slots, b->slots[i].slots,
				    a->slots[i].size * sizeof(*a->slots[i].slots));
	}
	assert_int_equal(a->service_count, b->service_count);
	for (size_t i = 0; i < a->service_count; i++) {
		assert_int_equal(a->services[i].table, b->services[i].table);
		assert_int_equal(a->services[i].spare, b->services[i].spare);
	}
	assert_int_equal(a->endpoint_count, b->endpoint_count);
	for (size_t i = 0; i < a->endpoint_count; i++) {
		assert_int_equal(a->endpoints[i].pickable, b->endpoints[i].pickable);
		assert_int_equal(a->endpoints[i].up, b->endpoints[i].up);
	}
}

static void what_was_computed_before_changes_no_result(void **state)
{
	static const uint8_t ramps[] = {0, 0, 0, 30, 80};
	const char *why = NULL;

	(void)state;
	endpoints(24);
	for (uint32_t i = 0; i < 6; i++) {
		struct service *s = fixture_service(&c.f, i, 80);

		s->panic_threshold = i % 2 ? 0 : 50;
		fixture_locality(&c.f, s, 0, 1 + i / 2, i * 3, 5);
		fixture_locality(&c.f, s, 0, 1, i * 2 + 6, 1 + i);
		if (i > 1)
			fixture_locality(&c.f, s, 1, 1, 20, 4);
	}
	srand(11);
	for (int round = 0; round < 200; round++) {
		struct health_entry *e = &c.f.health[rand() % 24];
		struct tables fresh;

		e->state = rand() % 3;
		e->ejected = rand() % 5 == 0;
		e->admin = rand() % 4 ? SPW_ADMIN_AUTO : (enum spw_admin)(rand() % 4);
		e->ramp_percent = ramps[rand() % 5];
		compile();
		assert_int_equal(tables_compile(c.f.arena, &c.f.model, &c.f.view, c.ids, LINES,
						NULL, &fresh, &why),
				 0);
		check_same(&fresh, &c.t);
	}
}

static void a_service_of_nobody_has_no_table(void **state)
{
	(void)state;
	(void)fixture_service(&c.f, 1, 80);
	compile();
	assert_int_equal(c.t.services[0].table, TABLE_NONE);
	assert_int_equal(c.t.slots_count, 0);
	assert_int_equal(c.t.endpoint_count, 0);
}

static void what_does_not_fit_the_maps_is_refused_with_the_remedy(void **state)
{
	struct tables t = {.slots_count = 77};
	const char *why = NULL;
	struct service *s;

	(void)state;
	endpoints(3);
	s = fixture_service(&c.f, 1, 80);
	fixture_locality(&c.f, s, 0, 1, 0, 3);
	assert_int_equal(ids_assign(c.ids, &c.f.model, &why), 0);
	assert_int_equal(
		tables_compile(c.f.arena, &c.f.model, &c.f.view, c.ids, 15, NULL, &t, &why),
		-ENOSPC);
	assert_string_equal(
		why, "the pick tables, lists of sources and server ids need 512 slots, there are "
		     "480: raise --max-slots, which takes effect after spillwayd --detach");
	assert_int_equal(t.slots_count, 77);
	assert_int_equal(
		tables_compile(c.f.arena, &c.f.model, &c.f.view, c.ids, 15, c.cache, &t, &why),
		-ENOSPC);
	compile(); /* and what it had worked out does no harm */
	assert_int_equal(c.t.slots_count, 1);
	assert_int_equal(
		tables_compile(c.f.arena, &c.f.model, &c.f.view, c.ids, 16, NULL, &t, &why), 0);
}

/* Ten thousand services of ten endpoints each; generous, for a loaded machine and sanitizers. */
static void ten_thousand_services_compile_quickly(void **state)
{
	uint64_t start;

	(void)state;
	fixture_room(&c.f, 8000, 10000);
	endpoints(8000);
	for (uint32_t i = 0; i < 10000; i++)
		fixture_locality(&c.f, fixture_service(&c.f, i, 80), 0, 1, (i * 7) % 7990, 10);
	ids_free(c.ids);
	c.ids = ids_new(&(struct ids_limits){65536, 16384});
	start = clock_ms();
	compile();
	print_message("  10000 services, all up: %llu ms with sanitizers\n",
		      (unsigned long long)(clock_ms() - start));
	assert_true(clock_ms() - start < 10000);
	for (size_t i = 0; i < 8000; i += 20)
		c.f.health[i].state = HEALTH_DOWN;
	start = clock_ms();
	compile();
	print_message("  10000 services, one in 20 down: %llu ms with sanitizers\n",
		      (unsigned long long)(clock_ms() - start));
}

static void the_largest_table_works(void **state)
{
	struct service *s;

	(void)state;
	fixture_room(&c.f, 4096, 1);
	endpoints(4096);
	s = fixture_service(&c.f, 1, 80);
	for (size_t i = 0; i < 16; i++)
		fixture_locality(&c.f, s, i > 11, 1, i * 256, 256);
	down(0, 2000);
	compile();
	assert_int_equal(c.t.slots[0].size, 65537);
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(slots_of(0, i), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_service_without_a_fallback_has_no_spare_table),
		TEST(the_fallback_is_the_spare_table_and_may_be_picked),
		TEST(weights_split_within_a_tier),
		TEST(from_all_up_exactly_the_slots_of_the_dead_move),
		TEST(duplicates_are_two_shares),
		TEST(a_tier_in_panic_spreads_over_all_but_those_taken_down),
		TEST(the_operator_comes_first),
		TEST(a_share_nobody_may_take_goes_to_the_other_tier),
		TEST(an_instance_is_pickable_when_any_service_needs_it),
		TEST(services_of_equal_endpoints_share_a_table),
		TEST(the_numbers_do_not_decide_who_gets_which_slot),
		TEST(the_plan_is_what_the_table_holds),
		TEST(each_tier_lives_on_what_those_before_it_leave),
		TEST(a_gap_between_tiers_changes_no_share),
		TEST(the_spare_table_is_of_the_next_tier_with_somebody_healthy),
		TEST(with_two_tiers_the_spare_table_never_changes_with_health),
		TEST(slow_start_takes_from_the_share_within_the_locality),
		TEST(an_ejected_endpoint_is_down),
		TEST(answers_without_endpoint_and_idle_times_go_with_the_service),
		TEST(what_is_not_carried_is_in_no_row),
		TEST(members_of_several_backends_are_planned_under_their_own),
		TEST(what_was_computed_before_changes_no_result),
		TEST(a_service_of_nobody_has_no_table),
		TEST(what_does_not_fit_the_maps_is_refused_with_the_remedy),
		TEST(ten_thousand_services_compile_quickly),
		TEST(the_largest_table_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
