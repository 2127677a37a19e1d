/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks as text, and the trees that packets walk: what is in a list and what is not. */
#include "base/network.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/addr.h"
#include "base/hash.h"

static struct arena *arena;
static uint64_t seed;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	seed = 1;
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static uint32_t rnd(void)
{
	return (uint32_t)hash_mix(++seed);
}

static struct spw_addr ip(const char *text)
{
	struct spw_addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct netlist list_of(const char *text)
{
	struct networks n = {0};
	struct network_slip slip;
	struct netlist out;

	assert_int_equal(networks_add_text(arena, &n, text, strlen(text), &slip), 0);
	netlist_build(arena, &n, &out);
	return out;
}

static bool has(const struct netlist *l, const char *addr)
{
	const struct spw_addr a = ip(addr);

	return netlist_has(l, &a);
}

static void networks_are_an_address_and_a_number_of_bits(void **state)
{
	static const struct {
		const char *text;
		int bits;
	} rows[] = {
		{"10.0.0.0/8", 104},
		{"10.1.2.3", 128},
		{"0.0.0.0/0", 96},
		{"10.1.2.3/32", 128},
		{"2001:db8::/32", 32},
		{"::/0", 0},
		{"2001:db8::1", 128},
		{"10.1.2.3/8", 104},
		{"::ffff:10.0.0.0/104", 104},
		{"::ffff:1.2.3.4", 128},
		{"10.0.0.0/33", -1},
		{"10.0.0.0/", -1},
		{"10.0.0.0/08", -1},
		{"10.0.0.0/-1", -1},
		{"10.0.0.0/+8", -1},
		{"10.0.0/8", -1},
		{"2001:db8::/129", -1},
		{"::ffff:10.0.0.0/8", -1},
		{"", -1},
		{"/8", -1},
		{"web", -1},
		{"10.0.0.0/8/8", -1},
		{"10.0.0.0 /8", -1},
	};
	struct network n;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int err = network_parse(rows[i].text, strlen(rows[i].text), &n);

		assert_int_equal(err, rows[i].bits < 0 ? -EINVAL : 0);
		if (!err)
			assert_int_equal(n.bits, rows[i].bits);
	}
}

static void a_text_is_words_with_comments_and_slips_are_told(void **state)
{
	static const char text[] = "# ours\n10.0.0.0/8, 192.0.2.1 # one host\r\n\n\t2001:db8::/32\n"
				   "10.0.0.300\nweb,10.9.9.9#end";
	struct networks n = {0};
	struct network_slip first = {0};

	(void)state;
	assert_int_equal(networks_add_text(arena, &n, text, strlen(text), &first), 2);
	assert_int_equal(n.count, 4);
	assert_int_equal(first.line, 5);
	assert_int_equal(first.len, strlen("10.0.0.300"));
	assert_memory_equal(first.text, "10.0.0.300", first.len);
}

static void edges_of_networks_are_in_and_their_neighbours_are_not(void **state)
{
	const struct netlist l = list_of("10.0.0.0/8 192.0.2.8/30 2001:db8::/32 2001:db9::5/127 "
					 "255.255.255.255 fd00::/64");

	(void)state;
	assert_false(has(&l, "9.255.255.255"));
	assert_true(has(&l, "10.0.0.0"));
	assert_true(has(&l, "10.255.255.255"));
	assert_false(has(&l, "11.0.0.0"));
	assert_false(has(&l, "192.0.2.7"));
	assert_true(has(&l, "192.0.2.8"));
	assert_true(has(&l, "192.0.2.11"));
	assert_false(has(&l, "192.0.2.12"));
	assert_false(has(&l, "255.255.255.254"));
	assert_true(has(&l, "255.255.255.255"));
	assert_false(has(&l, "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_true(has(&l, "2001:db8::"));
	assert_true(has(&l, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(has(&l, "2001:db9::"));
	assert_false(has(&l, "2001:db9::3"));
	assert_true(has(&l, "2001:db9::4"));
	assert_true(has(&l, "2001:db9::5"));
	assert_false(has(&l, "2001:db9::6"));
	assert_true(has(&l, "fd00::ffff:ffff:ffff:ffff"));
	assert_false(has(&l, "fd00:0:0:1::"));
}

static void everything_and_nothing_are_lists_too(void **state)
{
	const struct netlist none = list_of("# nobody"), v4 = list_of("0.0.0.0/0");
	const struct netlist v6 = list_of("::/0"), half = list_of("128.0.0.0/1 0.0.0.0/1");

	(void)state;
	assert_int_equal(none.count, SPW_LIST_TREES);
	assert_false(has(&none, "10.0.0.1"));
	assert_false(has(&none, "::1"));
	assert_true(has(&v4, "0.0.0.0"));
	assert_true(has(&v4, "255.255.255.255"));
	assert_false(has(&v4, "2001:db8::1"));
	assert_true(has(&v6, "2001:db8::1"));
	assert_true(has(&v6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
	assert_false(has(&v6, "10.0.0.1"));
	assert_int_equal(half.count, v4.count);
	assert_memory_equal(half.lines, v4.lines, v4.count * sizeof(*v4.lines));
}

static void equal_addresses_are_equal_bytes_however_they_are_put(void **state)
{
	const struct netlist a = list_of("10.0.0.0/8 10.1.0.0/16 172.16.0.0/13 172.24.0.0/13");
	const struct netlist b = list_of("172.16.0.0/12\n10.2.3.4/8\n10.255.255.255");

	(void)state;
	assert_int_equal(a.count, b.count);
	assert_memory_equal(a.lines, b.lines, a.count * sizeof(*a.lines));
}

static struct network random_network(bool v6, unsigned int least, unsigned int most)
{
	struct network n = {.addr = addr_from_v4(rnd())};

	for (int i = 0; v6 && i < 4; i++)
		n.addr.w[i] = rnd();
	if (v6)
		n.addr.b[0] = 0x20;
	n.bits = (uint8_t)(least + rnd() % (most - least + 1));
	return n;
}

static bool is_in(const struct network *n, const struct spw_addr *a)
{
	for (unsigned int bit = 0; bit < n->bits; bit++) {
		if ((n->addr.b[bit / 8] ^ a->b[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

static bool is_in_any(const struct networks *list, const struct spw_addr *a)
{
	for (size_t i = 0; i < list->count; i++) {
		if (is_in(&list->items[i], a))
			return true;
	}
	return false;
}

/* Near the edges is where a tree would be wrong: an address of a network with its last bits stirred. */
static struct spw_addr address_near(const struct networks *list)
{
	const struct network *n = &list->items[rnd() % list->count];
	struct spw_addr a = n->addr;
	const unsigned int first = n->bits > 4 ? n->bits - 4 : 0;

	for (unsigned int bit = addr_is_v4(&a) && first < 96 ? 96 : first; bit < 128; bit++) {
		if (rnd() % 2)
			a.b[bit / 8] ^= (uint8_t)(1 << (7 - bit % 8));
	}
	return a;
}

static void compare(bool v6, unsigned int least, unsigned int most, size_t count)
{
	struct networks list = {0};
	struct netlist built;

	for (size_t i = 0; i < count; i++)
		*arena_push(arena, list.items, list.count) = random_network(v6, least, most);
	netlist_build(arena, &list, &built);
	for (int i = 0; i < 2000; i++) {
		const struct spw_addr a = address_near(&list);

		assert_int_equal(netlist_has(&built, &a), is_in_any(&list, &a));
	}
}

static void trees_of_any_size_say_what_the_networks_say(void **state)
{
	static const size_t counts[] = {1, 2, 7, 8, 15, 16, 60, 120, 250, 1000};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		compare(false, 96, 128, counts[i]);
		compare(false, 120, 128, counts[i]);
		compare(true, 8, 64, counts[i]);
		compare(true, 65, 128, counts[i]);
		compare(true, 20, 128, counts[i]);
	}
}

static void a_hundred_thousand_networks_are_five_levels_and_under_a_megabyte(void **state)
{
	struct networks list = {0};
	struct netlist built;

	(void)state;
	for (int i = 0; i < 100000; i++)
		*arena_push(arena, list.items, list.count) = random_network(false, 120, 128);
	netlist_build(arena, &list, &built);
	assert_int_equal(built.lines[SPW_LIST_IPV4].head.levels, 5);
	assert_true(built.count * sizeof(*built.lines) < 1000000);
	assert_int_equal(built.networks, 100000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(networks_are_an_address_and_a_number_of_bits),
		TEST(a_text_is_words_with_comments_and_slips_are_told),
		TEST(edges_of_networks_are_in_and_their_neighbours_are_not),
		TEST(everything_and_nothing_are_lists_too),
		TEST(equal_addresses_are_equal_bytes_however_they_are_put),
		TEST(trees_of_any_size_say_what_the_networks_say),
		TEST(a_hundred_thousand_networks_are_five_levels_and_under_a_megabyte),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
