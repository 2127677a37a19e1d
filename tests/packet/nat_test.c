/* SPDX-License-Identifier: BSD-2-Clause */
/* Mode nat, both directions: every byte that leaves, for each family and protocol. */
#include "groups.h"
#include "world.h"

#include <string.h>

#include <linux/bpf.h>

static const struct {
	uint32_t service, endpoint;
} families[] = {{TCP4, WEB4_A}, {UDP4, WEB4_A}, {TCP6, WEB6_A}, {UDP6, WEB6_A}};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

static void a_first_packet_reaches_the_endpoint_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct desc d = from_client(families[i].service);

		world_expect_to(families[i].endpoint, &d);
	}
	assert_int_equal(world_stat(SPW_FORWARD_REDIRECT), FAMILIES);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), FAMILIES);
}

static void a_reply_reaches_the_client_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct desc d = from_client(families[i].service);
		struct desc sent = world_expect_to(families[i].endpoint, &d);
		struct desc reply = from_endpoint(&sent);

		reply.payload = 77;
		reply.tos = 0xb8;
		world_expect_reply(world.if_server, &d, &reply);
	}
}

static void packets_of_every_length_keep_good_checksums(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAMILIES; i++) {
		struct desc d = from_client(families[i].service);
		struct desc sent = world_expect_to(families[i].endpoint, &d);
		struct desc reply = from_endpoint(&sent);

		for (size_t len = 0; len < 1300; len += 1 + len / 8) {
			d.payload = reply.payload = len;
			d.seed = reply.seed = (uint32_t)len;
			d.flags = reply.flags = TCP_ACK | TCP_PSH;
			d.tos = (uint8_t)len;
			world_expect_to(families[i].endpoint, &d);
			world_expect_reply(world.if_server, &d, &reply);
		}
	}
}

static void a_flow_keeps_its_source_port_and_address(void **state)
{
	struct desc d = from_client(TCP4), first, next;

	(void)state;
	first = world_expect_to(WEB4_A, &d);
	d.flags = TCP_ACK;
	next = world_expect_to(WEB4_A, &d);
	assert_int_equal(first.sport, next.sport);
	assert_memory_equal(&first.src, &next.src, sizeof(first.src));
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), 1);
}

static void two_clients_with_one_port_do_not_meet(void **state)
{
	struct desc a = from_client(UDP4), b = from_client(UDP4), sent_a, sent_b, reply;

	(void)state;
	b.src = addr_of("10.1.0.21");
	b.smac[5] = 0x21;
	sent_a = world_expect_to(WEB4_A, &a);
	sent_b = world_expect_to(WEB4_A, &b);
	reply = from_endpoint(&sent_b);
	world_expect_reply(world.if_server, &b, &reply);
	reply = from_endpoint(&sent_a);
	world_expect_reply(world.if_server, &a, &reply);
}

static void a_zero_udp_checksum_stays_zero(void **state)
{
	static const uint32_t services[] = {UDP4, UDP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(services[i]), sent, reply;

		d.no_checksum = true;
		sent = world_expect_to(i ? WEB6_A : WEB4_A, &d);
		reply = from_endpoint(&sent);
		world_expect_reply(world.if_server, &d, &reply);
	}
}

/* With 65536 payloads that differ in one word, one has the sum that would be zero. */
static void a_udp_checksum_that_becomes_zero_is_sent_as_ones(void **state)
{
	struct desc d = from_client(UDP4);
	struct frame in, out;
	size_t at = frame_l4(&d) + 6;
	struct desc sent;
	uint32_t diff;

	(void)state;
	d.payload = 2;
	sent = world_expect_to(WEB4_A, &d);
	sent.no_checksum = false;
	frame_build(&sent, &out);
	/* One's complement: adding the rewritten checksum to the payload makes the new one zero. */
	diff = (uint32_t)(out.b[at] << 8 | out.b[at + 1]);
	frame_build(&d, &in);
	diff += (uint32_t)(in.b[at + 2] << 8 | in.b[at + 3]);
	diff = (diff & 0xffff) + (diff >> 16);
	frame_put16(&in, at + 2, (uint16_t)diff);
	diff = (uint32_t)(in.b[at] << 8 | in.b[at + 1]) + 0xffff -
	       (uint32_t)(out.b[at] << 8 | out.b[at + 1]);
	frame_put16(&in, at, (uint16_t)((diff & 0xffff) + (diff >> 16)));
	assert_int_equal(world_send_frame(world.if_client, &in, &out), XDP_REDIRECT);
	assert_int_equal(out.b[at] << 8 | out.b[at + 1], 0xffff);
}

static void ethernet_padding_is_kept(void **state)
{
	struct desc d = from_client(UDP4);
	struct frame in, out;

	(void)state;
	d.payload = 3;
	world_expect_to(WEB4_A, &d);
	frame_build(&d, &in);
	memset(in.b + in.len, 0xee, 60 - in.len);
	in.len = 60;
	assert_int_equal(world_send_frame(world.if_client, &in, &out), XDP_REDIRECT);
	assert_int_equal(out.len, 60);
	assert_int_equal(out.b[59], 0xee);
}

static void tcp_options_pass_through(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	d.doff = 10;
	world_expect_to(WEB4_A, &d);
	d.doff = 15;
	d.flags = TCP_ACK;
	d.payload = 11;
	world_expect_to(WEB4_A, &d);
}

static void endpoint_counters_hold_packets_and_ip_bytes(void **state)
{
	struct spw_endpoint_stats before = world_endpoint_stats(WEB6_B), after;
	struct desc d = from_client(UDP6), sent, reply;

	(void)state;
	world_serve(UDP6, (uint16_t[]){WEB6_B}, 1);
	sent = world_expect_to(WEB6_B, &d);
	world_expect_to(WEB6_B, &d);
	reply = from_endpoint(&sent);
	reply.payload = 500;
	world_expect_reply(world.if_server, &d, &reply);
	after = world_endpoint_stats(WEB6_B);
	assert_int_equal(after.flows_opened - before.flows_opened, 1);
	assert_int_equal(after.packets_in - before.packets_in, 2);
	assert_int_equal(after.bytes_in - before.bytes_in, 2 * desc_l3_len(&d));
	assert_int_equal(after.packets_out - before.packets_out, 1);
	assert_int_equal(after.bytes_out - before.bytes_out, desc_l3_len(&reply));
}

int nat_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest nat[] = {
		T(a_first_packet_reaches_the_endpoint_byte_for_byte),
		T(a_reply_reaches_the_client_byte_for_byte),
		T(packets_of_every_length_keep_good_checksums),
		T(a_flow_keeps_its_source_port_and_address),
		T(two_clients_with_one_port_do_not_meet),
		T(a_zero_udp_checksum_stays_zero),
		T(a_udp_checksum_that_becomes_zero_is_sent_as_ones),
		T(ethernet_padding_is_kept),
		T(tcp_options_pass_through),
		T(endpoint_counters_hold_packets_and_ip_bytes),
	};
#undef T

	return cmocka_run_group_tests(nat, NULL, NULL);
}
