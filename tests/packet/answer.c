/* SPDX-License-Identifier: BSD-2-Clause */
/* The ICMP that answers a packet which does not go on, built from scratch. */
#include "world.h"

#include <string.h>

#define ICMP_QUOTE 512 /* bytes of the packet that an answer quotes at most */

static struct desc answer_to(const struct desc *d, uint8_t type, uint8_t code)
{
	bool v4 = desc_is_v4(d);
	size_t len = desc_l3_len(d);
	struct desc want = {
		.src = d->dst,
		.dst = d->src,
		.proto = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.type = type,
		.code = code,
		.tos = v4 ? 0xc0 : 0,
		.payload = len < ICMP_QUOTE ? len : ICMP_QUOTE,
	};

	memcpy(want.smac, d->dmac, 6);
	memcpy(want.dmac, d->smac, 6);
	return want;
}

struct desc world_unreachable(const struct desc *d)
{
	bool udp = d->proto == IPPROTO_UDP;

	if (desc_is_v4(d))
		return answer_to(d, 3, udp ? 3 : 1);
	return answer_to(d, 1, udp ? 4 : 3);
}

struct desc world_too_big(const struct desc *d, uint32_t mtu)
{
	bool v4 = desc_is_v4(d);
	struct desc want = answer_to(d, v4 ? 3 : 2, v4 ? 4 : 0);

	want.rest = mtu;
	return want;
}

/* To a service's client a router speaks, from its first address of the family. */
struct desc world_exceeded(const struct desc *d)
{
	struct desc want = answer_to(d, desc_is_v4(d) ? 11 : 3, 0);

	if (!memcmp(d->smac, from_client(TCP4).smac, sizeof(d->smac)))
		want.src = world.config.settings[0].source[desc_is_v4(d) ? 0 : 2];
	return want;
}

void world_expect_answer(int ifindex, const struct desc *d, struct desc want, enum spw_stat row,
			 enum spw_stat sent)
{
	uint64_t before = world_stat(row), answers = world_stat(sent);
	int verdict = ifindex == world.if_client ? XDP_TX : XDP_REDIRECT;
	struct frame in, out, built;

	frame_build(d, &in);
	want.bytes = in.b + FRAME_ETH;
	frame_build(&want, &built);
	world_expect_verdict(ifindex, &in, &out, verdict);
	frame_assert_equal(&out, &built);
	assert_int_equal(world_stat(row), before + 1);
	assert_int_equal(world_stat(sent), answers + 1);
}

void world_expect_unreachable(const struct desc *d, enum spw_stat row)
{
	world_expect_answer(world.if_client, d, world_unreachable(d), row,
			    SPW_COUNT_UNREACHABLE_SENT);
}

void world_expect_too_big(int ifindex, const struct desc *d, uint32_t mtu)
{
	world_expect_answer(ifindex, d, world_too_big(d, mtu), SPW_DROP_TOO_BIG,
			    SPW_COUNT_TOO_BIG_SENT);
}

void world_expect_exceeded(int ifindex, const struct desc *d)
{
	world_expect_answer(ifindex, d, world_exceeded(d), SPW_DROP_TTL,
			    SPW_COUNT_TTL_EXCEEDED_SENT);
}
