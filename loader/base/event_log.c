/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring in the order of the numbers, which only grow, but not always by one. */
#include "base/event_log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct event_log {
	struct event *ring; /* owned */
	size_t capacity;
	size_t oldest; /* its place */
	size_t count;
	uint64_t last; /* number given or left out */
};

struct event_log *event_log_new(size_t capacity)
{
	AUTO(event_log_free) struct event_log *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->capacity = capacity ? capacity : 1;
	l->ring = calloc(l->capacity, sizeof(*l->ring));
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

static struct event *at(const struct event_log *l, size_t n)
{
	return &l->ring[(l->oldest + n) % l->capacity];
}

/* The place behind the newest; when there is none, the oldest one's. */
static struct event *make_room(struct event_log *l)
{
	if (l->count < l->capacity)
		return at(l, l->count++);
	l->oldest = (l->oldest + 1) % l->capacity;
	return at(l, l->count - 1);
}

uint64_t event_log_add(struct event_log *l, const struct event *e)
{
	struct event *to = make_room(l);

	*to = *e;
	to->seq = e->seq > l->last ? e->seq : l->last + 1;
	if (!to->unix_ms) {
		to->unix_ms = (int64_t)(now_ns(CLOCK_REALTIME) / 1000000);
		to->mono_ns = now_ns(CLOCK_MONOTONIC);
	}
	l->last = to->seq;
	return to->seq;
}

const struct event *event_log_next(const struct event_log *l, uint64_t after)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (at(l, mid)->seq <= after)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->count ? at(l, low) : NULL;
}

const struct event *event_log_latest(const struct event_log *l, size_t count)
{
	if (!l->count || !count)
		return NULL;
	return at(l, count < l->count ? l->count - count : 0);
}

void event_log_skip(struct event_log *l, uint64_t count)
{
	l->last += count;
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
