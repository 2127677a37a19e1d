/* SPDX-License-Identifier: BSD-2-Clause */
/* What VIPs offer as MSS on the way out: lowered, never raised, with its checksum. */
#include "decap.h"
#include "groups.h"
#include "world.h"

#include <string.h>

#define LIMIT4 1412
#define LIMIT6 1392

/* A SYN-ACK of a VIP whose options are these bytes, in words. */
static struct desc answer(int family, const uint8_t *options, size_t len)
{
	struct desc d = from_client(family == 4 ? TCP4 : TCP6);
	struct spw_addr client = d.src;

	d.src = d.dst;
	d.dst = client;
	d.flags = TCP_SYN | TCP_ACK;
	d.doff = (uint8_t)(5 + len / 4);
	d.options = options;
	return d;
}

/* The frame as it leaves is that of the description with other options. */
static void expect(const struct desc *d, const uint8_t *options)
{
	struct desc want = *d;
	struct frame in, out, built;

	frame_build(d, &in);
	decap_send_out(&in, &out);
	want.options = options;
	frame_build(&want, &built);
	frame_assert_equal(&out, &built);
}

static void a_large_mss_is_lowered(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		const uint16_t limit = family == 4 ? LIMIT4 : LIMIT6;
		const uint8_t high = (uint8_t)(limit >> 8), low = (uint8_t)limit;
		const uint8_t even[] = {2, 4, 5, 180, 1, 3, 3, 7},
			      even_want[] = {2, 4, high, low, 1, 3, 3, 7};
		const uint8_t odd[] = {1, 2, 4, 0xff, 0xff, 4, 2, 0};
		const uint8_t odd_want[] = {1, 2, 4, high, low, 4, 2, 0};
		struct desc d = answer(family, even, sizeof(even));

		expect(&d, even_want);
		d = answer(family, odd, sizeof(odd));
		expect(&d, odd_want);
		d.flags = TCP_SYN;
		expect(&d, odd_want);
	}
	assert_int_equal(decap_stat(SPW_DECAP_MSS), 6);
}

static void a_small_mss_stays(void **state)
{
	const uint8_t limit[] = {2, 4, LIMIT4 >> 8, LIMIT4 & 0xff}, small[] = {2, 4, 2, 24};
	struct desc d = answer(4, limit, sizeof(limit));

	(void)state;
	expect(&d, limit);
	d = answer(4, small, sizeof(small));
	expect(&d, small);
	d.doff = 5;
	expect(&d, small);
	assert_int_equal(decap_stat(SPW_DECAP_MSS), 0);
}

static void others_answers_stay(void **state)
{
	const uint8_t large[] = {2, 4, 5, 180};
	struct desc d = answer(4, large, sizeof(large));

	(void)state;
	d.src = addr_of("192.0.2.11");
	expect(&d, large);
	d = answer(4, large, sizeof(large));
	d.flags = TCP_ACK;
	expect(&d, large);
	assert_int_equal(decap_stat(SPW_DECAP_MSS), 0);
}

static void options_that_contradict_themselves_stay(void **state)
{
	static const uint8_t odd[][8] = {
		{2, 0, 5, 180, 2, 4, 5, 180},				  /* a length of 0 */
		{2, 1, 5, 180, 2, 4, 5, 180}, {0, 2, 4, 5, 180, 0, 0, 0}, /* behind the end */
		{3, 9, 2, 4, 5, 180, 0, 0},				  /* beyond the header */
		{1, 1, 1, 1, 1, 2, 4, 5},				  /* cut */
		{1, 1, 1, 1, 1, 1, 1, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct desc d = answer(4, odd[i], sizeof(odd[i]));

		expect(&d, odd[i]);
	}
	assert_int_equal(decap_stat(SPW_DECAP_MSS), 0);
}

static void random_frames_leave_untouched(void **state)
{
	uint32_t seed = 5;
	struct frame f, out;

	(void)state;
	for (uint32_t n = repeats(10000); n; n--) {
		f.len = 14 + 20 + random_u32(&seed) % 200;
		for (size_t i = 0; i < f.len; i++)
			f.b[i] = (uint8_t)(random_u32(&seed) >> 24);
		decap_send_out(&f, &out);
		frame_assert_equal(&out, &f);
	}
}

int decap_mss_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_large_mss_is_lowered, decap_reset),
		cmocka_unit_test_setup(a_small_mss_stays, decap_reset),
		cmocka_unit_test_setup(others_answers_stay, decap_reset),
		cmocka_unit_test_setup(options_that_contradict_themselves_stay, decap_reset),
		cmocka_unit_test_setup(random_frames_leave_untouched, decap_reset),
	};

	return cmocka_run_group_tests_name("decap mss", tests, decap_open, decap_close);
}
