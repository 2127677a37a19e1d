/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the states and events in a file over restarts: written a second after a change, so that a
 * storm of changes is one write, touched every few seconds as a heartbeat, and written at the end.
 * What is in it is persist.c's.
 */
#ifndef SPILLWAY_HEALTH_KEEP_H
#define SPILLWAY_HEALTH_KEEP_H

#include <stdbool.h>
#include <uv.h>

#include "base/event_log.h"
#include "health/persist.h"
#include "health/target.h"

#define KEEP_DELAY_MS 1000
#define KEEP_BEAT_MS  5000
#define KEEP_BOOT_MAX 40

/* A file whose heartbeat is older than this, and than three intervals of the check, is stale. */
#define KEEP_FRESH_MS 10000

/* Zero-initialise. */
struct keep {
	const char *path; /* borrowed; NULL: nothing is kept */
	const struct target_table *targets;
	struct event_log *events; /* or NULL */
	uv_timer_t timer;
	char boot[KEEP_BOOT_MAX];
	uint64_t age_ms;     /* of what was loaded */
	uint64_t unsaved_ms; /* since when there is a change; 0: none */
	uint64_t beaten_ms;
	uint64_t saved_seq; /* of the latest event in the file */
	bool was_cut;	    /* the run before may not have saved its last second */
	bool ready;	    /* there is something to save: a model was there */
	bool warned;	    /* that it cannot be written */
};

/* Starts the timer, which does not keep the loop alive. `k` is filled in by the caller. */
int keep_init(struct keep *k, uv_loop_t *loop);
/* Makes targets and adds events of the file; says in the log what came of it. */
void keep_load(struct keep *k, struct target_table *targets);
/* Is what was loaded too old for an endpoint with this interval? */
bool keep_is_stale(const struct keep *k, uint64_t interval_ms);

/*
 * There is something to be saved from now on. The first time it is, at once: the file must not say
 * any longer that the run before came to its end, since numbers of events are given now.
 */
void keep_begin(struct keep *k);
void keep_changed(struct keep *k);
void keep_save(struct keep *k, enum persist_end end);

#endif
