/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_test [PATTERN]: makes the world, runs every group, or the tests whose names match PATTERN
 * (with * and ?); ends with 1 when one failed. Needs root.
 */
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "world.h"

int main(int argc, char **argv)
{
	int err = world_open();
	int failed = 0;

	if (err) {
		fprintf(stderr, "packet tests: cannot set up: %s (root?)\n", strerror(-err));
		return 1;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	failed += nat_tests();
	failed += innocence_tests();
	failed += random_tests();
	failed += way_tests();
	failed += pick_tests();
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
	failed += shares_tests();
	failed += threads_tests();
	failed += flood_tests();
	failed += model_tests();
	world_close();
	return failed ? 1 : 0;
}
