/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A target: one (address, port, profile) that is judged, and the table of them. Targets outlive
 * models; they are made and removed by health_sync() and health_seed() only.
 */
#ifndef SPILLWAY_HEALTH_TARGET_H
#define SPILLWAY_HEALTH_TARGET_H

#include "health/due.h"
#include "health/probe.h"
#include "health/rise_fall.h"
#include "model/model.h"

struct scheduler;
struct watch;

#define EJECTION_REASON_MAX 96 /* "5 consecutive failures (connection refused)" and NUL */

/* What passive detection made of it. */
struct ejection {
	bool on;
	uint32_t count; /* of the latest ones: multiplies the next one's time */
	uint64_t since_ms;
	uint64_t until_ms;
	char reason[EJECTION_REASON_MAX];
};

struct target {
	/* Identity. */
	struct spw_addr addr;
	uint16_t port; /* host order */
	uint64_t profile;
	struct target *next; /* in its bucket */

	/* From the current model; NULL in a seeded target until the first health_sync(). */
	const struct instance *instance;
	bool checked;
	bool listed; /* the model of the health_sync() under way has it */

	/* What is known; written by the funnel alone once the target has begun. */
	bool begun;    /* since the first health_sync() that listed it */
	bool loaded;   /* from the state file, and not begun */
	bool inherits; /* from another profile, and not begun */
	bool is_new;   /* made by the health_sync() under way, neither seeded nor loaded */
	struct rise_fall known;
	char reason[REASON_MAX]; /* of `known.state` */
	char latest[REASON_MAX]; /* of the latest result, whatever came of it */
	enum spw_admin admin;
	char admin_reason[REASON_MAX];
	struct ejection ejection;
	uint64_t ramp_start_ms;	   /* 0: no slow start */
	struct due ramp_due;	   /* its next step, in the funnel's queue */
	struct health_entry entry; /* what all of that comes to */
	enum standing standing;
	uint64_t since_ms; /* of `standing`; 0: it has had no other */

	struct watch *watch; /* passive detection's, owned; NULL: it does not judge this one */

	/* The scheduler's. */
	struct scheduler *scheduler; /* NULL: not scheduled */
	struct due due;		     /* next start, or the deadline of the probe under way */
	struct probe_job job;	     /* filled in by health_sync() */
	struct probe *probe;	     /* under way, or NULL */
	uint64_t planned_ms;	     /* when the latest start was to be: keeps the phase */
	uint64_t started_ms;	     /* when it was */
	uint64_t lag_ms;	     /* lag_total_ms() then */
	uint64_t last_probe_ms;	     /* end of the latest probe; 0: none */
	uint32_t phase;		     /* share of the interval, in 2^-32 */
	bool in_phase;
};

/* Zero-initialise. Owns the targets in it. */
struct target_table {
	struct target **buckets; /* by address and port, so that equal ones share a bucket */
	size_t bucket_count;	 /* a power of two, or 0 */
	size_t count;
};

/* Room for `count` targets in all; targets keep their addresses. */
int target_table_reserve(struct target_table *t, size_t count);

struct target *target_find(const struct target_table *t, const struct spw_addr *addr, uint16_t port,
			   uint64_t profile);

/* The first of the bucket's chain for this address and port; others follow by `next`. */
struct target *target_chain(const struct target_table *t, const struct spw_addr *addr,
			    uint16_t port);

/* A new one, zeroed but for its identity; NULL when out of memory. Needs target_table_reserve(). */
struct target *target_add(struct target_table *t, const struct spw_addr *addr, uint16_t port,
			  uint64_t profile);

/* Takes all targets out for which `gone` holds, and hands each to `drop`, which frees it. */
void target_sweep(struct target_table *t, bool (*gone)(const struct target *target),
		  void (*drop)(void *ctx, struct target *target), void *ctx);
void target_table_done(struct target_table *t); /* empty by now */

#endif
