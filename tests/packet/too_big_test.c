/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets larger than their way and packets without a hop left: what their senders are told. */
#include "groups.h"
#include "world.h"

#include <string.h>

static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

static uint32_t endpoint_for(uint32_t service)
{
	return service == TCP4 || service == UDP4 ? WEB4_A : WEB6_A;
}

/* Makes the whole IP packet `len` bytes long. */
static void resize(struct desc *d, size_t len)
{
	d->payload = len - (desc_l3_len(d) - d->payload);
}

static void the_sender_is_told_the_mtu_of_the_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc d = from_client(services[i]), sent, reply;

		sent = world_expect_to(endpoint_for(services[i]), &d);
		if (d.proto == IPPROTO_TCP)
			d.flags = TCP_ACK;
		for (size_t len = 1401; len <= 1500; len += 33) {
			resize(&d, len);
			world_expect_too_big(world.if_client, &d, 1400);
		}
		reply = from_endpoint(&sent);
		for (size_t len = 1501; len < 1600; len += 33) {
			resize(&reply, len);
			world_expect_too_big(world.if_server, &reply, 1500);
		}
		resize(&d, 1400);
		world_expect_to(endpoint_for(services[i]), &d);
		resize(&reply, 1500);
		world_expect_reply(world.if_server, &d, &reply);
	}
}

static void df_or_not_the_answer_is_the_same(void **state)
{
	struct desc d = from_client(UDP4), want;
	struct frame in, out, built;

	(void)state;
	resize(&d, 1500);
	frame_build(&d, &in);
	frame_put16(&in, FRAME_ETH + 6, 0);
	frame_fix_ip4(&in);
	want = world_too_big(&d, 1400);
	want.bytes = in.b + FRAME_ETH;
	frame_build(&want, &built);
	world_expect_verdict(world.if_client, &in, &out, XDP_TX);
	frame_assert_equal(&out, &built);
}

/* Priority and VLAN are those of the packet. */
static void an_answer_to_a_tagged_packet_has_its_tag(void **state)
{
	static const uint16_t tags[] = {0, 5, 0x6064, 0x0ffe};

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		struct desc d = from_client(services[i % 4]), want;
		bool big = i / 4 % 2;
		struct frame in, out, built;

		if (d.proto == IPPROTO_TCP && big)
			world_endpoint_of(&d);
		d.flags = big && d.proto == IPPROTO_TCP ? TCP_ACK : d.flags;
		d.ttl = big ? 64 : 1;
		if (big)
			resize(&d, 1490);
		frame_build(&d, &in);
		want = big ? world_too_big(&d, 1400) : world_exceeded(&d);
		want.bytes = in.b + FRAME_ETH;
		frame_build(&want, &built);
		frame_tag(&built, tags[i / 4]);
		frame_tag(&in, tags[i / 4]);
		world_expect_verdict(world.if_client, &in, &out, XDP_TX);
		frame_assert_equal(&out, &built);
	}
}

static void an_answer_to_a_tagged_packet_nobody_takes_has_its_tag(void **state)
{
	struct desc d = from_client(UDP6), want = world_unreachable(&d);
	struct frame in, out, built;

	(void)state;
	world_set_word(WEB6_A, 0);
	frame_build(&d, &in);
	want.bytes = in.b + FRAME_ETH;
	frame_build(&want, &built);
	frame_tag(&built, 77);
	frame_tag(&in, 77);
	world_expect_verdict(world.if_client, &in, &out, XDP_TX);
	frame_assert_equal(&out, &built);
}

static void a_traceroute_sees_the_gateway(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc d = from_client(services[i]);

		for (uint16_t n = 0; n < 3; n++) {
			d.sport = (uint16_t)(33000 + n);
			d.ttl = 1;
			world_expect_exceeded(world.if_client, &d);
			d.ttl = 2;
			world_expect_to(endpoint_for(services[i]), &d);
		}
	}
}

static void these_answers_are_limited_too(void **state)
{
	struct desc big = from_client(UDP4), last = from_client(UDP6);
	uint64_t sent;

	(void)state;
	resize(&big, 1500);
	last.ttl = 1;
	for (int i = 0; i < 2000; i++) {
		struct frame in, out;

		frame_build(i % 2 ? &big : &last, &in);
		if (world_send_frame(world.if_client, &in, &out) != XDP_TX)
			frame_assert_equal(&out, &in);
	}
	sent = world_stat(SPW_COUNT_TOO_BIG_SENT) + world_stat(SPW_COUNT_TTL_EXCEEDED_SENT);
	assert_in_range(sent, 100, 1900);
	assert_int_equal(sent + world_stat(SPW_COUNT_UNREACHABLE_LIMITED), 2000);
	assert_int_equal(world_stat(SPW_DROP_TOO_BIG), 1000);
	assert_int_equal(world_stat(SPW_DROP_TTL), 1000);
}

int too_big_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest too_big[] = {
		T(the_sender_is_told_the_mtu_of_the_way),
		T(df_or_not_the_answer_is_the_same),
		T(an_answer_to_a_tagged_packet_has_its_tag),
		T(an_answer_to_a_tagged_packet_nobody_takes_has_its_tag),
		T(a_traceroute_sees_the_gateway),
		T(these_answers_are_limited_too),
	};
#undef T

	return cmocka_run_group_tests(too_big, NULL, NULL);
}
