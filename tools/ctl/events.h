/* SPDX-License-Identifier: BSD-2-Clause */
/* Events of the daemon's answer: which are wanted, and how they are shown. */
#ifndef SPILLWAY_CTL_EVENTS_H
#define SPILLWAY_CTL_EVENTS_H

#include "ctl/ctl.h"
#include "ctl/table.h"

/* Zero: all of them. */
struct event_filter {
	int64_t after_seq;
	int64_t not_before_ms; /* Unix time; 0: whenever */
	const char *about;     /* an address, a Backend or a service; NULL: whatever */
	const char *namespace; /* of names in `about` that have none */
};

/* "17" (those after event 17) or "10m" (those of the last ten minutes). -EINVAL: neither. */
int event_since_parse(const char *text, int64_t now_ms, struct event_filter *f);

/* `event` is one of the answer's. Those up to after_seq are left to the daemon. */
bool event_is_wanted(const struct event_filter *f, const struct node *event);

/* Is it about the Backend or the service called `name`, which is NAMESPACE/NAME? */
bool event_is_of_backend(const struct node *event, const char *name);
bool event_is_of_service(const struct node *event, const char *name);

/*
 * The latest events for which `is_wanted` says so, at most `limit`, of the last thousand. A list,
 * empty where the daemon cannot tell; says nothing.
 */
struct node *events_latest(struct ctl *c,
			   bool (*is_wanted)(const struct node *event, const char *name),
			   const char *name, size_t limit);

/* Leaves the last `limit` items of a list. */
void events_keep_latest(struct node *list, size_t limit);

/* Unix time of "2026-01-02T03:04:05.678Z", with or without the fraction; -1: no such time. */
int64_t event_unix_ms(const char *rfc3339);

int64_t events_now_ms(void);

/* Ages grow old on a screen, so what is followed shows the time instead. */
enum event_columns { EVENT_AGES, EVENT_TIMES, EVENT_WIDE };

/* Makes the columns wide enough for most, for a table whose rows are not known yet. */
void events_widths(struct table *t, enum event_columns columns);
void events_head(struct table *t, enum event_columns columns);
void events_row(struct table *t, const struct node *event, enum event_columns columns,
		int64_t now_ms);

#endif
