/* SPDX-License-Identifier: BSD-2-Clause */
/* Checksums that local senders left to their hardware: finished here, or left to be finished. */
#include "groups.h"
#include "world.h"

#include <string.h>

static size_t check_at(const struct desc *d)
{
	return frame_l4(d) + (d->proto == IPPROTO_TCP ? 16 : 6);
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The sum of the pseudo header, from the frame's own addresses. */
static uint16_t pseudo(const struct desc *d, const struct frame *f)
{
	size_t first = FRAME_ETH + (desc_is_v4(d) ? 12 : 8), bytes = desc_is_v4(d) ? 8 : 32;
	uint64_t sum = d->proto + f->len - frame_l4(d);

	for (size_t i = 0; i < bytes; i += 2)
		sum += (uint64_t)(f->b[first + i] << 8 | f->b[first + i + 1]);
	return fold(sum);
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
		frame_put16(&in, check_at(&d), pseudo(&d, &in));
		world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
		frame_build(&want, &built);
		if (!finished)
			frame_put16(&built, check_at(&want), pseudo(&want, &built));
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
	frame_put16(&in, check_at(&d), pseudo(&d, &in));
	world_expect_verdict(world.if_client, &in, &out, XDP_REDIRECT);
	assert_int_equal(world_stat(SPW_COUNT_CHECKSUM_COMPLETED), 0);
}

int partial_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest partial[] = {
		T(native_xdp_finishes_them),
		T(generic_xdp_leaves_them_to_the_kernel),
		T(where_there_are_no_local_senders_none_is_touched),
	};
#undef T

	return cmocka_run_group_tests(partial, NULL, NULL);
}
