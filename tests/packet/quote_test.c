/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP unreachable about packets of ours: which quotes of which flows count as failures. Whether an
 * error is forwarded, and how, is tested in icmp_test.c.
 */
#include "groups.h"
#include "world.h"

#include <string.h>

#define QUOTE4 (20 + 8)
#define QUOTE6 (40 + 8)

static uint32_t endpoint_for(uint32_t service)
{
	return service == TCP4 || service == UDP4 ? WEB4_A : WEB6_A;
}

static bool is_v4(uint32_t service)
{
	return service == TCP4 || service == UDP4;
}

/* What a router near the endpoint says about `sent`, built in `quoted`. */
static struct desc complaint(const struct desc *sent, const struct frame *quoted)
{
	bool v4 = desc_is_v4(sent);
	struct desc d = {
		.src = addr_of(v4 ? "10.2.0.254" : "fd00:2::fe"),
		.dst = sent->src,
		.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.type = v4 ? 3 : 1,
		.code = v4 ? 1 : 3,
		.bytes = quoted->b + FRAME_ETH,
		.payload = v4 ? QUOTE4 : QUOTE6,
	};

	memcpy(d.smac, sent->dmac, 6);
	memcpy(d.dmac, sent->smac, 6);
	return d;
}

/* A flow of the service, and the least complaint about it that counts. */
static struct desc complaint_of(uint32_t service, struct desc *client, struct frame *quoted)
{
	struct desc sent;

	world_reset(NULL);
	*client = from_client(service);
	sent = world_expect_to(endpoint_for(service), client);
	frame_build(&sent, quoted);
	return complaint(&sent, quoted);
}

static uint32_t told(uint32_t service)
{
	struct spw_signals s = world_signals(endpoint_for(service));

	assert_int_equal(s.run, world_stat(SPW_COUNT_FLOW_UNREACHABLE));
	return world_outcomes(endpoint_for(service)).unreachable;
}

static void expect_pass(const struct desc *d)
{
	world_expect_end(world.if_server, d, SPW_PASS_NOT_L4);
}

static void expect_forward(int ifindex, const struct desc *d)
{
	uint64_t before = world_stat(SPW_COUNT_FORWARD_ICMP);
	struct frame out;

	assert_int_equal(world_send(ifindex, d, &out), XDP_REDIRECT);
	assert_int_equal(world_stat(SPW_COUNT_FORWARD_ICMP), before + 1);
}

/* Forwarded or passed. */
static void hear(const struct desc *d)
{
	uint64_t before = world_stat(SPW_COUNT_FORWARD_ICMP) + world_stat(SPW_PASS_NOT_L4);
	struct frame out;

	world_send(world.if_server, d, &out);
	assert_int_equal(world_stat(SPW_COUNT_FORWARD_ICMP) + world_stat(SPW_PASS_NOT_L4),
			 before + 1);
}

static void a_quoted_packet_of_a_new_flow_is_one_failure(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct frame quoted;
		struct desc client, d = complaint_of(service, &client, &quoted);

		expect_forward(world.if_server, &d);
		expect_forward(world.if_server, &d);
		assert_int_equal(told(service), 1);
		assert_int_equal(world_outcomes(endpoint_for(service)).opened, 1);
		assert_int_equal(world_signals(endpoint_for(service)).last_failure,
				 SPW_FAILURE_UNREACHABLE);
		world_expect_to(endpoint_for(service), &client); /* the flow goes on */
	}
}

static void codes_of_unreachable_count_and_other_messages_do_not(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * 256 * 16; i++) {
		uint32_t service = i % 2 ? TCP6 : TCP4;
		uint8_t type = (uint8_t)(i / 32), code = (uint8_t)(i / 2 % 16);
		bool counts = service == TCP4 ? type == 3 && code != 4 && code <= 13 : type == 1;
		struct frame quoted;
		struct desc client, d;

		if (type > 8 && type % 16)
			continue;
		d = complaint_of(service, &client, &quoted);
		d.type = type;
		d.code = code;
		hear(&d);
		assert_int_equal(told(service), counts);
	}
}

static void a_longer_quote_counts_and_a_shorter_one_does_not(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		size_t least = is_v4(service) ? QUOTE4 : QUOTE6;

		for (size_t len = 0; len < least + 20; len++) {
			struct frame quoted;
			struct desc client, d = complaint_of(service, &client, &quoted);

			d.payload = len;
			if (len < least)
				expect_pass(&d);
			else
				expect_forward(world.if_server, &d);
			assert_int_equal(told(service), len >= least);
		}
	}
}

/* The padding of a frame is no quote. */
static void bytes_behind_the_packet_are_not_read(void **state)
{
	struct frame quoted, f;
	struct desc client, d = complaint_of(TCP4, &client, &quoted);

	(void)state;
	frame_build(&d, &f);
	frame_put16(&f, FRAME_ETH + 2, (uint16_t)(desc_l3_len(&d) - 1));
	frame_fix_ip4(&f);
	world_expect_frame_end(world.if_server, &f, SPW_PASS_NOT_L4);
	assert_int_equal(told(TCP4), 0);
}

/* One byte of the quote, by its offset there, changed so that it names no flow of ours. */
static void a_quote_that_differs_in_anything_does_not_count(void **state)
{
	static const struct {
		uint32_t service;
		size_t at;
		uint8_t value;
	} pokes[] = {
		{TCP4, 0, 0x46},	{TCP4, 0, 0x65}, {TCP4, 7, 1},	  {TCP4, 6, 0x10},
		{TCP4, 9, IPPROTO_UDP}, {TCP4, 9, 1},	 {TCP4, 15, 9},	  {TCP4, 19, 99},
		{TCP4, 21, 0xff},	{TCP4, 23, 81},	 {TCP6, 0, 0x40}, {TCP6, 6, IPPROTO_UDP},
		{TCP6, 6, 44},		{TCP6, 23, 9},	 {TCP6, 39, 99},  {TCP6, 41, 0xff},
		{TCP6, 43, 81},		{UDP4, 9, 6},	 {UDP6, 6, 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		struct frame quoted;
		struct desc client, d = complaint_of(pokes[i].service, &client, &quoted);

		uint8_t *b = &quoted.b[FRAME_ETH + pokes[i].at];

		/* A source port may have any value. */
		*b = *b == pokes[i].value ? pokes[i].value ^ 1 : pokes[i].value;
		expect_pass(&d);
		assert_int_equal(told(pokes[i].service), 0);
	}
}

static void it_must_come_to_the_address_that_the_packet_went_from(void **state)
{
	static const uint32_t services[] = {TCP4, TCP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct frame quoted;
		struct desc client, d = complaint_of(services[i], &client, &quoted);

		d.dst = addr_of(i ? VIP6 : VIP4);
		expect_pass(&d);
		assert_int_equal(told(services[i]), 0);
	}
}

/* A client's host complains about a reply: that says nothing of the endpoint. */
static void complaints_about_replies_do_not_count(void **state)
{
	static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc client = from_client(services[i]), reply, d;
		struct frame quoted;

		world_expect_to(endpoint_for(services[i]), &client);
		reply = from_endpoint(&client);
		frame_build(&reply, &quoted);
		d = complaint(&reply, &quoted);
		expect_forward(world.if_client, &d);
		assert_int_equal(told(services[i]), 0);
	}
}

static void fragments_and_options_pass_as_they_always_did(void **state)
{
	struct frame quoted, f;
	struct desc client, d = complaint_of(TCP4, &client, &quoted);

	(void)state;
	frame_build(&d, &f);
	frame_put16(&f, FRAME_ETH + 6, 0x2000);
	frame_fix_ip4(&f);
	world_expect_frame_end(world.if_server, &f, SPW_PASS_FRAGMENT);
	frame_build(&d, &f);
	f.b[FRAME_ETH] = 0x46;
	world_expect_frame_end(world.if_server, &f, SPW_PASS_OPTIONS);
	assert_int_equal(told(TCP4), 0);
}

static void the_other_familys_icmp_is_not_heard(void **state)
{
	struct frame quoted, f;
	struct desc client, d = complaint_of(TCP4, &client, &quoted);

	(void)state;
	frame_build(&d, &f);
	f.b[FRAME_ETH + 9] = IPPROTO_ICMPV6;
	frame_fix_ip4(&f);
	world_expect_frame_end(world.if_server, &f, SPW_PASS_NOT_L4);
	d = complaint_of(TCP6, &client, &quoted);
	frame_build(&d, &f);
	f.b[FRAME_ETH + 6] = IPPROTO_ICMP;
	world_expect_frame_end(world.if_server, &f, SPW_PASS_NOT_L4);
	assert_int_equal(told(TCP4) + told(TCP6), 0);
}

static void an_answered_flow_counts_only_for_udp_and_in_the_run_alone(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		bool udp = service == UDP4 || service == UDP6;
		struct frame quoted;
		struct desc client, d, sent, reply;
		uint32_t id = endpoint_for(service);

		world_reset(NULL);
		client = from_client(service);
		sent = world_expect_to(id, &client);
		reply = from_endpoint(&sent);
		world_expect_reply(world.if_server, &client, &reply);
		frame_build(&sent, &quoted);
		d = complaint(&sent, &quoted);
		expect_forward(world.if_server, &d);
		expect_forward(world.if_server, &d);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_UNREACHABLE), udp);
		assert_int_equal(world_signals(id).run, udp);
		assert_int_equal(world_outcomes(id).unreachable, 0);
		assert_int_equal(world_outcomes(id).answered, 1);
	}
}

static void a_flow_whose_time_has_passed_is_not_known_any_more(void **state)
{
	struct frame quoted;
	struct desc client, d = complaint_of(TCP4, &client, &quoted);

	(void)state;
	world_age(&client, 32 * SECOND_NS);
	expect_pass(&d);
	assert_int_equal(told(TCP4), 0);
}

/* A quote with some bytes turned, of any length, in messages that are near to unreachable. */
static void generated_quotes_count_at_most_once(void **state)
{
	uint32_t rnd = 20260101;

	(void)state;
	for (uint32_t i = 0; i < repeats(4000); i++) {
		struct frame quoted;
		struct desc client, d = complaint_of(TCP4 + i % 4, &client, &quoted);

		for (uint32_t n = random_u32(&rnd) % 4; n; n--)
			quoted.b[FRAME_ETH + random_u32(&rnd) % 60] ^= (uint8_t)random_u32(&rnd);
		d.type = (uint8_t)(d.type + (random_u32(&rnd) % 8 == 0));
		d.code = (uint8_t)(random_u32(&rnd) % 16);
		d.payload = random_u32(&rnd) % 100;
		hear(&d);
		hear(&d);
		assert_in_range(told(TCP4 + i % 4), 0, 1);
		assert_int_equal(world_flow_count(), 2);
	}
}

int quote_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest quote[] = {
		T(a_quoted_packet_of_a_new_flow_is_one_failure),
		T(codes_of_unreachable_count_and_other_messages_do_not),
		T(a_longer_quote_counts_and_a_shorter_one_does_not),
		T(bytes_behind_the_packet_are_not_read),
		T(a_quote_that_differs_in_anything_does_not_count),
		T(it_must_come_to_the_address_that_the_packet_went_from),
		T(complaints_about_replies_do_not_count),
		T(fragments_and_options_pass_as_they_always_did),
		T(the_other_familys_icmp_is_not_heard),
		T(an_answered_flow_counts_only_for_udp_and_in_the_run_alone),
		T(a_flow_whose_time_has_passed_is_not_known_any_more),
		T(generated_quotes_count_at_most_once),
	};
#undef T

	return cmocka_run_group_tests(quote, NULL, NULL);
}
