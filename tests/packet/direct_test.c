/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Direct return: what leaves is the client's packet with one hop less, behind another Ethernet header
 * or within another packet, whose headers are built here from scratch.
 */
#include "direct_world.h"
#include "groups.h"
#include "spillway.skel.h"
#include "world.h"

#include <arpa/inet.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const uint8_t modes[] = {SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE};
static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

static void expect_direct_frame(uint8_t mode, uint32_t id, const struct desc *d,
				const struct frame *in)
{
	struct spw_endpoint_stats was = world_endpoint_stats(id), now;
	struct frame out, want;

	world_expect_verdict(world.if_client, in, &out, XDP_REDIRECT);
	direct_expected(mode, &out, id, d, in, &want);
	frame_assert_equal(&out, &want);
	now = world_endpoint_stats(id);
	assert_int_equal(now.packets_in, was.packets_in + 1);
	assert_int_equal(now.bytes_in, was.bytes_in + in->len - FRAME_ETH);
}

static void expect_direct(uint8_t mode, uint32_t id, const struct desc *d)
{
	struct frame in;

	frame_build(d, &in);
	expect_direct_frame(mode, id, d, &in);
}

static void packets_leave_for_the_endpoint_in_each_mode_and_nothing_is_remembered(void **state)
{
	(void)state;
	for (size_t m = 0; m < 3; m++) {
		for (size_t s = 0; s < 4; s++) {
			const uint32_t id = direct_service(services[s], modes[m]);
			const uint64_t opened = world_endpoint_stats(id).flows_opened;
			struct desc d = from_client(services[s]);

			for (uint32_t i = 0; i < 50; i++) {
				d.sport = (uint16_t)(1000 + i);
				d.payload = i;
				d.seed = i + 1;
				d.tos = i % 3 ? (uint8_t)(i * 4 + i % 4) : 0;
				d.flags = d.proto == IPPROTO_UDP ? 0 : i % 2 ? TCP_ACK : TCP_SYN;
				if (d.flags == TCP_SYN)
					d.payload = 0;
				expect_direct(modes[m], id, &d);
			}
			assert_int_equal(world_flow_count(), 0);
			assert_int_equal(world_endpoint_stats(id).flows_opened, opened);
		}
	}
}

static void a_datagram_without_a_checksum_has_none_outside_either(void **state)
{
	const uint32_t id = direct_service(UDP4, SPW_MODE_GUE);
	struct desc d = from_client(UDP4), outer;
	struct frame in, out;

	(void)state;
	d.no_checksum = true;
	d.payload = 33;
	frame_build(&d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	direct_outer(&out, id, &d, &outer);
	assert_int_equal(out.b[FRAME_ETH + 26] | out.b[FRAME_ETH + 27], 0);
	assert_int_equal(out.b[FRAME_ETH + 9], IPPROTO_UDP);
}

static void outer_source_ports_spread_over_flows_and_stay_with_each(void **state)
{
	struct desc d = from_client(TCP4);
	uint32_t seen[256] = {0}, ports = 0;
	struct frame in, out;

	(void)state;
	direct_service(TCP4, SPW_MODE_GUE);
	for (uint32_t i = 0; i < 512; i++) {
		uint16_t first = 0, port;

		d.sport = (uint16_t)(2000 + i);
		for (int n = 0; n < 2; n++) {
			d.flags = n ? TCP_ACK : TCP_SYN;
			frame_build(&d, &in);
			world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
			port = (uint16_t)(out.b[FRAME_ETH + 20] << 8 | out.b[FRAME_ETH + 21]);
			if (n)
				assert_int_equal(port, first);
			first = port;
		}
		ports += !seen[first & 255]++;
	}
	assert_true(ports > 150); /* of 256, at random: 221 */
}

static void outer_sources_come_from_the_range_that_is_set(void **state)
{
	struct spw_tunnels t = {.source4 = addr_of("172.16.0.0"), .bits4 = 16};
	struct desc d = from_client(TCP4);
	uint32_t kinds = 0;
	uint16_t last = 0;
	struct frame in, out;

	(void)state;
	direct_service(TCP4, SPW_MODE_IPIP);
	direct_put_row(world.skel->maps.tunnels, 0, &t);
	for (uint32_t i = 0; i < 64; i++) {
		uint16_t low;

		d.sport = (uint16_t)(3000 + i);
		frame_build(&d, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		assert_int_equal(out.b[FRAME_ETH + 12] << 8 | out.b[FRAME_ETH + 13], 172 << 8 | 16);
		low = (uint16_t)(out.b[FRAME_ETH + 14] << 8 | out.b[FRAME_ETH + 15]);
		kinds += low != last;
		last = low;
	}
	assert_true(kinds > 50);
	direct_put_row(world.skel->maps.tunnels, 0, &(struct spw_tunnels){0});
}

static void the_last_hop_ends_here_and_too_big_says_what_fits_inside(void **state)
{
	static const uint32_t more[] = {0, 20, 28}, more6[] = {0, 40, 48};

	(void)state;
	for (size_t m = 0; m < 3; m++) {
		for (size_t s = 0; s < 4; s += 2) {
			struct desc d = from_client(services[s]);

			direct_service(services[s], modes[m]);
			d.flags = TCP_ACK;
			d.ttl = 1;
			world_expect_exceeded(world.if_client, &d);
			d.ttl = 0;
			/* The way to the servers carries 1400 bytes. */
			d.payload = 1400;
			world_expect_too_big(
				world.if_client, &d,
				1400 - (direct_is_v6(services[s]) ? more6[m] : more[m]));
			d.payload = 0;
			d.payload = 1400 - (direct_is_v6(services[s]) ? more6[m] : more[m]) -
				    desc_l3_len(&d);
			expect_direct(modes[m], direct_is_v6(services[s]) ? WEB6_A : WEB4_A, &d);
		}
	}
}

static void nothing_is_lost_on_tagged_ways(void **state)
{
	struct desc d = from_client(TCP4);
	struct frame in, out, want, plain;

	(void)state;
	for (size_t m = 0; m < 3; m++) {
		const uint32_t id = direct_service(TCP4, modes[m]);

		frame_build(&d, &in);
		plain = in;
		frame_tag(&in, 0x6007);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		direct_expected(modes[m], &out, id, &d, &plain, &want);
		frame_assert_equal(&out, &want);
	}
}

static void icmp_errors_to_the_vip_go_to_the_endpoint_that_they_are_about(void **state)
{
	(void)state;
	for (size_t m = 0; m < 3; m++) {
		for (size_t s = 0; s < 4; s++) {
			const uint32_t id = direct_service(services[s], modes[m]);
			struct desc d = from_client(services[s]), answer = d, error;
			uint64_t before = world_stat(SPW_COUNT_FORWARD_ICMP);
			struct frame quoted;

			/* What the endpoint sent to the client, by its own way, was too big there. */
			answer.src = d.dst;
			answer.dst = d.src;
			answer.sport = d.dport;
			answer.dport = d.sport;
			answer.payload = 64;
			frame_build(&answer, &quoted);
			error = (struct desc){
				.src = direct_is_v6(services[s]) ? addr_of("fd00:1::fe")
								 : addr_of("10.1.0.254"),
				.dst = d.dst,
				.proto = direct_is_v6(services[s]) ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				.type = direct_is_v6(services[s]) ? 2 : 3,
				.code = direct_is_v6(services[s]) ? 0 : 4,
				.rest = 1280,
				.payload = quoted.len - FRAME_ETH,
				.bytes = quoted.b + FRAME_ETH,
			};
			memcpy(error.dmac, d.dmac, 6);
			memcpy(error.smac, d.smac, 6);
			expect_direct(modes[m], id, &error);
			assert_int_equal(world_stat(SPW_COUNT_FORWARD_ICMP), before + 1);
		}
	}
}

/* Whom a packet goes to, by the counters. */
static uint32_t sent_to(const struct desc *d)
{
	uint64_t before[WORLD_ENDPOINT_COUNT];
	struct frame in, out;

	for (uint32_t id = 1; id < WORLD_ENDPOINT_COUNT; id++)
		before[id] = world_endpoint_stats(id).packets_in;
	frame_build(d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	for (uint32_t id = 1; id < WORLD_ENDPOINT_COUNT; id++) {
		if (world_endpoint_stats(id).packets_in != before[id])
			return id;
	}
	return 0;
}

static struct desc as(const struct desc *d, uint16_t sport, uint8_t flags)
{
	struct desc other = *d;

	other.sport = sport;
	other.flags = flags;
	return other;
}

static void expect_flow(const struct desc *d, uint32_t id)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	assert_int_equal(f.flags, SPW_FLOW_DIRECT);
	assert_int_equal(f.endpoint, id);
}

static void in_phase_1_all_go_to_the_endpoint_of_before_and_are_remembered(void **state)
{
	struct desc d = direct_moved(TCP4, 0), syn = as(&d, 5001, TCP_SYN),
		    ack = as(&d, 5002, TCP_ACK);

	(void)state;
	assert_int_equal(sent_to(&syn), WEB4_A);
	assert_int_equal(sent_to(&ack), WEB4_A);
	expect_flow(&syn, WEB4_A);
	expect_flow(&ack, WEB4_A);
	/* They keep it when all is over. */
	direct_set_motion(TCP4, WEB4_A, 7201 * SECOND_NS);
	assert_int_equal(sent_to(&syn), WEB4_A);
	assert_int_equal(sent_to(&ack), WEB4_A);
}

static void in_phase_2_syns_go_to_the_new_endpoint_and_old_flows_stay(void **state)
{
	struct desc d = direct_moved(TCP4, 4 * SECOND_NS), syn = as(&d, 5001, TCP_SYN),
		    ack = as(&d, 5002, TCP_ACK), next = as(&d, 5001, TCP_ACK);

	(void)state;
	assert_int_equal(sent_to(&syn), WEB4_B);
	assert_int_equal(sent_to(&ack), WEB4_A);
	assert_int_equal(sent_to(&next), WEB4_B);
	expect_flow(&syn, WEB4_B);
	expect_flow(&ack, WEB4_A);
}

static void when_the_window_is_over_only_entries_know_of_the_endpoint_of_before(void **state)
{
	struct desc d = direct_moved(TCP4, 7200 * SECOND_NS), syn = as(&d, 5001, TCP_SYN),
		    ack = as(&d, 5002, TCP_ACK);

	(void)state;
	assert_int_equal(sent_to(&syn), WEB4_B);
	assert_int_equal(sent_to(&ack), WEB4_B);
	assert_int_equal(world_flow_count(), 0);
}

static void datagrams_stay_for_as_long_as_their_flows_may_be_silent(void **state)
{
	struct desc d = direct_moved(UDP4, 100 * SECOND_NS), old = as(&d, 5001, 0),
		    late = as(&d, 5002, 0);

	(void)state;
	assert_int_equal(sent_to(&old), WEB4_A);
	expect_flow(&old, WEB4_A);
	direct_set_motion(UDP4, WEB4_A, 180 * SECOND_NS);
	assert_int_equal(sent_to(&old), WEB4_A);
	assert_int_equal(sent_to(&late), WEB4_B);
}

static void a_pick_other_than_the_slots_own_is_remembered(void **state)
{
	struct desc d = from_client(TCP4), syn, ack;

	(void)state;
	direct_service(TCP4, SPW_MODE_GUE);
	direct_set_mode(WEB4_B, SPW_MODE_GUE);
	world_serve(TCP4, (uint16_t[]){WEB4_A, WEB4_B}, 2);
	direct_set_row(TCP4, 0);
	world_set_word(WEB4_A,
		       SPW_WORD_UP | SPW_WORD_PICKABLE | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT);
	for (uint16_t port = 6000; port < 6064; port++) {
		syn = as(&d, port, TCP_SYN);
		ack = as(&d, port, TCP_ACK);
		assert_int_equal(sent_to(&syn), WEB4_B);
		assert_int_equal(sent_to(&ack), WEB4_B);
	}
	assert_in_range(world_flow_count(), 16, 48); /* of those whose slot is WEB4_A's */
}

static void flows_opened_elsewhere_stay_there_when_the_word_is_taken_back(void **state)
{
	static const uint32_t good = SPW_WORD_UP | SPW_WORD_PICKABLE,
			      down = SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT;
	const uint32_t out = spw_word_with(good, SPW_WORD_ADMIN_MASK, down);
	struct desc d = from_client(TCP4), syn, ack;
	size_t remembered;

	(void)state;
	direct_service(TCP4, SPW_MODE_IPIP);
	direct_set_mode(WEB4_B, SPW_MODE_IPIP);
	world_serve(TCP4, (uint16_t[]){WEB4_A, WEB4_B}, 2);
	direct_set_row(TCP4, 0);
	world_set_word(WEB4_A, out);
	for (uint16_t port = 6000; port < 6064; port++) {
		syn = as(&d, port, TCP_SYN);
		assert_int_equal(sent_to(&syn), WEB4_B);
	}
	world_set_word(WEB4_A, spw_word_with(out, SPW_WORD_ADMIN_MASK, 0));
	for (uint16_t port = 6000; port < 6064; port++) {
		ack = as(&d, port, TCP_ACK);
		assert_int_equal(sent_to(&ack), WEB4_B);
	}
	/* New ones are the slot's again, and nothing more is remembered. */
	remembered = world_flow_count();
	for (uint16_t port = 7000; port < 7064; port++) {
		syn = as(&d, port, TCP_SYN);
		ack = as(&d, port, TCP_ACK);
		assert_int_equal(sent_to(&syn), sent_to(&ack));
	}
	assert_int_equal(world_flow_count(), remembered);
}

static void flows_of_a_draining_endpoint_stay_with_it(void **state)
{
	struct desc d = from_client(TCP4), ack = as(&d, 6000, TCP_ACK);
	const uint32_t id = direct_service(TCP4, SPW_MODE_IPIP);

	(void)state;
	world_set_word(id,
		       SPW_WORD_UP | SPW_WORD_PICKABLE | SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT);
	assert_int_equal(sent_to(&ack), id);
	world_set_word(id, 0);
	assert_int_equal(sent_to(&ack), id);
	world_set_word(id, SPW_WORD_RESET);
	world_expect_refused(&ack, SPW_DROP_FLOW_RESET);
}

static void a_removed_endpoint_keeps_the_flows_that_were_its(void **state)
{
	struct desc d = direct_moved(TCP4, 10 * SECOND_NS), syn = as(&d, 5001, TCP_SYN),
		    ack = as(&d, 5002, TCP_ACK);
	struct spw_endpoint e = world_endpoint(WEB4_A);

	(void)state;
	e.mode = SPW_MODE_NONE;
	e.was_mode = SPW_MODE_IPIP;
	world_put_endpoint(WEB4_A, &e);
	world_set_word(WEB4_A, 0);
	assert_int_equal(sent_to(&syn), WEB4_B);
	assert_int_equal(sent_to(&ack), WEB4_A);
}

static void an_endpoint_that_is_down_keeps_its_flows_and_gets_no_new_ones(void **state)
{
	struct desc d = direct_moved(TCP4, 0), syn = as(&d, 5001, TCP_SYN),
		    ack = as(&d, 5002, TCP_ACK);

	(void)state;
	world_set_word(WEB4_A, 0);
	assert_int_equal(sent_to(&syn), WEB4_B);
	assert_int_equal(sent_to(&ack), WEB4_A);
}

static void flows_of_a_slot_that_was_nobodys_are_its_endpoints(void **state)
{
	struct desc d = direct_moved(TCP4, 4 * SECOND_NS), ack = as(&d, 5002, TCP_ACK);

	(void)state;
	direct_set_motion(TCP4, SPW_MOTION_NOBODY, 4 * SECOND_NS);
	assert_int_equal(sent_to(&ack), WEB4_B);
}

static void flows_without_any_endpoint_left_get_what_the_service_says(void **state)
{
	struct desc d = direct_moved(TCP4, 4 * SECOND_NS), ack = as(&d, 5002, TCP_ACK);

	(void)state;
	world_set_word(WEB4_A, 0);
	world_set_word(WEB4_B, 0);
	world_no_endpoint(TCP4,
			  SPW_SERVICE_VALID | SPW_SERVICE_EMPTY | SPW_SERVICE_DIRECT |
				  SPW_SERVICE_MOTION,
			  SPW_NO_ENDPOINT_ANSWER, SPW_NO_ENDPOINT_ANSWER);
	world_expect_refused(&ack, SPW_DROP_LIVE_NO_ENDPOINT);
}

static void services_may_have_endpoints_of_several_modes(void **state)
{
	struct desc d = from_client(TCP4), syn, ack;
	uint32_t to[WORLD_ENDPOINT_COUNT] = {0};

	(void)state;
	direct_service(TCP4, SPW_MODE_IPIP);
	world_serve(TCP4, (uint16_t[]){WEB4_A, WEB4_B, HAND_A}, 3);
	direct_set_row(TCP4, 0);
	for (uint16_t port = 7000; port < 7060; port++) {
		struct frame in, out;
		int first, second;

		syn = as(&d, port, TCP_SYN);
		ack = as(&d, port, TCP_ACK);
		frame_build(&syn, &in);
		first = world_send_frame(world.if_client, &in, &out);
		to[first == XDP_PASS ? HAND_A : out.len > in.len ? WEB4_A : WEB4_B]++;
		frame_build(&ack, &in);
		second = world_send_frame(world.if_client, &in, &out);
		assert_int_equal(first, second);
	}
	assert_true(to[WEB4_A] > 5 && to[WEB4_B] > 5 && to[HAND_A] > 5);
	assert_int_equal(world_flow_count(), 2 * to[WEB4_B] + to[HAND_A]);
}

/* The endpoint of nat is drained or down before it has answered: there is no other one of its mode. */
static void who_loses_a_flow_of_another_mode_may_go_to_direct_return(void **state)
{
	static const uint32_t kinds[] = {TCP4, UDP4},
			      words[] = {SPW_WORD_UP | SPW_WORD_PICKABLE |
						 SPW_ADMIN_DRAIN << SPW_WORD_ADMIN_SHIFT,
					 SPW_ADMIN_DOWN << SPW_WORD_ADMIN_SHIFT};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct desc d = from_client(kinds[k]), first;
		uint32_t lost = 0;

		direct_service(kinds[k], SPW_MODE_IPIP);
		world_serve(kinds[k], (uint16_t[]){WEB4_A, WEB4_B}, 2);
		direct_set_row(kinds[k], 0);
		world_set_word(WEB4_B, SPW_WORD_UP | SPW_WORD_PICKABLE);
		for (uint16_t port = 7000; port < 7032; port++) {
			first = as(&d, port, k ? 0 : TCP_SYN);
			lost += sent_to(&first) == WEB4_B;
		}
		assert_in_range(lost, 6, 26);
		world_set_word(WEB4_B, words[k]);
		for (uint16_t port = 7000; port < 7032; port++) {
			first = as(&d, port, k ? 0 : TCP_SYN);
			assert_int_equal(sent_to(&first), WEB4_A);
		}
	}
}

static void what_is_no_service_passes_untouched(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	direct_service(TCP4, SPW_MODE_IPIP);
	d.dport = 81;
	world_expect_end(world.if_client, &d, SPW_PASS_NO_SERVICE);
	d.dst = addr_of("10.2.0.1");
	world_expect_end(world.if_client, &d, SPW_PASS_NO_FLOW);
	d.dst = addr_of("10.2.0.77");
	world_expect_end(world.if_client, &d, SPW_PASS_NOT_OURS);
}

static void nobody_left_is_answered(void **state)
{
	struct desc d = from_client(TCP4), syn = as(&d, 5000, TCP_SYN);
	const uint32_t id = direct_service(TCP4, SPW_MODE_IPIP);

	(void)state;
	world_set_word(id, 0);
	world_expect_refused(&syn, SPW_DROP_NO_ENDPOINT);
}

static void the_sweep_tells_slots_in_motion_of_their_entries(void **state)
{
	struct desc d = direct_moved(TCP4, 4 * SECOND_NS), ack = as(&d, 5002, TCP_ACK);
	struct spw_sweep args = {.sets = ~0u, .round = 77};
	struct bpf_test_run_opts opts = {
		.sz = sizeof(opts), .ctx_in = &args, .ctx_size_in = sizeof(args)};
	struct spw_motion_line line;
	uint32_t at = 2;

	(void)state;
	assert_int_equal(sent_to(&ack), WEB4_A);
	for (int i = 0; i < 2; i++)
		assert_int_equal(bpf_prog_test_run_opts(
					 bpf_program__fd(world.skel->progs.spillway_sweep), &opts),
				 0);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(world.skel->maps.motions), &at, &line), 0);
	assert_int_equal(line.at[0].kept, 77);
	assert_int_equal(line.at[0].was, WEB4_A);
}

/* All entries are of flows that have been used for longer than floods last. */
static void rank_all(void)
{
	for (uint32_t i = 1; i < world.lines; i++) {
		if (world.flows4[i].core.word & SPW_WORD_PHASE_MASK)
			world.flows4[i].core.word |= SPW_FLOW_RANKED;
	}
}

static void fill_table(const struct desc *d)
{
	struct desc ack = *d;
	struct frame out;

	ack.flags = TCP_ACK;
	for (uint32_t i = 0; i < 30000; i++) {
		ack.src.b[14] = (uint8_t)(100 + i / 200);
		ack.sport = (uint16_t)(1000 + i % 200);
		assert_int_equal(world_send(world.if_client, &ack, &out), XDP_REDIRECT);
		if (i % 500 == 499)
			rank_all();
	}
}

static void without_room_flows_stay_and_who_could_not_be_followed_is_refused(void **state)
{
	struct desc d = direct_moved(TCP4, 4 * SECOND_NS);
	uint64_t unkept, refused;

	(void)state;
	fill_table(&d);
	unkept = world_stat(SPW_COUNT_DIRECT_UNKEPT);
	refused = world_stat(SPW_DROP_FLOWS_FULL);
	for (uint16_t port = 8000; port < 8200; port++) {
		struct desc ack = as(&d, port, TCP_ACK),
			    syn = as(&d, (uint16_t)(port + 200), TCP_SYN);
		struct frame out;

		assert_int_equal(sent_to(&ack), WEB4_A);
		if (world_send(world.if_client, &syn, &out) == XDP_REDIRECT)
			expect_flow(&syn, WEB4_B);
	}
	/* Of both there were many. */
	assert_true(world_stat(SPW_COUNT_DIRECT_UNKEPT) > unkept + 200);
	assert_true(world_stat(SPW_DROP_FLOWS_FULL) > refused + 100);
}

/* What `answer`, which went to the client, is told of by a router near it. */
static struct desc too_big_about(const struct desc *client, const struct frame *quoted)
{
	struct desc error = {
		.src = addr_of("10.1.0.254"),
		.dst = client->dst,
		.proto = IPPROTO_ICMP,
		.type = 3,
		.code = 4,
		.rest = 1280,
		.payload = quoted->len - FRAME_ETH,
		.bytes = quoted->b + FRAME_ETH,
	};

	memcpy(error.dmac, client->dmac, 6);
	memcpy(error.smac, client->smac, 6);
	return error;
}

static void icmp_about_flows_of_mode_nat_reaches_their_endpoint_beside_direct_return(void **state)
{
	struct desc d = from_client(TCP4), answer = d, error;
	struct frame quoted, out;
	uint64_t before;

	(void)state;
	direct_service(UDP4, SPW_MODE_IPIP); /* of the same VIP; WEB4_A */
	world_serve(TCP4, (uint16_t[]){WEB4_B}, 1);
	for (int on = 0; on < 2; on++) {
		world.config.direct = (uint32_t)on;
		world_put_config();
		world_expect_to(WEB4_B, &d);
		answer = d;
		answer.src = d.dst;
		answer.dst = d.src;
		answer.sport = d.dport;
		answer.dport = d.sport;
		answer.payload = 64;
		frame_build(&answer, &quoted);
		error = too_big_about(&d, &quoted);
		before = world_stat(SPW_COUNT_FORWARD_ICMP);
		print_message("direct %d: verdict %d\n", on,
			      world_send(world.if_client, &error, &out));
		assert_int_equal(world_stat(SPW_COUNT_FORWARD_ICMP), before + 1);
	}
}

/* As the daemon writes it. */
static void put_way(uint32_t id, uint16_t mtu)
{
	struct spw_next_hop hop = {
		.ifindex = (uint32_t)world.if_server, .vlan = SPW_UNTAGGED, .mtu = mtu};
	struct spw_endpoint e = world_endpoint(id);

	mac_of(&e.addr, hop.dmac);
	memcpy(hop.smac, mac_gateway_server, 6);
	direct_put_row(world.skel->maps.next_hops, id, &hop);
	world.config.hops_until = world_sweep(0).now + 600 * world.skel->rodata->ticks_a_second;
	world_put_config();
}

static void an_entry_of_a_service_that_is_direct_no_more_sends_no_nonsense(void **state)
{
	struct desc d = direct_moved(TCP4, 10 * SECOND_NS), ack = as(&d, 5002, TCP_ACK);
	struct spw_service_row row;
	struct frame in, out;
	int verdict;

	(void)state;
	put_way(WEB4_A, 1400);
	assert_int_equal(sent_to(&ack), WEB4_A); /* remembered */
	for (uint32_t side = 0; side < 2; side++) {
		row = world_row(TCP4, side);
		row.flags &= ~(uint32_t)(SPW_SERVICE_DIRECT | SPW_SERVICE_MOTION);
		world_row_on_side(TCP4, side, &row);
	}
	frame_build(&ack, &in);
	verdict = world_send_frame(world.if_client, &in, &out);
	print_message("verdict %d, from %d.%d.%d.%d to %d.%d.%d.%d\n", verdict, out.b[26],
		      out.b[27], out.b[28], out.b[29], out.b[30], out.b[31], out.b[32], out.b[33]);
	assert_true(verdict == XDP_PASS || memcmp(out.b + 26, in.b + 26, 8) == 0);
	ack.flags = TCP_SYN;
	frame_build(&ack, &in);
	verdict = world_send_frame(world.if_client, &in, &out);
	print_message("SYN: verdict %d\n", verdict);
}

static void too_big_is_said_in_generic_mode_too(void **state)
{
	struct desc d = from_client(UDP4);

	(void)state;
	put_way(direct_service(UDP4, SPW_MODE_IPIP), 1500);
	d.payload = (uint16_t)(1490 - desc_l3_len(&d) + d.payload); /* 1510 in the outer packet */
	world_attach(world.if_client, SPW_IF_TX | SPW_IF_PARTIAL);
	world_expect_too_big(world.if_client, &d, 1480);
	world_attach(world.if_client, SPW_IF_TX | SPW_IF_GENERIC | SPW_IF_PARTIAL);
	world_expect_too_big(world.if_client, &d, 1480);
}

static int put_all_back(void **state)
{
	const int fd = bpf_program__fd(world.skel->progs.spillway_xdp);
	const uint32_t all = 0;

	(void)state;
	return bpf_map_update_elem(bpf_map__fd(world.skel->maps.stages), &all, &fd, BPF_ANY);
}

/* The call back to the stages of all modes fails once. */
static void what_one_packet_was_says_nothing_of_the_next(void **state)
{
	const uint32_t id = direct_service(TCP4, SPW_MODE_IPIP), all = 0;
	struct desc d = from_client(TCP4), udp = from_client(UDP4), ack = as(&d, 5000, TCP_ACK);

	assert_int_equal(bpf_map_delete_elem(bpf_map__fd(world.skel->maps.stages), &all), 0);
	world_expect_end(world.if_client, &udp, SPW_DROP_INTERNAL);
	assert_int_equal(put_all_back(state), 0);
	assert_int_equal(sent_to(&ack), id);
}

/* The daemon has named a place that the next switch fills. */
static void no_outer_header_has_a_source_that_is_not_there_yet(void **state)
{
	const uint32_t id = direct_service(TCP4, SPW_MODE_IPIP);
	struct spw_endpoint e = world_endpoint(id);
	struct desc d = from_client(TCP4);
	struct frame in, out;
	int verdict;

	(void)state;
	while (world.config.settings[world.config.active & 1].source[e.source_first].w[3])
		e.source_first++;
	e.source_count = 1;
	assert_true(e.source_first < SPW_SOURCES_MAX);
	world_put_endpoint(id, &e);
	frame_build(&d, &in);
	verdict = world_send_frame(world.if_client, &in, &out);
	print_message("verdict %d, from %d.%d.%d.%d\n", verdict, out.b[26], out.b[27], out.b[28],
		      out.b[29]);
	assert_true(verdict == XDP_DROP || out.b[26]);
}

int direct_tests(void)
{
#define TEST(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest tests[] = {
		TEST(packets_leave_for_the_endpoint_in_each_mode_and_nothing_is_remembered),
		TEST(a_datagram_without_a_checksum_has_none_outside_either),
		TEST(outer_source_ports_spread_over_flows_and_stay_with_each),
		TEST(outer_sources_come_from_the_range_that_is_set),
		TEST(the_last_hop_ends_here_and_too_big_says_what_fits_inside),
		TEST(nothing_is_lost_on_tagged_ways),
		TEST(icmp_errors_to_the_vip_go_to_the_endpoint_that_they_are_about),
		TEST(in_phase_1_all_go_to_the_endpoint_of_before_and_are_remembered),
		TEST(in_phase_2_syns_go_to_the_new_endpoint_and_old_flows_stay),
		TEST(when_the_window_is_over_only_entries_know_of_the_endpoint_of_before),
		TEST(datagrams_stay_for_as_long_as_their_flows_may_be_silent),
		TEST(a_pick_other_than_the_slots_own_is_remembered),
		TEST(flows_opened_elsewhere_stay_there_when_the_word_is_taken_back),
		TEST(flows_of_a_draining_endpoint_stay_with_it),
		TEST(a_removed_endpoint_keeps_the_flows_that_were_its),
		TEST(an_endpoint_that_is_down_keeps_its_flows_and_gets_no_new_ones),
		TEST(flows_of_a_slot_that_was_nobodys_are_its_endpoints),
		TEST(flows_without_any_endpoint_left_get_what_the_service_says),
		TEST(services_may_have_endpoints_of_several_modes),
		TEST(who_loses_a_flow_of_another_mode_may_go_to_direct_return),
		TEST(what_is_no_service_passes_untouched),
		TEST(nobody_left_is_answered),
		TEST(the_sweep_tells_slots_in_motion_of_their_entries),
		TEST(without_room_flows_stay_and_who_could_not_be_followed_is_refused),
		TEST(icmp_about_flows_of_mode_nat_reaches_their_endpoint_beside_direct_return),
		TEST(an_entry_of_a_service_that_is_direct_no_more_sends_no_nonsense),
		TEST(too_big_is_said_in_generic_mode_too),
		cmocka_unit_test_setup_teardown(what_one_packet_was_says_nothing_of_the_next,
						world_reset, put_all_back),
		TEST(no_outer_header_has_a_source_that_is_not_there_yet),
	};

	return cmocka_run_group_tests_name("direct", tests, NULL, NULL);
}
