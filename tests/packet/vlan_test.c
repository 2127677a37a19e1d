/* SPDX-License-Identifier: BSD-2-Clause */
/* 802.1Q: a tag is looked behind, kept for replies, and the way out has the tag it needs. */
#include "groups.h"
#include "world.h"

#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/ticks.h"
#include "spillway.skel.h"

#define PRIORITY 0x6000

static void tag(struct frame *f, uint16_t tci)
{
	memmove(f->b + 16, f->b + 12, f->len - 12);
	frame_put16(f, 12, 0x8100);
	frame_put16(f, 14, tci);
	f->len += 4;
}

/* The next hops of both families' endpoints are rows of the daemon's, by this tag. */
static void put_hops(uint16_t vlan)
{
	const uint32_t ids[] = {WEB4_A, WEB6_A};

	for (size_t i = 0; i < 2; i++) {
		struct spw_endpoint e = world_endpoint(ids[i]);
		struct spw_next_hop hop = {
			.ifindex = (uint32_t)world.if_server, .vlan = vlan, .mtu = 1400};

		mac_of(&e.addr, hop.dmac);
		memcpy(hop.smac, mac_gateway_server, 6);
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(world.skel->maps.next_hops),
						     &ids[i], &hop, BPF_ANY),
				 0);
	}
}

static void take_hops(bool alive)
{
	uint32_t now = 0;

	assert_true(ticks_now(bpf_program__fd(world.skel->progs.spillway_sweep), &now));
	world.config.hops_until = alive ? now + 60 * ticks_a_second() : now;
	world_put_config();
}

static const uint32_t services[] = {TCP4, UDP4, TCP6, UDP6};

/* A client's packet with tag `in`, to endpoints behind tag `out`; and the answer. */
static void expect_tags(uint16_t in, uint16_t out)
{
	for (size_t i = 0; i < 4; i++) {
		struct desc d = from_client(services[i]), sent, reply, want;
		struct frame f, got, built, plain;

		d.sport = 42000;
		sent = world_expect_to(desc_is_v4(&d) ? WEB4_A : WEB6_A, &d);
		if (d.proto == IPPROTO_TCP)
			d.flags = sent.flags = TCP_ACK;
		put_hops(out);
		take_hops(true);
		frame_build(&d, &f);
		plain = f;
		if (in != SPW_UNTAGGED)
			tag(&f, in);
		world_expect_verdict(world.if_client, &f, &got, XDP_REDIRECT);
		frame_build(&sent, &built);
		if (out != SPW_UNTAGGED)
			tag(&built, out | (in == SPW_UNTAGGED ? 0 : in & 0xf000));
		frame_assert_equal(&got, &built);

		reply = from_endpoint(&sent);
		frame_build(&reply, &f);
		if (out != SPW_UNTAGGED)
			tag(&f, out);
		world_expect_verdict(world.if_server, &f, &got, XDP_REDIRECT);
		want = from_endpoint(&d);
		want.flags = reply.flags;
		want.ttl = 63;
		frame_build(&want, &built);
		if (in != SPW_UNTAGGED)
			tag(&built, in & 0xfff);
		frame_assert_equal(&got, &built);
		take_hops(false);
		world_expect_verdict(world.if_client, &plain, &got, XDP_REDIRECT);
	}
}

static void a_tag_is_kept(void **state)
{
	(void)state;
	expect_tags(5, 5);
}

static void a_tag_is_taken_out_and_put_in_for_the_reply(void **state)
{
	(void)state;
	expect_tags(7, SPW_UNTAGGED);
}

static void a_tag_is_put_in_and_taken_out_of_the_reply(void **state)
{
	(void)state;
	expect_tags(SPW_UNTAGGED, 9);
}

static void a_tag_is_changed_and_its_priority_goes_on(void **state)
{
	(void)state;
	expect_tags(PRIORITY | 100, 200);
}

static void a_row_of_the_daemons_counts_while_its_lease_runs(void **state)
{
	struct desc d = from_client(TCP4);
	struct frame out;

	(void)state;
	put_hops(9);
	take_hops(true);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	assert_int_equal(out.b[12] << 8 | out.b[13], 0x8100);
	take_hops(false);
	assert_int_equal(world_send(world.if_client, &d, &out), XDP_REDIRECT);
	assert_int_equal(out.b[12] << 8 | out.b[13], 0x0800);
}

int vlan_tests(void)
{
#define T(name) cmocka_unit_test_setup(name, world_reset)
	const struct CMUnitTest vlan[] = {
		T(a_tag_is_kept),
		T(a_tag_is_taken_out_and_put_in_for_the_reply),
		T(a_tag_is_put_in_and_taken_out_of_the_reply),
		T(a_tag_is_changed_and_its_priority_goes_on),
		T(a_row_of_the_daemons_counts_while_its_lease_runs),
	};
#undef T

	return cmocka_run_group_tests(vlan, NULL, NULL);
}
