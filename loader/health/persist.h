/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states and the latest events as a file: text, one thing a line, so that a person can read it
 * and a line that is damaged costs that line only. The file's time is the heartbeat of the daemon:
 * what it says is as fresh as that.
 */
#ifndef SPILLWAY_HEALTH_PERSIST_H
#define SPILLWAY_HEALTH_PERSIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/event_log.h"
#include "base/strbuf.h"
#include "health/target.h"

#define PERSIST_EVENTS 1000 /* the latest ones */
/* Numbers of events that may have been given after the latest save. */
#define PERSIST_SEQ_GAP 100000

enum persist_end {
	PERSIST_RUNNING, /* the daemon goes on: a reader finds what was so a second ago at worst */
	PERSIST_ENDING,
};

/* What a file said. */
struct persist_found {
	size_t targets; /* made in the table; none of another boot */
	size_t events;
	size_t damaged; /* lines */
	bool is_other_boot;
	bool ended; /* the run came to its end: it had nothing to add */
};

/* Text for the targets that have begun, and the events (NULL: none). */
void persist_print(struct strbuf *to, const char *boot, const struct target_table *targets,
		   const struct event_log *events, enum persist_end end);

/*
 * Makes targets, which begin at the next health_sync(), and adds the events. Never fails: what cannot
 * be read is left out. Times later than `now_ms` become `now_ms`. Changes `text`.
 */
struct persist_found persist_parse(char *text, size_t len, const char *boot, uint64_t now_ms,
				   struct target_table *targets, struct event_log *events);

#endif
