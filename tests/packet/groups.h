/* SPDX-License-Identifier: BSD-2-Clause */
/* The groups of tests: each returns how many failed. */
#ifndef SPILLWAY_TESTS_GROUPS_H
#define SPILLWAY_TESTS_GROUPS_H

#include <stdint.h>

/* How often something generated is tried that is tried `full` times at leisure. */
uint32_t repeats(uint32_t full);

int nat_tests(void);
int innocence_tests(void);
int random_tests(void);
int way_tests(void);
int pick_tests(void);
int balance_tests(void);
int admit_tests(void);
int life_tests(void);
int age_tests(void);
int ports_tests(void);
int reject_tests(void);
int sources_tests(void);
int signal_tests(void);
int sample_tests(void);
int quote_tests(void);
int nobody_tests(void);
int too_big_tests(void);
int icmp_tests(void);
int mss_tests(void);
int halt_tests(void);
int partial_tests(void);
int vlan_tests(void);
int shares_tests(void);
int options_tests(void);
int fragment_tests(void);
int threads_tests(void);
int flood_tests(void);
int model_tests(void);
int jumbo_tests(void);
int handoff_tests(void);
int direct_tests(void);
int direct_fast_tests(void);
int quic_tests(void);
int direct_random_tests(void);
int direct_model_tests(void);
int steer_tests(void);
int steer_daemon_tests(void);
int decap_tests(void);
int decap_mss_tests(void);
int extras_daemon_tests(void);

#endif
