/* SPDX-License-Identifier: BSD-2-Clause */
/* tables/perfect: every key finds its own id, whatever shape the set of services has. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/addr.h"
#include "tables/perfect.h"

#define KEYS_MAX 65536
#define OTHERS	 100000
#define SEEDS	 8

struct table {
	uint16_t *displace;
	uint32_t *slots;
	uint32_t displace_count, slot_count, seed;
};

static struct spw_service_key keys[KEYS_MAX];
static uint32_t ids[KEYS_MAX];

static struct spw_service_key key_v4(uint32_t addr, uint16_t port, uint8_t proto)
{
	struct spw_service_key key = {.port = htons(port), .proto = proto};

	key.vip.w[2] = htonl(0xffff);
	key.vip.w[3] = htonl(addr);
	return key;
}

static struct spw_service_key key_v6(uint32_t high, uint32_t low, uint16_t port, uint8_t proto)
{
	struct spw_service_key key = {.port = htons(port), .proto = proto};

	key.vip.w[0] = htonl(0x20010db8);
	key.vip.w[1] = htonl(high);
	key.vip.w[3] = htonl(low);
	return key;
}

/* Shapes: key i of a set; 65,536 of each differ. */
static struct spw_service_key ports_of_one_vip(uint32_t i)
{
	return key_v4(0xc0000201, (uint16_t)i, IPPROTO_TCP);
}

static struct spw_service_key ports_of_one_vip6(uint32_t i)
{
	return key_v6(0, 1, (uint16_t)i, IPPROTO_UDP);
}

static struct spw_service_key one_port_of_many_vips(uint32_t i)
{
	return key_v4(0x0a000000 + i, 443, IPPROTO_TCP);
}

static struct spw_service_key one_port_of_many_vips6(uint32_t i)
{
	return key_v6(i % 16, i / 16, 443, IPPROTO_TCP);
}

/* The same port everywhere, one VIP per network: low bits never differ. */
static struct spw_service_key one_vip_of_many_networks(uint32_t i)
{
	return key_v4(i << 16 | 1, 80, IPPROTO_TCP);
}

static struct spw_service_key both_protocols(uint32_t i)
{
	return key_v4(0x0a000000 + i / 512, (uint16_t)(i / 2 % 256),
		      i % 2 ? IPPROTO_UDP : IPPROTO_TCP);
}

static struct spw_service_key both_families(uint32_t i)
{
	const uint16_t port = (uint16_t)(i / 2 % 128);
	const uint32_t host = i / 256;

	return i % 2 ? key_v6(0, host, port, IPPROTO_TCP) : key_v4(host, port, IPPROTO_TCP);
}

static struct spw_service_key (*const shapes[])(uint32_t i) = {
	ports_of_one_vip,	  ports_of_one_vip6, one_port_of_many_vips, one_port_of_many_vips6,
	one_vip_of_many_networks, both_protocols,    both_families,
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static void table_init(struct table *t, uint32_t max_services)
{
	*t = (struct table){
		.displace_count = perfect_displace_count(max_services),
		.slot_count = perfect_slot_count(max_services),
	};
	t->displace = malloc(t->displace_count * sizeof(*t->displace));
	t->slots = malloc(t->slot_count * sizeof(*t->slots));
	assert_non_null(t->displace);
	assert_non_null(t->slots);
}

static void table_done(struct table *t)
{
	free(t->displace);
	free(t->slots);
}

static int table_build(struct table *t, size_t count)
{
	return perfect_build(keys, ids, count, t->seed, t->displace, t->displace_count, t->slots,
			     t->slot_count);
}

static uint32_t table_find(const struct table *t, const struct spw_service_key *key)
{
	return perfect_find(key, t->seed, t->displace, t->displace_count, t->slots, t->slot_count);
}

/* Ids in no order of the keys. */
static void make_keys(struct spw_service_key (*shape)(uint32_t i), uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		keys[i] = shape(i);
		ids[i] = (i * 40503u) % KEYS_MAX;
	}
}

static void check_all_found(const struct table *t, uint32_t count)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(table_find(t, &keys[i]), ids[i]);
	for (uint32_t i = 0; i < t->slot_count; i++)
		used += t->slots[i] != SPW_SERVICE_NONE;
	assert_int_equal(used, count);
}

static void every_key_finds_its_id_with_every_seed(void **state)
{
	static const uint32_t counts[] = {0, 1, 2, 3, 15, 16, 17, 1000, 10000, KEYS_MAX};
	struct table t;

	(void)state;
	for (size_t n = 0; n < sizeof(counts) / sizeof(counts[0]); n++) {
		table_init(&t, counts[n]);
		for (size_t s = 0; s < SHAPES; s++) {
			make_keys(shapes[s], counts[n]);
			for (t.seed = 0; t.seed < SEEDS; t.seed++) {
				assert_int_equal(table_build(&t, counts[n]), 0);
				check_all_found(&t, counts[n]);
			}
		}
		table_done(&t);
	}
}

static int is_key(const struct spw_service_key *key, const struct spw_service_key *other)
{
	return key->port == other->port && key->proto == other->proto &&
	       addr_equal(&key->vip, &other->vip);
}

/* Others differ from each key of the set: in the port, the protocol, the address or the family. */
static struct spw_service_key make_other(uint32_t i)
{
	const uint16_t port = (uint16_t)(1 + i % 65535);

	switch (i % 4) {
	case 0:
		return key_v4(0xc0000202 + i / 65536, port, IPPROTO_TCP);
	case 1:
		return key_v4(0xc0000201, port, IPPROTO_UDP);
	case 2:
		return key_v6(0, i, port, IPPROTO_TCP);
	default:
		return key_v4(i, 53, IPPROTO_UDP);
	}
}

static void what_is_no_service_finds_none_or_one_of_another_key(void **state)
{
	uint32_t others = 0;
	struct table t;

	(void)state;
	make_keys(ports_of_one_vip, 10000);
	for (uint32_t i = 0; i < 10000; i++)
		ids[i] = i;
	table_init(&t, 10000);
	assert_int_equal(table_build(&t, 10000), 0);
	for (uint32_t i = 0; i < OTHERS; i++) {
		const struct spw_service_key key = make_other(i);
		const uint32_t id = table_find(&t, &key);

		if (id == SPW_SERVICE_NONE)
			continue;
		assert_true(id < 10000);
		assert_false(is_key(&keys[id], &key));
		others++;
	}
	/* The slots are 32768: most of what is no service ends without a comparison. */
	assert_true(others > OTHERS / 5 && others < OTHERS * 2 / 5);
	table_done(&t);
}

static void reverse_keys(uint32_t count)
{
	for (uint32_t i = 0; i < count / 2; i++) {
		const struct spw_service_key key = keys[i];
		const uint32_t id = ids[i];

		keys[i] = keys[count - 1 - i];
		ids[i] = ids[count - 1 - i];
		keys[count - 1 - i] = key;
		ids[count - 1 - i] = id;
	}
}

static void the_table_depends_on_the_set_not_on_its_order(void **state)
{
	struct table a, b;

	(void)state;
	table_init(&a, 10000);
	table_init(&b, 10000);
	for (size_t s = 0; s < SHAPES; s++) {
		make_keys(shapes[s], 10000);
		memset(b.displace, 0xa5, b.displace_count * sizeof(*b.displace));
		assert_int_equal(table_build(&a, 10000), 0);
		reverse_keys(10000);
		assert_int_equal(table_build(&b, 10000), 0);
		assert_memory_equal(a.displace, b.displace, a.displace_count * sizeof(*a.displace));
		assert_memory_equal(a.slots, b.slots, a.slot_count * sizeof(*a.slots));
	}
	table_done(&a);
	table_done(&b);
}

static void a_key_given_twice_is_refused(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 1000);
	for (size_t s = 0; s < SHAPES; s++) {
		make_keys(shapes[s], 1000);
		keys[17] = keys[999];
		assert_int_equal(table_build(&t, 1000), -EEXIST);
	}
	table_done(&t);
}

/* What nobody reads of a key is not part of it. */
static void padding_makes_no_other_key(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 2);
	make_keys(ports_of_one_vip, 2);
	memset(keys[1].pad, 0xff, sizeof(keys[1].pad));
	assert_int_equal(table_build(&t, 2), 0);
	memset(keys[1].pad, 0, sizeof(keys[1].pad));
	assert_int_equal(table_find(&t, &keys[1]), ids[1]);
	keys[0] = keys[1];
	memset(keys[1].pad, 0xff, sizeof(keys[1].pad));
	assert_int_equal(table_build(&t, 2), -EEXIST);
	table_done(&t);
}

static void too_many_keys_do_not_fit(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 4);
	make_keys(ports_of_one_vip, 100);
	assert_int_equal(table_build(&t, t.slot_count + 1), -ENOSPC);
	table_done(&t);
}

/* One bucket for all: a slot for each of 16 at once is found with no displacement. */
static void a_set_without_a_displacement_says_so(void **state)
{
	uint16_t displace[1];
	uint32_t slots[16];

	(void)state;
	make_keys(ports_of_one_vip, 16);
	assert_int_equal(perfect_build(keys, ids, 16, 0, displace, 1, slots, 16), -ENOSPC);
}

static void sizes_are_powers_of_two(void **state)
{
	static const struct {
		uint32_t max, slots, displace;
	} rows[] = {{0, 1, 16},		  {1, 2, 16},
		    {32, 64, 16},	  {33, 128, 32},
		    {1000, 2048, 512},	  {4096, 8192, 2048},
		    {4097, 16384, 4096},  {10000, 32768, 8192},
		    {16384, 32768, 8192}, {65536, 131072, 32768}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(perfect_slot_count(rows[i].max), rows[i].slots);
		assert_int_equal(perfect_displace_count(rows[i].max), rows[i].displace);
	}
}

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The bound is for sanitizers and a busy machine. */
static void ten_thousand_keys_take_little(void **state)
{
	struct table t;

	(void)state;
	table_init(&t, 10000);
	for (size_t s = 0; s < SHAPES; s++) {
		const double before = now_ms();
		uint32_t greatest = 0;

		make_keys(shapes[s], 10000);
		assert_int_equal(table_build(&t, 10000), 0);
		for (uint32_t i = 0; i < t.displace_count; i++)
			greatest = t.displace[i] > greatest ? t.displace[i] : greatest;
		print_message("  shape %zu: %.2f ms, greatest displacement %u\n", s,
			      now_ms() - before, greatest);
		assert_true(now_ms() - before < 500);
		assert_true(greatest < 1000);
	}
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_finds_its_id_with_every_seed),
		cmocka_unit_test(what_is_no_service_finds_none_or_one_of_another_key),
		cmocka_unit_test(the_table_depends_on_the_set_not_on_its_order),
		cmocka_unit_test(a_key_given_twice_is_refused),
		cmocka_unit_test(padding_makes_no_other_key),
		cmocka_unit_test(too_many_keys_do_not_fit),
		cmocka_unit_test(a_set_without_a_displacement_says_so),
		cmocka_unit_test(sizes_are_powers_of_two),
		cmocka_unit_test(ten_thousand_keys_take_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
