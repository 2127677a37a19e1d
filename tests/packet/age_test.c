/* SPDX-License-Identifier: BSD-2-Clause */
/* Age: expiry when a packet asks, what refreshes a flow, and the sweep. */
#include "groups.h"
#include "world.h"

#define ENDING (SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED | SPW_FLOW_FIN_CLIENT)

static const struct {
	uint32_t service, state;
	uint64_t timeout_s;
} ages[] = {
	{TCP4, 0, 30},
	{TCP4, SPW_FLOW_REPLIED, 30},
	{TCP4, SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED, 7200},
	{TCP6, SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED, 7200},
	{TCP4, ENDING, 60},
	{TCP6, SPW_FLOW_RESET | SPW_FLOW_CLOSED, 60},
	{UDP4, 0, 20},
	{UDP6, SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED, 180},
};

#define AGES (sizeof(ages) / sizeof(ages[0]))

static uint32_t endpoint_for(uint32_t service)
{
	return service == TCP4 || service == UDP4 ? WEB4_A : WEB6_A;
}

/* A flow in state `i` of the table, silent for `idle_ns`; returns the endpoint's packet. */
static struct desc aged(size_t i, uint64_t idle_ns, struct desc *client)
{
	struct desc sent, reply;
	struct flow f;

	*client = from_client(ages[i].service);
	sent = world_expect_to(endpoint_for(ages[i].service), client);
	reply = from_endpoint(&sent);
	reply.flags = client->flags = TCP_ACK;
	assert_true(world_flow(client, &f));
	f.state = ages[i].state;
	world_put_flow(client, &f);
	assert_true(world_flow(&reply, &f));
	f.state = ages[i].state;
	world_put_flow(&reply, &f);
	world_age(client, idle_ns);
	world_age(&reply, idle_ns);
	return reply;
}

static void a_flow_lives_as_long_as_its_state_allows(void **state)
{
	struct desc client;

	(void)state;
	for (size_t i = 0; i < AGES; i++) {
		aged(i, (ages[i].timeout_s - 1) * SECOND_NS, &client);
		world_expect_to(endpoint_for(ages[i].service), &client);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 0);
		world_reset(NULL);
	}
}

static void a_flow_whose_time_has_passed_is_gone_for_the_client(void **state)
{
	struct desc client;

	(void)state;
	for (size_t i = 0; i < AGES; i++) {
		bool udp = ages[i].service == UDP4 || ages[i].service == UDP6;
		struct desc reply = aged(i, (ages[i].timeout_s + 2) * SECOND_NS, &client);
		struct flow f;

		if (udp)
			world_expect_to(endpoint_for(ages[i].service), &client);
		else
			world_expect_end(world.if_client, &client, SPW_PASS_NO_FLOW);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 1);
		assert_false(world_flow(&reply, &f));
		assert_int_equal(world_flow_count(), udp ? 2 : 0);
		world_reset(NULL);
	}
}

static void a_flow_whose_time_has_passed_is_gone_for_the_endpoint(void **state)
{
	struct desc client;

	(void)state;
	for (size_t i = 0; i < AGES; i++) {
		struct desc reply = aged(i, (ages[i].timeout_s + 2) * SECOND_NS, &client);

		world_expect_end(world.if_server, &reply, SPW_PASS_NO_FLOW);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 1);
		assert_int_equal(world_flow_count(), 0);
		world_reset(NULL);
	}
}

static uint64_t seen_of(const struct desc *d)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	return f.seen_ns;
}

static void packets_of_either_side_refresh_the_flow(void **state)
{
	struct desc client, reply = aged(7, 5 * SECOND_NS, &client);
	uint64_t old = seen_of(&client);

	(void)state;
	world_expect_reply(world.if_server, &client, &reply);
	assert_true(seen_of(&client) > old + 4 * SECOND_NS);
	world_age(&client, 5 * SECOND_NS);
	old = seen_of(&client);
	world_expect_to(WEB6_A, &client);
	assert_true(seen_of(&client) > old + 4 * SECOND_NS);
}

/* Of the entry itself: told as a time it may differ by a tick from one reading to the next. */
static uint32_t seen_ticks(const struct desc *d)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	return f.seen;
}

static void a_flow_seen_this_second_is_not_written_again(void **state)
{
	struct desc client, reply = aged(7, SECOND_NS / 2, &client);
	uint32_t old = seen_ticks(&client), old_reply = seen_ticks(&reply);

	(void)state;
	world_expect_to(WEB6_A, &client);
	world_expect_reply(world.if_server, &client, &reply);
	assert_int_equal(seen_ticks(&client), old);
	assert_int_equal(seen_ticks(&reply), old_reply);
}

/* The client alone keeps a flow alive, however long the endpoint was silent. */
static void a_late_reply_finds_a_flow_that_the_client_kept(void **state)
{
	struct desc client, reply = aged(7, 0, &client);

	(void)state;
	world_age(&reply, 3600 * SECOND_NS);
	world_expect_reply(world.if_server, &client, &reply);
}

static void fill_flows(uint32_t count)
{
	struct frame out;

	for (uint32_t i = 0; i < count; i++) {
		struct desc d = from_client(UDP4);

		d.sport = (uint16_t)(1000 + i);
		assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	}
}

static void the_sweep_removes_pairs_whose_time_has_passed(void **state)
{
	struct desc client, reply = aged(2, 0, &client);
	uint64_t closed = world_endpoint_stats(WEB4_A).flows_closed;
	struct spw_sweep s;

	(void)state;
	fill_flows(500);
	s = world_sweep(0);
	assert_int_equal(s.live[0], 501);
	assert_int_equal(s.expired, 0);
	s = world_sweep(22 * SECOND_NS);
	assert_int_equal(s.live[0], 1);
	assert_int_equal(s.expired, 500);
	assert_int_equal(world_flow_count(), 2);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 500);
	assert_int_equal(world_endpoint_stats(WEB4_A).flows_closed, closed + 500);
	world_expect_reply(world.if_server, &client, &reply);
}

static void the_sweep_clears_away_a_reverse_entry_without_partner(void **state)
{
	struct desc client, reply = aged(0, 0, &client), stray = reply;
	struct flow f;

	(void)state;
	assert_true(world_flow(&reply, &f));
	stray.dport++;
	f.dport++;
	world_put_flow(&stray, &f);
	world_sweep(SECOND_NS);
	assert_int_equal(world_flow_count(), 3);
	world_sweep(3 * SECOND_NS);
	assert_int_equal(world_flow_count(), 2);
	assert_false(world_flow(&stray, &f));
}

static void a_closed_flow_is_not_counted_again_when_it_expires(void **state)
{
	struct desc client;
	uint64_t closed;

	(void)state;
	aged(5, 62 * SECOND_NS, &client);
	closed = world_endpoint_stats(WEB6_A).flows_closed;
	assert_int_equal(world_sweep(0).expired, 1);
	assert_int_equal(world_endpoint_stats(WEB6_A).flows_closed, closed);
}

int age_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest age[] = {
		T(a_flow_lives_as_long_as_its_state_allows),
		T(a_flow_whose_time_has_passed_is_gone_for_the_client),
		T(a_flow_whose_time_has_passed_is_gone_for_the_endpoint),
		T(packets_of_either_side_refresh_the_flow),
		T(a_flow_seen_this_second_is_not_written_again),
		T(a_late_reply_finds_a_flow_that_the_client_kept),
		T(the_sweep_removes_pairs_whose_time_has_passed),
		T(the_sweep_clears_away_a_reverse_entry_without_partner),
		T(a_closed_flow_is_not_counted_again_when_it_expires),
	};
#undef T

	return cmocka_run_group_tests(age, NULL, NULL);
}
