/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spillway-decap's programs: what is a gateway's tunnel to this host is taken off, byte for byte, and
 * everything else passes untouched.
 */
#include "decap.h"
#include "groups.h"
#include "world.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "decap.skel.h"

static const int families[] = {4, 6};
static const enum wrap_kind kinds[] = {WRAP_IPIP, WRAP_GUE1, WRAP_GUE0};

static void tunnels_of_all_kinds_are_taken_off(void **state)
{
	const uint16_t tags[] = {0, 100, 0x6064};

	(void)state;
	for (size_t i = 0; i < 2 * 2 * 3 * 3; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i / 4 % 3]);

		w.tag = tags[i / 12];
		decap_expect(&inner, &w, inner.tos);
	}
	assert_int_equal(decap_stat(SPW_DECAP_IPIP), 12);
	assert_int_equal(decap_stat(SPW_DECAP_GUE), 24);
}

static void every_length_of_the_payload_is_taken_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < 1200; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i % 3]);

		inner.payload = i;
		decap_expect(&inner, &w, inner.tos);
	}
}

/* RFC 6040, figure 4: a row an inner mark, a column an outer one; -1: dropped. */
static void congestion_marks_are_merged_as_rfc_6040_says(void **state)
{
	static const int table[4][4] = {/* outer: Not-ECT, ECT(1), ECT(0), CE */
					{0, 0, 0, -1},
					{1, 1, 1, 3},
					{2, 1, 2, 3},
					{3, 3, 3, 3}};

	(void)state;
	for (size_t i = 0; i < 16 * 4 * 3; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i / 4 % 3]);
		unsigned int in = i / 12 % 4, out = (unsigned int)i / 48;

		inner.tos = (uint8_t)(0xb8 | in);
		w.tos = (uint8_t)(0x28 | out);
		if (table[in][out] < 0)
			decap_expect_dropped(&inner, &w);
		else
			decap_expect(&inner, &w, (uint8_t)(0xb8 | table[in][out]));
	}
	assert_int_equal(decap_stat(SPW_DECAP_DROP_ECN), 12);
	assert_int_equal(decap_stat(SPW_DECAP_ECN_CE), 24);
}

static void outer_options_of_every_length_are_skipped(void **state)
{
	(void)state;
	for (uint8_t words = 0; words <= 10; words++) {
		for (size_t i = 0; i < 6; i++) {
			struct desc inner = decap_client(families[i & 1]);
			struct wrap w = decap_wrap(4, kinds[i >> 1]);

			w.options = words;
			decap_expect(&inner, &w, inner.tos);
		}
	}
}

static void the_encapsulation_limit_of_linux_is_skipped(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(6, kinds[i >> 1]);
		struct frame f;

		w.limit = true;
		decap_expect(&inner, &w, inner.tos);
		decap_build(&inner, &w, &f);
		f.b[FRAME_ETH + 40 + 2] = 5; /* a router alert */
		decap_expect_pass(&f, SPW_DECAP_PASS_NO_TUNNEL);
	}
}

static void other_extension_headers_pass(void **state)
{
	const uint8_t next[] = {IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_AH};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(6, WRAP_IPIP);
		struct frame f;

		w.limit = true;
		decap_build(&inner, &w, &f);
		f.b[FRAME_ETH + 6] = next[i];
		decap_expect_pass(&f, SPW_DECAP_PASS_NO_TUNNEL);
	}
}

static void gue_headers_of_every_length_are_skipped(void **state)
{
	(void)state;
	for (uint8_t words = 0; words < 32; words++) {
		for (size_t i = 0; i < 4; i++) {
			struct desc inner = decap_client(families[i & 1]);
			struct wrap w = decap_wrap(families[i >> 1], WRAP_GUE0);

			w.gue_words = words;
			decap_expect(&inner, &w, inner.tos);
		}
	}
}

static void gue_of_an_unknown_kind_passes(void **state)
{
	const struct {
		size_t at; /* in GUE's header */
		uint8_t value;
	} strange[] = {{0, 0x20}, {0, 0x80}, {0, 0xc0}, {0, 0x50}, {0, 0x70},
		       {1, 6},	  {1, 0},    {2, 0x80}, {3, 1}};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(strange) / sizeof(strange[0]); i++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(families[i & 1], WRAP_GUE0);
		struct frame f;

		decap_build(&inner, &w, &f);
		f.b[wrap_payload(&w) - 4 + strange[i / 2].at] = strange[i / 2].value;
		decap_expect_pass(&f, SPW_DECAP_PASS_GUE_HEADER);
	}
}

static void gue_is_taken_at_each_of_its_ports_only(void **state)
{
	const uint16_t ports[] = {DECAP_PORT, DECAP_PORT2}, others[] = {DECAP_PORT + 1, 53, 0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(families[i & 1], WRAP_GUE1);
		struct frame f;

		w.port = ports[i >> 1];
		decap_expect(&inner, &w, inner.tos);
		for (size_t j = 0; j < 3; j++) {
			w.port = others[j];
			decap_build(&inner, &w, &f);
			decap_expect_pass(&f, SPW_DECAP_PASS_NO_TUNNEL);
		}
	}
}

static void the_outer_udp_checksum_may_be_zero_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < 8; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], WRAP_GUE1);

		w.udp_sum = i & 4 ? 0x1234 : 0;
		decap_expect(&inner, &w, inner.tos);
	}
}

static void frames_cut_at_every_length_pass(void **state)
{
	struct frame f, cut, out;

	(void)state;
	for (size_t i = 0; i < 2 * 2 * 3 * 2; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i / 4 % 3]);

		w.tag = i >= 12 ? 100 : 0;
		w.options = w.family == 4 ? 3 : 0;
		decap_build(&inner, &w, &f);
		for (size_t len = 14; len < f.len; len++) {
			cut = f;
			cut.len = len;
			assert_int_equal(decap_send(&cut, &out), XDP_PASS);
			frame_assert_equal(&out, &cut);
		}
	}
	assert_int_equal(decap_stat(SPW_DECAP_IPIP) + decap_stat(SPW_DECAP_GUE), 0);
}

/* The lengths in the headers say that the inner packet is cut. */
static void inner_packets_that_do_not_fit_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i >> 2]);
		struct frame f;

		w.shorter = 1;
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_MALFORMED);
		if (w.kind == WRAP_IPIP)
			continue;
		w.shorter = 0;
		w.udp_shorter = 1;
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_MALFORMED);
		w.udp_shorter = (uint16_t)-1; /* longer than what carries it */
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_MALFORMED);
	}
}

static void ethernet_padding_is_no_part_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i >> 2]);

		w.padding = 7;
		decap_expect(&inner, &w, inner.tos);
	}
}

static void outer_fragments_pass(void **state)
{
	const uint16_t fields[] = {0x2000, 0x2001, 0x0001, 0x1fff};

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(4, kinds[i % 3]);
		struct frame f;

		w.fragment = fields[i / 3];
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, w.kind != WRAP_IPIP && w.fragment != 0x2000
					      ? SPW_DECAP_PASS_NO_TUNNEL
					      : SPW_DECAP_PASS_FRAGMENT);
	}
}

static void a_wrong_outer_checksum_passes(void **state)
{
	(void)state;
	for (uint8_t words = 0; words <= 10; words++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(4, WRAP_IPIP);
		struct frame f;

		w.options = words;
		decap_build(&inner, &w, &f);
		f.b[FRAME_ETH + 11] ^= 1;
		decap_expect_pass(&f, SPW_DECAP_PASS_CHECKSUM);
	}
}

static void tunnels_to_others_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(families[i & 1], kinds[i >> 1]);
		struct frame f;

		w.to = addr_of(w.family == 4 ? "10.1.0.3" : "fd00:1::3");
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_NOT_HOST);
	}
}

static void tunnels_of_strangers_pass_where_gateways_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct desc inner = decap_client(4);
		struct wrap w = decap_wrap(families[i & 1], kinds[i >> 1]);
		struct frame f;

		w.from = addr_of(w.family == 4 ? "10.2.0.1" : "fd00:2::1");
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_NOT_GATEWAY);
	}
}

static void inner_packets_to_others_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct desc inner = decap_client(families[i & 1]);
		struct wrap w = decap_wrap(families[i >> 1 & 1], kinds[i >> 2]);
		struct frame f;

		inner.dst = addr_of(i & 1 ? "2001:db8::11" : "192.0.2.11");
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_NOT_VIP);
	}
}

/* RFC 4291, 2.5.5.2: on no wire; in the maps they are IPv4's. */
static void mapped_addresses_in_ipv6_headers_pass(void **state)
{
	struct desc inner = decap_client(6);
	struct wrap w = decap_wrap(6, WRAP_IPIP);
	struct spw_addr vip = addr_of(VIP4);
	struct frame f;

	(void)state;
	decap_build(&inner, &w, &f);
	memcpy(f.b + wrap_payload(&w) + 24, vip.b, sizeof(vip.b));
	decap_expect_pass(&f, SPW_DECAP_PASS_MALFORMED);
	w.from = addr_of("10.1.0.20");
	decap_build(&inner, &w, &f);
	decap_expect_pass(&f, SPW_DECAP_PASS_MALFORMED);
	w = decap_wrap(6, WRAP_IPIP);
	w.to = addr_of("10.1.0.1");
	decap_build(&inner, &w, &f);
	decap_expect_pass(&f, SPW_DECAP_PASS_MALFORMED);
}

static void a_prefix_of_vips_holds_all_its_addresses(void **state)
{
	const char *const in[] = {"198.18.5.0", "2001:db8:5::"};
	const char *const beyond[] = {"198.18.6.0", "2001:db8:6::"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc inner = decap_client(families[i]);
		struct wrap w = decap_wrap(4, WRAP_IPIP);
		struct frame f;

		inner.dst = addr_of(in[i]);
		decap_expect(&inner, &w, inner.tos);
		inner.dst.b[15] = 255;
		decap_expect(&inner, &w, inner.tos);
		inner.dst = addr_of(beyond[i]);
		decap_build(&inner, &w, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_NOT_VIP);
	}
}

static void inner_fragments_are_taken_out(void **state)
{
	struct desc inner = decap_client(4);
	struct wrap w = decap_wrap(4, WRAP_IPIP);
	struct frame f, out;
	size_t at = wrap_payload(&w);

	(void)state;
	decap_build(&inner, &w, &f);
	frame_put16(&f, at + 6, 0x2001);
	assert_int_equal(decap_send(&f, &out), XDP_PASS);
	assert_int_equal(out.len, f.len - 20);
	assert_memory_equal(out.b + FRAME_ETH, f.b + at, f.len - at);
}

static void frames_to_groups_and_double_tags_pass(void **state)
{
	struct desc inner = decap_client(4);
	struct wrap w = decap_wrap(4, WRAP_IPIP);
	struct frame f;

	(void)state;
	decap_build(&inner, &w, &f);
	f.b[0] |= 1;
	decap_expect_pass(&f, SPW_DECAP_PASS_NO_TUNNEL);
	f.b[0] &= 0xfe;
	frame_tag(&f, 5);
	frame_tag(&f, 6);
	decap_expect_pass(&f, SPW_DECAP_PASS_NO_TUNNEL);
}

static void clients_packets_without_a_tunnel_pass(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct desc d = decap_client(families[i]);
		struct frame f;

		frame_build(&d, &f);
		decap_expect_pass(&f, SPW_DECAP_PASS_NO_TUNNEL);
	}
}

static void random_bytes_pass_untouched(void **state)
{
	uint32_t seed = 7;
	struct frame f, out;

	(void)state;
	for (uint32_t n = repeats(10000); n; n--) {
		f.len = 14 + random_u32(&seed) % 200;
		for (size_t i = 0; i < f.len; i++)
			f.b[i] = (uint8_t)(random_u32(&seed) >> 24);
		if (n & 1) /* as far as that goes, a tunnel's */
			frame_put16(&f, 12, n & 2 ? 0x0800 : 0x86dd);
		if (n & 1)
			f.b[14] = n & 2 ? 0x45 : 0x60;
		assert_int_equal(decap_send(&f, &out), XDP_PASS);
		frame_assert_equal(&out, &f);
	}
	assert_int_equal(decap_stat(SPW_DECAP_IPIP) + decap_stat(SPW_DECAP_GUE), 0);
}

/* Whatever byte is changed, the packet passes as it is or what is in it comes out, marks aside. */
static void a_changed_byte_never_mixes_headers_up(void **state)
{
	uint32_t seed = 11, cut;
	struct frame f, out;

	(void)state;
	for (uint32_t n = repeats(10000); n; n--) {
		struct desc inner = decap_client(families[n & 1]);
		struct wrap w = decap_wrap(families[n >> 1 & 1], kinds[n % 3]);
		int verdict;

		decap_build(&inner, &w, &f);
		f.b[random_u32(&seed) % f.len] = (uint8_t)(random_u32(&seed) >> 24);
		verdict = decap_send(&f, &out);
		cut = (uint32_t)(f.len - out.len);
		if (verdict == XDP_DROP && decap_stat(SPW_DECAP_DROP_ECN))
			continue;
		assert_int_equal(verdict, XDP_PASS);
		assert_memory_equal(out.b, f.b, 12);
		if (!cut)
			frame_assert_equal(&out, &f);
		else
			assert_memory_equal(out.b + 26, f.b + 26 + cut, out.len - 26);
	}
}

/* More than one buffer: only its first is in reach of a program's pointers. */
static void large_frames_of_several_buffers_are_taken_off(void **state)
{
	static uint8_t in[9000], out[9000];
	struct desc inner = decap_client(4);
	struct wrap w = decap_wrap(4, WRAP_GUE1);
	size_t at = wrap_payload(&w);
	struct frame f;

	(void)state;
	decap_build(&inner, &w, &f);
	memcpy(in, f.b, f.len);
	for (size_t i = f.len; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 7);
	decap_put_lengths(in, sizeof(in), at);
	assert_int_equal(decap_send_bytes(in, sizeof(in), out), XDP_PASS);
	assert_memory_equal(out, in, 14);
	assert_memory_equal(out + 14, in + at, sizeof(in) - at);
	assert_int_equal(decap_stat(SPW_DECAP_GUE), 1);
}

int decap_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(tunnels_of_all_kinds_are_taken_off, decap_reset),
		cmocka_unit_test_setup(every_length_of_the_payload_is_taken_off, decap_reset),
		cmocka_unit_test_setup(congestion_marks_are_merged_as_rfc_6040_says, decap_reset),
		cmocka_unit_test_setup(outer_options_of_every_length_are_skipped, decap_reset),
		cmocka_unit_test_setup(the_encapsulation_limit_of_linux_is_skipped, decap_reset),
		cmocka_unit_test_setup(other_extension_headers_pass, decap_reset),
		cmocka_unit_test_setup(gue_headers_of_every_length_are_skipped, decap_reset),
		cmocka_unit_test_setup(gue_of_an_unknown_kind_passes, decap_reset),
		cmocka_unit_test_setup(gue_is_taken_at_each_of_its_ports_only, decap_reset),
		cmocka_unit_test_setup(the_outer_udp_checksum_may_be_zero_or_not, decap_reset),
		cmocka_unit_test_setup(frames_cut_at_every_length_pass, decap_reset),
		cmocka_unit_test_setup(inner_packets_that_do_not_fit_pass, decap_reset),
		cmocka_unit_test_setup(ethernet_padding_is_no_part_of_it, decap_reset),
		cmocka_unit_test_setup(outer_fragments_pass, decap_reset),
		cmocka_unit_test_setup(a_wrong_outer_checksum_passes, decap_reset),
		cmocka_unit_test_setup(tunnels_to_others_pass, decap_reset),
		cmocka_unit_test_setup(tunnels_of_strangers_pass_where_gateways_are_named,
				       decap_reset),
		cmocka_unit_test_setup(inner_packets_to_others_pass, decap_reset),
		cmocka_unit_test_setup(mapped_addresses_in_ipv6_headers_pass, decap_reset),
		cmocka_unit_test_setup(a_prefix_of_vips_holds_all_its_addresses, decap_reset),
		cmocka_unit_test_setup(inner_fragments_are_taken_out, decap_reset),
		cmocka_unit_test_setup(frames_to_groups_and_double_tags_pass, decap_reset),
		cmocka_unit_test_setup(clients_packets_without_a_tunnel_pass, decap_reset),
		cmocka_unit_test_setup(random_bytes_pass_untouched, decap_reset),
		cmocka_unit_test_setup(a_changed_byte_never_mixes_headers_up, decap_reset),
		cmocka_unit_test_setup(large_frames_of_several_buffers_are_taken_off, decap_reset),
	};

	return cmocka_run_group_tests_name("decap", tests, decap_open, decap_close);
}
