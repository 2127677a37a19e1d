/* SPDX-License-Identifier: BSD-2-Clause */
/* Source ports: reserved one by one, exhausted, reused; and a table without room. */
#include "cpus.h"
#include "dataplane/maps.h"
#include "groups.h"
#include "whole.h"
#include "world.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

#define PORT_COUNT   8
#define SERVER_FIRST (SPW_FLOW_FIN_CLIENT | SPW_FLOW_FIN_ENDPOINT | SPW_FLOW_CLOSED)

static int one_source(void **state)
{
	struct spw_endpoint e;

	world_reset(state);
	e = world_endpoint(WEB4_A);
	e.source_count = 1;
	world_put_endpoint(WEB4_A, &e);
	world_set_ports(PORT_COUNT);
	return 0;
}

static struct desc client_number(uint32_t service, uint32_t n)
{
	struct desc d = from_client(service);

	d.sport = (uint16_t)(30000 + n);
	return d;
}

static void every_port_of_the_list_is_used_once(void **state)
{
	bool used[PORT_COUNT] = {};

	(void)state;
	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		struct desc d = client_number(TCP4, i), sent = world_expect_to(WEB4_A, &d);

		assert_false(used[sent.sport - 20000]);
		used[sent.sport - 20000] = true;
	}
}

static void without_a_free_port_a_flow_is_refused(void **state)
{
	struct desc d;

	(void)state;
	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		d = client_number(TCP4, i);
		world_expect_to(WEB4_A, &d);
	}
	d = client_number(TCP4, PORT_COUNT);
	world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
	assert_int_equal(world_flow_count(), 2 * PORT_COUNT);
	d = client_number(UDP4, 0);
	world_expect_to(WEB4_A, &d);
	world_serve(TCP4, (uint16_t[]){WEB4_B}, 1);
	d = client_number(TCP4, PORT_COUNT);
	world_expect_to(WEB4_B, &d);
}

static void each_source_address_has_its_own_ports(void **state)
{
	struct spw_endpoint e = world_endpoint(WEB4_A);
	struct frame out;
	uint32_t opened = 0;

	(void)state;
	e.source_count = 2;
	world_put_endpoint(WEB4_A, &e);
	for (uint32_t i = 0; i < 200; i++) {
		struct desc d = client_number(TCP4, i);

		opened += world_send(world.if_client, &d, &out) == XDP_REDIRECT;
	}
	assert_int_equal(opened, 2 * PORT_COUNT);
}

static void end_flow(const struct desc *d, uint32_t flow_state, uint64_t idle_ns)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	f.state = flow_state;
	world_put_flow(d, &f);
	world_age(d, idle_ns);
}

/* All ports taken; flow 3 ended in `state`, silent for `idle_ns`. Returns the next client. */
static struct desc all_taken_but(uint32_t flow_state, uint64_t idle_ns, uint16_t *port)
{
	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		struct desc d = client_number(TCP4, i), sent = world_expect_to(WEB4_A, &d);

		if (i != 3)
			continue;
		*port = sent.sport;
		end_flow(&d, flow_state, idle_ns);
	}
	return client_number(TCP4, PORT_COUNT);
}

static void a_closed_flow_gives_its_port_early_when_there_is_no_other(void **state)
{
	uint16_t port;
	struct desc d = all_taken_but(SERVER_FIRST, 3 * SECOND_NS, &port);
	struct desc sent = world_expect_to(WEB4_A, &d);

	(void)state;
	assert_int_equal(sent.sport, port);
	assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), 1);
	assert_int_equal(world_flow_count(), 2 * PORT_COUNT);
}

static void expect_not_early(uint32_t flow_state, uint64_t idle_ns)
{
	uint16_t port;
	struct desc d = all_taken_but(flow_state, idle_ns, &port);

	assert_int_equal(world_expect_to(WEB4_A, &d).sport, port);
	assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), 0);
}

static void a_port_that_no_time_wait_holds_is_not_early(void **state)
{
	(void)state;
	expect_not_early(SERVER_FIRST | SPW_FLOW_CLIENT_FIRST, 3 * SECOND_NS);
}

static void an_expired_flow_gives_its_port_rested(void **state)
{
	(void)state;
	expect_not_early(SERVER_FIRST, 62 * SECOND_NS);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 1);
}

static void flows_that_live_or_closed_just_now_keep_their_ports(void **state)
{
	const uint32_t live = SPW_FLOW_ESTABLISHED | SPW_FLOW_FIN_CLIENT;
	uint16_t port;
	struct desc d = all_taken_but(SERVER_FIRST, SECOND_NS, &port);

	world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
	one_source(state);
	d = all_taken_but(live, 50 * SECOND_NS, &port);
	world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
}

/* Sets the cursor of WEB4_A's source address to the start of the list, in any lap but the first. */
static void walk_from_start(uint32_t count)
{
	uint32_t key = WEB4_A * SPW_SOURCES_MAX + world_endpoint(WEB4_A).source_first;
	int fd = bpf_map__fd(world.skel->maps.cursors);

	assert_int_equal(bpf_map_update_elem(fd, &key, &count, BPF_ANY), 0);
}

static void a_block_of_live_flows_in_the_way_is_passed_by(void **state)
{
	struct desc d, sent;

	(void)state;
	world_set_ports(6000);
	walk_from_start(6000);
	for (uint32_t i = 0; i < 1000; i++) {
		d = client_number(TCP4, i);
		world_expect_to(WEB4_A, &d);
	}
	walk_from_start(6000);
	for (uint32_t i = 0; i < 100; i++) {
		d = client_number(TCP4, 1000 + i);
		sent = world_expect_to(WEB4_A, &d);
		assert_in_range(sent.sport, 21000, 25999);
	}
}

/* Takes all ports in their order by clients 10.1.0.40 and so on; closed and silent for 3 s. */
static void all_closed(uint32_t count)
{
	world_set_ports(count);
	walk_from_start(count);
	for (uint32_t i = 0; i < count; i++) {
		struct desc d = client_number(TCP4, i);

		d.src.b[15] = (uint8_t)(40 + i);
		assert_int_equal(world_expect_to(WEB4_A, &d).sport, 20000 + i);
		end_flow(&d, SERVER_FIRST, 3 * SECOND_NS);
	}
	walk_from_start(count);
}

static void ports_reused_early_are_those_that_rested_longest(void **state)
{
	struct desc d;

	(void)state;
	all_closed(60);
	for (uint32_t i = 0; i < 60; i++) {
		d = client_number(TCP4, 100 + i);
		assert_int_equal(world_expect_to(WEB4_A, &d).sport, 20000 + i);
	}
	assert_int_equal(world_stat(SPW_COUNT_PORT_REUSED_EARLY), 60);
}

static void a_port_that_its_client_had_before_goes_first(void **state)
{
	struct desc d = client_number(TCP4, 100);

	(void)state;
	all_closed(10);
	d.src.b[15] = 40 + 7;
	assert_int_equal(world_expect_to(WEB4_A, &d).sport, 20007);
}

static void the_list_in_use_may_begin_anywhere(void **state)
{
	struct spw_port_line line = {.port = {htons(20000)}};
	uint32_t key = SPW_PORT_LINES + 7;
	struct desc d = from_client(TCP4);

	(void)state;
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(world.skel->maps.ports), &key, &line, 0),
			 0);
	world.config.settings[0].port_line = key;
	world.config.settings[0].port_count = 1;
	world_put_config();
	assert_int_equal(world_expect_to(WEB4_A, &d).sport, 20000);
	d.sport++;
	world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
}

static void without_a_source_address_a_flow_is_refused(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	world_serve(TCP4, (uint16_t[]){SOURCELESS4}, 1);
	world_expect_refused(&d, SPW_DROP_NO_SOURCE);
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	memset(world.config.settings[0].source, 0, sizeof(world.config.settings[0].source));
	world_put_config();
	world_expect_refused(&d, SPW_DROP_NO_SOURCE);
	world.config.settings[0].port_count = 0;
	world_put_config();
	world_expect_refused(&d, SPW_DROP_NO_SOURCE);
}

static bool connects(uint32_t client)
{
	struct desc d = client_number(TCP4, client);

	return world_connect(&d);
}

static void expect_half_of_none(const struct flow *f, void *ctx)
{
	*(uint32_t *)ctx += f->dir == SPW_FLOW_FORWARD ? 1 : UINT32_MAX;
}

static void the_table_holds_as_many_flows_as_were_asked_for(void **state)
{
	(void)state;
	world_set_ports(6000);
	for (uint32_t i = 0; i < WORLD_FLOWS; i++)
		assert_true(connects(i));
	assert_int_equal(world_flow_count(), 2 * WORLD_FLOWS);
}

static void put_far_first(uint32_t families)
{
	world.config.far_first = families;
	world_put_config();
}

static uint32_t near_lines(void)
{
	uint32_t near = maps_near_sets(world.sets) * SPW_SET_WAYS, used = 0;

	for (uint32_t i = 1; i <= near; i++)
		used += (world.flows4[i].core.word & SPW_WORD_PHASE_MASK) != 0;
	return used;
}

/* Few flows lie near, many do not, and all of them are found whichever is asked first. */
static void flows_are_found_whether_near_or_far_ones_come_first(void **state)
{
	uint32_t few;
	struct frame out;

	(void)state;
	world_set_ports(6000);
	for (uint32_t i = 0; i < WORLD_FLOWS / SPW_NEAR_SHARE / 2; i++)
		assert_true(connects(i));
	few = near_lines();
	assert_true(few > WORLD_FLOWS / SPW_NEAR_SHARE * 8 / 10);
	for (uint32_t i = WORLD_FLOWS / SPW_NEAR_SHARE / 2; i < WORLD_FLOWS; i++) {
		put_far_first(i / 100 % 2);
		assert_true(connects(i));
	}
	assert_true(near_lines() > few);
	for (uint32_t n = 0; n < 2; n++) {
		put_far_first(n);
		for (uint32_t i = 0; i < WORLD_FLOWS; i++) {
			struct desc d = client_number(TCP4, i);

			d.flags = TCP_ACK;
			assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
		}
		assert_int_equal(whole_expect(), 2 * WORLD_FLOWS);
	}
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), WORLD_FLOWS);
	put_far_first(0);
}

static void a_full_table_refuses_and_breaks_no_established_flow(void **state)
{
	uint32_t clients = 0, refused = 0, unpaired = 0;
	struct frame out;

	(void)state;
	world_set_ports(12000);
	for (; refused < 500 && clients < 4 * WORLD_FLOWS; clients++)
		refused += !connects(clients);
	assert_int_equal(refused, 500);
	assert_int_equal(world_flow_count(), 2 * (clients - refused));
	world_each_flow(expect_half_of_none, &unpaired);
	assert_int_equal(unpaired, 0);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REPLACED), 0);
	for (uint32_t i = 0; i < WORLD_FLOWS / 2; i++) {
		struct desc d = client_number(TCP4, i);

		d.flags = TCP_ACK;
		assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	}
}

/* A flood of SYNs that nobody answers takes the place of its own earlier ones only. */
static void a_flood_of_embryonic_flows_breaks_no_established_one(void **state)
{
	struct frame out;

	(void)state;
	world_set_ports(12000);
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(connects(i));
	for (uint32_t i = 0; i < 10 * WORLD_FLOWS; i++) {
		struct desc d = client_number(UDP4, 10000 + i);

		(void)world_send(world.if_client, &d, &out);
	}
	assert_true(world_stat(SPW_COUNT_FLOW_REPLACED) > WORLD_FLOWS);
	for (uint32_t i = 0; i < 1000; i++) {
		struct desc d = client_number(TCP4, i);

		d.flags = TCP_ACK;
		assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	}
}

static void a_full_table_gives_way_where_flows_are_over(void **state)
{
	uint32_t clients = 0, made = 0;
	struct frame out;

	(void)state;
	world_set_ports(12000);
	for (; world_stat(SPW_DROP_FLOWS_FULL) < 500 && clients < 4 * WORLD_FLOWS; clients++)
		(void)connects(clients);
	for (uint32_t i = 0; i < clients; i++) {
		struct desc d = client_number(TCP4, i);

		d.flags = TCP_RST;
		(void)world_send(world.if_client, &d, &out);
	}
	world_age_all(3 * SECOND_NS);
	for (uint32_t i = 0; i < 100; i++)
		made += connects(clients + i);
	assert_int_equal(made, 100);
}

static atomic_uint reached[2]; /* the client each of two threads has come to */

/* Waits for the other thread before each client, so that both open the same flow. */
static void *open_many(void *arg)
{
	const unsigned int self = *(unsigned int *)arg;
	struct frame out;

	cpu_take(self);
	for (uint32_t i = 1; i <= 2000; i++) {
		struct desc d = client_number(UDP4, i);

		reached[self] = i;
		while (reached[!self] < i)
			sched_yield();
		world_send(world.if_client, &d, &out);
	}
	cpu_release();
	return NULL;
}

static void flows_opened_by_two_cpus_at_once_are_whole(void **state)
{
	unsigned int first = 0, second = 1;
	pthread_t other;

	(void)state;
	world_set_ports(3000);
	/* However long it takes where others are busy: nothing expires. */
	world.config.settings[0].idle_s[1][SPW_IDLE_EMBRYONIC] = 3600;
	world_put_config();
	cpu_release();
	reached[0] = reached[1] = 0;
	assert_int_equal(pthread_create(&other, NULL, open_many, &second), 0);
	open_many(&first);
	pthread_join(other, NULL);
	print_message("raced: %llu\n", (unsigned long long)world_stat(SPW_COUNT_FLOW_RACED));
	if (world_stat(SPW_FORWARD_REDIRECT) != 4000)
		world_print_counters();
	assert_int_equal(world_stat(SPW_FORWARD_REDIRECT), 4000);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), 2000);
	assert_int_equal(whole_expect(), 4000);
}

int ports_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, one_source)
	const struct CMUnitTest ports[] = {
		T(every_port_of_the_list_is_used_once),
		T(without_a_free_port_a_flow_is_refused),
		T(each_source_address_has_its_own_ports),
		T(a_closed_flow_gives_its_port_early_when_there_is_no_other),
		T(a_port_that_no_time_wait_holds_is_not_early),
		T(an_expired_flow_gives_its_port_rested),
		T(flows_that_live_or_closed_just_now_keep_their_ports),
		T(a_block_of_live_flows_in_the_way_is_passed_by),
		T(ports_reused_early_are_those_that_rested_longest),
		T(a_port_that_its_client_had_before_goes_first),
		T(the_list_in_use_may_begin_anywhere),
		T(without_a_source_address_a_flow_is_refused),
		T(the_table_holds_as_many_flows_as_were_asked_for),
		T(flows_are_found_whether_near_or_far_ones_come_first),
		T(a_full_table_refuses_and_breaks_no_established_flow),
		T(a_flood_of_embryonic_flows_breaks_no_established_one),
		T(a_full_table_gives_way_where_flows_are_over),
		T(flows_opened_by_two_cpus_at_once_are_whole),
	};
#undef T

	return cmocka_run_group_tests(ports, NULL, NULL);
}
