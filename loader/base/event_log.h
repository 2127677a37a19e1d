/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The latest things that happened, in order, for `spillway events`: every change of an endpoint's
 * standing, of a service's tiers, of a name's addresses, and every word of the operator. Bounded:
 * old ones make room.
 */
#ifndef SPILLWAY_BASE_EVENT_LOG_H
#define SPILLWAY_BASE_EVENT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define EVENT_TEXT_MAX 160 /* bytes of each text, NUL included; longer ones are cut */

struct event {
	uint64_t seq;		      /* from 1, never reused, also across restarts */
	int64_t unix_ms;	      /* wall clock */
	uint64_t mono_ns;	      /* CLOCK_MONOTONIC; 0 for those of an earlier run */
	char kind[16];		      /* "endpoint", "tiers", "operator", "drain", "name" */
	char subject[EVENT_TEXT_MAX]; /* "10.0.0.1:80", "default/web at 192.0.2.1:80/tcp", ... */
	char backend[EVENT_TEXT_MAX]; /* "NAMESPACE/NAME", or "" */
	char from[EVENT_TEXT_MAX], to[EVENT_TEXT_MAX];
	char reason[EVENT_TEXT_MAX];
};

struct event_log;

struct event_log *event_log_new(size_t capacity); /* NULL when out of memory */
void event_log_free(struct event_log *l);
AUTO_DEFINE(struct event_log *, event_log_free)

/*
 * Takes a copy of `e`; the seq, unless a greater one than all before is given, and both times where
 * they are 0 are filled in. Returns the seq.
 */
uint64_t event_log_add(struct event_log *l, const struct event *e);

/*
 * The first event with seq > `after` that is still there, or NULL; good until the next add. With
 * `after` older than what is kept, the oldest one.
 */
const struct event *event_log_next(const struct event_log *l, uint64_t after);
/* The oldest of the latest `count` ones, or of all; NULL: there is none. */
const struct event *event_log_latest(const struct event_log *l, size_t count);

/* Leaves `count` numbers out: a run that was cut short may have given them to somebody. */
void event_log_skip(struct event_log *l, uint64_t count);

uint64_t event_log_last_seq(const struct event_log *l); /* 0: none yet */

/* Fills a text of an event. */
void event_text(char *to, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
