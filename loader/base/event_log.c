/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring: the event with number n is in place n modulo the capacity. */
#include "base/event_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct event_log {
	struct event *ring; /* owned */
	size_t capacity;
	uint64_t first; /* oldest kept; `last` + 1 when empty */
	uint64_t last;
};

struct event_log *event_log_new(size_t capacity)
{
	AUTO(event_log_free) struct event_log *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->ring = calloc(capacity, sizeof(*l->ring));
	l->capacity = capacity;
	l->first = 1;
	return l->ring ? TAKE(l) : NULL;
}

void event_log_free(struct event_log *l)
{
	if (!l)
		return;
	free(l->ring);
	free(l);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* Numbers only grow: one that is given and not the next leaves a gap, and what is before it goes. */
static uint64_t next_seq(struct event_log *l, uint64_t given)
{
	if (given <= l->last + 1)
		return l->last + 1;
	l->first = given;
	return given;
}

uint64_t event_log_add(struct event_log *l, const struct event *e)
{
	const uint64_t seq = next_seq(l, e->seq);
	struct event *to = &l->ring[seq % l->capacity];

	*to = *e;
	to->seq = seq;
	if (!to->unix_ms) {
		to->unix_ms = (int64_t)(now_ns(CLOCK_REALTIME) / 1000000);
		to->mono_ns = now_ns(CLOCK_MONOTONIC);
	}
	l->last = seq;
	if (l->last - l->first >= l->capacity)
		l->first = l->last - l->capacity + 1;
	return seq;
}

const struct event *event_log_next(const struct event_log *l, uint64_t after)
{
	const uint64_t seq = after + 1 > l->first ? after + 1 : l->first;

	return seq <= l->last ? &l->ring[seq % l->capacity] : NULL;
}

uint64_t event_log_last_seq(const struct event_log *l)
{
	return l->last;
}

void event_text(char *to, size_t size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(to, size, fmt, args);
	va_end(args);
}
