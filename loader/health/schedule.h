/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scheduler: which probe starts when, and which one is late. It owns the loop handles of
 * health/; results go to `result`, and `turn` is called once at the end of a loop turn in which
 * schedule_wake() was called.
 */
#ifndef SPILLWAY_HEALTH_SCHEDULE_H
#define SPILLWAY_HEALTH_SCHEDULE_H

#include <uv.h>

#include "dns/dns.h"
#include "health/due.h"
#include "health/lag.h"
#include "health/target.h"

struct scheduler {
	uv_timer_t timer;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t nudge; /* while active, the poll does not wait */
	int open_handles;
	struct probe_tools tools; /* `on_host` is the caller's to set, the rest is made */
	struct dns_options dns;	  /* set by the caller before schedule_init(), or zero */
	struct due_queue queue;
	struct lag lag;
	uint64_t first_free; /* next free moment for a first probe, in quarters of a millisecond */
	uint32_t ordinal;    /* targets scheduled so far */
	size_t under_way;
	size_t under_way_max;
	unsigned batch; /* starts and deadlines in a turn at most */
	uint64_t warned_ms;
	bool woken;

	void (*result)(void *ctx, struct target *t, const struct verdict *v);
	void (*turn)(void *ctx);
	void (*closed)(void *ctx);
	void *ctx;
};

/* The callbacks and ctx are set by the caller before. Turns UV_METRICS_IDLE_TIME of the loop on. */
int schedule_init(struct scheduler *s, uv_loop_t *loop);

/* No target may be scheduled any more. `closed` is called when all handles are. */
void schedule_close(struct scheduler *s);

int schedule_reserve(struct scheduler *s, size_t targets);
void schedule_add(struct scheduler *s, struct target *t);    /* t->job is filled in */
void schedule_remove(struct scheduler *s, struct target *t); /* cancels; fine when not scheduled */

/* Have `turn` called at the end of this loop turn. */
void schedule_wake(struct scheduler *s);

#endif
