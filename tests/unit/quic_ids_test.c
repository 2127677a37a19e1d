/* SPDX-License-Identifier: BSD-2-Clause */
/* The annotation spillway.dev/quic-server-ids: what it says, and what is said of slips in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/addr.h"
#include "manifest/quic_ids.h"

static struct arena *arena;
static struct quic_ids ids;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	memset(&ids, 0, sizeof(ids));
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static const char *parse(const char *text)
{
	memset(&ids, 0, sizeof(ids));
	return quic_ids_parse(arena, text, strlen(text), &ids);
}

static const char *id_of(unsigned int config, const char *endpoint)
{
	uint8_t id[SPW_QUIC_ID_MAX];
	struct spw_addr addr;
	uint16_t port;

	assert_int_equal(addr_parse_port(endpoint, &addr, &port), 0);
	if (!quic_ids_find(&ids.configs[config], &addr, port, id))
		return "none";
	return quic_ids_text(arena, id, ids.configs[config].id_len);
}

static void a_rule_takes_the_last_octets_of_addresses(void **state)
{
	static const struct {
		const char *rule, *endpoint, *id;
	} rows[] = {
		{"address/1", "10.1.2.3:443", "03"},
		{"address/2", "10.1.2.3:443", "0203"},
		{"address/4", "10.1.2.3:443", "0a010203"},
		{"address/5", "10.1.2.3:443", "none"},
		{"address/4", "[2001:db8::a1b2:c3d4]:443", "a1b2c3d4"},
		{"address/15", "[2001:db8::a1b2:c3d4]:443", "010db80000000000000000a1b2c3d4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(parse(rows[i].rule));
		assert_string_equal(id_of(0, rows[i].endpoint), rows[i].id);
		assert_int_equal(ids.configs[1].id_len, 0);
	}
}

static void endpoints_are_named_and_a_name_comes_before_the_rule(void **state)
{
	(void)state;
	assert_null(parse("10.0.0.2:443=0A0b,\n\t[2001:db8::1]:443=ffff 10.0.0.1:443=0000"));
	assert_int_equal(ids.configs[0].id_len, 2);
	assert_string_equal(id_of(0, "10.0.0.1:443"), "0000");
	assert_string_equal(id_of(0, "10.0.0.2:443"), "0a0b");
	assert_string_equal(id_of(0, "[2001:db8::1]:443"), "ffff");
	assert_string_equal(id_of(0, "10.0.0.2:444"), "none");
	assert_null(parse("address/2 10.0.0.1:8443=ff01"));
	assert_string_equal(id_of(0, "10.0.0.1:8443"), "ff01");
	assert_string_equal(id_of(0, "10.0.0.1:443"), "0001");
}

static void configurations_stand_side_by_side(void **state)
{
	(void)state;
	assert_null(parse("0: address/2\n6: 10.0.0.1:443=010203, 3:address/4"));
	assert_string_equal(id_of(0, "10.0.0.1:443"), "0001");
	assert_string_equal(id_of(6, "10.0.0.1:443"), "010203");
	assert_string_equal(id_of(6, "10.0.0.2:443"), "none");
	assert_string_equal(id_of(3, "10.0.0.2:443"), "0a000002");
}

/* Both sides of every limit. */
static const struct {
	const char *text, *why; /* NULL: it is right */
} slips[] = {
	{"", "must say how endpoints are numbered, such as address/2"},
	{" ,\n", "must say how endpoints are numbered, such as address/2"},
	{"address/0", "address/0: must be address/1 to address/15"},
	{"address/1", NULL},
	{"address/15", NULL},
	{"address/16", "address/16: must be address/1 to address/15"},
	{"address/", "address/: must be address/1 to address/15"},
	{"address/02", "address/02: must be address/1 to address/15"},
	{"address/2x", "address/2x: must be address/1 to address/15"},
	{"address/2 address/2", "address/2: a configuration has one rule"},
	{"6: address/1", NULL},
	{"7: address/1", "configuration 7 says that a connection ID cannot be routed: use "
			 "0 to 6"},
	{"8: address/1", "configuration 8: there are 0 to 6"},
	{"0: 1: address/1", "configuration 0 has no ids: write them behind it"},
	{"0: address/1 1:", "configuration 1 has no ids: write them behind it"},
	{"1:", "configuration 1 has no ids: write them behind it"},
	{"0: address/1 1: address/2 0: address/1",
	 "configuration 0 is there twice: write all its words behind one"},
	{"address/1 0: address/1",
	 "configuration 0 is there twice: write all its words behind one"},
	{"10: address/1", "\"10:\" is neither address/N nor an endpoint and its id, such as "
			  "192.0.2.1:443=0a01 or [2001:db8::1]:443=0a01"},
	{"10.0.0.1=0a", "\"10.0.0.1=0a\" is neither address/N nor an endpoint and its id, "
			"such as 192.0.2.1:443=0a01 or [2001:db8::1]:443=0a01"},
	{"10.0.0.1:443", "\"10.0.0.1:443\" is neither address/N nor an endpoint and its id, "
			 "such as 192.0.2.1:443=0a01 or [2001:db8::1]:443=0a01"},
	{"10.0.0.1:443=", "10.0.0.1:443=: an id is 1 to 15 octets in hexadecimal, such as "
			  "0a01"},
	{"10.0.0.1:443=a", "10.0.0.1:443=a: an id is 1 to 15 octets in hexadecimal, such as "
			   "0a01"},
	{"10.0.0.1:443=0g", "10.0.0.1:443=0g: an id is 1 to 15 octets in hexadecimal, such "
			    "as 0a01"},
	{"10.0.0.1:443=00", NULL},
	{"10.0.0.1:443=000102030405060708090a0b0c0d0e", NULL},
	{"10.0.0.1:443=000102030405060708090a0b0c0d0e0f",
	 "10.0.0.1:443=000102030405060708090a0b0c0d0e0f: an id is 1 to 15 octets in "
	 "hexadecimal, such as 0a01"},
	{"10.0.0.1:443=0a 10.0.0.2:443=0a0b",
	 "10.0.0.2:443=0a0b: all ids of a configuration have one length, in octets: this "
	 "one has 2, those before it 1"},
	{"10.0.0.1:443=0a address/2",
	 "address/2: all ids of a configuration have one length, in octets: this one has 2, "
	 "those before it 1"},
	{"10.0.0.1:443=0a 10.0.0.2:443=0a",
	 "10.0.0.1:443 and 10.0.0.2:443 have the same id, 0a: give each its own"},
	{"10.0.0.1:443=0a 1: 10.0.0.2:443=0a", NULL},
	{"10.0.0.1:443=0a 10.0.0.1:443=0b", "10.0.0.1:443 is there twice: take one away"},
	{"10.0.0.1:443=0a 10.0.0.1:443=0a", "10.0.0.1:443 is there twice: take one away"},
};

static void slips_are_told_with_what_is_right(void **state)
{

	(void)state;
	for (size_t i = 0; i < sizeof(slips) / sizeof(slips[0]); i++) {
		const char *why = parse(slips[i].text);

		if (!slips[i].why) {
			assert_null(why);
			continue;
		}
		if (!why || strcmp(why, slips[i].why) != 0)
			print_error("%s\n", slips[i].text);
		assert_non_null(why);
		assert_string_equal(why, slips[i].why);
		assert_int_equal(ids.configs[0].id_len, 0);
	}
}

static void a_text_with_a_zero_in_it_is_refused(void **state)
{
	(void)state;
	assert_string_equal(quic_ids_parse(arena, "address/2\0x", 11, &ids), "must be text");
}

static void many_endpoints_are_found_each(void **state)
{
	char *text = arena_alloc(arena, 5000 * 32), *end = text, endpoint[32], id[8];

	(void)state;
	for (unsigned int i = 0; i < 5000; i++)
		end += sprintf(end, "10.%u.%u.1:443=%06x ", (i * 7 % 5000) >> 8,
			       (i * 7 % 5000) & 255, i * 7 % 5000);
	assert_null(parse(text));
	for (unsigned int i = 0; i < 5000; i++) {
		snprintf(endpoint, sizeof(endpoint), "10.%u.%u.1:443", i >> 8, i & 255);
		snprintf(id, sizeof(id), "%06x", i);
		assert_string_equal(id_of(0, endpoint), id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_rule_takes_the_last_octets_of_addresses, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			endpoints_are_named_and_a_name_comes_before_the_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(configurations_stand_side_by_side, setup, teardown),
		cmocka_unit_test_setup_teardown(slips_are_told_with_what_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(a_text_with_a_zero_in_it_is_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(many_endpoints_are_found_each, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
