/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a flow: what opens, refreshes, closes and ends it, and when it gets a new pick. */
#include "groups.h"
#include "world.h"

#include <string.h>

/* A client's flow that has come as far as its handshake's end. */
struct talk {
	struct desc client; /* a plain packet of the client */
	struct desc sent;   /* as it reached the endpoint */
	struct desc reply;  /* a plain answer */
};

static uint32_t state_of(const struct desc *d)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	return f.state;
}

static struct talk handshake(uint32_t service)
{
	uint32_t id = service == TCP6 ? WEB6_A : WEB4_A;
	struct talk t = {.client = from_client(service)};

	t.sent = world_expect_to(id, &t.client);
	t.reply = from_endpoint(&t.sent);
	world_expect_reply(world.if_server, &t.client, &t.reply);
	t.client.flags = TCP_ACK;
	t.sent = world_expect_to(id, &t.client);
	t.reply.flags = TCP_ACK;
	return t;
}

static void client_sends(struct talk *t, uint8_t flags)
{
	struct desc d = t->client;

	d.flags = flags;
	world_expect_to(WEB4_A, &d);
}

static void endpoint_sends(struct talk *t, uint8_t flags)
{
	struct desc d = t->reply;

	d.flags = flags;
	world_expect_reply(world.if_server, &t->client, &d);
}

static void a_handshake_makes_the_flow_established(void **state)
{
	struct desc d = from_client(TCP4), sent, reply;

	(void)state;
	sent = world_expect_to(WEB4_A, &d);
	assert_int_equal(state_of(&d), SPW_FLOW_SAMPLED);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &d, &reply);
	assert_int_equal(state_of(&d), SPW_FLOW_SAMPLED | SPW_FLOW_REPLIED);
	d.flags = TCP_ACK;
	world_expect_to(WEB4_A, &d);
	assert_int_equal(state_of(&d), SPW_FLOW_SAMPLED | SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED |
					       SPW_FLOW_RANKED);
}

static void an_ack_without_any_reply_establishes_nothing(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	world_expect_to(WEB4_A, &d);
	d.flags = TCP_ACK;
	world_expect_to(WEB4_A, &d);
	assert_int_equal(state_of(&d), SPW_FLOW_SAMPLED);
}

static void an_answered_udp_flow_is_established(void **state)
{
	struct desc d = from_client(UDP6), sent, reply;

	(void)state;
	sent = world_expect_to(WEB6_A, &d);
	assert_int_equal(state_of(&d), SPW_FLOW_SAMPLED);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &d, &reply);
	assert_int_equal(state_of(&d), SPW_FLOW_SAMPLED | SPW_FLOW_REPLIED | SPW_FLOW_ESTABLISHED);
}

static uint64_t closed(void)
{
	return world_endpoint_stats(WEB4_A).flows_closed;
}

static void a_fin_from_both_sides_closes_once(void **state)
{
	struct talk t = handshake(TCP4);
	uint64_t before = closed();

	(void)state;
	client_sends(&t, TCP_FIN | TCP_ACK);
	assert_true(state_of(&t.client) & SPW_FLOW_FIN_CLIENT);
	assert_int_equal(closed(), before);
	endpoint_sends(&t, TCP_ACK);
	assert_false(state_of(&t.client) & SPW_FLOW_CLOSED);
	endpoint_sends(&t, TCP_FIN | TCP_ACK);
	assert_true(state_of(&t.client) & SPW_FLOW_CLOSED);
	client_sends(&t, TCP_ACK);
	endpoint_sends(&t, TCP_FIN | TCP_ACK);
	client_sends(&t, TCP_FIN | TCP_ACK);
	assert_int_equal(closed(), before + 1);
}

static void a_reset_from_either_side_closes_once(void **state)
{
	uint64_t before = closed();
	struct talk t = handshake(TCP4);

	(void)state;
	client_sends(&t, TCP_RST);
	client_sends(&t, TCP_RST);
	endpoint_sends(&t, TCP_RST);
	assert_int_equal(closed(), before + 1);
	world_reset(NULL);
	before = closed();
	t = handshake(TCP4);
	endpoint_sends(&t, TCP_RST | TCP_ACK);
	endpoint_sends(&t, TCP_RST);
	assert_true(state_of(&t.client) & SPW_FLOW_CLOSED);
	assert_int_equal(closed(), before + 1);
}

static void a_refused_connection_is_not_called_answered(void **state)
{
	struct desc d = from_client(TCP4), sent, reply;

	(void)state;
	sent = world_expect_to(WEB4_A, &d);
	reply = from_endpoint(&sent);
	reply.flags = TCP_RST | TCP_ACK;
	world_expect_reply(world.if_server, &d, &reply);
	assert_int_equal(state_of(&d),
			 SPW_FLOW_SAMPLED | SPW_FLOW_RESET | SPW_FLOW_CLOSED | SPW_FLOW_FAILED);
}

static void a_syn_on_a_flow_that_ends_opens_a_new_one(void **state)
{
	static const struct {
		uint8_t client, endpoint;
	} ends[] = {{TCP_FIN | TCP_ACK, TCP_FIN | TCP_ACK},
		    {TCP_FIN | TCP_ACK, 0},
		    {0, TCP_FIN | TCP_ACK},
		    {TCP_RST, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct talk t = handshake(TCP4);
		struct desc syn = t.client, again;

		if (ends[i].client)
			client_sends(&t, ends[i].client);
		if (ends[i].endpoint)
			endpoint_sends(&t, ends[i].endpoint);
		syn.flags = TCP_SYN;
		again = world_expect_to(WEB4_A, &syn);
		assert_int_not_equal(again.sport, t.sent.sport);
		assert_int_equal(state_of(&syn), SPW_FLOW_SAMPLED);
		assert_int_equal(world_flow_count(), 2);
		world_reset(NULL);
	}
}

/* A server's TIME_WAIT answers the SYN on a reused port so; the client's RST ends it. */
static void a_reset_before_the_handshake_leaves_the_flow_for_the_next_syn(void **state)
{
	struct desc syn = from_client(TCP4), rst = syn, sent = world_expect_to(WEB4_A, &syn), ack;

	(void)state;
	ack = from_endpoint(&sent);
	ack.flags = TCP_ACK;
	world_expect_reply(world.if_server, &syn, &ack);
	rst.flags = TCP_RST;
	world_expect_to(WEB4_A, &rst);
	assert_int_equal(world_expect_to(WEB4_A, &syn).sport, sent.sport);
	rst.flags = TCP_RST | TCP_ACK;
	world_expect_to(WEB4_A, &rst);
	assert_int_equal(world_expect_to(WEB4_A, &syn).sport, sent.sport);
}

static void it_is_noted_whose_fin_came_first(void **state)
{
	struct talk t = handshake(TCP4);

	(void)state;
	client_sends(&t, TCP_FIN | TCP_ACK);
	endpoint_sends(&t, TCP_FIN | TCP_ACK);
	assert_true(state_of(&t.client) & SPW_FLOW_CLIENT_FIRST);
	world_reset(NULL);
	t = handshake(TCP4);
	endpoint_sends(&t, TCP_FIN | TCP_ACK);
	client_sends(&t, TCP_FIN | TCP_ACK);
	endpoint_sends(&t, TCP_FIN | TCP_ACK);
	assert_false(state_of(&t.client) & SPW_FLOW_CLIENT_FIRST);
}

static void a_syn_on_an_established_flow_is_forwarded(void **state)
{
	struct talk t = handshake(TCP4);
	struct desc syn = t.client, sent;

	(void)state;
	world_set_word(WEB4_A, 0);
	syn.flags = TCP_SYN;
	sent = world_expect_to(WEB4_A, &syn);
	assert_int_equal(sent.sport, t.sent.sport);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REPICKED), 0);
}

static void an_unanswered_syn_tries_elsewhere_when_its_endpoint_is_taken_out(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	world_expect_to(WEB4_A, &d);
	world_serve(TCP4, (uint16_t[]){WEB4_B}, 1);
	world_expect_to(WEB4_A, &d); /* retransmitted: its endpoint may still answer */
	world_set_word(WEB4_A, SPW_WORD_UP);
	world_expect_to(WEB4_B, &d);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REPICKED), 1);
	assert_int_equal(world_flow_count(), 2);
}

static void tcp_flows_stay_with_an_endpoint_that_is_down(void **state)
{
	struct talk t = handshake(TCP4);

	(void)state;
	world_set_word(WEB4_A, SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT);
	world_serve(TCP4, (uint16_t[]){WEB4_B}, 1);
	client_sends(&t, TCP_ACK);
	endpoint_sends(&t, TCP_ACK);
}

static void udp_flows_stay_or_go_by_the_endpoints_word(void **state)
{
	static const struct {
		uint32_t word;
		enum spw_admin admin;
		bool stays;
	} words[] = {
		{SPW_WORD_UP | SPW_WORD_PICKABLE, SPW_ADMIN_AUTO, true},
		{SPW_WORD_PICKABLE, SPW_ADMIN_AUTO, true}, /* panic */
		{SPW_WORD_UP, SPW_ADMIN_AUTO, true},
		{0, SPW_ADMIN_AUTO, false},
		{0, SPW_ADMIN_DRAIN, false},
		{SPW_WORD_UP, SPW_ADMIN_DRAIN, true},
		{SPW_WORD_UP | SPW_WORD_PICKABLE, SPW_ADMIN_DRAIN, true},
		{SPW_WORD_UP | SPW_WORD_PICKABLE, SPW_ADMIN_DOWN, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct desc d = from_client(UDP4);

		world_expect_to(WEB4_A, &d);
		world_serve(UDP4, (uint16_t[]){WEB4_B}, 1);
		world_set_word(WEB4_A, words[i].word | words[i].admin << SPW_WORD_ADMIN_SHIFT);
		world_expect_to(words[i].stays ? WEB4_A : WEB4_B, &d);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_REPICKED), !words[i].stays);
		assert_int_equal(world_flow_count(), 2);
		world_reset(NULL);
	}
}

static void a_flow_outlives_its_service(void **state)
{
	struct talk t = handshake(TCP4);
	struct spw_service_row gone = {};
	struct desc fresh = from_client(TCP4);

	(void)state;
	world_row_on_side(TCP4, 0, &gone);
	client_sends(&t, TCP_ACK);
	endpoint_sends(&t, TCP_ACK);
	fresh.sport++;
	world_expect_end(world.if_client, &fresh, SPW_PASS_NO_SERVICE);
}

static void tcp_without_a_flow_is_the_stacks_unless_a_syn(void **state)
{
	static const uint8_t flags[] = {TCP_ACK,	   TCP_SYN | TCP_ACK, TCP_RST, TCP_FIN,
					TCP_SYN | TCP_FIN, TCP_SYN | TCP_RST, 0};
	struct desc d = from_client(TCP4);

	(void)state;
	for (size_t i = 0; i < sizeof(flags); i++) {
		d.flags = flags[i];
		world_expect_end(world.if_client, &d, SPW_PASS_NO_FLOW);
	}
	assert_int_equal(world_flow_count(), 0);
}

static void replies_follow_the_client_to_another_path(void **state)
{
	struct talk t = handshake(TCP4);

	(void)state;
	t.client.smac[5] = 0x77;
	client_sends(&t, TCP_ACK);
	endpoint_sends(&t, TCP_ACK);
}

int life_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest life[] = {
		T(a_handshake_makes_the_flow_established),
		T(an_ack_without_any_reply_establishes_nothing),
		T(an_answered_udp_flow_is_established),
		T(a_fin_from_both_sides_closes_once),
		T(a_reset_from_either_side_closes_once),
		T(a_refused_connection_is_not_called_answered),
		T(a_syn_on_a_flow_that_ends_opens_a_new_one),
		T(a_reset_before_the_handshake_leaves_the_flow_for_the_next_syn),
		T(it_is_noted_whose_fin_came_first),
		T(a_syn_on_an_established_flow_is_forwarded),
		T(an_unanswered_syn_tries_elsewhere_when_its_endpoint_is_taken_out),
		T(tcp_flows_stay_with_an_endpoint_that_is_down),
		T(udp_flows_stay_or_go_by_the_endpoints_word),
		T(a_flow_outlives_its_service),
		T(tcp_without_a_flow_is_the_stacks_unless_a_syn),
		T(replies_follow_the_client_to_another_path),
	};
#undef T

	return cmocka_run_group_tests(life, NULL, NULL);
}
