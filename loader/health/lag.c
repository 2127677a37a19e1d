/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two kinds of lag add up in a turn: callbacks that took long (time not spent waiting in the
 * poll), and a wait that ended later than it was to (the process was stopped, or starved by
 * softirqs on its CPU). A timer that is late would show only the second, and only around itself.
 */
#include "health/lag.h"

#define NS_PER_MS 1000000u

void lag_init(struct lag *l, uint64_t now_ns, uint64_t idle_ns)
{
	*l = (struct lag){.now_ns = now_ns, .idle_ns = idle_ns, .poll_ms = -1};
}

void lag_before_poll(struct lag *l, int64_t timeout_ms)
{
	l->poll_ms = timeout_ms;
}

void lag_after_poll(struct lag *l, uint64_t now_ns, uint64_t idle_ns)
{
	uint64_t waited = idle_ns - l->idle_ns;
	uint64_t turn = now_ns - l->now_ns;
	uint64_t lag = turn > waited ? turn - waited : 0;

	if (l->poll_ms >= 0 && waited > (uint64_t)l->poll_ms * NS_PER_MS)
		lag += waited - (uint64_t)l->poll_ms * NS_PER_MS;
	if (lag >= LAG_TURN_MIN_MS * NS_PER_MS)
		l->total_ns += lag;
	l->now_ns = now_ns;
	l->idle_ns = idle_ns;
}

uint64_t lag_total_ms(const struct lag *l)
{
	return l->total_ns / NS_PER_MS;
}
