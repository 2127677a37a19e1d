/* SPDX-License-Identifier: BSD-2-Clause */
/* Which flows tell of their endpoint: what outsiders and this gateway do is not its doing. */
#include "groups.h"
#include "world.h"

#include <string.h>

#define AT_LAST (SPW_RETRY_AFTER_NS + 50000000)

static void expect_sums(uint32_t id, uint32_t opened, uint32_t answered, uint32_t failed)
{
	struct spw_cohort got = world_outcomes(id);

	assert_int_equal(got.opened, opened);
	assert_int_equal(got.answered, answered);
	assert_int_equal(got.refused + got.unreachable + got.retried, failed);
	assert_int_equal(world_signals(id).run, failed);
}

/* Where the packet ends, with the service on `id` alone: it opens a flow all the same. */
static void expect_stuck(uint32_t service, uint32_t id, enum spw_stat row)
{
	struct desc d = from_client(service);
	uint64_t created = world_stat(SPW_COUNT_FLOW_CREATED);

	world_serve(service, (uint16_t[]){(uint16_t)id}, 1);
	world_expect_end(world.if_client, &d, row);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), created + 1);
	expect_sums(id, 0, 0, 0);
	world_born(&d, AT_LAST);
}

static void what_the_gateway_drops_is_no_sample(void **state)
{
	static const struct {
		uint32_t endpoint;
		enum spw_stat row;
	} rows[] = {
		{LOST4, SPW_DROP_NO_ROUTE},
		{UNATTACHED4, SPW_DROP_NOT_ATTACHED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct desc d = from_client(TCP4);

		world_reset(NULL);
		expect_stuck(TCP4, rows[i].endpoint, rows[i].row);
		world_expect_end(world.if_client, &d, rows[i].row);
		expect_sums(rows[i].endpoint, 0, 0, 0);
		assert_int_equal(world_stat(SPW_COUNT_FLOW_RETRIED), 0);
	}
}

/* As if the neighbour had been resolved meanwhile: the address becomes one that is known. */
static void resolve(uint32_t id, uint32_t as)
{
	struct spw_endpoint e = world_endpoint(as);

	world_put_endpoint(id, &e);
}

static void move_flow(const struct desc *d, uint32_t as)
{
	struct spw_endpoint e = world_endpoint(as);
	struct flow f;

	assert_true(world_flow(d, &f));
	f.daddr = e.addr;
	f.dport = e.port;
	world_put_flow(d, &f);
}

static void a_flow_is_born_for_its_endpoint_when_its_packet_leaves(void **state)
{
	struct desc d = from_client(TCP4);
	struct flow f;
	struct frame out;

	(void)state;
	expect_stuck(TCP4, SILENT4, SPW_DROP_NO_NEIGHBOUR);
	resolve(SILENT4, WEB4_A);
	move_flow(&d, WEB4_A);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	expect_sums(SILENT4, 1, 0, 0);
	assert_true(world_flow(&d, &f));
	assert_true(world_now_ns() - f.born_ns < SPW_RETRY_AFTER_NS);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	expect_sums(SILENT4, 1, 0, 0);
	world_born(&d, AT_LAST);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	assert_int_equal(world_outcomes(SILENT4).retried, 1);
	assert_int_equal(world_signals(SILENT4).run, 1);
}

/* All that is seen of a host that is gone, once the kernel has given its address up. */
static void a_next_hop_that_stays_unresolved_is_a_failure(void **state)
{
	static const struct {
		uint32_t service, endpoint;
	} rows[] = {{TCP4, SILENT4},
		    {UDP4, SILENT4},
		    {TCP6, SILENT6},
		    {UDP6, SILENT6},
		    {TCP4, FAR_SILENT4}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct desc d = from_client(rows[i].service);

		world_reset(NULL);
		expect_stuck(rows[i].service, rows[i].endpoint, SPW_DROP_NO_NEIGHBOUR);
		for (int n = 0; n < 2; n++)
			world_expect_end(world.if_client, &d, SPW_DROP_NO_NEIGHBOUR);
		expect_sums(rows[i].endpoint, 1, 0, 1);
		assert_int_equal(world_outcomes(rows[i].endpoint).retried, 1);
		assert_int_equal(world_signals(rows[i].endpoint).last_failure, SPW_FAILURE_SILENT);
	}
}

static void a_retry_in_time_for_the_next_hop_is_none(void **state)
{
	struct desc d = from_client(TCP4);

	(void)state;
	expect_stuck(TCP4, SILENT4, SPW_DROP_NO_NEIGHBOUR);
	world_born(&d, SPW_RETRY_AFTER_NS - 100000000);
	world_expect_end(world.if_client, &d, SPW_DROP_NO_NEIGHBOUR);
	expect_sums(SILENT4, 0, 0, 0);
}

/* The frame opens a flow to WEB4_A or WEB6_A. Nothing that follows counts, but an answer ends a run. */
static void expect_no_sample(const struct desc *d, const struct frame *in)
{
	uint32_t id = desc_is_v4(d) ? WEB4_A : WEB6_A;
	struct desc good = *d, ack, sent;
	struct frame out;

	good.payload = 0;
	good.ttl = 0;
	assert_int_equal(world_send_frame(world.if_client, in, &out), XDP_REDIRECT);
	expect_sums(id, 0, 0, 0);
	sent = world_expect_to(id, &good); /* nor does a sound one make it a sample */
	world_born(d, AT_LAST);
	world_expect_to(id, &good);
	ack = good;
	ack.flags = TCP_ACK;
	world_expect_to(id, &ack); /* what a server answers with RST */
	sent = from_endpoint(&sent);
	sent.flags = TCP_RST;
	world_expect_reply(world.if_server, &good, &sent);
	expect_sums(id, 0, 0, 0);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_RETRIED), 0);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_REFUSED), 0);
}

static void a_syn_with_a_wrong_checksum_is_no_sample(void **state)
{
	static const uint32_t services[] = {TCP4, TCP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(services[i]);
		struct frame in;

		world_reset(NULL);
		frame_build(&d, &in);
		in.b[frame_l4(&d) + 16] ^= 0x10;
		expect_no_sample(&d, &in);
	}
	for (size_t at = FRAME_ETH + 4; at < FRAME_ETH + 12; at += 6) {
		struct desc d = from_client(TCP4);
		struct frame in;

		world_reset(NULL);
		frame_build(&d, &in);
		in.b[at] ^= 1; /* identification; checksum */
		expect_no_sample(&d, &in);
	}
}

static void a_syn_that_is_to_die_on_the_way_is_no_sample(void **state)
{
	static const uint32_t services[] = {TCP4, TCP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = from_client(services[i]);
		struct frame in;

		world_reset(NULL);
		d.ttl = 16;
		frame_build(&d, &in);
		expect_no_sample(&d, &in);
	}
}

static void a_syn_with_data_or_odd_flags_is_no_sample(void **state)
{
	struct desc d = from_client(TCP4);
	struct frame in;

	(void)state;
	d.payload = 4;
	frame_build(&d, &in);
	expect_no_sample(&d, &in);
	for (uint8_t flag = TCP_PSH; flag <= 0x20; flag = (uint8_t)(flag << 2)) {
		struct desc odd = from_client(TCP6);

		world_reset(NULL);
		odd.flags |= flag;
		frame_build(&odd, &in);
		odd.flags = TCP_SYN;
		expect_no_sample(&odd, &in);
	}
}

static void build_with_options(const struct desc *d, const uint8_t *options, size_t len,
			       struct frame *out)
{
	struct desc with = *d;

	with.doff = (uint8_t)(5 + len / 4);
	with.options = options;
	frame_build(&with, out);
}

static void expect_sample(uint32_t service, const uint8_t *options, size_t len)
{
	struct desc d = from_client(service);
	uint32_t id = desc_is_v4(&d) ? WEB4_A : WEB6_A;
	struct frame in, out;

	world_reset(NULL);
	build_with_options(&d, options, len, &in);
	assert_int_equal(world_send_frame(world.if_client, &in, &out), XDP_REDIRECT);
	expect_sums(id, 1, 0, 0);
}

static void expect_odd_options(uint32_t service, const uint8_t *options, size_t len)
{
	struct desc d = from_client(service);
	struct frame in;

	world_reset(NULL);
	build_with_options(&d, options, len, &in);
	expect_no_sample(&d, &in);
}

static void a_syn_with_usual_options_is_a_sample(void **state)
{
	/* As Linux, Windows and macOS send them, and a request for a fast open cookie. */
	static const uint8_t usual[][24] = {
		{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 19, 0, 0, 0, 0, 1, 3, 3, 7},
		{2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2},
		{2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 9, 9, 9, 9, 0, 0, 0, 0, 4, 2, 0, 0},
		{2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 34, 2, 3, 3, 7, 1, 1, 1},
		{2, 4, 5, 0xb4},
	};
	static const size_t len[] = {20, 12, 24, 24, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(len) / sizeof(*len); i++) {
		expect_sample(TCP4, usual[i], len[i]);
		expect_sample(TCP6, usual[i], len[i]);
	}
	expect_sample(TCP4, NULL, 0);
}

static void a_syn_with_options_that_servers_drop_is_no_sample(void **state)
{
	static const uint8_t odd[][24] = {
		{1, 1, 19, 18},		       /* a signature, MD5 */
		{2, 4, 5, 0xb4, 29, 16, 1, 1}, /* a signature, AO */
		{30, 16, 0x10, 1},	       /* joins another connection */
		{2, 1, 1, 1},		       /* too short to be one */
		{8, 10, 1, 2},		       /* ends behind the header */
		{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		{99, 4, 0, 0},
	};
	static const size_t len[] = {20, 20, 16, 4, 8, 16, 4};

	(void)state;
	for (size_t i = 0; i < sizeof(len) / sizeof(*len); i++) {
		expect_odd_options(TCP4, odd[i], len[i]);
		expect_odd_options(TCP6, odd[i], len[i]);
	}
}

int sample_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest sample[] = {
		T(what_the_gateway_drops_is_no_sample),
		T(a_flow_is_born_for_its_endpoint_when_its_packet_leaves),
		T(a_next_hop_that_stays_unresolved_is_a_failure),
		T(a_retry_in_time_for_the_next_hop_is_none),
		T(a_syn_with_a_wrong_checksum_is_no_sample),
		T(a_syn_that_is_to_die_on_the_way_is_no_sample),
		T(a_syn_with_data_or_odd_flags_is_no_sample),
		T(a_syn_with_usual_options_is_a_sample),
		T(a_syn_with_options_that_servers_drop_is_no_sample),
	};
#undef T

	return cmocka_run_group_tests(sample, NULL, NULL);
}
