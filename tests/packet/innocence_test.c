/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Innocence: what is not plainly ours is passed to the stack, byte for byte as it came. Each row
 * begins as a packet that would be forwarded and differs from it in one thing.
 */
#include "direct_world.h"
#include "groups.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define IP4	   14 /* where the headers begin */
#define IP6	   14
#define TCP_OVER_4 34
#define UDP_OVER_4 34
#define TCP_OVER_6 54
#define UDP_OVER_6 54

/* A 16-bit value written into the frame at `at`; the IPv4 header's checksum is made good again. */
struct poke {
	const char *what;
	uint32_t service;
	size_t at;
	uint16_t value;
	enum spw_stat row;
};

static const struct poke pokes[] = {
	{"ARP", TCP4, 12, 0x0806, SPW_PASS_NOT_IP},
	{"reverse ARP", TCP4, 12, 0x8035, SPW_PASS_NOT_IP},
	{"MPLS", TCP4, 12, 0x8847, SPW_PASS_NOT_IP},
	{"PPPoE session", TCP4, 12, 0x8864, SPW_PASS_NOT_IP},
	{"802.1X", TCP4, 12, 0x888e, SPW_PASS_NOT_IP},
	{"MACsec", TCP4, 12, 0x88e5, SPW_PASS_NOT_IP},
	{"LLDP", TCP4, 12, 0x88cc, SPW_PASS_NOT_IP},
	{"PTP", UDP4, 12, 0x88f7, SPW_PASS_NOT_IP},
	{"an 802.3 length", TCP4, 12, 0x0040, SPW_PASS_NOT_IP},
	{"IPX", TCP4, 12, 0x8137, SPW_PASS_NOT_IP},
	{"broadcast", UDP4, 0, 0xffff, SPW_PASS_NOT_OURS},
	{"an Ethernet group", UDP4, 0, 0x0100, SPW_PASS_NOT_OURS},
	{"another host's frame", TCP4, 4, 0x0102, SPW_PASS_NOT_OURS},
	{"another host's frame over IPv6", UDP6, 0, 0x0201, SPW_PASS_NOT_OURS},
	{"an IPv6 group", UDP6, 0, 0x3333, SPW_PASS_NOT_OURS},
	{"the neighbouring address", TCP4, IP4 + 18, 0x020b, SPW_PASS_NOT_OURS},
	{"an IPv4 group", UDP4, IP4 + 16, 0xe000, SPW_PASS_NOT_OURS},
	{"the neighbouring IPv6 address", TCP6, IP6 + 38, 0x0011, SPW_PASS_NOT_OURS},
	{"IPv4 in an IPv6 frame", TCP4, 12, 0x86dd, SPW_PASS_MALFORMED},
	{"IPv6 in an IPv4 frame", TCP6, 12, 0x0800, SPW_PASS_MALFORMED},
	{"version 5", TCP4, IP4, 0x5500, SPW_PASS_MALFORMED},
	{"version 0", TCP4, IP4, 0x0500, SPW_PASS_MALFORMED},
	{"version 7", UDP6, IP6, 0x7000, SPW_PASS_MALFORMED},
	{"header length 0", TCP4, IP4, 0x4000, SPW_PASS_MALFORMED},
	{"header length 4", UDP4, IP4, 0x4400, SPW_PASS_MALFORMED},
	{"one word of options", TCP4, IP4, 0x4600, SPW_PASS_OPTIONS},
	{"ten words of options", TCP4, IP4, 0x4f00, SPW_PASS_OPTIONS},
	{"options on UDP", UDP4, IP4, 0x4700, SPW_PASS_OPTIONS},
	{"total length 0", TCP4, IP4 + 2, 0, SPW_PASS_MALFORMED},
	{"total length 19", TCP4, IP4 + 2, 19, SPW_PASS_MALFORMED},
	{"total length of the header alone", TCP4, IP4 + 2, 20, SPW_PASS_MALFORMED},
	{"total length inside TCP", TCP4, IP4 + 2, 39, SPW_PASS_MALFORMED},
	{"total length inside UDP", UDP4, IP4 + 2, 27, SPW_PASS_MALFORMED},
	{"total length past the end", TCP4, IP4 + 2, 41, SPW_PASS_MALFORMED},
	{"total length 65535", UDP4, IP4 + 2, 0xffff, SPW_PASS_MALFORMED},
	{"a middle fragment", TCP4, IP4 + 6, 0x2064, SPW_PASS_FRAGMENT},
	{"a last fragment", TCP4, IP4 + 6, 0x0064, SPW_PASS_FRAGMENT},
	{"the last offset", UDP4, IP4 + 6, 0x1fff, SPW_PASS_FRAGMENT},
	{"ICMP", UDP4, IP4 + 8, 0x4001, SPW_PASS_NOT_L4},
	{"IGMP", UDP4, IP4 + 8, 0x4002, SPW_PASS_NOT_L4},
	{"IP in IP", UDP4, IP4 + 8, 0x4004, SPW_PASS_NOT_L4},
	{"IPv6 in IPv4", UDP4, IP4 + 8, 0x4029, SPW_PASS_NOT_L4},
	{"GRE", UDP4, IP4 + 8, 0x402f, SPW_PASS_NOT_L4},
	{"ESP", TCP4, IP4 + 8, 0x4032, SPW_PASS_NOT_L4},
	{"SCTP", TCP4, IP4 + 8, 0x4084, SPW_PASS_NOT_L4},
	{"UDP-Lite", UDP4, IP4 + 8, 0x4088, SPW_PASS_NOT_L4},
	{"protocol 0", UDP4, IP4 + 8, 0x4000, SPW_PASS_NOT_L4},
	{"protocol 255", UDP4, IP4 + 8, 0x40ff, SPW_PASS_NOT_L4},
	{"a source in this network", TCP4, IP4 + 12, 0x0000, SPW_PASS_MALFORMED},
	{"a loopback source", TCP4, IP4 + 12, 0x7f00, SPW_PASS_MALFORMED},
	{"a group as source", UDP4, IP4 + 12, 0xe000, SPW_PASS_MALFORMED},
	{"broadcast as source", UDP4, IP4 + 12, 0xffff, SPW_PASS_MALFORMED},
	{"a TCP header of four words", TCP4, TCP_OVER_4 + 12, 0x4002, SPW_PASS_MALFORMED},
	{"a TCP header of no words", TCP4, TCP_OVER_4 + 12, 0x0002, SPW_PASS_MALFORMED},
	{"TCP options past the end", TCP4, TCP_OVER_4 + 12, 0x6002, SPW_PASS_MALFORMED},
	{"UDP length 0", UDP4, UDP_OVER_4 + 4, 0, SPW_PASS_MALFORMED},
	{"UDP length 7", UDP4, UDP_OVER_4 + 4, 7, SPW_PASS_MALFORMED},
	{"UDP length past the end", UDP4, UDP_OVER_4 + 4, 42, SPW_PASS_MALFORMED},
	{"port 81", TCP4, TCP_OVER_4 + 2, 81, SPW_PASS_NO_SERVICE},
	{"port 443", TCP4, TCP_OVER_4 + 2, 443, SPW_PASS_NO_SERVICE},
	{"port 0", TCP4, TCP_OVER_4 + 2, 0, SPW_PASS_NO_SERVICE},
	{"TCP on UDP's port", TCP4, TCP_OVER_4 + 2, 53, SPW_PASS_NO_SERVICE},
	{"UDP on TCP's port", UDP4, UDP_OVER_4 + 2, 80, SPW_PASS_NO_SERVICE},
	{"port 65535", UDP4, UDP_OVER_4 + 2, 65535, SPW_PASS_NO_SERVICE},
	{"another port over IPv6", TCP6, TCP_OVER_6 + 2, 81, SPW_PASS_NO_SERVICE},
	{"another UDP port over IPv6", UDP6, UDP_OVER_6 + 2, 54, SPW_PASS_NO_SERVICE},
	{"an RST without a flow", TCP4, TCP_OVER_4 + 12, 0x5004, SPW_PASS_NO_FLOW},
	{"an ACK without a flow", TCP6, TCP_OVER_6 + 12, 0x5010, SPW_PASS_NO_FLOW},
	{"hop-by-hop options", TCP6, IP6 + 6, 0x0040, SPW_PASS_OPTIONS},
	{"a routing header", TCP6, IP6 + 6, 0x2b40, SPW_PASS_OPTIONS},
	{"destination options", UDP6, IP6 + 6, 0x3c40, SPW_PASS_OPTIONS},
	{"an authentication header", UDP6, IP6 + 6, 0x3340, SPW_PASS_OPTIONS},
	{"a mobility header", UDP6, IP6 + 6, 0x8740, SPW_PASS_OPTIONS},
	{"an IPv6 fragment", TCP6, IP6 + 6, 0x2c40, SPW_PASS_FRAGMENT},
	{"ICMPv6", UDP6, IP6 + 6, 0x3a40, SPW_PASS_NOT_L4},
	{"neighbour discovery", UDP6, IP6 + 6, 0x3aff, SPW_PASS_NOT_L4},
	{"no next header", UDP6, IP6 + 6, 0x3b40, SPW_PASS_NOT_L4},
	{"ESP over IPv6", TCP6, IP6 + 6, 0x3240, SPW_PASS_NOT_L4},
	{"SCTP over IPv6", TCP6, IP6 + 6, 0x8440, SPW_PASS_NOT_L4},
	{"payload length 0", TCP6, IP6 + 4, 0, SPW_PASS_MALFORMED},
	{"payload length inside TCP", TCP6, IP6 + 4, 19, SPW_PASS_MALFORMED},
	{"payload length inside UDP", UDP6, IP6 + 4, 7, SPW_PASS_MALFORMED},
	{"payload length past the end", UDP6, IP6 + 4, 42, SPW_PASS_MALFORMED},
	{"payload length 65535", UDP6, IP6 + 4, 0xffff, SPW_PASS_MALFORMED},
	{"a group as IPv6 source", UDP6, IP6 + 8, 0xff02, SPW_PASS_MALFORMED},
	{"UDP length past the end over IPv6", UDP6, UDP_OVER_6 + 4, 42, SPW_PASS_MALFORMED},
};

static void one_thing_that_is_not_ours_is_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		const struct poke *p = &pokes[i];
		struct desc d = from_client(p->service);
		uint64_t before = world_stat(p->row);
		struct frame f;

		frame_build(&d, &f);
		frame_put16(&f, p->at, p->value);
		if (desc_is_v4(&d) && p->at >= IP4 && (f.b[IP4] & 15) == 5)
			frame_fix_ip4(&f);
		world_expect_frame_end(world.if_client, &f, p->row);
		if (world_stat(p->row) != before + 1)
			printf("row: %s\n", p->what);
	}
	assert_int_equal(world_flow_count(), 0);
}

static const struct {
	uint32_t service;
	const char *src, *dst;
	enum spw_stat row;
} between[] = {
	{TCP4, CLIENT4, "192.0.2.11", SPW_PASS_NOT_OURS},
	{UDP4, CLIENT4, "255.255.255.255", SPW_PASS_NOT_OURS},
	{UDP4, CLIENT4, "224.0.0.251", SPW_PASS_NOT_OURS},
	{TCP4, CLIENT4, "10.2.0.11", SPW_PASS_NOT_OURS},
	{TCP4, CLIENT4, "10.2.0.1", SPW_PASS_NO_FLOW}, /* the host's own services */
	{UDP4, "10.2.0.11", "10.2.0.3", SPW_PASS_NO_FLOW},
	{TCP6, CLIENT6, "fd00:2::1", SPW_PASS_NO_FLOW},
	{UDP6, CLIENT6, "ff02::fb", SPW_PASS_NOT_OURS},
	{TCP6, CLIENT6, "fe80::1", SPW_PASS_NOT_OURS},
	{TCP6, "::", VIP6, SPW_PASS_MALFORMED},
	{UDP6, "::1", VIP6, SPW_PASS_MALFORMED},
};

static void other_addresses_are_not_ours(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
		struct desc d = from_client(between[i].service);

		d.src = addr_of(between[i].src);
		d.dst = addr_of(between[i].dst);
		world_expect_end(world.if_client, &d, between[i].row);
	}
}

/* The maps hold IPv4 addresses mapped: no IPv6 packet may be taken for one of IPv4. */
static void mapped_addresses_on_the_wire_are_not_ipv4(void **state)
{
	struct desc d = from_client(TCP6);
	struct spw_addr vip4 = addr_of(VIP4), client4 = addr_of(CLIENT4);
	struct frame f;

	(void)state;
	frame_build(&d, &f);
	memcpy(f.b + IP6 + 24, vip4.b, 16);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_MALFORMED);
	memcpy(f.b + IP6 + 8, client4.b, 16);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_MALFORMED);
	frame_build(&d, &f);
	memcpy(f.b + IP6 + 8, client4.b, 16);
	world_expect_frame_end(world.if_client, &f, SPW_PASS_MALFORMED);
}

static void frames_with_two_tags_or_of_providers_are_the_stacks(void **state)
{
	static const uint16_t tags[][2] = {
		{0x8100, 0x8100}, {0x88a8, 0}, {0x88a8, 0x8100}, {0x9100, 0x8100}};
	static const uint32_t services[] = {TCP4, UDP6};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t t = 0; t < sizeof(tags) / sizeof(tags[0]); t++) {
			struct desc d = from_client(services[i]);
			size_t extra = tags[t][1] ? 8 : 4;
			struct frame f;

			frame_build(&d, &f);
			memmove(f.b + 12 + extra, f.b + 12, f.len - 12);
			memset(f.b + 12, 0, extra);
			frame_put16(&f, 12, tags[t][0]);
			frame_put16(&f, 14, 5);
			if (tags[t][1])
				frame_put16(&f, 16, tags[t][1]);
			f.len += extra;
			world_expect_frame_end(world.if_client, &f, SPW_PASS_NOT_IP);
		}
	}
}

static void frames_cut_short_anywhere_are_the_stacks(void **state)
{
	static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc d = from_client(services[i]);
		struct frame f;

		frame_build(&d, &f);
		for (size_t len = f.len; len-- > FRAME_ETH;) {
			f.len = len;
			world_expect_frame_end(world.if_client, &f, SPW_PASS_MALFORMED);
		}
	}
}

/* Generated frames of a kind that is never ours. */
enum kind { ELSEWHERE, FRAGMENTED, OPTIONS, PROTOCOL, PORT, CUT, NOISE, KINDS };

/* An offset of 0 would be a first fragment, which may be ours. */
static uint16_t later_fragment(uint32_t field)
{
	return (uint16_t)(field & 0x1fff ? field : field | 1);
}

static void generate(enum kind kind, uint32_t *rnd, struct frame *f)
{
	struct desc d = from_client(TCP4 + random_u32(rnd) % 4);

	d.payload = random_u32(rnd) % 1300;
	d.seed = random_u32(rnd);
	d.sport = (uint16_t)random_u32(rnd);
	if (kind == PORT)
		d.dport = (uint16_t)(1024 + random_u32(rnd) % 60000);
	frame_build(&d, f);
	switch (kind) {
	case ELSEWHERE:
		for (int i = 0; i < 8; i++)
			f->b[random_u32(rnd) % f->len] ^= (uint8_t)random_u32(rnd);
		f->b[IP4 + (desc_is_v4(&d) ? 17 : 30)] ^= 0x5a;
		break;
	case FRAGMENTED:
		if (desc_is_v4(&d))
			frame_put16(f, IP4 + 6, later_fragment(1 + random_u32(rnd) % 0x3fff));
		else
			f->b[IP6 + 6] = 44;
		break;
	case OPTIONS:
		if (desc_is_v4(&d))
			f->b[IP4] = (uint8_t)(0x46 + random_u32(rnd) % 10);
		else
			f->b[IP6 + 6] = random_u32(rnd) % 2 ? 0 : 60;
		break;
	case PROTOCOL:
		f->b[desc_is_v4(&d) ? IP4 + 9 : IP6 + 6] = (uint8_t)(18 + random_u32(rnd) % 238);
		break;
	case CUT:
		f->len = FRAME_ETH + random_u32(rnd) % (f->len - FRAME_ETH);
		break;
	case NOISE:
		f->len = FRAME_ETH + random_u32(rnd) % 1400;
		for (size_t i = 0; i < f->len; i++)
			f->b[i] = (uint8_t)(random_u32(rnd) >> 24);
		break;
	case PORT:
	case KINDS:
		break;
	}
}

static void expect_generated_pass(uint32_t rnd)
{
	uint64_t passed = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		struct frame in, out;

		generate(i % KINDS, &rnd, &in);
		assert_int_equal(world_send_frame(world.if_client, &in, &out), XDP_PASS);
		frame_assert_equal(&out, &in);
	}
	for (int row = SPW_PASS_NOT_IP; row <= SPW_PASS_NO_FLOW; row++)
		passed += world_stat((enum spw_stat)row);
	assert_int_equal(passed, 10000);
	assert_int_equal(world_flow_count(), 0);
}

static void ten_thousand_generated_frames_pass_unchanged(void **state)
{
	(void)state;
	expect_generated_pass(20250101);
}

static void they_do_beside_direct_return_too(void **state)
{
	static const uint8_t modes[] = {SPW_MODE_L2, SPW_MODE_IPIP, SPW_MODE_GUE};

	(void)state;
	for (size_t m = 0; m < 3; m++) {
		world_reset(NULL);
		for (uint32_t service = TCP4; service <= UDP6; service++)
			direct_service(service, modes[m]);
		expect_generated_pass(20250102 + (uint32_t)m);
	}
}

int innocence_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest innocence[] = {
		T(one_thing_that_is_not_ours_is_enough),
		T(other_addresses_are_not_ours),
		T(mapped_addresses_on_the_wire_are_not_ipv4),
		T(frames_with_two_tags_or_of_providers_are_the_stacks),
		T(frames_cut_short_anywhere_are_the_stacks),
		T(ten_thousand_generated_frames_pass_unchanged),
		T(they_do_beside_direct_return_too),
	};
#undef T

	return cmocka_run_group_tests(innocence, NULL, NULL);
}
