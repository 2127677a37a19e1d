/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors about packets of flows: each leaves for the flow's other side exactly as an error about
 * the packet that side sent, with every checksum as computed from scratch: outer, ICMP and quoted.
 */
#include "groups.h"
#include "world.h"

#include <string.h>

/* A flow, and its packets on both sides of the gateway. */
struct talk {
	uint32_t id;
	struct desc client, sent;  /* as it came from the client, and as it left */
	struct desc reply, passed; /* as it came from the endpoint, and as it left */
};

/* An error about `quoted` from a router on the way, which comes in by `ifindex`. */
struct error {
	int ifindex;
	struct desc d, want;
	struct frame quoted, known; /* the packet as it left, and as its sender knows it */
};

static struct talk talk_of(uint32_t service)
{
	struct talk t = {.client = from_client(service)};

	t.id = desc_is_v4(&t.client) ? WEB4_A : WEB6_A;
	t.sent = world_expect_to(t.id, &t.client);
	t.reply = from_endpoint(&t.sent);
	world_expect_reply(world.if_server, &t.client, &t.reply);
	t.passed = from_endpoint(&t.client);
	t.passed.ttl = 63;
	return t;
}

static void base(struct error *e, const struct desc *quoted, const struct desc *known)
{
	bool v4 = desc_is_v4(quoted);

	frame_build(quoted, &e->quoted);
	frame_build(known, &e->known);
	e->d = (struct desc){
		.dst = quoted->src,
		.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.type = v4 ? 3 : 1,
		.code = v4 ? 1 : 3,
		.payload = desc_l3_len(quoted),
	};
	memcpy(e->d.smac, quoted->dmac, 6);
	memcpy(e->d.dmac, quoted->smac, 6);
}

/* What is to come of it, when d is complete. */
static void conclude(struct error *e, const struct desc *known)
{
	e->want = e->d;
	e->want.ttl = (uint8_t)((e->d.ttl ? e->d.ttl : 64) - 1);
	e->want.src = known->dst;
	e->want.dst = known->src;
	memcpy(e->want.smac, known->dmac, 6);
	memcpy(e->want.dmac, known->smac, 6);
	e->d.bytes = e->quoted.b + FRAME_ETH;
	e->want.bytes = e->known.b + FRAME_ETH;
}

/* About what was sent to the endpoint. */
static void error_for_client(const struct talk *t, struct error *e)
{
	struct desc known = t->client;

	known.ttl = t->sent.ttl;
	base(e, &t->sent, &known);
	e->ifindex = world.if_server;
	e->d.src = addr_of(desc_is_v4(&known) ? "10.2.0.254" : "fd00:2::fe");
	conclude(e, &known);
}

/* About what was sent to the client. */
static void error_for_endpoint(const struct talk *t, struct error *e)
{
	struct desc known = t->reply;

	known.ttl = t->passed.ttl;
	base(e, &t->passed, &known);
	e->ifindex = world.if_client;
	e->d.src = addr_of(desc_is_v4(&known) ? "10.1.0.99" : "fd00:1::99");
	conclude(e, &known);
}

static void error_for(bool client, const struct talk *t, struct error *e)
{
	if (client)
		error_for_client(t, e);
	else
		error_for_endpoint(t, e);
}

/* The first half of a TCP checksum alone is left as it is. */
static void keep_half_a_checksum(struct error *e, size_t payload)
{
	size_t at = desc_is_v4(&e->want) ? 20 + 16 : 40 + 16;
	size_t proto = desc_is_v4(&e->want) ? 9 : 6;

	if (payload == at + 1 && e->quoted.b[FRAME_ETH + proto] == IPPROTO_TCP)
		e->known.b[FRAME_ETH + at] = e->quoted.b[FRAME_ETH + at];
}

/* The same change to what comes and what is to leave. */
static void set_icmp(struct error *e, uint8_t type, uint8_t code, uint32_t rest, size_t payload)
{
	e->d.type = e->want.type = type;
	e->d.code = e->want.code = code;
	e->d.rest = e->want.rest = rest;
	e->d.payload = e->want.payload = payload;
	keep_half_a_checksum(e, payload);
}

static void expect_forward(const struct error *e)
{
	uint64_t before = world_stat(SPW_COUNT_FORWARD_ICMP);
	uint64_t redirected = world_stat(SPW_FORWARD_REDIRECT);
	struct frame in, out, built;

	frame_build(&e->d, &in);
	frame_build(&e->want, &built);
	world_expect_verdict(e->ifindex, &in, &out, XDP_REDIRECT);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(SPW_COUNT_FORWARD_ICMP), before + 1);
	assert_int_equal(world_stat(SPW_FORWARD_REDIRECT), redirected + 1);
}

static bool is_error(bool v4, unsigned int type, unsigned int code)
{
	if (!v4)
		return type >= 1 && type <= 4;
	return type == 3 ? code <= 13 : type == 11 || type == 12;
}

static void every_kind_of_error_goes_on_and_other_messages_pass(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct talk t = talk_of(TCP4 + i / 2 * 2);
		struct error e;

		error_for(i % 2, &t, &e);
		for (unsigned int n = 0; n < 256 * 16; n++) {
			set_icmp(&e, (uint8_t)(n / 16), (uint8_t)(n % 16), n * 77777, e.d.payload);
			if (is_error(i < 2, n / 16, n % 16))
				expect_forward(&e);
			else
				world_expect_end(e.ifindex, &e.d, SPW_PASS_NOT_L4);
		}
	}
}

static void too_short_a_quote_passes_and_any_longer_one_goes_on(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct talk t = talk_of(TCP4 + i / 2);
		size_t least = desc_is_v4(&t.client) ? 28 : 48;
		struct error e;

		for (size_t len = 0; len <= desc_l3_len(&t.client); len++) {
			error_for(i % 2, &t, &e);
			set_icmp(&e, e.d.type, e.d.code, 0, len);
			if (len < least)
				world_expect_end(e.ifindex, &e.d, SPW_PASS_NOT_L4);
			else
				expect_forward(&e);
		}
	}
}

static void too_big_goes_on_with_its_mtu(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct talk t = talk_of(TCP4 + i / 2);
		bool v4 = desc_is_v4(&t.client);
		struct error e;

		error_for(i % 2, &t, &e);
		set_icmp(&e, v4 ? 3 : 2, v4 ? 4 : 0, 1280, e.d.payload);
		expect_forward(&e);
	}
}

/* Anything about a packet, its quote and its error, that may be otherwise. */
static void vary(struct desc *d, uint32_t *rnd)
{
	bool tcp = d->proto == IPPROTO_TCP;

	d->payload = random_u32(rnd) % 3 ? random_u32(rnd) % 600 : 0;
	d->seed = random_u32(rnd);
	d->tos = (uint8_t)random_u32(rnd);
	d->ttl = (uint8_t)(2 + random_u32(rnd) % 250);
	d->no_checksum = !tcp && desc_is_v4(d) && random_u32(rnd) % 4 == 0;
	if (!tcp)
		return;
	d->flags = TCP_ACK;
	d->seq = random_u32(rnd);
	d->ack = random_u32(rnd);
	d->doff = (uint8_t)(5 + random_u32(rnd) % 11);
}

static void varied(bool client, struct talk *t, struct error *e, uint32_t *rnd)
{
	struct desc addressed = client ? t->client : t->reply;
	struct desc *came = client ? &t->client : &t->reply;
	struct desc left = client ? t->sent : t->passed;
	struct desc *to = client ? &t->sent : &t->passed;

	vary(&addressed, rnd);
	*came = addressed;
	*to = addressed;
	to->src = left.src;
	to->dst = left.dst;
	to->sport = left.sport;
	to->dport = left.dport;
	memcpy(to->smac, left.smac, 6);
	memcpy(to->dmac, left.dmac, 6);
	error_for(client, t, e);
}

static void generated_errors_leave_with_every_checksum_right(void **state)
{
	uint32_t rnd = 5508;

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct talk t = talk_of(TCP4 + i / 2);
		bool v4 = desc_is_v4(&t.client);
		size_t least = v4 ? 28 : 48;

		for (uint32_t n = 0; n < 5000; n++) {
			struct error e;
			size_t whole;

			varied(i % 2, &t, &e, &rnd);
			whole = e.d.payload;
			e.d.tos = e.want.tos = (uint8_t)random_u32(&rnd);
			e.d.ttl = (uint8_t)(2 + random_u32(&rnd) % 250);
			e.want.ttl = (uint8_t)(e.d.ttl - 1);
			set_icmp(&e, v4 ? 11 : 3, (uint8_t)(random_u32(&rnd) % 2), random_u32(&rnd),
				 least + random_u32(&rnd) % (whole - least + 1));
			expect_forward(&e);
		}
	}
}

/* A wrong checksum is not made right. */
static void what_was_wrong_stays_wrong(void **state)
{
	struct talk t = talk_of(TCP6);
	struct frame in, out, built;
	struct error e;
	size_t at;

	(void)state;
	error_for_client(&t, &e);
	at = frame_l4(&e.d) + 2;
	frame_build(&e.d, &in);
	frame_build(&e.want, &built);
	in.b[at] ^= 0x40;
	world_expect_verdict(e.ifindex, &in, &out, XDP_REDIRECT);
	assert_memory_not_equal(out.b + at, built.b + at, 2);
	memcpy(out.b + at, built.b + at, 2);
	frame_assert_equal(&out, &built);
}

static void a_flow_that_is_over_or_unknown_leaves_it_to_the_stack(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		struct talk t;
		struct error e;

		world_reset(NULL);
		t = talk_of(TCP4 + i / 2);
		error_for(i % 2, &t, &e);
		expect_forward(&e);
		world_age_all(100000 * SECOND_NS);
		world_expect_end(e.ifindex, &e.d, SPW_PASS_NOT_L4);
		world_empty_flows();
		world_expect_end(e.ifindex, &e.d, SPW_PASS_NOT_L4);
	}
}

static void it_must_come_to_the_address_that_is_quoted(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct talk t = talk_of(TCP4 + i / 2 * 2);
		struct error e;

		error_for(i % 2, &t, &e);
		e.d.dst = i % 2 ? t.client.dst : t.sent.src;
		world_expect_end(e.ifindex, &e.d, SPW_PASS_NOT_L4);
	}
}

static void no_error_is_answered(void **state)
{
	struct talk t = talk_of(UDP4);
	struct frame in, out;
	struct error e;

	(void)state;
	error_for_client(&t, &e);
	e.d.ttl = 1;
	world_expect_end(e.ifindex, &e.d, SPW_DROP_TTL);
	error_for_endpoint(&t, &e);
	memset(e.quoted.b + e.quoted.len, 0x55, 1450 - e.quoted.len);
	e.d.payload = 1430;
	frame_build(&e.d, &in);
	world_expect_verdict(e.ifindex, &in, &out, XDP_DROP);
	frame_assert_equal(&out, &in);
	assert_int_equal(world_stat(SPW_DROP_TOO_BIG), 1);
	assert_int_equal(world_stat(SPW_COUNT_TOO_BIG_SENT), 0);
	assert_int_equal(world_stat(SPW_COUNT_TTL_EXCEEDED_SENT), 0);
}

/* The tag of the client's way is put in, that of the error taken out. */
static void an_error_leaves_with_the_tag_of_its_way(void **state)
{
	struct talk t = talk_of(UDP6);
	struct frame syn, in, out, built;
	struct error e;

	(void)state;
	frame_build(&t.client, &syn);
	frame_tag(&syn, 5);
	world_expect_verdict(world.if_client, &syn, &out, XDP_REDIRECT);
	error_for_client(&t, &e);
	frame_build(&e.d, &in);
	frame_build(&e.want, &built);
	frame_tag(&built, 5);
	world_expect_verdict(e.ifindex, &in, &out, XDP_REDIRECT);
	frame_assert_equal(&out, &built);
	error_for_endpoint(&t, &e);
	frame_build(&e.d, &in);
	frame_tag(&in, 5);
	frame_build(&e.want, &built);
	world_expect_verdict(e.ifindex, &in, &out, XDP_REDIRECT);
	frame_assert_equal(&out, &built);
}

int icmp_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest icmp[] = {
		T(every_kind_of_error_goes_on_and_other_messages_pass),
		T(too_short_a_quote_passes_and_any_longer_one_goes_on),
		T(too_big_goes_on_with_its_mtu),
		T(generated_errors_leave_with_every_checksum_right),
		T(what_was_wrong_stays_wrong),
		T(a_flow_that_is_over_or_unknown_leaves_it_to_the_stack),
		T(it_must_come_to_the_address_that_is_quoted),
		T(no_error_is_answered),
		T(an_error_leaves_with_the_tag_of_its_way),
	};
#undef T

	return cmocka_run_group_tests(icmp, NULL, NULL);
}
