/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows that do not go on: reset on request, or left without anybody while their service says what
 * becomes of them; and the sweep, which removes UDP flows of endpoints that are gone.
 */
#include "groups.h"
#include "world.h"

#include <string.h>

static const uint32_t tcp_services[] = {TCP4, TCP6};

static uint32_t endpoint_for(uint32_t service)
{
	return service == TCP4 || service == UDP4 ? WEB4_A : WEB6_A;
}

/* An established flow: plain packets of its two sides. */
struct talk {
	uint32_t service, id;
	struct desc client, reply;
};

static struct talk established(uint32_t service)
{
	struct talk t = {.service = service, .id = endpoint_for(service)};
	struct desc sent;

	world_reset(NULL);
	t.client = from_client(service);
	sent = world_expect_to(t.id, &t.client);
	t.reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &t.client, &t.reply);
	if (t.client.proto == IPPROTO_TCP) {
		t.client.flags = t.reply.flags = TCP_ACK;
		t.client.ack = 0x89abcdef;
		t.reply.ack = 0xfedcba98;
		t.client.seq = 1000;
		t.reply.seq = 0xfffffff0;
	}
	world_expect_to(t.id, &t.client);
	return t;
}

static uint32_t state_of(const struct desc *d)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	return f.state;
}

/* The endpoint's packet gets an RST, back to where it came from. */
static void expect_reply_reset(const struct desc *reply, enum spw_stat row)
{
	uint64_t before = world_stat(row), resets = world_stat(SPW_COUNT_RESET_SENT);
	struct desc want = world_refusal(reply);
	struct frame in, out, built;

	frame_build(reply, &in);
	world_expect_verdict(world.if_server, &in, &out, XDP_REDIRECT);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(row), before + 1);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), resets + 1);
}

/* The endpoint's packet reaches the client as an RST with its sequence number. */
static void expect_cut(const struct desc *client, const struct desc *reply, enum spw_stat row)
{
	uint64_t before = world_stat(row), resets = world_stat(SPW_COUNT_RESET_SENT);
	struct desc want = {
		.src = client->dst,
		.dst = client->src,
		.sport = client->dport,
		.dport = client->sport,
		.proto = IPPROTO_TCP,
		.flags = TCP_RST | (reply->flags & TCP_ACK),
		.tos = reply->tos & 0xfc,
		.seq = reply->seq ? reply->seq : 1,
		.ack = reply->flags & TCP_ACK ? reply->ack : 0,
	};
	struct frame in, out, built;

	memcpy(want.smac, client->dmac, 6);
	memcpy(want.dmac, client->smac, 6);
	frame_build(reply, &in);
	world_expect_verdict(world.if_server, &in, &out, XDP_REDIRECT);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(row), before + 1);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), resets + 1);
}

static void a_reset_flow_answers_either_side_and_tells_the_client_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct talk t = established(tcp_services[i % 2]);
		uint64_t closed = world_endpoint_stats(t.id).flows_closed;

		world_set_word(t.id, SPW_WORD_UP | SPW_WORD_PICKABLE | SPW_WORD_RESET);
		if (i < 2)
			world_expect_refused(&t.client, SPW_DROP_FLOW_RESET);
		else
			expect_cut(&t.client, &t.reply, SPW_DROP_FLOW_RESET);
		expect_reply_reset(&t.reply, SPW_DROP_FLOW_RESET);
		assert_true(state_of(&t.client) & SPW_FLOW_RESET);
		world_expect_refused(&t.client, SPW_DROP_FLOW_RESET);
		expect_reply_reset(&t.reply, SPW_DROP_FLOW_RESET);
		assert_int_equal(world_endpoint_stats(t.id).flows_closed, closed + 1);
		assert_int_equal(world_flow_count(), 2);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_REFUSED), 0);
	}
}

static void the_reset_fits_what_it_answers(void **state)
{
	static const struct desc shapes[] = {
		{.flags = TCP_ACK, .payload = 700, .doff = 8},
		{.flags = TCP_ACK | TCP_PSH, .payload = 3, .tos = 0xff},
		{.flags = TCP_FIN | TCP_ACK, .payload = 10},
		{.flags = TCP_SYN | TCP_ACK, .doff = 10},
		{.flags = 0, .payload = 5}, /* without ACK all that came is acknowledged */
		{.flags = TCP_FIN, .payload = 100, .seq = 0xffffffa0},
		{.flags = TCP_FIN},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct talk t = established(tcp_services[i % 2]);
		struct desc *both[] = {&t.client, &t.reply};

		for (size_t side = 0; side < 2; side++) {
			both[side]->flags = shapes[i / 2].flags;
			both[side]->payload = shapes[i / 2].payload;
			both[side]->doff = shapes[i / 2].doff;
			both[side]->tos = shapes[i / 2].tos;
			if (shapes[i / 2].seq)
				both[side]->seq = shapes[i / 2].seq;
		}
		world_set_word(t.id, SPW_WORD_RESET);
		if (i % 4 < 2)
			world_expect_refused(&t.client, SPW_DROP_FLOW_RESET);
		else
			expect_cut(&t.client, &t.reply, SPW_DROP_FLOW_RESET);
		expect_reply_reset(&t.reply, SPW_DROP_FLOW_RESET);
	}
}

static void an_rst_of_either_side_passes_on(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = established(tcp_services[i]);

		world_set_word(t.id, SPW_WORD_RESET);
		t.client.flags = t.reply.flags = TCP_RST | TCP_ACK;
		world_expect_reply(world.if_server, &t.client, &t.reply);
		world_expect_to(t.id, &t.client);
		assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
	}
}

static void a_syn_on_a_reset_flow_opens_anew_elsewhere(void **state)
{
	struct talk t = established(TCP4);

	(void)state;
	world_serve(TCP4, (uint16_t[]){WEB4_A, WEB4_B}, 2);
	world_set_word(WEB4_A, SPW_WORD_UP | SPW_WORD_PICKABLE | SPW_WORD_RESET);
	t.client.flags = TCP_SYN;
	world_expect_to(WEB4_B, &t.client);
	assert_int_equal(world_flow_count(), 2);
	t.client.sport++; /* no new flow goes where it would be reset */
	world_expect_to(WEB4_B, &t.client);
}

static void an_unanswered_flow_is_reset_too(void **state)
{
	struct desc d = from_client(TCP4), sent = world_expect_to(WEB4_A, &d);
	struct desc answer = from_endpoint(&sent);

	(void)state;
	world_set_word(WEB4_A, SPW_WORD_RESET);
	answer.ack = 77;
	expect_cut(&d, &answer, SPW_DROP_FLOW_RESET); /* with the ACK that the client wants */
	expect_reply_reset(&answer, SPW_DROP_FLOW_RESET);
	assert_int_equal(world_outcomes(WEB4_A).answered, 0);
	world_expect_refused(&d, SPW_DROP_NO_ENDPOINT); /* its SYN again */
	assert_int_equal(world_flow_count(), 0);
}

static void a_connection_that_both_sides_have_ended_needs_no_reset(void **state)
{
	struct talk t = established(TCP4);

	(void)state;
	t.client.flags = t.reply.flags = TCP_FIN | TCP_ACK;
	world_expect_to(t.id, &t.client);
	world_expect_reply(world.if_server, &t.client, &t.reply);
	world_set_word(t.id, SPW_WORD_RESET);
	t.client.flags = TCP_ACK;
	world_expect_to(t.id, &t.client);
	world_expect_reply(world.if_server, &t.client, &t.reply);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

static void after_the_closing_time_the_stack_answers(void **state)
{
	struct talk t = established(TCP4);

	(void)state;
	world_set_word(t.id, SPW_WORD_RESET);
	world_expect_refused(&t.client, SPW_DROP_FLOW_RESET);
	world_age(&t.client, 62 * SECOND_NS);
	world_expect_end(world.if_server, &t.reply, SPW_PASS_NO_FLOW);
	world_expect_end(world.if_client, &t.client, SPW_PASS_NO_FLOW);
	assert_int_equal(world_flow_count(), 0);
}

static void udp_under_reset_picks_again(void **state)
{
	struct talk t = established(UDP4);

	(void)state;
	world_serve(UDP4, (uint16_t[]){WEB4_B}, 1);
	world_set_word(t.id, SPW_WORD_UP | SPW_WORD_PICKABLE | SPW_WORD_RESET);
	world_expect_to(WEB4_B, &t.client);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REPICKED), 1);
	assert_int_equal(world_flow_count(), 2);
}

/* Down, with nobody else in its service. */
static struct talk left_alone(uint32_t service, uint8_t live)
{
	struct talk t = established(service);

	world_set_word(t.id, 0);
	world_no_endpoint(service, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_DROP, live);
	return t;
}

static void live_tcp_flows_are_answered_where_the_service_says_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = left_alone(tcp_services[i], SPW_NO_ENDPOINT_ANSWER);
		uint64_t closed = world_endpoint_stats(t.id).flows_closed;

		world_expect_refused(&t.client, SPW_DROP_LIVE_NO_ENDPOINT);
		expect_reply_reset(&t.reply, SPW_DROP_LIVE_NO_ENDPOINT);
		assert_int_equal(world_endpoint_stats(t.id).flows_closed, closed + 1);
		t.client.flags = TCP_RST;
		world_expect_to(t.id, &t.client);
		t.client.flags = TCP_SYN; /* the flow is over: this one is new */
		t.client.ack = 0;
		world_expect_end(world.if_client, &t.client, SPW_DROP_NO_ENDPOINT);
	}
}

static void live_flows_are_dropped_where_the_service_says_so(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct talk t = left_alone(service, SPW_NO_ENDPOINT_DROP);

		world_expect_end(world.if_client, &t.client, SPW_DROP_LIVE_NO_ENDPOINT);
		world_expect_end(world.if_server, &t.reply, SPW_DROP_LIVE_NO_ENDPOINT);
		assert_int_equal(world_flow_count(), 2);
		world_set_word(t.id, SPW_WORD_UP); /* back again: so is the flow */
		world_expect_to(t.id, &t.client);
		world_expect_reply(world.if_server, &t.client, &t.reply);
	}
}

static void live_flows_are_the_hosts_where_the_service_says_so(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct talk t = left_alone(service, SPW_NO_ENDPOINT_PASS);

		world_expect_end(world.if_client, &t.client, SPW_PASS_NO_ENDPOINT);
		world_expect_reply(world.if_server, &t.client, &t.reply);
	}
}

static void live_flows_go_on_where_the_service_leaves_them(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct talk t = left_alone(service, SPW_NO_ENDPOINT_LEAVE);

		world_expect_to(t.id, &t.client);
		world_expect_reply(world.if_server, &t.client, &t.reply);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_REPICKED), 0);
	}
}

static void live_udp_flows_are_told_by_icmp(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = left_alone(i ? UDP6 : UDP4, SPW_NO_ENDPOINT_ANSWER);

		world_expect_unreachable(&t.client, SPW_DROP_LIVE_NO_ENDPOINT);
		world_expect_end(world.if_server, &t.reply, SPW_DROP_LIVE_NO_ENDPOINT);
		assert_int_equal(world_flow_count(), 2);
	}
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct talk t = left_alone(service, SPW_NO_ENDPOINT_UNREACHABLE);

		world_expect_unreachable(&t.client, SPW_DROP_LIVE_NO_ENDPOINT);
		world_expect_end(world.if_server, &t.reply, SPW_DROP_LIVE_NO_ENDPOINT);
	}
}

/* Somebody is left, or the endpoint itself serves its flows still: nothing is said to them. */
static void live_flows_go_on_while_the_endpoint_or_another_is_there(void **state)
{
	static const struct {
		uint32_t word, flags;
	} rows[] = {{0, 0},
		    {SPW_WORD_UP, SPW_SERVICE_EMPTY},
		    {SPW_WORD_PICKABLE, SPW_SERVICE_EMPTY},
		    {SPW_WORD_UP | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT, SPW_SERVICE_EMPTY}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct talk t = left_alone(TCP4, SPW_NO_ENDPOINT_ANSWER);

		world_set_word(t.id, rows[i].word);
		world_no_endpoint(TCP4, rows[i].flags, 0, SPW_NO_ENDPOINT_ANSWER);
		world_expect_to(t.id, &t.client);
		world_expect_reply(world.if_server, &t.client, &t.reply);
	}
}

static void a_flow_that_is_not_established_goes_by_what_is_said_for_new_ones(void **state)
{
	struct desc tcp = from_client(TCP4), udp = from_client(UDP4), sent;

	(void)state;
	sent = world_expect_to(WEB4_A, &tcp);
	world_expect_to(WEB4_A, &udp);
	world_set_word(WEB4_A, 0);
	world_no_endpoint(TCP4, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_PASS, SPW_NO_ENDPOINT_DROP);
	world_no_endpoint(UDP4, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_PASS, SPW_NO_ENDPOINT_LEAVE);
	sent = from_endpoint(&sent);
	world_expect_reply(world.if_server, &tcp, &sent); /* late, but there */
	world_reset(NULL);
	world_expect_to(WEB4_A, &tcp);
	world_expect_to(WEB4_A, &udp);
	world_set_word(WEB4_A, 0);
	world_no_endpoint(TCP4, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_PASS, SPW_NO_ENDPOINT_DROP);
	world_no_endpoint(UDP4, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_PASS, SPW_NO_ENDPOINT_LEAVE);
	world_expect_end(world.if_client, &tcp, SPW_PASS_NO_ENDPOINT);
	world_expect_end(world.if_client, &udp, SPW_PASS_NO_ENDPOINT);
	assert_int_equal(world_flow_count(), 0);
}

/* The operator's down, a reset and removal take UDP away, whoever is left. */
static void udp_is_not_left_where_it_may_not_be(void **state)
{
	struct spw_endpoint none = {};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct talk t = left_alone(UDP4, SPW_NO_ENDPOINT_LEAVE);

		if (i == 0)
			world_set_word(t.id, SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT);
		if (i == 1)
			world_set_word(t.id, SPW_WORD_RESET);
		if (i == 2)
			world_put_endpoint(t.id, &none);
		world_expect_end(world.if_client, &t.client, SPW_DROP_NO_ENDPOINT);
		assert_int_equal(world_flow_count(), 0);
	}
}

static void the_sweep_removes_udp_flows_of_endpoints_that_are_gone(void **state)
{
	struct spw_endpoint none = {};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct talk t = established(UDP4);
		struct desc tcp = from_client(TCP4), other = from_client(UDP6);
		struct spw_sweep s;
		uint64_t closed;

		world_expect_to(WEB4_A, &tcp);
		world_expect_to(WEB6_A, &other);
		world_set_word(WEB6_A, 0); /* down is not gone */
		if (i)
			world_set_word(t.id, SPW_WORD_UP | SPW_WORD_RESET);
		else
			world_put_endpoint(t.id, &none);
		closed = world_endpoint_stats(t.id).flows_closed;
		s = world_sweep(0);
		assert_int_equal(s.live[0] + s.live[1], 2);
		assert_int_equal(s.expired, 1);
		assert_int_equal(world_flow_count(), 4);
		assert_int_equal(world_endpoint_stats(t.id).flows_closed, closed + 1);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_PURGED), 1);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 0);
	}
}

static void tcp_flows_of_a_removed_endpoint_are_reset_where_its_word_says_so(void **state)
{
	struct spw_endpoint none = {};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = established(tcp_services[i]);
		struct spw_sweep s;
		struct frame out;

		world_put_endpoint(t.id, &none);
		world_set_word(t.id, 0); /* left: its flows go on */
		assert_int_equal(world_send(world.if_client, &t.client, &out), XDP_REDIRECT);
		world_expect_reply(world.if_server, &t.client, &t.reply);
		world_set_word(t.id, SPW_WORD_RESET);
		s = world_sweep(0);
		assert_int_equal(s.live[0] + s.live[1], 1);
		world_expect_refused(&t.client, SPW_DROP_FLOW_RESET);
		expect_reply_reset(&t.reply, SPW_DROP_FLOW_RESET);
	}
}

int halt_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest halt[] = {
		T(a_reset_flow_answers_either_side_and_tells_the_client_first),
		T(the_reset_fits_what_it_answers),
		T(an_rst_of_either_side_passes_on),
		T(a_syn_on_a_reset_flow_opens_anew_elsewhere),
		T(an_unanswered_flow_is_reset_too),
		T(a_connection_that_both_sides_have_ended_needs_no_reset),
		T(after_the_closing_time_the_stack_answers),
		T(udp_under_reset_picks_again),
		T(live_tcp_flows_are_answered_where_the_service_says_so),
		T(live_flows_are_dropped_where_the_service_says_so),
		T(live_flows_are_the_hosts_where_the_service_says_so),
		T(live_flows_go_on_where_the_service_leaves_them),
		T(live_udp_flows_are_told_by_icmp),
		T(live_flows_go_on_while_the_endpoint_or_another_is_there),
		T(a_flow_that_is_not_established_goes_by_what_is_said_for_new_ones),
		T(udp_is_not_left_where_it_may_not_be),
		T(the_sweep_removes_udp_flows_of_endpoints_that_are_gone),
		T(tcp_flows_of_a_removed_endpoint_are_reset_where_its_word_says_so),
	};
#undef T

	return cmocka_run_group_tests(halt, NULL, NULL);
}
