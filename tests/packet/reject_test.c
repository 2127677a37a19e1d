/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections that cannot be had: the client gets an RST, whatever its SYN looks like. */
#include "groups.h"
#include "world.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

static int nobody_there(void **state)
{
	world_reset(state);
	world_set_word(WEB4_A, 0);
	world_set_word(WEB6_A, 0);
	return 0;
}

static void every_syn_gets_the_same_short_answer(void **state)
{
	static const struct desc syns[] = {
		{.seq = 0x12345678},
		{.seq = 0xffffffff},		   /* acknowledged with 0 */
		{.doff = 10, .seq = 77},	   /* options as a client sends them */
		{.doff = 15, .payload = 700},	   /* TCP Fast Open: the data counts too */
		{.payload = 1, .seq = 0xfffffffe}, /* an odd length, past the wrap */
		{.ttl = 2, .tos = 0xbb},	   /* DSCP stays, ECN goes */
		{.ttl = 255, .tos = 0x01, .doff = 6},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(syns) / sizeof(syns[0]); i++) {
		struct desc d = from_client(i % 2 ? TCP6 : TCP4);

		d.seq = syns[i / 2].seq;
		d.doff = syns[i / 2].doff;
		d.payload = syns[i / 2].payload;
		d.ttl = syns[i / 2].ttl;
		d.tos = syns[i / 2].tos;
		world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	}
	assert_int_equal(world_flow_count(), 0);
	assert_int_equal(world_stat(SPW_FORWARD_TX), 0); /* counted once, as what it is */
}

/* Sends `in` as it is; the answer must be the one to `syn`. */
static void expect_refusal_of_frame(const struct desc *syn, const struct frame *in)
{
	struct desc want = world_refusal(syn);
	struct frame out, built;

	world_expect_verdict(world.if_client, in, &out, XDP_TX);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
}

static void odd_bits_of_a_syn_are_not_in_the_answer(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct desc d = from_client(i ? TCP6 : TCP4);
		struct frame in;
		size_t tcp = frame_l4(&d);

		frame_build(&d, &in);
		in.b[tcp + 11] = 9;	/* an acknowledgement without the flag */
		in.b[tcp + 12] |= 0x0f; /* reserved bits */
		in.b[tcp + 13] |= 0xe8; /* CWR, ECE, URG, PSH */
		in.b[tcp + 19] = 5;	/* urgent pointer */
		if (i)
			frame_put16(&in, FRAME_ETH + 2, 0xabcd); /* flow label */
		else
			frame_put16(&in, FRAME_ETH + 4, 0xabcd); /* identification, */
		if (!i)
			frame_put16(&in, FRAME_ETH + 6, 0); /* no DF */
		expect_refusal_of_frame(&d, &in);
	}
}

static void padding_is_not_sent_back(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct desc d = from_client(i ? TCP6 : TCP4);
		struct frame in;

		d.payload = i ? 3 : 0;
		frame_build(&d, &in);
		memset(in.b + in.len, 0xee, 100);
		in.len += 6;
		expect_refusal_of_frame(&d, &in);
		in.len += 94;
		expect_refusal_of_frame(&d, &in);
	}
}

static void the_answer_itself_is_never_answered(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	for (int flags = 0; flags < 0x20; flags++) {
		d.flags = (uint8_t)flags;
		if ((flags & (TCP_SYN | TCP_ACK | TCP_FIN | TCP_RST)) != TCP_SYN)
			world_expect_end(world.if_client, &d, SPW_PASS_NO_FLOW);
	}
	d.flags = TCP_SYN;
	d.dport = 81;
	world_expect_end(world.if_client, &d, SPW_PASS_NO_SERVICE);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

static void udp_that_finds_no_port_is_dropped_without_an_answer(void **state)
{
	static const uint32_t services[] = {UDP4, UDP6};

	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(services[i]);

		world_reset(state);
		world_set_ports(1);
		world.config.settings[0].source[1] = world.config.settings[0].source[0];
		world_put_config();
		d.sport++;
		world_expect_to(i ? WEB6_A : WEB4_A, &d);
		d.sport++;
		world_expect_end(world.if_client, &d, SPW_DROP_PORTS_EXHAUSTED);
		world.config.settings[0].port_count = 0;
		world_put_config();
		world_expect_end(world.if_client, &d, SPW_DROP_NO_SOURCE);
		assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
		assert_int_equal(world_stat(SPW_COUNT_UNREACHABLE_SENT), 0);
	}
}

static void each_cause_is_answered_and_counted_as_itself(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct desc d = from_client(i ? TCP6 : TCP4);

		nobody_there(state);
		world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
		world_set_word(i ? WEB6_A : WEB4_A, SPW_WORD_PICKABLE);
		world.config.settings[0].port_count = 0;
		world_put_config();
		world_expect_refused(&d, SPW_DROP_NO_SOURCE);
		world_set_ports(1);
		world.config.settings[0].source[1] = world.config.settings[0].source[0];
		world_put_config();
		world_expect_to(i ? WEB6_A : WEB4_A, &d);
		d.sport++;
		world_expect_refused(&d, SPW_DROP_PORTS_EXHAUSTED);
		assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 3);
	}
}

static void a_full_table_refuses_in_words(void **state)
{
	struct desc d = from_client(TCP4);

	world_reset(state);
	world_set_ports(12000);
	for (uint32_t refused = 0; refused < 100; d.sport++)
		refused += !world_connect(&d);
	for (uint32_t refused = 0; refused < 20; d.sport++) {
		struct desc want = world_refusal(&d);
		uint64_t resets = world_stat(SPW_COUNT_RESET_SENT);
		struct frame out, built;

		if (world_send(world.if_client, &d, &out) == XDP_REDIRECT)
			continue; /* the few entries that were left */
		frame_build(&want, &built);
		frame_assert_equal(&out, &built);
		assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), resets + 1);
		refused++;
	}
}

static void without_tx_the_answer_leaves_by_redirect(void **state)
{
	struct desc d = from_client(TCP4), want = world_refusal(&d);
	struct frame in, out, built;

	(void)state;
	world_attach(world.if_client, 0);
	frame_build(&d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 1);
	assert_int_equal(world_stat(SPW_FORWARD_REDIRECT), 0);
}

static void where_no_answer_can_leave_the_syn_is_just_dropped(void **state)
{
	const int fd = bpf_map__fd(world.skel->maps.tx_ports);
	struct desc d = from_client(TCP4);
	struct frame in, out;

	(void)state;
	world_attach(world.if_client, 0);
	assert_int_equal(bpf_map_delete_elem(fd, &world.if_client), 0);
	frame_build(&d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_DROP);
	world_detach(world.if_client); /* as a bond's slave is */
	world_expect_frame_end(world.if_client, &in, SPW_DROP_NO_ENDPOINT);
	assert_int_equal(world_stat(SPW_DROP_NO_ENDPOINT), 2);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

int reject_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, nobody_there)
	const struct CMUnitTest reject[] = {
		T(every_syn_gets_the_same_short_answer),
		T(odd_bits_of_a_syn_are_not_in_the_answer),
		T(padding_is_not_sent_back),
		T(the_answer_itself_is_never_answered),
		T(udp_that_finds_no_port_is_dropped_without_an_answer),
		T(each_cause_is_answered_and_counted_as_itself),
		T(a_full_table_refuses_in_words),
		T(without_tx_the_answer_leaves_by_redirect),
		T(where_no_answer_can_leave_the_syn_is_just_dropped),
	};
#undef T

	return cmocka_run_group_tests(reject, NULL, NULL);
}
