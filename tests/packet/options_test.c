/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 options and IPv6 extension headers: packets to services and their replies go on with them, byte
 * for byte; those that ask for another way, or that are not plainly right, are the stack's.
 */
#include "groups.h"
#include "world.h"

#include <string.h>

#define IP6_END (FRAME_ETH + 40)

struct between {
	const char *what;
	uint8_t next; /* IPv6: of the IP header */
	size_t len;
	uint8_t bytes[264]; /* IPv6: the last header's next is filled in */
	size_t last;	    /* where that is */
	enum spw_stat row;  /* 0: SPW_PASS_OPTIONS */
};

static const struct between options4[] = {
	{.what = "no operation", .len = 4, .bytes = {1, 1, 1, 0}},
	{.what = "router alert", .len = 4, .bytes = {148, 4, 0, 0}},
	{.what = "record route", .len = 40, .bytes = {7, 39, 4}},
	{.what = "timestamps behind padding", .len = 16, .bytes = {1, 1, 1, 1, 68, 12, 5, 0}},
	{.what = "the end, then anything", .len = 8, .bytes = {0, 131, 3, 4, 137}},
};

static const struct between strange4[] = {
	{.what = "loose source route", .len = 8, .bytes = {131, 7, 4, 10, 2, 0, 11}},
	{.what = "strict source route", .len = 12, .bytes = {1, 1, 137, 7, 4, 10, 2, 0, 11}},
	{.what = "an option of no length", .len = 4, .bytes = {148, 0}},
	{.what = "an option longer than the header", .len = 4, .bytes = {148, 5}},
};

static const struct between extensions6[] = {
	{.what = "hop-by-hop", .next = 0, .len = 8, .bytes = {0, 0, 1, 4}},
	{.what = "destination options", .next = 60, .len = 24, .bytes = {0, 2, 1, 20}},
	{.what = "a routing header that is used up", .next = 43, .len = 24, .bytes = {0, 2, 2, 0}},
	{.what = "an atomic fragment", .next = 44, .len = 8, .bytes = {0, 0, 0, 0, 1, 2, 3, 4}},
	{.what = "three of them",
	 .next = 0,
	 .len = 24,
	 .last = 16,
	 .bytes = {60, 0, 1, 4, [8] = 44, 0, 1, 4, [16] = 0, 0, 0, 6}},
	{.what = "the most bytes", .next = 60, .len = 256, .bytes = {0, 31, 1, 252}},
};

static const struct between strange6[] = {
	{.what = "a routing header with a way to go", .next = 43, .len = 24, .bytes = {0, 2, 2, 1}},
	{.what = "hop-by-hop in second place",
	 .next = 60,
	 .len = 16,
	 .last = 8,
	 .bytes = {0, 0, 1, 4, [8] = 0, 0, 1, 4}},
	{.what = "a word too much", .next = 60, .len = 264, .bytes = {0, 32, 1, 254}},
	{.what = "longer than the packet",
	 .next = 60,
	 .len = 8,
	 .bytes = {0, 30, 1, 4},
	 .row = SPW_PASS_MALFORMED},
	{.what = "seven of them",
	 .next = 60,
	 .len = 56,
	 .last = 48,
	 .bytes = {60,	      0, 1, 4, [8] = 60,  0, 1, 4, [16] = 60, 0, 1, 4, [24] = 60, 0, 1, 4,
		   [32] = 60, 0, 1, 4, [40] = 60, 0, 1, 4, [48] = 60, 0, 1, 4}},
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static uint16_t get16(const struct frame *f, size_t at)
{
	return (uint16_t)(f->b[at] << 8 | f->b[at + 1]);
}

/* Puts options or extension headers into a frame without any. */
static void put_between(const struct desc *d, const struct between *b, struct frame *f)
{
	size_t at = frame_l4(d);

	memmove(f->b + at + b->len, f->b + at, f->len - at);
	memcpy(f->b + at, b->bytes, b->len);
	f->len += b->len;
	if (desc_is_v4(d)) {
		f->b[FRAME_ETH] = (uint8_t)(0x45 + b->len / 4);
		frame_put16(f, FRAME_ETH + 2, (uint16_t)(get16(f, FRAME_ETH + 2) + b->len));
		frame_fix_ip4(f);
		return;
	}
	f->b[IP6_END + b->last] = d->proto;
	f->b[FRAME_ETH + 6] = b->next;
	frame_put16(f, FRAME_ETH + 4, (uint16_t)(get16(f, FRAME_ETH + 4) + b->len));
}

static void build(const struct desc *d, const struct between *b, struct frame *f)
{
	frame_build(d, f);
	put_between(d, b, f);
}

/* The reply as its client gets it. */
static struct desc reply_out(const struct desc *client, const struct desc *reply)
{
	struct desc want = *reply;

	want.src = client->dst;
	want.dst = client->src;
	want.sport = client->dport;
	want.dport = client->sport;
	want.ttl = (uint8_t)(reply->ttl - 1);
	memcpy(want.smac, client->dmac, 6);
	memcpy(want.dmac, client->smac, 6);
	return want;
}

/* The first packet of a flow has them, and the answer too. */
static void expect_forwarded(uint32_t service, const struct between *b)
{
	struct desc d = from_client(service), sent, reply, want;
	struct frame in, out, back, built;

	world_reset(NULL);
	build(&d, b, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	sent = world_expect_to(desc_is_v4(&d) ? WEB4_A : WEB6_A, &d);
	build(&sent, b, &built);
	frame_assert_equal(&out, &built);
	reply = from_endpoint(&sent);
	build(&reply, b, &in);
	world_expect_verdict(world.if_server, &in, &back, XDP_REDIRECT);
	want = reply_out(&d, &reply);
	build(&want, b, &built);
	frame_assert_equal(&back, &built);
	assert_int_equal(world_stat(SPW_COUNT_FLOW_CREATED), 1);
}

static void packets_with_options_go_both_ways_byte_for_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(options4); i++) {
		expect_forwarded(TCP4, &options4[i]);
		expect_forwarded(UDP4, &options4[i]);
	}
	for (size_t i = 0; i < COUNT(extensions6); i++) {
		expect_forwarded(TCP6, &extensions6[i]);
		expect_forwarded(UDP6, &extensions6[i]);
	}
}

static void strange_options_are_the_stacks(void **state)
{
	struct frame f;
	struct desc d;

	(void)state;
	for (uint32_t service = TCP4; service <= UDP4; service++) {
		d = from_client(service);
		for (size_t i = 0; i < COUNT(strange4); i++) {
			build(&d, &strange4[i], &f);
			world_expect_frame_end(world.if_client, &f, SPW_PASS_OPTIONS);
		}
	}
	for (uint32_t service = TCP6; service <= UDP6; service++) {
		d = from_client(service);
		for (size_t i = 0; i < COUNT(strange6); i++) {
			build(&d, &strange6[i], &f);
			world_expect_frame_end(world.if_client, &f,
					       strange6[i].row ? strange6[i].row
							       : SPW_PASS_OPTIONS);
		}
	}
	assert_int_equal(world_flow_count(), 0);
}

static void options_to_what_is_no_service_are_passed(void **state)
{
	static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};
	struct frame f;

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		struct desc d = from_client(services[i]);
		const struct between *b = desc_is_v4(&d) ? &options4[1] : &extensions6[4];

		d.dport = 81;
		build(&d, b, &f);
		world_expect_frame_end(world.if_client, &f, SPW_PASS_NO_SERVICE);
		d.dst.b[15] ^= 1;
		build(&d, b, &f);
		world_expect_frame_end(world.if_client, &f, SPW_PASS_NOT_OURS);
	}
}

/* What is cut short inside the options or the header behind them. */
static void options_cut_short_anywhere_are_the_stacks(void **state)
{
	static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		struct desc d = from_client(services[i]);
		struct frame f, out;

		build(&d, desc_is_v4(&d) ? &options4[2] : &extensions6[4], &f);
		while (f.len-- > frame_l4(&d)) {
			assert_int_equal(world_send_frame(world.if_client, &f, &out), XDP_PASS);
			frame_assert_equal(&out, &f);
		}
	}
	assert_int_equal(world_flow_count(), 0);
}

/* The RST has none, wherever the SYN had its header. */
static void a_syn_with_options_is_refused_in_plain_words(void **state)
{
	static const uint32_t services[] = {TCP4, TCP6};

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		const struct between *list = i ? extensions6 : options4;
		size_t count = i ? COUNT(extensions6) : COUNT(options4);

		world_serve(services[i], (uint16_t[]){0}, 1);
		for (size_t n = 0; n < count; n++) {
			struct desc d = from_client(services[i]), want = world_refusal(&d);
			struct frame in, out, built;

			build(&d, &list[n], &in);
			world_expect_verdict(world.if_client, &in, &out, XDP_TX);
			frame_build(&want, &built);
			frame_assert_equal(&out, &built);
		}
	}
}

static void an_endpoints_packet_with_options_is_cut_to_an_rst(void **state)
{
	static const uint32_t services[] = {TCP4, TCP6};

	(void)state;
	for (size_t i = 0; i < COUNT(services); i++) {
		uint32_t id = i ? WEB6_A : WEB4_A;
		struct desc d = from_client(services[i]), sent = world_expect_to(id, &d);
		struct desc reply = from_endpoint(&sent), want = reply_out(&d, &reply);
		struct frame in, out, built;

		reply.seq = 77;
		reply.ack = 2;
		world_set_word(id, SPW_WORD_UP | SPW_WORD_RESET);
		build(&reply, i ? &extensions6[4] : &options4[3], &in);
		world_expect_verdict(world.if_server, &in, &out, XDP_REDIRECT);
		want.flags = TCP_RST | TCP_ACK;
		want.seq = 77;
		want.ack = 2;
		want.ttl = 64;
		frame_build(&want, &built);
		frame_assert_equal(&out, &built);
	}
}

int options_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest options[] = {
		T(packets_with_options_go_both_ways_byte_for_byte),
		T(strange_options_are_the_stacks),
		T(options_to_what_is_no_service_are_passed),
		T(options_cut_short_anywhere_are_the_stacks),
		T(a_syn_with_options_is_refused_in_plain_words),
		T(an_endpoints_packet_with_options_is_cut_to_an_rst),
	};
#undef T

	return cmocka_run_group_tests(options, NULL, NULL);
}
