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
	struct spw_service_row row = world_row(TCP4, world.config.active);
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

/* Endpoints of one backendRef, the first `up` of them healthy. */
struct group {
	uint8_t tier;
	uint32_t weight, total, up;
	uint32_t permille; /* of the flows, expected */
	bool dead_too;	   /* in panic: the dead are picked as well */
};

#define GROUPS_MAX 3

static void compile_groups(const struct group *groups, size_t count, uint8_t panic_threshold)
{
	const struct ids_limits limits = {WORLD_ENDPOINTS, WORLD_SERVICES};
	AUTO(ids_free) struct ids *ids = ids_new(&limits);
	uint32_t total = 0, first = 0;
	const char *why = NULL;
	struct service *s;

	assert_non_null(ids);
	for (size_t g = 0; g < count; g++)
		total += groups[g].total;
	fixture_init(&fixture);
	fixture_room(&fixture, total, 1);
	for (uint32_t i = 0; i < total; i++)
		(void)fixture_instance(&fixture, i + 1, 80);
	s = fixture_service(&fixture, 1, 80);
	s->panic_threshold = panic_threshold;
	for (size_t g = 0; g < count; g++) {
		for (uint32_t i = groups[g].up; i < groups[g].total; i++)
			fixture.health[first + i].state = HEALTH_DOWN;
		fixture_locality(&fixture, s, groups[g].tier, groups[g].weight, first,
				 groups[g].total);
		first += groups[g].total;
	}
	assert_int_equal(ids_assign(ids, &fixture.model, &why), 0);
	assert_int_equal(tables_compile(fixture.arena, &fixture.model, &fixture.view, ids,
					SLOT_LINES, NULL, &tables, &why),
			 0);
	install();
}

/* `primaries` endpoints in tier 0, the first `up` of them healthy; `fallbacks` in tier 1. */
static void compile(uint32_t primaries, uint32_t fallbacks, uint32_t up)
{
	const struct group groups[] = {
		{.total = primaries, .up = up, .weight = 1},
		{.total = fallbacks, .up = fallbacks, .weight = 1, .tier = 1}};

	compile_groups(groups, 2, 50);
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

/* Flows that each group got: those of its living and those of its dead. */
struct count {
	uint64_t up, down;
};

static void count_flows(const struct group *groups, size_t count, struct count *out)
{
	uint32_t first = 0;

	for (size_t g = 0; g < count; g++) {
		out[g].up = opened_by(first, groups[g].up);
		out[g].down = opened_by(first + groups[g].up, groups[g].total - groups[g].up);
		first += groups[g].total;
	}
}

static void open_flows(void)
{
	struct desc d = from_client(TCP4);
	struct frame f, out;

	frame_build(&d, &f);
	for (uint32_t n = 0; n < FLOWS; n++) {
		nth_client(&f, n);
		world_expect_verdict(world.if_client, &f, &out, XDP_REDIRECT);
		if (n % BATCH == BATCH - 1)
			world_sweep(100 * SECOND_NS);
	}
}

static void expect_group(const struct group *g, uint64_t up, uint64_t down)
{
	const int64_t off = (int64_t)(up + down) - (int64_t)g->permille * FLOWS / 1000;
	const int64_t dead_off =
		(int64_t)(down * g->total) - (int64_t)((up + down) * (g->total - g->up));

	if (llabs(off) > TOLERANCE)
		print_error("tier %u, %u of %u up: %llu flows of %u, expected %u permille\n",
			    g->tier, g->up, g->total, (unsigned long long)(up + down), FLOWS,
			    g->permille);
	assert_true(llabs(off) <= TOLERANCE);
	if (g->dead_too)
		assert_true(llabs(dead_off) <= (int64_t)TOLERANCE * g->total);
	else
		assert_int_equal(down, 0);
}

/* 100,000 new flows. */
static void expect_shares(const struct group *groups, size_t count, uint8_t panic_threshold)
{
	struct count before[GROUPS_MAX], now[GROUPS_MAX];
	uint64_t sum = 0;

	world_reset(NULL);
	world_set_ports(8000);
	compile_groups(groups, count, panic_threshold);
	count_flows(groups, count, before);
	open_flows();
	count_flows(groups, count, now);
	for (size_t g = 0; g < count; g++) {
		expect_group(&groups[g], now[g].up - before[g].up, now[g].down - before[g].down);
		sum += now[g].up - before[g].up + now[g].down - before[g].down;
	}
	assert_int_equal(sum, FLOWS);
	release();
}

static void expect_share(uint32_t primaries, uint32_t fallbacks, uint32_t up, uint32_t percent)
{
	const struct group groups[] = {
		{.total = primaries, .up = up, .weight = 1, .permille = 10 * percent},
		{.total = fallbacks,
		 .up = fallbacks,
		 .weight = 1,
		 .tier = 1,
		 .permille = 10 * (100 - percent)}};

	expect_shares(groups, 2, 50);
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

/* Rows of two or three tiers. */
struct row {
	uint8_t panic_threshold;
	uint32_t total[GROUPS_MAX], up[GROUPS_MAX], percent[GROUPS_MAX];
	bool panic[GROUPS_MAX];
};

static void expect_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct group groups[GROUPS_MAX];
		size_t n = 0;

		for (uint8_t t = 0; t < GROUPS_MAX; t++) {
			if (rows[i].total[t])
				groups[n++] = (struct group){t,
							     1,
							     rows[i].total[t],
							     rows[i].up[t],
							     10 * rows[i].percent[t],
							     rows[i].panic[t]};
		}
		expect_shares(groups, n, rows[i].panic_threshold);
	}
}

static void two_hurt_tiers_share_as_envoys_do(void **state)
{
	static const struct row rows[] = {
		{50, {100, 100}, {40, 40}, {56, 44}, {false, false}},
		{50, {100, 100}, {30, 40}, {50, 50}, {true, true}},
		{0, {100, 100}, {30, 40}, {43, 57}, {false, false}},
		{50, {100, 100}, {20, 50}, {29, 71}, {true, false}},
		{50, {100, 100}, {5, 65}, {8, 92}, {true, false}},
		{50, {100, 100}, {60, 10}, {86, 14}, {false, true}},
		{0, {100, 100}, {49, 10}, {83, 17}, {false, false}},
		{50, {100, 100}, {0, 0}, {50, 50}, {true, true}},
		{50, {2, 2}, {1, 0}, {100, 0}, {false, true}},
		{50, {4, 2}, {1, 0}, {67, 33}, {true, true}},
		{50, {3, 1}, {0, 0}, {75, 25}, {true, true}},
	};

	(void)state;
	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Twenty endpoints a tier: the percentages are whole ones. */
static void three_tiers_share_as_envoys_do(void **state)
{
	static const struct row rows[] = {
		{50, {20, 20, 20}, {10, 20, 20}, {70, 30, 0}, {false}},
		{50, {20, 20, 20}, {6, 6, 6}, {42, 42, 16}, {false}},
		{50, {20, 20, 20}, {0, 0, 20}, {0, 0, 100}, {false}},
		{50, {20, 20, 20}, {5, 5, 4}, {34, 33, 33}, {true, true, true}},
		{0, {20, 20, 20}, {5, 5, 4}, {37, 35, 28}, {false}},
	};

	(void)state;
	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* Weights 3 and 1; two of four up leave 210 of 310. */
static void hurt_localities_share_as_envoys_do(void **state)
{
	static const uint32_t rows[][2] = {{4, 750}, {3, 750}, {2, 677}, {1, 512}};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct group groups[] = {
			{.weight = 3, .total = 4, .up = rows[i][0], .permille = rows[i][1]},
			{.weight = 1, .total = 4, .up = 4, .permille = 1000 - rows[i][1]}};

		expect_shares(groups, 2, 0);
	}
}

static uint32_t endpoint_of_client(struct frame *f, const struct desc *d, uint32_t n)
{
	struct desc who = *d;
	struct flow flow;
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
		T(two_hurt_tiers_share_as_envoys_do),
		T(three_tiers_share_as_envoys_do),
		T(hurt_localities_share_as_envoys_do),
		T(only_the_dead_endpoints_flows_move),
		T(live_flows_never_move),
	};
#undef T

	return cmocka_run_group_tests(shares, NULL, NULL);
}
