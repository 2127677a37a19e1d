/* SPDX-License-Identifier: BSD-2-Clause */
/* Picks that are not by the hash of the 5-tuple: by the client's address, and by load. */
#include "groups.h"
#include "whole.h"
#include "world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

#define WEIGHTS_AT (WORLD_SLOT_LINES / 2 * SPW_LINE_SLOTS) /* where no table of a test is */

static const uint16_t three[] = {WEB4_A, WEB4_B, WEB4_C};

static void put(struct bpf_map *map, uint32_t key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), &key, value, BPF_ANY), 0);
}

static void set_load(uint32_t id, int64_t open)
{
	const struct spw_load l = {.open = open};

	put(world.skel->maps.endpoint_loads, id, &l);
}

static int64_t load_of(uint32_t id)
{
	struct spw_load l;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.endpoint_loads), &id, &l),
			 0);
	return l.open;
}

static void counted(uint32_t id)
{
	struct spw_endpoint e = world_endpoint(id);

	e.flags |= SPW_ENDPOINT_COUNTED;
	world_put_endpoint(id, &e);
	set_load(id, 0);
}

static void pick_by(uint32_t service, enum spw_pick pick)
{
	struct spw_service_row row = world_row(service, world.config.active);

	row.pick = (uint8_t)pick;
	world_row_on_side(service, world.config.active, &row);
}

/* The service's slots, and for each what its endpoint weighs; NULL: all alike. */
static void serve_least(const uint16_t *ids, uint32_t count, const uint16_t *weights)
{
	struct spw_service_extra x = {0};

	if (weights) {
		x.weights = (struct spw_table_ref){WEIGHTS_AT, count};
		world_put_slots(WEIGHTS_AT, weights, count);
	}
	put(world.skel->maps.service_extras, TCP4 * 2 + world.config.active, &x);
	world_serve(TCP4, ids, count);
	world_set_ports(8000);
	pick_by(TCP4, SPW_PICK_LEAST);
	for (uint32_t i = 0; i < count; i++)
		counted(ids[i]);
}

static struct desc client_number(uint32_t service, uint32_t n)
{
	struct desc d = from_client(service);

	d.src.b[15] = (uint8_t)(30 + n / 50000);
	d.sport = (uint16_t)(10000 + n % 50000);
	return d;
}

static void a_client_keeps_its_endpoint_by_its_address_alone(void **state)
{
	uint32_t spread = 0;

	(void)state;
	world_serve(TCP4, three, 3);
	world_serve(UDP4, three, 3);
	pick_by(TCP4, SPW_PICK_SOURCE);
	pick_by(UDP4, SPW_PICK_SOURCE);
	for (uint32_t c = 0; c < 60; c++) {
		struct desc d = from_client(TCP4), udp = from_client(UDP4);
		uint32_t first;

		d.src.b[15] = udp.src.b[15] = (uint8_t)(100 + c);
		first = world_endpoint_of(&d);
		for (d.sport = 1; d.sport < 20; d.sport++)
			assert_int_equal(world_endpoint_of(&d), first);
		assert_int_equal(world_endpoint_of(&udp), first);
		spread |= 1u << first;
	}
	assert_int_equal(spread, 1u << WEB4_A | 1u << WEB4_B | 1u << WEB4_C);
}

static void an_ipv6_client_keeps_its_endpoint_likewise(void **state)
{
	uint32_t spread = 0;

	(void)state;
	world_serve(TCP6, (uint16_t[]){WEB6_A, WEB6_B}, 2);
	pick_by(TCP6, SPW_PICK_SOURCE);
	for (uint32_t c = 0; c < 40; c++) {
		struct desc d = from_client(TCP6);
		uint32_t first;

		d.src.b[15] = (uint8_t)(100 + c);
		first = world_endpoint_of(&d);
		for (d.sport = 1; d.sport < 10; d.sport++)
			assert_int_equal(world_endpoint_of(&d), first);
		spread |= 1u << first;
	}
	assert_int_equal(spread, 1u << WEB6_A | 1u << WEB6_B);
}

static void of_two_the_one_with_fewer_flows_is_picked(void **state)
{
	uint32_t to[WORLD_ENDPOINT_COUNT] = {0};

	(void)state;
	serve_least(three, 3, NULL);
	set_load(WEB4_A, 1000000);
	for (uint32_t i = 0; i < 900; i++) {
		struct desc d = client_number(TCP4, i);

		to[world_endpoint_of(&d)]++;
	}
	assert_in_range(to[WEB4_A], 70, 130); /* both choices are A: 1 in 9 */
	assert_in_range(to[WEB4_B], 350, 450);
	assert_in_range(world_stat(SPW_COUNT_PICK_SECOND), 200, 450);
}

static void one_that_may_not_be_picked_is_no_choice(void **state)
{
	(void)state;
	serve_least(three, 3, NULL);
	set_load(WEB4_A, 1000000);
	world_set_word(WEB4_B, 0);
	set_load(WEB4_B, -5);
	for (uint32_t i = 0; i < 300; i++) {
		struct desc d = client_number(TCP4, i);

		assert_int_not_equal(world_endpoint_of(&d), WEB4_B);
	}
	assert_int_equal(world_stat(SPW_DROP_NO_ENDPOINT), 0);
}

/* The flow's endpoint refuses it, or resets it: it is over. */
static void end_flow(const struct desc *syn)
{
	struct desc d = {.proto = IPPROTO_TCP, .flags = TCP_RST | TCP_ACK};
	struct frame out;
	struct flow f;

	if (!world_flow(syn, &f))
		fail_msg("a flow of port %u is gone", syn->sport);
	d.src = f.daddr;
	d.dst = f.saddr;
	d.sport = ntohs(f.dport);
	d.dport = ntohs(f.sport);
	mac_of(&d.src, d.smac);
	memcpy(d.dmac, mac_gateway_server, 6);
	(void)world_send(world.if_server, &d, &out);
}

static void open_flows_are_counted_until_they_end(void **state)
{
	struct desc d = client_number(TCP4, 0);

	(void)state;
	serve_least((uint16_t[]){WEB4_A}, 1, NULL);
	world_expect_to(WEB4_A, &d);
	assert_int_equal(load_of(WEB4_A), 1);
	world_expect_to(WEB4_A, &d);
	assert_int_equal(load_of(WEB4_A), 1);
	end_flow(&d);
	assert_int_equal(load_of(WEB4_A), 0);
	end_flow(&d);
	assert_int_equal(load_of(WEB4_A), 0);
	d.sport++;
	world_expect_to(WEB4_A, &d);
	world_sweep(100 * SECOND_NS);
	assert_int_equal(load_of(WEB4_A), 0);
}

static void endpoints_of_other_services_are_not_counted(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	set_load(WEB4_A, 0);
	world_expect_to(WEB4_A, &d);
	assert_int_equal(load_of(WEB4_A), 0);
}

/*
 * The same flows in packets and in the arithmetic that they should follow: two choices by weight, the
 * fewer open flows for a weight, and each endpoint holds a flow for so many arrivals.
 */
#define ARRIVALS 3500 /* the table holds as many, with those that are over */
#define WARM_UP	 500
#define IN_AIR	 4096

struct course {
	uint32_t weight[3], hold[3];
	double share[3]; /* of new flows, in packets */
	double theory[3];
};

static uint32_t draw(const struct course *c, uint32_t *rnd)
{
	uint32_t sum = c->weight[0] + c->weight[1] + c->weight[2], x = random_u32(rnd) % sum, i = 0;

	while (x >= c->weight[i])
		x -= c->weight[i++];
	return i;
}

static void work_out(struct course *c)
{
	static uint32_t ends[IN_AIR][3];
	uint32_t rnd = 99, open[3] = {0}, got[3] = {0};
	const uint32_t arrivals = 100 * ARRIVALS;

	memset(ends, 0, sizeof(ends));
	for (uint32_t t = 0; t < arrivals; t++) {
		uint32_t a = draw(c, &rnd), b = draw(c, &rnd);

		for (int i = 0; i < 3; i++) {
			open[i] -= ends[t % IN_AIR][i];
			ends[t % IN_AIR][i] = 0;
		}
		if (open[a] * c->weight[b] > open[b] * c->weight[a])
			a = b;
		open[a]++;
		ends[(t + c->hold[a]) % IN_AIR][a]++;
		got[a]++;
	}
	for (int i = 0; i < 3; i++)
		c->theory[i] = (double)got[i] / arrivals;
}

static void send_course(struct course *c)
{
	static uint32_t ends_at[ARRIVALS];
	uint32_t got[3] = {0}, first = 0;

	for (uint32_t t = 0; t < ARRIVALS; t++) {
		struct desc d = client_number(TCP4, t);
		uint32_t e;

		for (uint32_t i = first; i < t; i++) {
			struct desc old = client_number(TCP4, i);

			if (ends_at[i] == t)
				end_flow(&old);
		}
		while (first < t && ends_at[first] <= t)
			first++;
		e = world_endpoint_of(&d) - WEB4_A;
		ends_at[t] = t + c->hold[e];
		got[e] += t >= WARM_UP;
	}
	for (int i = 0; i < 3; i++)
		c->share[i] = (double)got[i] / (ARRIVALS - WARM_UP);
}

static void expect_course(struct course *c)
{
	static uint16_t slots[64], weights[64];
	uint32_t n = 0;

	for (int i = 0; i < 3; i++) {
		for (uint32_t k = 0; k < c->weight[i]; k++, n++) {
			slots[n] = (uint16_t)(WEB4_A + i);
			weights[n] = (uint16_t)c->weight[i];
		}
	}
	serve_least(slots, n, weights);
	work_out(c);
	send_course(c);
	for (int i = 0; i < 3; i++) {
		printf("weight %u, holds a flow for %u: %.1f %% of the flows, %.1f %% in theory\n",
		       c->weight[i], c->hold[i], 100 * c->share[i], 100 * c->theory[i]);
		assert_in_range((int)(1000 * c->share[i]), (int)(1000 * c->theory[i]) - 25,
				(int)(1000 * c->theory[i]) + 25);
	}
}

static void a_slow_endpoint_gets_fewer_flows_as_theory_says(void **state)
{
	struct course c = {.weight = {1, 1, 1}, .hold = {40, 40, 160}};

	(void)state;
	expect_course(&c);
	assert_true(c.share[2] < 0.18);
}

static void weights_hold_under_load_and_without(void **state)
{
	struct course loaded = {.weight = {5, 2, 1}, .hold = {80, 80, 80}};
	struct course idle = {.weight = {5, 2, 1}, .hold = {1, 1, 1}};

	(void)state;
	expect_course(&loaded);
	assert_in_range((int)(1000 * loaded.share[0]), 600, 650); /* 5 of 8 */
	assert_in_range((int)(1000 * loaded.share[2]), 100, 150);
	world_reset(state);
	expect_course(&idle);
	assert_in_range((int)(1000 * idle.share[0]), 595, 655);
	assert_in_range((int)(1000 * idle.share[2]), 95, 155);
}

static void the_userspace_path_gets_what_a_hash_gives_it(void **state)
{
	static const uint16_t ids[] = {HAND_A, WEB4_A};
	uint32_t handed = 0;

	(void)state;
	serve_least(ids, 2, NULL);
	set_load(HAND_A, 1000000);
	for (uint32_t i = 0; i < 400; i++) {
		struct desc d = client_number(TCP4, i);
		struct frame out;

		handed += world_send(world.if_client, &d, &out) == XDP_PASS;
	}
	assert_in_range(handed, 150, 250);
	assert_int_equal(world_stat(SPW_COUNT_PICK_SECOND), 0);
}

int balance_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest balance[] = {
		T(a_client_keeps_its_endpoint_by_its_address_alone),
		T(an_ipv6_client_keeps_its_endpoint_likewise),
		T(of_two_the_one_with_fewer_flows_is_picked),
		T(one_that_may_not_be_picked_is_no_choice),
		T(open_flows_are_counted_until_they_end),
		T(endpoints_of_other_services_are_not_counted),
		T(a_slow_endpoint_gets_fewer_flows_as_theory_says),
		T(weights_hold_under_load_and_without),
		T(the_userspace_path_gets_what_a_hash_gives_it),
	};
#undef T

	return cmocka_run_group_tests(balance, NULL, NULL);
}
