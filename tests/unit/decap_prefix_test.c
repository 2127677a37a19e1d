/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes of spillway-decap's command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/addr.h"
#include "decap/prefix.h"

static struct spw_decap_prefix parsed(struct arena *a, const char *text)
{
	struct spw_decap_prefix p;
	const char *why = NULL;

	assert_int_equal(prefix_parse(a, text, &p, &why), 0);
	assert_null(why);
	return p;
}

static void what_is_parsed_is_printed(void **state)
{
	static const char *const texts[] = {"192.0.2.0/24", "192.0.2.10",    "0.0.0.0/0",
					    "10.0.0.0/8",   "2001:db8::/32", "2001:db8::10",
					    "2000::/3"};
	AUTO(arena_free) struct arena *a = arena_new();
	char buf[PREFIX_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct spw_decap_prefix p = parsed(a, texts[i]);

		assert_string_equal(prefix_print(&p, buf), texts[i]);
	}
}

static void mistakes_are_refused_in_words(void **state)
{
	static const char *const rows[][2] = {
		{"", "not an IPv4 or IPv6 address"},
		{"/24", "not an IPv4 or IPv6 address"},
		{"host/24", "not an IPv4 or IPv6 address"},
		{"192.0.2.0/", "no number that fits"},
		{"192.0.2.0/33", "no number that fits"},
		{"192.0.2.0/-1", "no number that fits"},
		{"192.0.2.0/24x", "no number that fits"},
		{"2001:db8::/129", "no number that fits"},
		{"192.0.2.1/24", "bits behind"},
		{"2001:db8::1/64", "bits behind"},
		{"::/0", "IPv4-mapped"},
		{"::/80", "IPv4-mapped"},
	};
	AUTO(arena_free) struct arena *a = arena_new();
	struct spw_decap_prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = NULL;

		assert_int_equal(prefix_parse(a, rows[i][0], &p, &why), -EINVAL);
		assert_non_null(strstr(why, rows[i][1]));
	}
}

static void addresses_within_are_held_and_others_not(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool has;
	} rows[] = {
		{"192.0.2.0/25", "192.0.2.127", true},
		{"192.0.2.0/25", "192.0.2.128", false},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "2001:db8::1", false},
		{"2001:db8::/33", "2001:db8:7::", true},
		{"2001:db8::/33", "2001:db8:8000::", false},
		{"2000::/3", "192.0.2.1", false},
		{"192.0.2.1", "192.0.2.1", true},
	};
	AUTO(arena_free) struct arena *a = arena_new();
	struct spw_addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct spw_decap_prefix p = parsed(a, rows[i].prefix);

		assert_int_equal(addr_parse(rows[i].addr, &addr), 0);
		assert_int_equal(prefix_has(&p, &addr), rows[i].has);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_parsed_is_printed),
		cmocka_unit_test(mistakes_are_refused_in_words),
		cmocka_unit_test(addresses_within_are_held_and_others_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
