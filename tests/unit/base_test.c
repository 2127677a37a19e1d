/* SPDX-License-Identifier: BSD-2-Clause */
/* base/: addresses, arena, ages, hash and text buffers. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static void addresses_are_canonicalised(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} rows[] = {
		{"192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:10", "2001:db8::10"},
		{"2001:db8::1:2:3", "2001:db8::1:2:3"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"0:0:0:0:0:ffff:c000:201", "192.0.2.1"},
		{"::", "::"},
		{"010.0.0.1", NULL},
		{"1.2.3", NULL},
		{"256.0.0.1", NULL},
		{"fe80::1%eth0", NULL},
		{"[2001:db8::1]", NULL},
		{"2001:db8::/64", NULL},
		{"1:2", NULL},
		{"", NULL},
	};
	char buf[ADDR_TEXT_MAX];
	struct spw_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].out) {
			assert_int_equal(addr_parse(rows[i].in, &a), -EINVAL);
			continue;
		}
		assert_int_equal(addr_parse(rows[i].in, &a), 0);
		assert_string_equal(addr_print(&a, buf), rows[i].out);
	}
}

static void address_and_port_need_brackets_for_ipv6_only(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"192.0.2.1:80", "192.0.2.1:80"},
		{"[2001:db8::1]:65535", "[2001:db8::1]:65535"},
		{"2001:db8::1:80", NULL},
		{"192.0.2.1", NULL},
		{"192.0.2.1:0", NULL},
		{"192.0.2.1:65536", NULL},
		{"192.0.2.1:+80", NULL},
		{"192.0.2.1:80x", NULL},
		{":80", NULL},
	};
	char buf[ADDR_PORT_TEXT_MAX];
	struct spw_addr a;
	uint16_t port;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].out) {
			assert_int_equal(addr_parse_port(rows[i].in, &a, &port), -EINVAL);
			continue;
		}
		assert_int_equal(addr_parse_port(rows[i].in, &a, &port), 0);
		assert_string_equal(addr_print_port(&a, port, buf), rows[i].out);
	}
}

static void address_classes_are_told_apart(void **state)
{
	struct spw_addr a;

	(void)state;
	assert_int_equal(addr_parse("127.9.9.9", &a), 0);
	assert_true(addr_is_loopback(&a) && addr_is_v4(&a));
	assert_int_equal(addr_parse("::ffff:127.0.0.1", &a), 0);
	assert_true(addr_is_loopback(&a));
	assert_int_equal(addr_parse("::1", &a), 0);
	assert_true(addr_is_loopback(&a) && !addr_is_v4(&a));
	assert_int_equal(addr_parse("::2", &a), 0);
	assert_false(addr_is_loopback(&a));
	assert_int_equal(addr_parse("0.0.0.0", &a), 0);
	assert_true(addr_is_unspecified(&a));
	assert_int_equal(addr_parse("239.1.1.1", &a), 0);
	assert_true(addr_is_multicast(&a));
	assert_int_equal(addr_parse("febf::1", &a), 0);
	assert_true(addr_is_link_local(&a));
	assert_int_equal(addr_parse("fec0::1", &a), 0);
	assert_false(addr_is_link_local(&a));
}

static void an_arena_keeps_what_was_pushed(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	int *items = NULL;
	size_t count = 0;
	char *big;

	(void)state;
	for (int i = 0; i < 10000; i++)
		*arena_push(a, items, count) = i;
	assert_int_equal(count, 10000);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(items[i], i);
	big = arena_alloc(a, 1 << 20);
	assert_int_equal(big[(1 << 20) - 1], 0);
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	assert_true(arena_used(a) > (1 << 20));
}

static void ages_read_as_kubectl_prints_them(void **state)
{
	static const struct {
		int64_t age_s;
		const char *text;
	} rows[] = {
		{-1, "0s"},	{0, "0s"},	  {119, "119s"},  {120, "2m"},
		{192, "3m12s"}, {600, "10m"},	  {3599, "59m"},  {10799, "179m"},
		{10800, "3h"},	{14460, "4h1m"},  {28800, "8h"},  {172799, "47h"},
		{172800, "2d"}, {176400, "2d1h"}, {691200, "8d"}, {63072000, "2y"},
	};
	char buf[24];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(clock_human_age(rows[i].age_s, buf), rows[i].text);
	assert_string_equal(clock_rfc3339(0, buf), "1970-01-01T00:00:00Z");
}

/* Gateways of different versions must agree: these values are for ever. */
static void hash_values_never_change(void **state)
{
	(void)state;
	assert_true(hash_mix(1) == 0x5692161d100b05e5ull);
	assert_true(hash_bytes("spillway", 8, 0) == hash_bytes("spillway", 8, 0));
	assert_true(hash_bytes("spillway", 8, 0) != hash_bytes("spillway", 8, 1));
	assert_true(hash_bytes("", 0, 0) == hash_mix(0xcbf29ce484222325ull));
}

static void a_strbuf_grows_and_is_taken(void **state)
{
	struct strbuf b = {0};
	char *text;

	(void)state;
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	text = strbuf_take(&b);
	assert_int_equal(strlen(text), 2000);
	assert_null(b.text);
	free(text);
	text = strbuf_take(&b);
	assert_string_equal(text, "");
	free(text);
}

static void diagnostics_carry_their_place(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	char out[256] = "";
	FILE *file = fmemopen(out, sizeof(out), "w");
	struct diags d;

	(void)state;
	diags_init(&d, a);
	diag_add(&d, (struct loc){.file = "x.yaml", .line = 3, .column = 5}, "no %s", "good");
	diag_warn(&d, (struct loc){.file = "x.yaml"}, "odd");
	diag_add(&d, (struct loc){0}, "nowhere");
	diags_print(&d, file);
	(void)fclose(file);
	assert_string_equal(out, "x.yaml:3:5: no good\nx.yaml: warning: odd\nnowhere\n");
	assert_int_equal(d.errors, 2);
	assert_int_equal(d.warnings, 1);
}

static void utf8_is_told_from_other_bytes(void **state)
{
	static const char *const valid[] = {"",
					    "a\x7f",
					    "\xc2\x80",
					    "\xdf\xbf",
					    "\xe0\xa0\x80",
					    "\xed\x9f\xbf",
					    "\xee\x80\x80",
					    "\xef\xbf\xbf",
					    "\xf0\x90\x80\x80",
					    "\xf4\x8f\xbf\xbf",
					    "\xe2\x82\xac 5"};
	static const char *const others[] = {"\x80",
					     "\xff",
					     "\xc0\x80",
					     "\xc1\xbf",
					     "\xc2",
					     "\xc2 ",
					     "\xe0\x9f\xbf",
					     "\xed\xa0\x80",
					     "\xe2\x82",
					     "\xe2\x82 ",
					     "\xf0\x8f\xbf\xbf",
					     "\xf4\x90\x80\x80",
					     "\xf5\x80\x80\x80",
					     "\xf1\x80\x80",
					     "a\xf1\x80\x80z"};

	(void)state;
	for (size_t i = 0; i < sizeof(valid) / sizeof(valid[0]); i++)
		assert_true(utf8_is_valid(valid[i], strlen(valid[i])));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(utf8_is_valid(others[i], strlen(others[i])));
	assert_true(utf8_is_valid("a\0b", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_canonicalised),
		cmocka_unit_test(address_and_port_need_brackets_for_ipv6_only),
		cmocka_unit_test(address_classes_are_told_apart),
		cmocka_unit_test(an_arena_keeps_what_was_pushed),
		cmocka_unit_test(ages_read_as_kubectl_prints_them),
		cmocka_unit_test(hash_values_never_change),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(a_strbuf_grows_and_is_taken),
		cmocka_unit_test(diagnostics_carry_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
