/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flows of the userspace path: whatever the client sends is passed as it came, and the table holds one
 * entry that says which endpoint the flow was given to.
 */
#include "groups.h"
#include "whole.h"
#include "world.h"

#include <arpa/inet.h>
#include <string.h>

#define SYNTHETIC4 "127.9.0.1"

static const uint32_t both[] = {TCP4, TCP6};

/* The service's flows all go to HAND_A. */
static struct desc handed(uint32_t service)
{
	world_serve(service, (uint16_t[]){HAND_A}, 1);
	return from_client(service);
}

static void expect_handed(const struct desc *d)
{
	world_expect_end(world.if_client, d, SPW_PASS_HANDOFF);
}

static void client_sends(const struct desc *syn, uint8_t flags)
{
	struct desc d = *syn;

	d.flags = flags;
	d.payload = flags & TCP_SYN ? 0 : 17;
	expect_handed(&d);
}

static struct flow flow_of(const struct desc *d)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	assert_int_equal(f.flags, SPW_FLOW_HANDOFF);
	return f;
}

static void a_flow_that_is_handed_off_is_one_entry_and_no_port(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct spw_endpoint_stats was = world_endpoint_stats(HAND_A), now;
		struct desc d = handed(both[i]);
		struct flow f;

		world_set_ports(0);
		expect_handed(&d);
		f = flow_of(&d);
		assert_int_equal(f.endpoint, HAND_A);
		assert_int_equal(f.service, both[i]);
		assert_int_equal(f.state, 0);
		assert_int_equal(whole_expect(), 1);
		now = world_endpoint_stats(HAND_A);
		assert_int_equal(now.flows_opened, was.flows_opened + 1);
		assert_int_equal(now.packets_in, was.packets_in + 1);
		assert_int_equal(now.bytes_in, was.bytes_in + desc_l3_len(&d));
		assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), i + 1);
		world_empty_flows();
	}
}

/* The proxy speaks for it, so its own address may be of either family. */
static void the_endpoints_address_is_of_no_concern(void **state)
{
	struct spw_endpoint e = world_endpoint(HAND_A);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = handed(both[i]);

		e.addr = addr_of(SYNTHETIC4);
		world_put_endpoint(HAND_A, &e);
		expect_handed(&d);
	}
}

static void a_handshake_and_data_are_passed_and_the_entry_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = handed(both[i]);

		expect_handed(&d);
		client_sends(&d, TCP_ACK);
		assert_int_equal(flow_of(&d).state, SPW_FLOW_ESTABLISHED | SPW_FLOW_RANKED);
		client_sends(&d, TCP_ACK | TCP_PSH);
		client_sends(&d, TCP_SYN); /* the stack has a word for it */
		client_sends(&d, TCP_SYN | TCP_ACK);
		assert_int_equal(flow_of(&d).state, SPW_FLOW_ESTABLISHED | SPW_FLOW_RANKED);
	}
	assert_int_equal(whole_expect(), 2);
	assert_int_equal(world_outcomes(HAND_A).opened, 0);
	assert_int_equal(world_signals(HAND_A).run, 0);
}

static void a_repeated_syn_keeps_its_endpoint_while_that_may_be_picked(void **state)
{
	struct desc d = handed(TCP4);

	(void)state;
	expect_handed(&d);
	world_serve(TCP4, (uint16_t[]){HAND_B}, 1);
	expect_handed(&d);
	world_born(&d, 2 * SECOND_NS);
	expect_handed(&d);
	assert_int_equal(flow_of(&d).endpoint, HAND_A);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_RETRIED), 0);
	world_set_word(HAND_A, SPW_WORD_UP);
	expect_handed(&d);
	assert_int_equal(flow_of(&d).endpoint, HAND_B);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REPICKED), 1);
	assert_int_equal(whole_expect(), 1);
}

static void an_unanswered_syn_goes_from_one_path_to_the_other(void **state)
{
	struct desc d = handed(TCP4);

	(void)state;
	expect_handed(&d);
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	world_set_word(HAND_A, 0);
	world_expect_to(WEB4_A, &d);
	assert_int_equal(whole_expect(), 2);
	handed(TCP4);
	world_set_word(HAND_A, SPW_WORD_UP | SPW_WORD_PICKABLE);
	world_set_word(WEB4_A, 0);
	expect_handed(&d);
	assert_int_equal(whole_expect(), 1);
}

static void established_flows_stay_whatever_becomes_of_the_endpoint(void **state)
{
	static const uint32_t words[] = {0, SPW_WORD_RESET, SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT,
					 SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT};
	static const uint8_t live[] = {SPW_NO_ENDPOINT_ANSWER, SPW_NO_ENDPOINT_UNREACHABLE,
				       SPW_NO_ENDPOINT_DROP, SPW_NO_ENDPOINT_PASS};
	struct desc d = handed(TCP4);

	(void)state;
	expect_handed(&d);
	client_sends(&d, TCP_ACK);
	for (size_t i = 0; i < 4; i++) {
		world_set_word(HAND_A, words[i]);
		world_no_endpoint(TCP4, SPW_SERVICE_EMPTY, SPW_NO_ENDPOINT_DROP, live[i]);
		client_sends(&d, TCP_ACK);
		client_sends(&d, TCP_SYN);
	}
	assert_int_equal(flow_of(&d).endpoint, HAND_A);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

static void a_syn_after_the_clients_end_is_picked_anew(void **state)
{
	static const uint8_t ends[] = {TCP_FIN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK};

	(void)state;
	for (size_t i = 0; i < sizeof(ends); i++) {
		uint64_t closed = world_endpoint_stats(HAND_A).flows_closed;
		struct desc d = handed(TCP4);

		expect_handed(&d);
		client_sends(&d, TCP_ACK);
		client_sends(&d, ends[i]);
		client_sends(&d, ends[i]);
		assert_true(flow_of(&d).state & SPW_FLOW_CLOSED);
		assert_int_equal(world_endpoint_stats(HAND_A).flows_closed, closed + 1);
		world_serve(TCP4, (uint16_t[]){HAND_B}, 1);
		expect_handed(&d);
		assert_int_equal(flow_of(&d).endpoint, HAND_B);
		assert_int_equal(flow_of(&d).state, 0);
		assert_int_equal(whole_expect(), 1);
		assert_int_equal(world_endpoint_stats(HAND_A).flows_closed, closed + 1);
		world_empty_flows();
	}
}

static void datagrams_are_never_handed_off(void **state)
{
	struct desc d = from_client(UDP4);

	(void)state;
	world_serve(UDP4, (uint16_t[]){HAND_A, WEB4_A}, 2);
	for (uint16_t i = 0; i < 50; i++, d.sport++)
		world_expect_to(WEB4_A, &d);
	d.sport = 30000;
	world_serve(UDP4, (uint16_t[]){HAND_A}, 1);
	world_expect_unreachable(&d, SPW_DROP_NO_ENDPOINT);
}

static void both_paths_get_their_shares_of_new_flows(void **state)
{
	const uint16_t ids[] = {HAND_A, WEB4_A, WEB4_A, WEB4_A};
	struct desc d = from_client(TCP4);
	struct frame out;
	uint32_t passed = 0;

	(void)state;
	world_serve(TCP4, ids, 4);
	for (uint16_t i = 0; i < 800; i++, d.sport++)
		passed += world_send(world.if_client, &d, &out) == XDP_PASS;
	assert_in_range(passed, 150, 250);
	assert_int_equal(passed, world_stat(SPW_PASS_HANDOFF));
	assert_int_equal(whole_expect(), 2 * 800 - passed);
}

static void the_last_hop_is_enough_to_get_here(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = handed(both[i]);

		d.ttl = 1;
		expect_handed(&d);
		client_sends(&d, TCP_ACK);
		d.sport++;
		world_serve(both[i], (uint16_t[]){i ? WEB6_A : WEB4_A}, 1);
		world_expect_exceeded(world.if_client, &d);
	}
}

/* What the stack sent to the client did not get there: it is the stack that is to know. */
static void errors_about_what_the_stack_sent_are_passed(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = handed(both[i]), sent = from_endpoint(&d), e = {};
		bool v4 = desc_is_v4(&d);
		struct frame quoted;

		expect_handed(&d);
		client_sends(&d, TCP_ACK);
		sent.payload = 400;
		frame_build(&sent, &quoted);
		e = (struct desc){
			.src = addr_of(v4 ? "10.1.0.99" : "fd00:1::99"),
			.dst = d.dst,
			.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
			.type = v4 ? 3 : 2,
			.code = v4 ? 4 : 0,
			.rest = 1280,
			.payload = 100,
			.bytes = quoted.b + FRAME_ETH,
		};
		memcpy(e.smac, d.smac, 6);
		memcpy(e.dmac, d.dmac, 6);
		world_expect_end(world.if_client, &e, SPW_PASS_NOT_L4);
		assert_int_equal(flow_of(&d).state, SPW_FLOW_ESTABLISHED | SPW_FLOW_RANKED);
	}
}

/* The nth piece, of 600 bytes, of an IPv4 packet. */
static void piece(const struct desc *d, size_t nth, struct frame *f)
{
	const size_t l4 = frame_l4(d), from = nth * 600;
	struct frame whole;
	size_t len;

	frame_build(d, &whole);
	len = whole.len - l4 - from;
	len = len > 600 ? 600 : len;
	memcpy(f->b, whole.b, l4);
	memcpy(f->b + l4, whole.b + l4 + from, len);
	f->len = l4 + len;
	frame_put16(f, FRAME_ETH + 2, (uint16_t)(20 + len));
	frame_put16(f, FRAME_ETH + 4, 4711);
	frame_put16(f, FRAME_ETH + 6, (uint16_t)((len == 600) << 13 | from / 8));
	frame_fix_ip4(f);
}

static void fragments_of_a_flow_are_all_passed(void **state)
{
	struct desc d = handed(TCP4);
	struct frame f;

	(void)state;
	expect_handed(&d);
	d.flags = TCP_ACK;
	d.payload = 1300;
	piece(&d, 0, &f);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_HANDOFF);
	piece(&d, 1, &f);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_FRAGMENT);
	piece(&d, 2, &f);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_FRAGMENT);
	/* One that was forwarded when its flow was another is the stack's now. */
	world_empty_flows();
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	d.flags = TCP_SYN;
	d.payload = 0;
	world_expect_to(WEB4_A, &d);
	d.flags = TCP_ACK;
	d.payload = 1300;
	piece(&d, 0, &f);
	world_expect_verdict(world.if_client, &f, &f, XDP_REDIRECT);
	world_empty_flows();
	d = handed(TCP4);
	expect_handed(&d);
	d.flags = TCP_ACK;
	d.payload = 1300;
	piece(&d, 1, &f);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_HANDOFF);
}

static void a_flow_lives_while_its_client_sends(void **state)
{
	struct desc d = handed(TCP4);

	(void)state;
	expect_handed(&d);
	world_age(&d, 29 * SECOND_NS);
	client_sends(&d, TCP_ACK);
	world_age(&d, 7000 * SECOND_NS);
	client_sends(&d, TCP_ACK);
	world_age(&d, 7000 * SECOND_NS);
	client_sends(&d, TCP_ACK);
	assert_true(flow_of(&d).state & SPW_FLOW_LONG);
	assert_in_range(world_now_ns() - flow_of(&d).seen_ns, 0, SECOND_NS);
}

static void a_flow_whose_time_has_passed_is_the_stacks_or_picked_anew(void **state)
{
	uint64_t closed = world_endpoint_stats(HAND_A).flows_closed;
	struct desc d = handed(TCP4), ack = d;

	(void)state;
	ack.flags = TCP_ACK;
	for (size_t i = 0; i < 2; i++) {
		expect_handed(&d);
		client_sends(&d, TCP_ACK);
		world_age(&d, 8000 * SECOND_NS);
		if (!i)
			world_expect_end(world.if_client, &ack, SPW_PASS_NO_FLOW);
	}
	expect_handed(&d);
	assert_int_equal(flow_of(&d).state, 0);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_EXPIRED), 2);
	assert_int_equal(world_endpoint_stats(HAND_A).flows_closed, closed + 2);
}

static void the_sweep_counts_and_removes_them_like_others(void **state)
{
	uint64_t closed = world_endpoint_stats(HAND_A).flows_closed;
	struct desc d = handed(TCP4), kept = d;
	struct spw_sweep s;

	(void)state;
	kept.sport = 30000;
	expect_handed(&kept);
	client_sends(&kept, TCP_ACK);
	for (uint16_t i = 0; i < 200; i++, d.sport++)
		expect_handed(&d);
	s = world_sweep(0);
	assert_int_equal(s.live[0], 201);
	s = world_sweep(40 * SECOND_NS);
	assert_int_equal(s.live[0], 1);
	assert_int_equal(s.expired, 200);
	assert_int_equal(whole_expect(), 1);
	assert_int_equal(world_endpoint_stats(HAND_A).flows_closed, closed + 200);
	client_sends(&kept, TCP_ACK);
}

/* The nth client of many. */
static struct desc client_number(uint32_t n)
{
	struct desc d = from_client(TCP4);

	d.src.b[14] = (uint8_t)(n >> 8);
	d.src.b[15] = (uint8_t)n;
	d.sport = (uint16_t)(10000 + (n >> 16));
	return d;
}

static void a_full_table_hands_off_without_an_entry(void **state)
{
	const uint32_t most = 6 * WORLD_FLOWS;
	struct frame out;
	uint32_t n = 0;

	(void)state;
	handed(TCP4);
	for (; n < most && world_stat(SPW_COUNT_HANDOFF_UNKEPT) < 50; n++) {
		struct desc d = client_number(n);

		assert_int_equal(world_send(world.if_client, &d, &out), XDP_PASS);
		d.flags = TCP_ACK;
		assert_int_equal(world_send(world.if_client, &d, &out), XDP_PASS);
	}
	assert_in_range(n, 1, most - 1);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REPLACED), 0);
	assert_int_equal(whole_expect(), n - 50);
	/* Where flows are over there is room again. */
	for (uint32_t i = 0; i < n; i++) {
		struct desc d = client_number(i);

		d.flags = TCP_FIN | TCP_ACK;
		assert_int_equal(world_send(world.if_client, &d, &out), XDP_PASS);
	}
	world_age_all(3 * SECOND_NS);
	for (uint32_t i = n; i < n + 500; i++) {
		struct desc d = client_number(i);

		expect_handed(&d);
	}
	assert_int_equal(world_stat(SPW_COUNT_HANDOFF_UNKEPT), 50);
	assert_true(world_stat(SPW_COUNT_FLOW_REPLACED) > 0);
}

/* A connection with WEB4_A, of which both entries know that its handshake is done. */
static void connect_and_hear(const struct desc *syn)
{
	struct desc reply = from_endpoint(syn);
	struct frame out;
	struct flow f;

	assert_true(world_connect(syn));
	assert_true(world_flow(syn, &f));
	reply.src = f.daddr;
	reply.dst = f.saddr;
	reply.sport = ntohs(f.dport);
	reply.dport = ntohs(f.sport);
	reply.flags = TCP_PSH | TCP_ACK;
	memcpy(reply.dmac, mac_gateway_server, 6);
	world_age_all(2 * SECOND_NS);
	assert_int_equal(world_send(world.if_server, &reply, &out), XDP_REDIRECT);
}

/* Entries of either path give way to the other's, each with all that is its own. */
static void eviction_leaves_whole_pairs(void **state)
{
	const uint32_t flood = repeats(40000);
	const uint16_t ids[] = {HAND_A, WEB4_A};
	uint64_t opened = world_endpoint_stats(HAND_A).flows_opened;
	uint64_t closed = world_endpoint_stats(HAND_A).flows_closed;
	uint64_t others = world_endpoint_stats(WEB4_A).flows_opened -
			  world_endpoint_stats(WEB4_A).flows_closed;
	struct frame out;

	(void)state;
	world_set_ports(30000);
	for (uint32_t n = 0; n < 500; n++) {
		struct desc d = client_number(n);

		connect_and_hear(&d);
	}
	world_serve(TCP4, ids, 2);
	for (uint32_t n = 1000; n < 1000 + flood; n++) {
		struct desc d = client_number(n);

		(void)world_send(world.if_client, &d, &out);
	}
	if (flood == 40000)
		assert_true(world_stat(SPW_COUNT_FLOW_REPLACED) > 10000);
	assert_int_equal(world_stat(SPW_COUNT_HANDOFF_UNKEPT), 0);
	whole_expect();
	for (uint32_t n = 0; n < 500; n++) {
		struct desc d = client_number(n);

		d.flags = TCP_ACK;
		assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	}
	opened = world_endpoint_stats(HAND_A).flows_opened - opened;
	closed = world_endpoint_stats(HAND_A).flows_closed - closed;
	others = world_endpoint_stats(WEB4_A).flows_opened -
		 world_endpoint_stats(WEB4_A).flows_closed - others;
	assert_int_equal(opened - closed + others, whole_unclosed());
}

int handoff_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest handoff[] = {
		T(a_flow_that_is_handed_off_is_one_entry_and_no_port),
		T(the_endpoints_address_is_of_no_concern),
		T(a_handshake_and_data_are_passed_and_the_entry_kept),
		T(a_repeated_syn_keeps_its_endpoint_while_that_may_be_picked),
		T(an_unanswered_syn_goes_from_one_path_to_the_other),
		T(established_flows_stay_whatever_becomes_of_the_endpoint),
		T(a_syn_after_the_clients_end_is_picked_anew),
		T(datagrams_are_never_handed_off),
		T(both_paths_get_their_shares_of_new_flows),
		T(the_last_hop_is_enough_to_get_here),
		T(errors_about_what_the_stack_sent_are_passed),
		T(fragments_of_a_flow_are_all_passed),
		T(a_flow_lives_while_its_client_sends),
		T(a_flow_whose_time_has_passed_is_the_stacks_or_picked_anew),
		T(the_sweep_counts_and_removes_them_like_others),
		T(a_full_table_hands_off_without_an_entry),
		T(eviction_leaves_whole_pairs),
	};
#undef T

	return cmocka_run_group_tests(handoff, NULL, NULL);
}
