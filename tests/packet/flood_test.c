/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Floods of spoofed packets that nobody answers, while established flows go on: none of them may
 * break. 10,000,000 packets with SPILLWAY_LONG.
 */
#include "cpus.h"
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
static void flood(uint32_t service, uint32_t packets)
{
	struct desc d = from_client(service);
	uint32_t rnd = 4711;
	struct frame f, out;

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
	flood(TCP4, packets);
	flood(UDP4, packets);
	for (uint32_t n = 0; n < FLOWS; n++)
		expect_goes_on(n);
	assert_true(whole_expect() >= 2 * FLOWS);
	print_message("opened %llu, replaced %llu, refused as the table was full %llu\n",
		      (unsigned long long)world_stat(SPW_COUNT_FLOW_CREATED),
		      (unsigned long long)world_stat(SPW_COUNT_FLOW_REPLACED),
		      (unsigned long long)world_stat(SPW_DROP_FLOWS_FULL));
	assert_true(world_stat(SPW_COUNT_FLOW_REPLACED) > packets / 2);
}

int flood_tests(void)
{
	const struct CMUnitTest floods[] = {
		cmocka_unit_test_setup(floods_break_no_established_flow, world_reset),
	};

	return cmocka_run_group_tests(floods, NULL, NULL);
}
