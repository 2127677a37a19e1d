/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tiers as packets meet them: models compiled by the daemon's own code, written to the maps, and
 * 100,000 new flows counted for each row. The expected shares are Envoy's, worked out by hand.
 */
#include "groups.h"
#include "world.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tables/compile.h"

#include "../unit/model_fixture.h"

#define FLOWS	   100000
#define BATCH	   4000 /* what the flow table holds, a little less */
#define TOLERANCE  (FLOWS / 100)
#define FALLBACKS  100
#define SLOT_LINES (WORLD_SLOT_LINES / 2)

static struct fixture fixture;
static struct tables tables;

static void install_placed(const struct spw_service_row *row)
{
	for (size_t i = 0; i < tables.endpoint_count; i++) {
		const struct table_endpoint *t = &tables.endpoints[i];
		struct spw_endpoint e = {
			.addr = t->addr,
			.port = htons(t->port),
			.mode = t->mode,
			.source_count = 2,
		};

		world_put_endpoint(t->id, &e);
		world_set_word(t->id,
			       (t->pickable ? SPW_WORD_PICKABLE : 0) | (t->up ? SPW_WORD_UP : 0));
	}
	world_row_on_side(TCP4, world.config.active, row);
}

static void install(void)
{
	struct spw_service_row row = {.flags = SPW_SERVICE_VALID};
	uint32_t base = 0;

	for (size_t i = 0; i < tables.slots_count; i++) {
		const struct table_slots *s = &tables.slots[i];
		struct spw_table_ref ref = {.base = base, .size = s->size};

		world_put_slots(base, s->slots, s->size);
		base += (s->size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS * SPW_LINE_SLOTS;
		if (tables.services[0].table == i)
			row.table = ref;
		if (tables.services[0].spare == i)
			row.spare = ref;
	}
	install_placed(&row);
}

/* `primaries` endpoints in tier 0, the first `up` of them healthy; `fallbacks` in tier 1. */
static void compile(uint32_t primaries, uint32_t fallbacks, uint32_t up)
{
	const struct ids_limits limits = {WORLD_ENDPOINTS, WORLD_SERVICES};
	AUTO(ids_free) struct ids *ids = ids_new(&limits);
	const char *why = NULL;
	struct service *s;

	assert_non_null(ids);
	fixture_init(&fixture);
	fixture_room(&fixture, primaries + fallbacks, 1);
	for (uint32_t i = 0; i < primaries + fallbacks; i++)
		(void)fixture_instance(&fixture, i + 1, 80);
	for (uint32_t i = up; i < primaries; i++)
		fixture.health[i].state = HEALTH_DOWN;
	s = fixture_service(&fixture, 1, 80);
	fixture_locality(&fixture, s, 0, 1, 0, primaries);
	fixture_locality(&fixture, s, 1, 1, primaries, fallbacks);
	assert_int_equal(ids_assign(ids, &fixture.model, &why), 0);
	assert_int_equal(tables_compile(fixture.arena, &fixture.model, &fixture.view, ids,
					SLOT_LINES, NULL, &tables, &why),
			 0);
	install();
}

static void release(void)
{
	fixture_done(&fixture);
}

/* The client's n-th packet: addresses and ports that lie close together, as real ones do. */
static void nth_client(struct frame *f, uint32_t n)
{
	frame_put16(f, FRAME_ETH + 14, (uint16_t)(1 + n / 50000));
	frame_put16(f, FRAME_ETH + 20, (uint16_t)(1024 + n % 50000));
}

static uint64_t opened_by(uint32_t first, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < tables.endpoint_count; i++) {
		uint32_t n = ntohl(tables.endpoints[i].addr.w[3]) & 0xffff;

		if (n > first && n <= first + count)
			sum += world_endpoint_stats(tables.endpoints[i].id).flows_opened;
	}
	return sum;
}

/* Flows of 100,000 that tier 0 gets. */
static uint64_t measure(uint32_t primaries, uint32_t fallbacks, uint32_t up)
{
	struct desc d = from_client(TCP4);
	uint64_t before, before_all, before_dead, got;
	struct frame f, out;

	world_reset(NULL);
	world_set_ports(8000);
	compile(primaries, fallbacks, up);
	before = opened_by(0, primaries);
	before_all = opened_by(0, primaries + fallbacks);
	before_dead = opened_by(up, primaries - up);
	frame_build(&d, &f);
	for (uint32_t n = 0; n < FLOWS; n++) {
		nth_client(&f, n);
		world_expect_verdict(world.if_client, &f, &out, XDP_REDIRECT);
		if (n % BATCH == BATCH - 1)
			world_sweep(100 * SECOND_NS);
	}
	got = opened_by(0, primaries) - before;
	assert_int_equal(opened_by(0, primaries + fallbacks) - before_all, FLOWS);
	assert_int_equal(opened_by(up, primaries - up), before_dead);
	release();
	return got;
}

static void expect_share(uint32_t primaries, uint32_t fallbacks, uint32_t up, uint32_t percent)
{
	uint64_t got = measure(primaries, fallbacks, up);
	int64_t off = (int64_t)got - (int64_t)percent * FLOWS / 100;

	if (llabs(off) > TOLERANCE)
		print_error("%u of %u up: %llu flows of %u to tier 0, expected %u %%\n", up,
			    primaries, (unsigned long long)got, FLOWS, percent);
	assert_true(llabs(off) <= TOLERANCE);
}

static void a_hundred_primaries_spill_as_envoys_do(void **state)
{
	static const struct {
		uint32_t up, percent;
	} rows[] = {
		{100, 100}, {72, 100}, {71, 99}, {70, 98}, {60, 84}, {50, 70},
		{49, 68},   {40, 56},  {36, 50}, {35, 49}, {30, 42}, {25, 35},
		{20, 28},   {10, 14},  {5, 7},	 {2, 2},   {1, 1},   {0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_share(100, FALLBACKS, rows[i].up, rows[i].percent);
}

static void few_primaries_spill_as_envoys_do(void **state)
{
	/* Row n: n up, n - 1 up, and so on to none. */
	static const uint8_t percents[10][11] = {
		{100, 0},
		{100, 70, 0},
		{100, 93, 46, 0},
		{100, 100, 70, 35, 0},
		{100, 100, 84, 56, 28, 0},
		{100, 100, 93, 70, 46, 23, 0},
		{100, 100, 100, 80, 60, 40, 20, 0},
		{100, 100, 100, 87, 70, 52, 35, 17, 0},
		{100, 100, 100, 93, 77, 62, 46, 31, 15, 0},
		{100, 100, 100, 98, 84, 70, 56, 42, 28, 14, 0},
	};

	(void)state;
	for (uint32_t n = 1; n <= 10; n++) {
		for (uint32_t dead = 0; dead <= n; dead++)
			expect_share(n, 2, n - dead, percents[n - 1][dead]);
	}
}

static uint32_t endpoint_of_client(struct frame *f, const struct desc *d, uint32_t n)
{
	struct desc who = *d;
	struct spw_flow flow;
	struct frame out;

	nth_client(f, n);
	world_expect_verdict(world.if_client, f, &out, XDP_REDIRECT);
	memcpy(who.src.b + 12, f->b + FRAME_ETH + 12, 4);
	who.sport = frame_sport(&who, f);
	assert_true(world_flow(&who, &flow));
	return flow.endpoint;
}

/* New flows of one client before and after: only what the dead endpoints had goes elsewhere. */
static void only_the_dead_endpoints_flows_move(void **state)
{
	enum { PRIMARIES = 10, CLIENTS = 3000 };
	static uint32_t first[CLIENTS];
	struct desc d = from_client(TCP4);
	struct frame f;

	(void)state;
	frame_build(&d, &f);
	for (uint32_t dead = 0; dead < PRIMARIES; dead++) {
		world_reset(NULL);
		world_set_ports(8000);
		compile(PRIMARIES, 3, PRIMARIES - dead);
		for (uint32_t n = 0; n < CLIENTS; n++) {
			uint32_t id = endpoint_of_client(&f, &d, n);

			if (!dead)
				first[n] = id;
			else if (first[n] <= PRIMARIES - dead)
				assert_int_equal(id, first[n]);
			else
				assert_false(id > PRIMARIES - dead && id <= PRIMARIES);
		}
		release();
	}
}

static void live_flows_never_move(void **state)
{
	enum { PRIMARIES = 10, CLIENTS = 3000 };
	static uint32_t first[CLIENTS];
	struct desc d = from_client(TCP4);
	struct frame f;

	(void)state;
	world_set_ports(8000);
	compile(PRIMARIES, 3, PRIMARIES);
	frame_build(&d, &f);
	for (uint32_t n = 0; n < CLIENTS; n++)
		first[n] = endpoint_of_client(&f, &d, n);
	release();
	d.flags = TCP_ACK;
	frame_build(&d, &f);
	for (uint32_t dead = 1; dead <= PRIMARIES; dead++) {
		compile(PRIMARIES, 3, PRIMARIES - dead);
		for (uint32_t n = 0; n < CLIENTS; n++)
			assert_int_equal(endpoint_of_client(&f, &d, n), first[n]);
		release();
	}
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), CLIENTS);
}

int shares_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest shares[] = {
		T(a_hundred_primaries_spill_as_envoys_do),
		T(few_primaries_spill_as_envoys_do),
		T(only_the_dead_endpoints_flows_move),
		T(live_flows_never_move),
	};
#undef T

	return cmocka_run_group_tests(shares, NULL, NULL);
}
