/* SPDX-License-Identifier: BSD-2-Clause */
/* A service that has nobody for a new flow: what each of its answers looks like, byte for byte. */
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

static void say(uint8_t new_flows)
{
	for (uint32_t service = TCP4; service <= UDP6; service++)
		world_no_endpoint(service, SPW_SERVICE_EMPTY, new_flows, SPW_NO_ENDPOINT_LEAVE);
}

static void every_udp_packet_gets_port_unreachable_with_a_quote(void **state)
{
	static const size_t payloads[] = {0, 1, 2, 3, 4, 33, 463, 464, 465, 484, 700, 1400};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(payloads) / sizeof(payloads[0]); i++) {
		struct desc d = from_client(i % 2 ? UDP6 : UDP4);

		d.payload = payloads[i / 2];
		d.seed = (uint32_t)i;
		d.ttl = (uint8_t)(2 + i);
		d.tos = (uint8_t)(i * 7);
		d.no_checksum = i == 4;
		world_expect_unreachable(&d, SPW_DROP_NO_ENDPOINT);
	}
	assert_int_equal(world_flow_count(), 0);
	assert_int_equal(world_stat(SPW_FORWARD_TX), 0);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

static void tcp_gets_host_unreachable_where_the_service_says_so(void **state)
{
	static const uint8_t doffs[] = {0, 6, 10, 15};

	(void)state;
	say(SPW_NO_ENDPOINT_UNREACHABLE);
	for (size_t i = 0; i < 2 * sizeof(doffs); i++) {
		struct desc d = from_client(i % 2 ? TCP6 : TCP4);

		d.doff = doffs[i / 2];
		d.payload = 97 * (i / 2);
		world_expect_unreachable(&d, SPW_DROP_NO_ENDPOINT);
	}
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(i ? UDP6 : UDP4);

		world_expect_unreachable(&d, SPW_DROP_NO_ENDPOINT);
	}
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

static void the_answer_to_tcp_is_rst_unless_something_else_is_said(void **state)
{
	(void)state;
	say(SPW_NO_ENDPOINT_ANSWER);
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(i ? TCP6 : TCP4);

		world_expect_refused(&d, SPW_DROP_NO_ENDPOINT);
	}
	assert_int_equal(world_stat(SPW_COUNT_UNREACHABLE_SENT), 0);
}

static void dropped_in_silence_or_passed_as_the_service_says(void **state)
{
	(void)state;
	for (uint32_t service = TCP4; service <= UDP6; service++) {
		struct desc d = from_client(service);

		say(SPW_NO_ENDPOINT_DROP);
		world_expect_end(world.if_client, &d, SPW_DROP_NO_ENDPOINT);
		say(SPW_NO_ENDPOINT_PASS);
		world_expect_end(world.if_client, &d, SPW_PASS_NO_ENDPOINT);
	}
	assert_int_equal(world_flow_count(), 0);
	assert_int_equal(world_stat(SPW_DROP_NO_ENDPOINT), 4);
	assert_int_equal(world_stat(SPW_COUNT_UNREACHABLE_SENT), 0);
	assert_int_equal(world_stat(SPW_COUNT_RESET_SENT), 0);
}

static void the_row_in_force_says_it(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	say(SPW_NO_ENDPOINT_DROP);
	world.config.active = 1;
	world_serve(TCP4, (uint16_t[]){WEB4_A}, 1);
	world_no_endpoint(TCP4, 0, SPW_NO_ENDPOINT_PASS, 0);
	world_expect_end(world.if_client, &d, SPW_DROP_NO_ENDPOINT);
	world_put_config();
	world_expect_end(world.if_client, &d, SPW_PASS_NO_ENDPOINT);
}

/* With somebody there, what is said for the other case does not matter. */
static void who_finds_an_endpoint_is_not_asked(void **state)
{
	(void)state;
	world_reset(NULL);
	for (uint8_t answer = 0; answer <= SPW_NO_ENDPOINT_LEAVE; answer++) {
		struct desc d = from_client(TCP4);

		world_no_endpoint(TCP4, SPW_SERVICE_EMPTY, answer, answer);
		d.sport = (uint16_t)(d.sport + answer);
		world_expect_to(WEB4_A, &d);
	}
}

static void padding_is_not_quoted(void **state)
{
	struct desc d = from_client(UDP4), want = world_unreachable(&d);
	struct frame in, out, built, quoted;

	(void)state;
	d.payload = 1;
	frame_build(&d, &in);
	quoted = in;
	want.bytes = quoted.b + FRAME_ETH;
	want.payload = desc_l3_len(&d);
	memset(in.b + in.len, 0xee, 100);
	in.len += 100;
	frame_build(&want, &built);
	world_expect_verdict(world.if_client, &in, &out, XDP_TX);
	frame_assert_equal(&out, &built);
}

static void icmp_answers_are_limited_on_each_cpu(void **state)
{
	struct desc d = from_client(UDP4);
	uint64_t start = world_now_ns(), may, sent, limited;
	struct frame in, out;
	int tx = 0;

	(void)state;
	frame_build(&d, &in);
	for (int i = 0; i < 20000; i++)
		tx += world_send_frame(world.if_client, &in, &out) == XDP_TX;
	/* A hundred at once, then one each millisecond, on as many CPUs as this may have run on. */
	may = ((world_now_ns() - start) / 1000000 + 110) * (uint64_t)libbpf_num_possible_cpus();
	sent = world_stat(SPW_COUNT_UNREACHABLE_SENT);
	limited = world_stat(SPW_COUNT_UNREACHABLE_LIMITED);
	assert_int_equal(sent, tx);
	assert_int_equal(sent + limited, 20000);
	assert_in_range(sent, 100, may);
	assert_true(limited > 0);
	assert_int_equal(world_stat(SPW_DROP_NO_ENDPOINT), 20000);
}

static void after_the_limit_the_packet_is_dropped_as_it_came(void **state)
{
	struct desc d = from_client(UDP6);
	struct frame in, out;

	(void)state;
	frame_build(&d, &in);
	for (int i = 0; i < 20000; i++) {
		if (world_send_frame(world.if_client, &in, &out) == XDP_TX)
			continue;
		frame_assert_equal(&out, &in);
		return;
	}
	fail();
}

static void without_tx_it_leaves_by_redirect(void **state)
{
	struct desc d = from_client(UDP4), want = world_unreachable(&d);
	struct frame in, out, built;

	(void)state;
	world_attach(world.if_client, 0);
	frame_build(&d, &in);
	want.bytes = in.b + FRAME_ETH;
	frame_build(&want, &built);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(SPW_COUNT_UNREACHABLE_SENT), 1);
}

static void where_no_answer_can_leave_the_packet_is_just_dropped(void **state)
{
	const int fd = bpf_map__fd(world.skel->maps.tx_ports);
	struct desc d = from_client(UDP4);
	struct frame in, out;

	(void)state;
	world_attach(world.if_client, 0);
	assert_int_equal(bpf_map_delete_elem(fd, &world.if_client), 0);
	frame_build(&d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_DROP);
	world_detach(world.if_client);
	world_expect_frame_end(world.if_client, &in, SPW_DROP_NO_ENDPOINT);
	assert_int_equal(world_stat(SPW_COUNT_UNREACHABLE_SENT), 0);
}

int nobody_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, nobody_there)
	const struct CMUnitTest nobody[] = {
		T(every_udp_packet_gets_port_unreachable_with_a_quote),
		T(tcp_gets_host_unreachable_where_the_service_says_so),
		T(the_answer_to_tcp_is_rst_unless_something_else_is_said),
		T(dropped_in_silence_or_passed_as_the_service_says),
		T(the_row_in_force_says_it),
		T(who_finds_an_endpoint_is_not_asked),
		T(padding_is_not_quoted),
		T(icmp_answers_are_limited_on_each_cpu),
		T(after_the_limit_the_packet_is_dropped_as_it_came),
		T(without_tx_it_leaves_by_redirect),
		T(where_no_answer_can_leave_the_packet_is_just_dropped),
	};
#undef T

	return cmocka_run_group_tests(nobody, NULL, NULL);
}
