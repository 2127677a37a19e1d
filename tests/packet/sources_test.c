/* SPDX-License-Identifier: BSD-2-Clause */
/* Several source addresses: where one has no port left, the endpoint's others have. */
#include "groups.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define PORT_COUNT   8
#define SERVER_FIRST (SPW_FLOW_FIN_CLIENT | SPW_FLOW_FIN_ENDPOINT | SPW_FLOW_CLOSED)

static void use_sources(uint8_t first, uint8_t count)
{
	struct spw_endpoint e = world_endpoint(WEB4_A);

	e.source_first = first;
	e.source_count = count;
	world_put_endpoint(WEB4_A, &e);
}

static int few_ports(void **state)
{
	world_reset(state);
	world_set_ports(PORT_COUNT);
	return 0;
}

static struct desc client_number(uint32_t n)
{
	struct desc d = from_client(TCP4);

	d.sport = (uint16_t)(30000 + n);
	return d;
}

/* Opens `count` flows, all from settings.source[source], each from a port of its own. */
static void open_from(uint32_t source, uint32_t first_client, uint32_t count)
{
	const struct spw_addr *want = &world.config.settings[0].source[source];
	bool used[PORT_COUNT] = {};

	for (uint32_t i = 0; i < count; i++) {
		struct desc d = client_number(first_client + i), sent = world_expect_to(WEB4_A, &d);
		struct desc reply = from_endpoint(&sent);

		assert_memory_equal(&sent.src, want, sizeof(*want));
		assert_false(used[sent.sport - 20000]);
		used[sent.sport - 20000] = true;
		world_expect_reply(world.if_server, &d, &reply);
	}
}

/* As if the connections of these clients were over for 3 s, the server's FIN first. */
static void close_flows(uint32_t first_client, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct desc d = client_number(first_client + i);
		struct flow f;

		assert_true(world_flow(&d, &f));
		f.state = SERVER_FIRST;
		f.seen_ns = world_now_ns() - 3 * SECOND_NS;
		world_put_flow(&d, &f);
	}
}

static void a_source_without_ports_gives_way_to_the_other(void **state)
{
	struct desc d;

	for (uint8_t full = 0; full < 2; full++) {
		few_ports(state);
		use_sources(full, 1);
		open_from(full, 0, PORT_COUNT);
		d = client_number(PORT_COUNT);
		world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
		use_sources(0, 2);
		open_from(!full, PORT_COUNT, PORT_COUNT);
		assert_int_equal(world_flow_count(), 4 * PORT_COUNT);
		for (uint32_t i = 0; i < 20; i++) {
			d = client_number(2 * PORT_COUNT + i);
			world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
		}
		assert_int_equal(world_flow_count(), 4 * PORT_COUNT);
		assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), 0);
	}
}

static void another_source_comes_before_early_reuse(void **state)
{
	(void)state;
	use_sources(0, 1);
	open_from(0, 0, PORT_COUNT);
	close_flows(0, PORT_COUNT);
	use_sources(0, 2);
	open_from(1, PORT_COUNT, PORT_COUNT);
	assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), 0);
	open_from(0, 2 * PORT_COUNT, PORT_COUNT); /* the second is full */
	assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), PORT_COUNT);
	assert_int_equal(world_flow_count(), 4 * PORT_COUNT);
}

/* While the other source has ports, those that rest here do not lose their turn. */
static void ports_passed_by_stay_in_their_order(void **state)
{
	uint16_t order[100];

	(void)state;
	world_set_ports(100);
	use_sources(0, 1);
	for (uint32_t i = 0; i < 100; i++) {
		struct desc d = client_number(i);

		order[i] = world_expect_to(WEB4_A, &d).sport;
	}
	close_flows(0, 100);
	use_sources(0, 2);
	for (uint32_t i = 100; i < 200; i++) {
		struct desc d = client_number(i);

		assert_int_equal(world_expect_to(WEB4_A, &d).src.b[15], 3);
	}
	for (uint32_t i = 0; i < 100; i++) {
		struct desc d = client_number(200 + i), sent = world_expect_to(WEB4_A, &d);

		assert_int_equal(sent.src.b[15], 1);
		assert_int_equal(sent.sport, order[i]);
	}
	assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), 100);
}

static void sixteen_sources_are_all_used_up(void **state)
{
	bool used[SPW_SOURCES_MAX] = {};
	char text[32];
	struct desc d;

	(void)state;
	for (int i = 0; i < SPW_SOURCES_MAX; i++) {
		snprintf(text, sizeof(text), "10.2.0.%d", 100 + i);
		world.config.settings[0].source[i] = addr_of(text);
	}
	world_set_ports(1);
	use_sources(0, SPW_SOURCES_MAX);
	for (uint32_t i = 0; i < SPW_SOURCES_MAX; i++) {
		struct desc sent;

		d = client_number(i);
		sent = world_expect_to(WEB4_A, &d);
		assert_false(used[sent.src.b[15] - 100]);
		used[sent.src.b[15] - 100] = true;
	}
	d = client_number(SPW_SOURCES_MAX);
	world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
}

/* A row of an endpoint names its sources before the switch that brings them. */
static void places_without_a_source_are_passed_over(void **state)
{
	struct spw_addr *source = world.config.settings[0].source;
	struct desc d;

	(void)state;
	memset(source, 0, sizeof(world.config.settings[0].source));
	source[5] = addr_of("10.2.0.1");
	world_put_config();
	use_sources(3, 4);
	open_from(5, 0, PORT_COUNT);
	d = client_number(PORT_COUNT);
	world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
	use_sources(6, 10);
	world_expect_refused(&d, SPW_DROP_NO_SOURCE);
}

int sources_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, few_ports)
	const struct CMUnitTest sources[] = {
		T(a_source_without_ports_gives_way_to_the_other),
		T(another_source_comes_before_early_reuse),
		T(ports_passed_by_stay_in_their_order),
		T(sixteen_sources_are_all_used_up),
		T(places_without_a_source_are_passed_over),
	};
#undef T

	return cmocka_run_group_tests(sources, NULL, NULL);
}
