/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_test [-q] [PATTERN]: makes the world, runs every group, or the tests whose names match
 * PATTERN (with * and ?); ends with 1 when one failed. With -q, for emulated processors, the shares
 * of hundreds of thousands of flows are not counted, and of what is generated only a twentieth is
 * tried. Needs root.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "world.h"

static bool quick;

uint32_t repeats(uint32_t full)
{
	return quick ? full / 20 : full;
}

int main(int argc, char **argv)
{
	const char *pattern;
	int failed = 0;
	int err;

	quick = argc > 1 && !strcmp(argv[1], "-q");
	pattern = argv[quick ? 2 : 1];
	err = world_open();
	if (err) {
		fprintf(stderr, "packet tests: cannot set up: %s (root?)\n", strerror(-err));
		return 1;
	}
	if (pattern)
		cmocka_set_test_filter(pattern);
	failed += nat_tests();
	failed += innocence_tests();
	failed += random_tests();
	failed += way_tests();
	failed += pick_tests();
	failed += balance_tests();
	failed += admit_tests();
	failed += life_tests();
	failed += age_tests();
	failed += ports_tests();
	failed += reject_tests();
	failed += sources_tests();
	failed += signal_tests();
	failed += sample_tests();
	failed += quote_tests();
	failed += nobody_tests();
	failed += too_big_tests();
	failed += icmp_tests();
	failed += mss_tests();
	failed += halt_tests();
	failed += partial_tests();
	failed += vlan_tests();
	failed += options_tests();
	failed += fragment_tests();
	failed += jumbo_tests();
	failed += handoff_tests();
	failed += direct_tests();
	failed += direct_fast_tests();
	failed += quic_tests();
	failed += direct_random_tests();
	failed += steer_tests();
	failed += steer_daemon_tests();
	failed += decap_tests();
	failed += decap_mss_tests();
	failed += extras_daemon_tests();
	if (!quick)
		failed += shares_tests();
	failed += threads_tests();
	failed += flood_tests();
	failed += model_tests();
	failed += direct_model_tests();
	world_close();
	return failed ? 1 : 0;
}
