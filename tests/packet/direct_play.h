/* SPDX-License-Identifier: BSD-2-Clause */
/* Live flows of direct_model_test.c: what they send, and whether it goes where it must. */
#ifndef SPILLWAY_TESTS_DIRECT_PLAY_H
#define SPILLWAY_TESTS_DIRECT_PLAY_H

#include <spillway/stats.h>
#include <stdbool.h>
#include <stdint.h>

#include "tables/tables.h"

#define PLAY_POOL	48
#define PLAY_TCP_IDLE_S 60
#define PLAY_UDP_IDLE_S 45

struct play_member {
	bool present, down, drained;
	bool pickable, up; /* as compiled */
	uint32_t removals;
};

struct play {
	uint32_t rnd;
	uint32_t flow_count; /* that are open, or about to be opened */
	struct play_member pool[PLAY_POOL];
};
extern struct play play;

/* Member n has an address, a MAC address and a mode of its own. */
struct spw_addr play_addr(uint32_t n);
uint32_t play_member(uint8_t last_byte);
uint8_t play_mode(uint32_t n);
/* "add" or "del": their neighbours. */
void play_neighbours(const char *what);

/* So many flows, none of which is open yet. */
void play_start(uint32_t flow_count);
void play_end(void);
/* Some flows send. */
void play_traffic(void);
/* So many ticks are to pass: who would have been silent for too long sends now. */
void play_before_silence(uint32_t ticks);
/* What is remembered of flows is older from now on. */
void play_age_flows(uint32_t ticks);
/* Flows whose endpoint is gone or down are over. */
void play_end_the_dead(void);
/* Counts the live flows whose slot another endpoint gets. */
void play_note_slots(const struct tables *have, const struct tables *want);
/* Counts the live flows, those whose slot is in motion, and entries of direct return. */
void play_note_entries(const struct tables *have);
/* Prints, and fails if a flow moved. */
void play_report(const uint64_t stats[SPW_STAT_MAX]);

#endif
