/* SPDX-License-Identifier: BSD-2-Clause */
/* packet_test: makes the world, runs every group, ends with 1 when a test failed. Needs root. */
#include <stdio.h>
#include <string.h>

#include "groups.h"
#include "world.h"

int main(void)
{
	int err = world_open();
	int failed = 0;

	if (err) {
		fprintf(stderr, "packet tests: cannot set up: %s (root?)\n", strerror(-err));
		return 1;
	}
	failed += nat_tests();
	failed += innocence_tests();
	failed += random_tests();
	failed += way_tests();
	failed += pick_tests();
	failed += life_tests();
	failed += age_tests();
	failed += ports_tests();
	failed += shares_tests();
	world_close();
	return failed ? 1 : 0;
}
