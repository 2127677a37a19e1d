/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods of spoofed packets that nobody answers, while established flows go on: none of them may
 * break. 10,000,000 packets with SPILLWAY_LONG.
 */
#include "cpus.h"
#include "direct_world.h"
#include "groups.h"
#include "whole.h"
#include "world.h"

#include <string.h>

#define FLOWS 1000
#define PORTS 16000

static struct frame requests[FLOWS], forwarded[FLOWS];

/* Half of them TCP; UDP is of rank two seconds after it was answered. */
static void establish(uint32_t n)
{
	struct desc d = from_client(n % 2 ? TCP4 : UDP4), sent, reply;

	d.sport = (uint16_t)(10000 + n);
	sent = world_expect_to(WEB4_A, &d);
	reply = from_endpoint(&sent);
	world_expect_reply(world.if_server, &d, &reply);
	if (n % 2)
		d.flags = TCP_ACK;
	else
		world_born(&d, 3 * SECOND_NS);
	sent = world_expect_to(WEB4_A, &d);
	frame_build(&d, &requests[n]);
	frame_build(&sent, &forwarded[n]);
}

static void expect_goes_on(uint32_t n)
{
	struct frame out;

	world_expect_verdict(world.if_client, &requests[n], &out, XDP_REDIRECT);
	frame_assert_equal(&out, &forwarded[n]);
}

/* Sources of all the world, so that checksums are not asked; only the addresses change. */
static void flood(uint32_t service, uint8_t flags, uint32_t packets)
{
	struct desc d = from_client(service);
	uint32_t rnd = 4711;
	struct frame f, out;

	d.flags = flags;
	frame_build(&d, &f);
	for (uint32_t i = 0; i < packets; i++) {
		uint32_t client = random_u32(&rnd);

		frame_put16(&f, FRAME_ETH + 12, (uint16_t)(0x0b00 | (client >> 24 & 0x3f)));
		frame_put16(&f, FRAME_ETH + 14, (uint16_t)client);
		frame_put16(&f, FRAME_ETH + 20, (uint16_t)(1024 + random_u32(&rnd) % 60000));
		assert_in_range(world_send_frame(world.if_client, &f, &out), XDP_DROP,
				XDP_REDIRECT);
		if (i % 100 == 0)
			expect_goes_on(i / 100 % FLOWS);
	}
}

static void floods_break_no_established_flow(void **state)
{
	const uint32_t packets = times(100000, 5000000);

	(void)state;
	world_set_ports(PORTS);
	for (uint32_t n = 0; n < FLOWS; n++)
		establish(n);
	flood(TCP4, TCP_SYN, packets);
	flood(UDP4, 0, packets);
	for (uint32_t n = 0; n < FLOWS; n++)
		expect_goes_on(n);
	assert_true(whole_expect() >= 2 * FLOWS);
	print_message("opened %llu, replaced %llu, refused as the table was full %llu\n",
		      (unsigned long long)world_stat(SPW_COUNT_FLOW_CREATED),
		      (unsigned long long)world_stat(SPW_COUNT_FLOW_REPLACED),
		      (unsigned long long)world_stat(SPW_DROP_FLOWS_FULL));
	assert_true(world_stat(SPW_COUNT_FLOW_REPLACED) > packets / 2);
}

/* Its slot is in motion, so an entry alone knows its endpoint; it is of rank when it goes on two seconds later. */
static struct desc remember(uint32_t n)
{
	struct desc d = from_client(n % 2 ? TCP4 : UDP4);

	d.sport = (uint16_t)(10000 + n);
	d.flags = n % 2 ? TCP_ACK : 0;
	frame_build(&d, &requests[n]);
	world_expect_verdict(world.if_client, &requests[n], &forwarded[n], XDP_REDIRECT);
	return d;
}

static void expect_with(const struct desc *d, uint32_t id)
{
	struct flow f;

	assert_true(world_flow(d, &f));
	assert_int_equal(f.endpoint, id);
}

/* Of both services, whose packets all go by slots in motion for so long. */
static void move_all(uint64_t ago_ns)
{
	direct_set_motion(UDP4, WEB4_A, ago_ns);
	direct_set_motion(TCP4, WEB4_A, ago_ns);
}

static void flood_slots_in_motion(uint32_t packets)
{
	move_all(0);
	flood(TCP4, TCP_SYN, packets);
	move_all(0);
	flood(TCP4, TCP_ACK, packets);
	move_all(10 * SECOND_NS);
	flood(TCP4, TCP_SYN, packets);
	flood(TCP4, TCP_ACK, packets);
	flood(UDP4, 0, packets);
}

/* Flows that have been remembered for a while are of rank: floods replace none of their entries. */
static void floods_at_slots_in_motion_move_no_flow(void **state)
{
	const uint32_t packets = times(60000, 2000000);

	(void)state;
	(void)direct_moved(UDP4, 0);
	(void)direct_moved(TCP4, 0);
	for (uint32_t n = 0; n < FLOWS; n++) {
		struct desc d = remember(n);

		expect_with(&d, WEB4_A);
		world_born(&d, 3 * SECOND_NS);
		expect_goes_on(n);
	}
	flood_slots_in_motion(packets);
	/* The windows are over: who has no entry is WEB4_B's. */
	move_all(7201 * SECOND_NS);
	for (uint32_t n = 0; n < FLOWS; n++)
		expect_goes_on(n);
	print_message("opened %llu, replaced %llu, refused %llu, without an entry %llu\n",
		      (unsigned long long)world_stat(SPW_COUNT_FLOW_CREATED),
		      (unsigned long long)world_stat(SPW_COUNT_FLOW_REPLACED),
		      (unsigned long long)world_stat(SPW_DROP_FLOWS_FULL),
		      (unsigned long long)world_stat(SPW_COUNT_DIRECT_UNKEPT));
	assert_true(world_stat(SPW_COUNT_FLOW_REPLACED) > packets);
	(void)whole_expect();
}

/* Flows from before the motion that nothing is known of yet, while floods fill the table. */
static void flows_without_an_entry_stay_while_floods_fill_the_table(void **state)
{
	const uint32_t packets = times(60000, 2000000);

	(void)state;
	(void)direct_moved(UDP4, 0);
	(void)direct_moved(TCP4, 10 * SECOND_NS);
	for (uint32_t n = 0; n < FLOWS; n++)
		(void)remember(n);
	world_empty_flows();
	flood_slots_in_motion(packets);
	for (uint32_t n = 0; n < FLOWS; n++)
		expect_goes_on(n);
	print_message("without an entry %llu\n",
		      (unsigned long long)world_stat(SPW_COUNT_DIRECT_UNKEPT));
}

int flood_tests(void)
{
	const struct CMUnitTest floods[] = {
		cmocka_unit_test_setup(floods_break_no_established_flow, world_reset),
		cmocka_unit_test_setup(floods_at_slots_in_motion_move_no_flow, world_reset),
		cmocka_unit_test_setup(flows_without_an_entry_stay_while_floods_fill_the_table,
				       world_reset),
	};

	return cmocka_run_group_tests(floods, NULL, NULL);
}
