/* SPDX-License-Identifier: BSD-2-Clause */
/* From the model to the tables: ways to pick, weights, lists and limits; and when rows are switched. */
#include "tables/compile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/network.h"
#include "model_fixture.h"
#include "tables/diff.h"

#define LINES 4096

static struct fixture f;
static struct ids *ids;
static struct tables t;
static struct service *service;

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	fixture_room(&f, 8, 4);
	for (uint32_t i = 0; i < 4; i++)
		(void)fixture_instance(&f, i + 1, 80);
	service = fixture_service(&f, 1, 80);
	ids = ids_new(&(struct ids_limits){64, 16});
	t = (struct tables){0};
	return ids ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ids_free(ids);
	fixture_done(&f);
	return 0;
}

static struct tables compile(void)
{
	const char *why = NULL;
	struct tables out;

	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(tables_compile(f.arena, &f.model, &f.view, ids, LINES, NULL, &out, &why),
			 0);
	return out;
}

static const struct netlist *list_of(const char *text)
{
	struct netlist *l = arena_alloc(f.arena, sizeof(*l));
	struct networks n = {0};
	struct network_slip slip;

	assert_int_equal(networks_add_text(f.arena, &n, text, strlen(text), &slip), 0);
	netlist_build(f.arena, &n, l);
	return l;
}

/* The steps from one set of tables to the next, as text. */
static const char *steps_between(const struct tables *have, struct tables *want)
{
	struct strbuf text = {0};
	struct steps steps;
	const char *out;

	assert_int_equal(tables_diff(f.arena, have, want, &(struct line_space){.lines = LINES},
				     &(struct line_space){.lines = 1}, &steps),
			 0);
	steps_print(&steps, &text);
	out = arena_strdup(f.arena, text.text ? text.text : "");
	strbuf_done(&text);
	return out;
}

static void a_table_has_the_size_that_the_policy_says(void **state)
{
	static const uint32_t sizes[] = {2, 3, 251, 1021, 65537};

	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 4);
	service->pick = SPW_PICK_SOURCE;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		service->table_size = sizes[i];
		t = compile();
		assert_int_equal(t.services[0].pick, SPW_PICK_SOURCE);
		assert_int_equal(t.slots[t.services[0].table].size, sizes[i]);
	}
	service->table_size = 0;
	t = compile();
	assert_int_equal(t.slots[t.services[0].table].size, 509);
}

static void services_of_other_table_sizes_share_nothing(void **state)
{
	struct service *other = fixture_service(&f, 2, 80);

	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 4);
	fixture_locality(&f, other, 0, 1, 0, 4);
	other->table_size = 251;
	t = compile();
	assert_int_equal(t.slots_count, 2);
}

static void equal_endpoints_have_no_weights_and_are_counted(void **state)
{
	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 3);
	service->pick = SPW_PICK_LEAST;
	t = compile();
	assert_int_equal(t.services[0].weights, TABLE_NONE);
	assert_int_equal(t.slots_count, 1);
	for (size_t i = 0; i < 3; i++)
		assert_true(t.endpoints[i].flags & SPW_ENDPOINT_COUNTED);
	service->pick = SPW_PICK_FLOW;
	t = compile();
	assert_false(t.endpoints[0].flags & SPW_ENDPOINT_COUNTED);
}

static void weights_are_the_slots_of_each_slots_endpoint(void **state)
{
	const struct table_slots *slots, *weights;
	uint32_t counts[64] = {0};

	(void)state;
	fixture_locality(&f, service, 0, 3, 0, 1);
	fixture_locality(&f, service, 0, 1, 1, 1);
	service->pick = SPW_PICK_LEAST;
	t = compile();
	assert_int_not_equal(t.services[0].weights, TABLE_NONE);
	slots = &t.slots[t.services[0].table];
	weights = &t.slots[t.services[0].weights];
	assert_int_equal(weights->kind, TABLE_WEIGHTS);
	assert_int_equal(weights->size, slots->size);
	for (uint32_t i = 0; i < slots->size; i++)
		counts[slots->slots[i]]++;
	for (uint32_t i = 0; i < slots->size; i++)
		assert_int_equal(weights->slots[i], counts[slots->slots[i]]);
}

static void limits_become_times_and_lists_lines(void **state)
{
	const struct netlist *list = list_of("10.0.0.0/8");
	const struct table_service *s;

	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 2);
	service->guard = (struct guard){
		.deny = list, .rate = 3000, .burst = 30, .source_rate = 1, .source_burst = 5};
	t = compile();
	s = &t.services[0];
	assert_true(s->guarded);
	assert_int_equal(s->guard.allow, TABLE_NONE);
	assert_int_equal(t.slots[s->guard.deny].kind, TABLE_LIST);
	assert_int_equal(t.slots[s->guard.deny].size, list->count * SPW_LINE_SLOTS);
	assert_memory_equal(t.slots[s->guard.deny].slots, list->lines,
			    list->count * sizeof(*list->lines));
	assert_int_equal(s->guard.every_ns, 333333);
	assert_int_equal(s->guard.burst_ns, 333333 * 30);
	assert_int_equal(s->guard.source_every_ns, 1000000000);
	assert_int_equal(s->guard.source_burst_ns, 5000000000);
}

static void equal_lists_of_services_are_one(void **state)
{
	struct service *other = fixture_service(&f, 2, 80);

	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 2);
	fixture_locality(&f, other, 0, 1, 0, 2);
	service->guard.deny = list_of("10.0.0.0/8");
	other->guard.allow = list_of("10.0.0.0/9, 10.128.0.0/9");
	t = compile();
	assert_int_equal(t.services[0].guard.deny, t.services[1].guard.allow);
	assert_int_equal(t.slots_count, 2);
}

static void equal_lists_and_limits_need_no_step_and_others_switch(void **state)
{
	struct tables next;

	(void)state;
	fixture_locality(&f, service, 0, 3, 0, 1);
	fixture_locality(&f, service, 0, 1, 1, 1);
	service->pick = SPW_PICK_LEAST;
	service->guard = (struct guard){.allow = list_of("10.0.0.0/8"), .rate = 10, .burst = 10};
	t = compile();
	assert_non_null(strstr(steps_between(&(struct tables){0}, &t), "switch rows"));
	next = compile();
	assert_string_equal(steps_between(&t, &next), "");
	service->guard.burst = 11;
	next = compile();
	assert_string_equal(steps_between(&t, &next), "switch rows\n");
	service->guard.burst = 10;
	service->guard.allow = list_of("10.0.0.0/8 10.0.0.0/9");
	next = compile();
	assert_string_equal(steps_between(&t, &next), "");
	service->guard.allow = list_of("10.0.0.0/9");
	next = compile();
	assert_non_null(strstr(steps_between(&t, &next), "put table 2: size 128 at slot"));
	service->guard = (struct guard){0};
	next = compile();
	assert_string_equal(steps_between(&t, &next), "switch rows\n");
}

static void a_change_of_the_pick_switches_the_rows(void **state)
{
	struct tables next;

	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 2);
	t = compile();
	(void)steps_between(&(struct tables){0}, &t);
	service->pick = SPW_PICK_SOURCE;
	next = compile();
	assert_string_equal(steps_between(&t, &next), "switch rows\n");
}

static void lists_that_do_not_fit_are_refused(void **state)
{
	struct networks n = {0};
	struct netlist list;
	struct tables out;
	const char *why = NULL;

	(void)state;
	fixture_locality(&f, service, 0, 1, 0, 2);
	for (uint32_t i = 0; i < 40000; i++)
		*arena_push(f.arena, n.items, n.count) = (struct network){fixture_addr(2 * i), 128};
	netlist_build(f.arena, &n, &list);
	service->guard.deny = &list;
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(tables_compile(f.arena, &f.model, &f.view, ids, LINES, NULL, &out, &why),
			 -ENOSPC);
	assert_non_null(strstr(why, "--max-slots"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_table_has_the_size_that_the_policy_says),
		TEST(services_of_other_table_sizes_share_nothing),
		TEST(equal_endpoints_have_no_weights_and_are_counted),
		TEST(weights_are_the_slots_of_each_slots_endpoint),
		TEST(limits_become_times_and_lists_lines),
		TEST(equal_lists_of_services_are_one),
		TEST(equal_lists_and_limits_need_no_step_and_others_switch),
		TEST(a_change_of_the_pick_switches_the_rows),
		TEST(lists_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests_name("extras", tests, NULL, NULL);
}
