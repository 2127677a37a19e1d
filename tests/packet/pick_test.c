/* SPDX-License-Identifier: BSD-2-Clause */
/* Which endpoint a new flow gets. */
#include "groups.h"
#include "world.h"

#include <arpa/inet.h>

#define CLIENTS 300

static struct desc client_number(uint32_t n)
{
	struct desc d = from_client(TCP4);

	d.sport = (uint16_t)(10000 + n);
	return d;
}

static void without_a_pickable_endpoint_a_flow_is_refused(void **state)
{
	static const uint32_t words[] = {
		0,
		SPW_WORD_UP,
		SPW_WORD_PICKABLE | SPW_WORD_UP | SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT,
		SPW_WORD_PICKABLE | SPW_WORD_UP | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT,
	};
	struct desc d = from_client(TCP4);

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		world_set_word(WEB4_A, words[i]);
		world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	}
	world_set_word(WEB4_A, SPW_WORD_PICKABLE | SPW_ADMIN_UP << SPW_WORD_ADMIN_SHIFT);
	world_expect_to(WEB4_A, &d);
}

static void a_service_without_a_table_refuses(void **state)
{
	struct spw_service_row row = world_row(TCP4, 0);
	struct desc d = from_client(TCP4);

	(void)state;
	row.table.size = 0;
	world_row_on_side(TCP4, 0, &row);
	world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	row.table.base = WORLD_SLOT_LINES * SPW_LINE_SLOTS; /* a table that is not there */
	row.table.size = 10;
	world_row_on_side(TCP4, 0, &row);
	world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	world_serve(TCP4, (uint16_t[]){SPW_ENDPOINT_NONE}, 1);
	world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
}

static void an_endpoint_taken_out_is_passed_over(void **state)
{

	(void)state;
	world_serve(TCP4, (uint16_t[]){WEB4_A, WEB4_B, WEB4_C, WEB4_A, WEB4_B, WEB4_C}, 6);
	world_set_word(WEB4_B, 0);
	/* Five slots looked at: 1 flow in 243 meets only the endpoint that is out, and looks on. */
	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct desc d = client_number(i);

		assert_int_not_equal(world_endpoint_of(&d), WEB4_B);
	}
	assert_in_range(world_stat(SPW_COUNT_PICK_PROBED), CLIENTS / 4, CLIENTS / 2);
	assert_int_equal(world_stat(SPW_DROP_NO_ENDPOINT), 0);
}

static void the_spare_table_is_asked_last(void **state)
{
	(void)state;
	world_serve(TCP4, (uint16_t[]){WEB4_A, WEB4_B}, 2);
	world_serve_spare(TCP4, (uint16_t[]){WEB4_C}, 1);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct desc d = client_number(i);

		assert_int_not_equal(world_endpoint_of(&d), WEB4_C);
	}
	assert_int_equal(world_stat(SPW_COUNT_PICK_SPARE), 0);
	world_set_word(WEB4_A, 0);
	world_set_word(WEB4_B, 0);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		struct desc d = client_number(CLIENTS + i);

		assert_int_equal(world_endpoint_of(&d), WEB4_C);
	}
	assert_int_equal(world_stat(SPW_COUNT_PICK_SPARE), CLIENTS);
}

static void an_endpoint_of_the_other_family_is_never_picked(void **state)
{
	struct desc d = from_client(TCP4), d6 = from_client(TCP6);

	(void)state;
	world_serve(TCP4, (uint16_t[]){WEB6_A}, 1);
	world_serve(TCP6, (uint16_t[]){WEB4_A}, 1);
	world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	world_expect_refused(&d6, SPW_DROP_NO_ENDPOINT);
}

static void an_endpoint_of_direct_return_is_not_picked_where_the_service_has_none(void **state)
{
	struct spw_endpoint e = world_endpoint(WEB4_A);
	struct desc d = from_client(TCP4);

	(void)state;
	for (e.mode = SPW_MODE_NONE; e.mode <= SPW_MODE_HANDOFF + 1; e.mode++) {
		if (e.mode == SPW_MODE_NAT || e.mode == SPW_MODE_HANDOFF)
			continue;
		world_put_endpoint(WEB4_A, &e);
		world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	}
}

static void the_other_side_is_not_seen_before_the_switch(void **state)
{
	struct spw_service_row row = world_row(TCP4, 0);
	struct desc d = client_number(0);

	(void)state;
	row.table = (struct spw_table_ref){.base = 31 * SPW_LINE_SLOTS, .size = 1};
	world_put_slots(row.table.base, (uint16_t[]){WEB4_C}, 1);
	world_row_on_side(TCP4, 1, &row);
	world_expect_to(WEB4_A, &d);
	world.config.active = 1;
	world_put_config();
	world_expect_to(WEB4_A, &d); /* its flow stays */
	d = client_number(1);
	world_expect_to(WEB4_C, &d);
	world.config.active = 0;
	world_put_config();
	d = client_number(2);
	world_expect_to(WEB4_A, &d);
}

static void settings_switch_with_the_rows(void **state)
{
	struct desc d = client_number(0);

	(void)state;
	world.config.settings[1].port_count = 0;
	world.config.active = 1;
	world_put_config();
	world_expect_end(world.if_client, &d, SPW_PASS_NO_SERVICE); /* no row on this side */
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	world_expect_refused(&d, SPW_DROP_NO_SOURCE);
}

static void equal_packets_and_seeds_get_equal_picks(void **state)
{
	static const uint16_t ids[] = {WEB4_A, WEB4_B, WEB4_C};
	uint32_t first[CLIENTS], differ = 0;

	(void)state;
	for (int round = 0; round < 3; round++) {
		world_reset(NULL);
		world.config.settings[0].seed += round == 2;
		world_put_config();
		world_serve(TCP4, ids, 3);
		for (uint32_t i = 0; i < CLIENTS; i++) {
			struct desc d = client_number(i);
			uint32_t id = world_endpoint_of(&d);

			if (!round)
				first[i] = id;
			else if (round == 1)
				assert_int_equal(id, first[i]);
			else
				differ += id != first[i];
		}
	}
	assert_in_range(differ, CLIENTS / 2, CLIENTS - 1); /* two thirds */
}

/* Chi-square over 31 slots; neighbouring ports and addresses must spread as well as random ones. */
static void picks_spread_evenly(void **state)
{
	enum { SLOTS = 31, FLOWS = 3100 };
	uint32_t per_slot[SLOTS] = {};
	uint16_t ids[SLOTS];
	double chi = 0;

	(void)state;
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct spw_endpoint e = world_endpoint(WEB4_A);

		ids[i] = (uint16_t)(500 + i);
		e.port =
			htons((uint16_t)(9000 + i)); /* two rows of one address would share ports */
		world_put_endpoint(ids[i], &e);
		world_set_word(ids[i], SPW_WORD_PICKABLE);
	}
	world_serve(TCP4, ids, SLOTS);
	world_set_ports(4000);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct desc d = client_number(i % 50);

		d.src.b[15] = (uint8_t)(1 + i / 50);
		per_slot[world_endpoint_of(&d) - 500]++;
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		chi += (per_slot[i] - 100.0) * (per_slot[i] - 100.0) / 100.0;
	assert_in_range((int)chi, 8, 66); /* 30 degrees of freedom: p from 1e-5 to 1 - 2e-4 */
}

int pick_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest pick[] = {
		T(without_a_pickable_endpoint_a_flow_is_refused),
		T(a_service_without_a_table_refuses),
		T(an_endpoint_taken_out_is_passed_over),
		T(the_spare_table_is_asked_last),
		T(an_endpoint_of_the_other_family_is_never_picked),
		T(an_endpoint_of_direct_return_is_not_picked_where_the_service_has_none),
		T(the_other_side_is_not_seen_before_the_switch),
		T(settings_switch_with_the_rows),
		T(equal_packets_and_seeds_get_equal_picks),
		T(picks_spread_evenly),
	};
#undef T

	return cmocka_run_group_tests(pick, NULL, NULL);
}
