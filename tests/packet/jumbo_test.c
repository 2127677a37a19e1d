/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of 9000 bytes lie in several buffers, of which the program sees the first: they are
 * forwarded like others, and what is cut short is seen as that.
 */
#include "groups.h"
#include "dataplane/ticks.h"
#include "world.h"

#include <string.h>

#include <arpa/inet.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "spillway.skel.h"

#define JUMBO 9000

static const struct {
	uint32_t service, endpoint;
} families[] = {{UDP4, WEB4_A}, {UDP6, WEB6_A}, {TCP4, WEB4_A}, {TCP6, WEB6_A}};

static uint8_t in[JUMBO + FRAME_ETH], out[JUMBO + FRAME_ETH + 64], want[JUMBO + FRAME_ETH];

static uint32_t sum_bytes(uint32_t sum, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	return (sum & 0xffff) + (sum >> 16);
}

static uint16_t finish(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put16(uint8_t *b, uint16_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* The frame of the description's headers, as long as it can be, with checksums from scratch. */
static void build(const struct desc *d, uint8_t *b)
{
	bool v4 = desc_is_v4(d), udp = d->proto == IPPROTO_UDP;
	size_t l4 = frame_l4(d), len = JUMBO + FRAME_ETH - l4, addrs = v4 ? 8 : 32;
	uint8_t *sum_at = b + l4 + (udp ? 6 : 16);
	struct frame f;
	uint32_t sum;

	frame_build(d, &f);
	for (size_t i = 0; i < JUMBO + FRAME_ETH; i++)
		b[i] = i < f.len ? f.b[i] : (uint8_t)(i * 7);
	put16(b + FRAME_ETH + (v4 ? 2 : 4), (uint16_t)(v4 ? JUMBO : len));
	if (v4) {
		put16(b + FRAME_ETH + 10, 0);
		put16(b + FRAME_ETH + 10, finish(sum_bytes(0, b + FRAME_ETH, 20)));
	}
	if (udp)
		put16(b + l4 + 4, (uint16_t)len);
	put16(sum_at, 0);
	sum = sum_bytes((uint32_t)len + d->proto, b + l4 - addrs, addrs);
	put16(sum_at, finish(sum_bytes(sum, b + l4, len)));
}

static int run(int ifindex, size_t len)
{
	struct xdp_md ctx = {.data_end = (uint32_t)len, .ingress_ifindex = (uint32_t)ifindex};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = in, .data_size_in = (uint32_t)len,
		    .data_out = out, .data_size_out = sizeof(out), .ctx_in = &ctx,
		    .ctx_size_in = sizeof(ctx));

	assert_int_equal(
		bpf_prog_test_run_opts(bpf_program__fd(world.skel->progs.spillway_xdp), &opts), 0);
	assert_int_equal(opts.data_size_out, len);
	return (int)opts.retval;
}

/* No interface here can have such an MTU, so the way out says that it has none. */
static void no_limits(const struct desc *sent, uint32_t id)
{
	struct spw_next_hop hop = {.ifindex = (uint32_t)world.if_server, .vlan = SPW_UNTAGGED};

	memcpy(hop.dmac, sent->dmac, 6);
	memcpy(hop.smac, sent->smac, 6);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(world.skel->maps.next_hops), &id, &hop, 0),
			 0);
	world.config.hops_until = world_sweep(0).now + 60 * ticks_a_second();
	world_put_config();
	world_attach(world.if_server, SPW_IF_GENERIC);
}

static void limits_again(uint32_t id)
{
	static const struct spw_next_hop nothing;

	assert_int_equal(
		bpf_map_update_elem(bpf_map__fd(world.skel->maps.next_hops), &id, &nothing, 0), 0);
	world.config.hops_until = 0;
	world_put_config();
	world_attach(world.if_server, 0);
}

static void expect_jumbo(int ifindex, const struct desc *d, const struct desc *as)
{
	build(d, in);
	build(as, want);
	assert_int_equal(run(ifindex, sizeof(in)), XDP_REDIRECT);
	assert_memory_equal(out, want, sizeof(want));
}

static void frames_of_nine_thousand_bytes_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc d = from_client(families[i].service), sent, reply, answered;

		sent = world_expect_to(families[i].endpoint, &d);
		no_limits(&sent, families[i].endpoint);
		d.flags = sent.flags = d.proto == IPPROTO_TCP ? TCP_ACK : 0;
		expect_jumbo(world.if_client, &d, &sent);
		reply = from_endpoint(&sent);
		answered = reply;
		answered.src = d.dst;
		answered.dst = d.src;
		answered.sport = d.dport;
		answered.dport = d.sport;
		answered.ttl = 63;
		memcpy(answered.smac, d.dmac, 6);
		memcpy(answered.dmac, d.smac, 6);
		expect_jumbo(world.if_server, &reply, &answered);
		limits_again(families[i].endpoint);
	}
}

static void jumbo_frames_cut_short_are_the_stacks(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc d = from_client(families[i].service);
		uint64_t before = world_stat(SPW_PASS_MALFORMED);

		build(&d, in);
		assert_int_equal(run(world.if_client, sizeof(in) - 1), XDP_PASS);
		assert_int_equal(run(world.if_client, 5000), XDP_PASS);
		assert_int_equal(world_stat(SPW_PASS_MALFORMED), before + 2);
		assert_memory_equal(out, in, 5000);
	}
}

int jumbo_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest jumbo[] = {
		T(frames_of_nine_thousand_bytes_go_both_ways),
		T(jumbo_frames_cut_short_are_the_stacks),
	};
#undef T

	return cmocka_run_group_tests(jumbo, NULL, NULL);
}
