/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of server ids: built, looked up, compiled with their service and switched with its row. */
#include "tables/quic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "model_fixture.h"
#include "tables/compile.h"
#include "tables/diff.h"

#define LINES 4096

static struct fixture f;
static struct ids *ids;
static struct service *service;

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	fixture_room(&f, 8, 4);
	for (uint32_t i = 0; i < 4; i++)
		(void)fixture_instance(&f, i + 1, 443);
	service = fixture_service(&f, 1, 443);
	service->proto = IPPROTO_UDP;
	fixture_locality(&f, service, 0, 1, 0, 4);
	ids = ids_new(&(struct ids_limits){64, 16});
	return ids ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ids_free(ids);
	fixture_done(&f);
	return 0;
}

static union spw_quic_key key_of(uint8_t config, uint32_t id, uint8_t len)
{
	union spw_quic_key k = {.b = {config}};

	for (uint8_t i = 0; i < len && i < sizeof(id); i++)
		k.b[len - i] = (uint8_t)(id >> 8 * i);
	return k;
}

static void check_size(uint32_t count, uint8_t len)
{
	struct quic_map map = {.id_len = {len}, .count = count};
	uint16_t *endpoints = arena_array(f.arena, count, sizeof(*endpoints));
	struct table_slots t, again;

	map.ids = arena_array(f.arena, count, sizeof(*map.ids));
	for (uint32_t i = 0; i < count; i++) {
		map.ids[i].key = key_of(0, i, len);
		endpoints[i] = (uint16_t)(i + 1);
	}
	quic_build(f.arena, &map, endpoints, &t);
	assert_int_equal(t.size % SPW_LINE_SLOTS, 0);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(quic_find(&t, &map.ids[i].key), i + 1);
	for (uint32_t i = count; i < 2 * count && (len > 2 || i < 1u << 8 * len); i++) {
		const union spw_quic_key k = key_of(0, i, len);

		assert_int_equal(quic_find(&t, &k), SPW_ENDPOINT_NONE);
	}
	/* At most twice the lines that hold it half full: the search is short. */
	assert_in_range(t.size / SPW_LINE_SLOTS, 2, 2 + 2 * (2 * count / 3 + 1));
	quic_build(f.arena, &map, endpoints, &again);
	assert_int_equal(again.hash, t.hash);
}

static void every_id_is_found_and_no_other(void **state)
{
	static const uint32_t counts[] = {1, 2, 3, 4, 50, 255, 1000, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		for (uint8_t len = counts[i] > 255 ? 2 : 1; len <= SPW_QUIC_ID_MAX; len++)
			check_size(counts[i], len);
	}
}

/* The id of zeros in configuration 0 looks like a free way. */
static void an_id_of_zeros_is_an_id(void **state)
{
	const union spw_quic_key zero = {.w = {0, 0}}, one = key_of(1, 0, 1);
	struct quic_id entry = {.key = zero};
	struct quic_map map = {.id_len = {1, 1}, .ids = &entry, .count = 1};
	const uint16_t endpoint = 7;
	struct table_slots t;

	(void)state;
	quic_build(f.arena, &map, &endpoint, &t);
	assert_int_equal(quic_find(&t, &zero), 7);
	assert_int_equal(quic_find(&t, &one), SPW_ENDPOINT_NONE);
	entry.key = one;
	quic_build(f.arena, &map, &endpoint, &t);
	assert_int_equal(quic_find(&t, &zero), SPW_ENDPOINT_NONE);
	assert_int_equal(quic_find(&t, &one), 7);
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

/* Two of the endpoints have ids: those of these instances. */
static void give_ids(uint32_t first, uint32_t second)
{
	struct quic_id *list = arena_array(f.arena, 2, sizeof(*list));

	list[0] = (struct quic_id){key_of(2, 0x0a01, 2), first};
	list[1] = (struct quic_id){key_of(2, 0x0a02, 2), second};
	service->quic = (struct quic_map){.id_len = {0, 0, 2}, .ids = list, .count = 2};
}

static void steps_of(const struct tables *have, struct tables *want, struct steps *out)
{
	assert_int_equal(tables_diff(f.arena, have, want, &(struct line_space){.lines = LINES},
				     &(struct line_space){.lines = 1}, out),
			 0);
}

static void a_service_gets_the_numbers_of_its_endpoints(void **state)
{
	const union spw_quic_key k = key_of(2, 0x0a02, 2);
	const struct spw_quic_line *lines;
	struct tables t;

	(void)state;
	t = compile();
	assert_int_equal(t.services[0].quic, 0);
	give_ids(1, 3);
	t = compile();
	assert_int_not_equal(t.services[0].quic, 0);
	assert_int_equal(quic_find(&t.slots[table_quic(&t.services[0])], &k),
			 ids_endpoint(ids, &f.model.instances[3]));
	lines = (const void *)t.slots[table_quic(&t.services[0])].slots;
	assert_int_equal(lines[0].head.id_len[2], 2);
	assert_int_equal(lines[0].head.id_len[0], 0);
}

static void ids_that_change_are_one_new_table_and_a_switch(void **state)
{
	struct tables none = {0}, a, b;
	struct steps steps;

	(void)state;
	a = compile();
	steps_of(&none, &a, &steps);
	give_ids(0, 1);
	b = compile();
	steps_of(&a, &b, &steps);
	assert_true(steps.switch_rows);
	assert_int_equal(steps.slots_put_count, 1);
	assert_int_equal(steps.endpoints_put_count + steps.endpoints_del_count, 0);
	a = compile();
	steps_of(&b, &a, &steps);
	assert_true(steps_empty(&steps));
	give_ids(1, 0);
	b = compile();
	steps_of(&a, &b, &steps);
	assert_true(steps.switch_rows);
	assert_int_equal(steps.slots_put_count, 1);
	service->quic.count = 0;
	a = compile();
	steps_of(&b, &a, &steps);
	assert_true(steps.switch_rows);
	assert_int_equal(steps.slots_put_count, 0);
}

static void endpoints_that_are_down_keep_their_ids(void **state)
{
	struct tables before, after;
	struct steps steps;

	(void)state;
	give_ids(0, 1);
	before = compile();
	steps_of(&(struct tables){0}, &before, &steps);
	f.health[0].state = HEALTH_DOWN;
	f.health[1].admin = SPW_ADMIN_DRAIN;
	after = compile();
	assert_int_equal(before.slots[table_quic(&before.services[0])].hash,
			 after.slots[table_quic(&after.services[0])].hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_id_is_found_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(an_id_of_zeros_is_an_id, setup, teardown),
		cmocka_unit_test_setup_teardown(a_service_gets_the_numbers_of_its_endpoints, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ids_that_change_are_one_new_table_and_a_switch,
						setup, teardown),
		cmocka_unit_test_setup_teardown(endpoints_that_are_down_keep_their_ids, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
