/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums that local senders left to their hardware: finished here, or left to be finished. */
#include "groups.h"
#include "world.h"

#include <string.h>

static void leave_unfinished(const struct desc *d, struct frame *f)
{
	frame_put16(f, frame_check_at(d), frame_pseudo(d, f->len - frame_l4(d)));
}

static const struct {
	uint32_t service;
	size_t payload;
} sizes[] = {{TCP4, 0},	  {TCP4, 1}, {TCP4, 491}, {TCP4, 492}, {TCP4, 493}, {TCP4, 1300},
	     {TCP6, 100}, {UDP4, 1}, {UDP4, 504}, {UDP4, 505}, {UDP6, 777}, {UDP6, 1200}};

static void each(uint32_t flags, bool finished)
{
	world_attach(world.if_client, SPW_IF_TX | flags);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct desc d = from_client(sizes[i].service), want;
		struct frame in, out, built;

		d.sport = (uint16_t)(41000 + i);
		d.payload = 0;
		want = world_expect_to(desc_is_v4(&d) ? WEB4_A : WEB6_A, &d);
		if (d.proto == IPPROTO_TCP)
			d.flags = want.flags = TCP_ACK;
		d.payload = want.payload = sizes[i].payload;
		frame_build(&d, &in);
		leave_unfinished(&d, &in);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		frame_build(&want, &built);
		if (!finished)
			leave_unfinished(&want, &built);
		frame_assert_equal(&out, &built);
	}
}

static void native_xdp_finishes_them(void **state)
{
	(void)state;
	each(SPW_IF_PARTIAL, true);
	assert_int_equal(world_stat(SPW_COUNT_CHECKSUM_COMPLETED),
			 sizeof(sizes) / sizeof(sizes[0]));
}

static void generic_xdp_leaves_them_to_the_kernel(void **state)
{
	(void)state;
	each(SPW_IF_PARTIAL | SPW_IF_GENERIC, false);
}

static void where_there_are_no_local_senders_none_is_touched(void **state)
{
	struct desc d = from_client(TCP4);
	struct frame in, out;

	(void)state;
	world_expect_to(WEB4_A, &d);
	frame_build(&d, &in);
	leave_unfinished(&d, &in);
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	assert_int_equal(world_stat(SPW_COUNT_CHECKSUM_COMPLETED), 0);
}

static void a_finished_one_that_looks_the_same_stays_right(void **state)
{
	static const uint32_t flags[] = {SPW_IF_PARTIAL, SPW_IF_PARTIAL | SPW_IF_GENERIC};

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct desc d = from_client(i ? TCP4 : UDP4), want;
		uint8_t bytes[64] = "looks like one of local senders";
		struct frame in, out, built;

		world_attach(world.if_client, SPW_IF_TX | flags[i]);
		want = world_expect_to(WEB4_A, &d);
		d.flags = want.flags = d.proto == IPPROTO_TCP ? TCP_ACK : 0;
		d.payload = want.payload = sizeof(bytes);
		d.bytes = want.bytes = bytes;
		frame_look_partial(&d, bytes, (d.flags ? 20 : 8) + sizeof(bytes));
		frame_build(&d, &in);
		frame_build(&want, &built);
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		frame_assert_equal(&out, &built);
	}
	assert_int_equal(world_stat(SPW_COUNT_CHECKSUM_COMPLETED), 1);
}

int partial_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest partial[] = {
		T(native_xdp_finishes_them),
		T(generic_xdp_leaves_them_to_the_kernel),
		T(a_finished_one_that_looks_the_same_stays_right),
		T(where_there_are_no_local_senders_none_is_touched),
	};
#undef T

	return cmocka_run_group_tests(partial, NULL, NULL);
}
