/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSS option of SYNs and SYN-ACKs: lowered to the smaller MTU of both ways, and nothing else. */
#include "groups.h"
#include "world.h"

#include <string.h>

#define SERVER_MTU 1400
#define OPTIONS	   40

static uint32_t limit_of(const struct desc *d)
{
	return SERVER_MTU - (desc_is_v4(d) ? 40 : 60);
}

static void put_mss(uint8_t *at, uint32_t mss)
{
	at[0] = 2;
	at[1] = 4;
	at[2] = (uint8_t)(mss >> 8);
	at[3] = (uint8_t)mss;
}

/* Sends `d`, which is to leave with the options `after`; the endpoint's answer likewise. */
static void expect_options(uint32_t service, uint8_t doff, const uint8_t *before,
			   const uint8_t *after)
{
	struct desc d = from_client(service), sent = d, reply, want;
	struct spw_endpoint e = world_endpoint(desc_is_v4(&d) ? WEB4_A : WEB6_A);
	uint64_t clamped = world_stat(SPW_COUNT_MSS_CLAMPED);
	uint32_t changed = memcmp(before, after, doff * 4u - 20) != 0;
	struct frame in, out, built;
	struct flow f;

	world_empty_flows();
	d.doff = doff;
	d.options = before;
	frame_build(&d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	assert_true(world_flow(&d, &f));
	sent = d;
	sent.options = after;
	sent.src = f.saddr;
	sent.sport = frame_sport(&d, &out);
	sent.dst = e.addr;
	sent.dport = 8080;
	sent.ttl = 63;
	memcpy(sent.smac, mac_gateway_server, 6);
	mac_of(&e.addr, sent.dmac);
	frame_build(&sent, &built);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(SPW_COUNT_MSS_CLAMPED), clamped + changed);

	reply = from_endpoint(&sent);
	reply.options = before;
	frame_build(&reply, &in);
	world_expect_verdict(world.if_server, &in, &out, XDP_REDIRECT);
	want = from_endpoint(&d);
	want.options = after;
	want.ttl = 63;
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(SPW_COUNT_MSS_CLAMPED), clamped + 2 * changed);
}

static void a_larger_mss_is_lowered_and_a_smaller_one_left(void **state)
{
	static const uint32_t sizes[] = {0,    1,    536,  1339, 1340, 1341,  1359,
					 1360, 1361, 1440, 1460, 8960, 65535, 256};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint32_t service = i % 2 ? TCP6 : TCP4, mss = sizes[i / 2];
		struct desc d = from_client(service);
		uint8_t before[4], after[4];

		put_mss(before, mss);
		put_mss(after, mss < limit_of(&d) ? mss : limit_of(&d));
		expect_options(service, 6, before, after);
	}
}

/* At even and odd places, among other options. */
static void wherever_it_stands_the_checksum_is_right(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2 * 37; i++) {
		uint32_t service = i % 2 ? TCP6 : TCP4, at = i / 2;
		struct desc d = from_client(service);
		uint8_t before[OPTIONS], after[OPTIONS];

		memset(before, 1, sizeof(before));
		if (at >= 10)
			memcpy(before, (uint8_t[]){8, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 10);
		memcpy(after, before, sizeof(after));
		put_mss(before + at, 1460 + i * 512);
		put_mss(after + at, limit_of(&d));
		expect_options(service, 15, before, after);
	}
}

static void options_that_make_no_sense_are_left_alone(void **state)
{
	static const uint8_t rows[][OPTIONS] = {
		{0, 2, 4, 0x10, 0},		   /* behind the end */
		{2, 3, 0x10, 2, 4, 0, 1},	   /* too short */
		{3, 0, 2, 4, 0x10, 0},		   /* no length */
		{8, 41, 2, 4, 0x10, 0},		   /* longer than the header */
		{[37] = 2, [38] = 4, [39] = 0x10}, /* behind the end too */
		{8, 38, [38] = 2, [39] = 4},	   /* cut off */
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++)
		expect_options(i % 2 ? TCP6 : TCP4, 15, rows[i / 2], rows[i / 2]);
	assert_int_equal(world_stat(SPW_COUNT_MSS_CLAMPED), 0);
}

static void random_options(uint8_t *b, uint32_t *rnd)
{
	for (size_t i = 0; i < OPTIONS; i++)
		b[i] = (uint8_t)(random_u32(rnd) % 8);
}

/* The same search once more, written apart from bpf/mss.h. */
static void lower(uint8_t *b, size_t len, uint32_t limit)
{
	for (size_t i = 0; i < len && b[i]; i += b[i] == 1 ? 1u : b[i + 1]) {
		if (b[i] == 1)
			continue;
		if (i + 1 == len || b[i + 1] < 2 || i + b[i + 1] > len)
			return;
		if (b[i] == 2 && b[i + 1] == 4 && (uint32_t)(b[i + 2] << 8 | b[i + 3]) > limit)
			put_mss(b + i, limit);
	}
}

static void generated_options_keep_their_checksum(void **state)
{
	uint32_t rnd = 9293;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint8_t doff = (uint8_t)(5 + random_u32(&rnd) % 11);
		uint32_t service = i % 2 ? TCP6 : TCP4;
		struct desc d = from_client(service);
		uint8_t before[OPTIONS], after[OPTIONS];

		random_options(before, &rnd);
		memcpy(after, before, sizeof(after));
		lower(after, doff * 4u - 20, limit_of(&d));
		expect_options(service, doff, before, after);
	}
	assert_true(world_stat(SPW_COUNT_MSS_CLAMPED) > 0);
}

/* Bytes like the option in a packet that is no SYN. */
static void packets_of_a_connection_are_not_looked_at(void **state)
{
	struct desc d = from_client(TCP4);
	uint8_t options[4];

	(void)state;
	world_expect_to(WEB4_A, &d);
	put_mss(options, 8960);
	d.flags = TCP_ACK;
	d.doff = 6;
	d.options = options;
	world_expect_to(WEB4_A, &d);
	assert_int_equal(world_stat(SPW_COUNT_MSS_CLAMPED), 0);
}

int mss_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest mss[] = {
		T(a_larger_mss_is_lowered_and_a_smaller_one_left),
		T(wherever_it_stands_the_checksum_is_right),
		T(options_that_make_no_sense_are_left_alone),
		T(generated_options_keep_their_checksum),
		T(packets_of_a_connection_are_not_looked_at),
	};
#undef T

	return cmocka_run_group_tests(mss, NULL, NULL);
}
