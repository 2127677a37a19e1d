/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that decides whether an endpoint is healthy. Active probes now; everything else
 * that will judge an endpoint goes through the same funnel. Runs on the daemon's event loop and
 * is not thread-safe.
 */
#ifndef SPILLWAY_HEALTH_HEALTH_H
#define SPILLWAY_HEALTH_HEALTH_H

#include <uv.h>

#include "model/health_view.h"
#include "model/model.h"

struct health;

/* What is known of one instance, for `endpoints` and `describe`. */
struct health_info {
	enum health_state state;
	/*
	 * Why `state` is what it is: "connected", "timeout", "status 503", "no check"; and what the
	 * latest probe said, which differs while a change is pending ("" before the first one).
	 * Both belong to health/ and are good until the loop runs again or health_sync().
	 */
	const char *reason;
	const char *latest;
	uint64_t since_ms;	/* clock_ms() of the latest change of state; 0: none yet */
	uint64_t last_probe_ms; /* 0: none yet */
	uint32_t streak;	/* equal results in a row */
	bool checked;		/* it has a check, and this version runs it */
};

/*
 * Called on the loop after one or more instances changed state (several changes of one loop turn
 * come as one call). The receiver asks health_fill() for the whole picture.
 */
typedef void health_changed_fn(void *ctx);

/* Turns UV_METRICS_IDLE_TIME of the loop on: how else would it tell waiting from working? */
int health_new(uv_loop_t *loop, health_changed_fn *changed, void *ctx, struct health **out);
void health_free(struct health *h); /* stops and closes all its handles; run the loop afterwards */

/*
 * Checks exactly the instances of `m` from now on. An endpoint that was checked before with the same
 * address, port and profile keeps its state and its schedule; a new one is probed at once. With an
 * equal address and port but another profile it keeps its state until its first new result. The
 * model must outlive the next health_sync().
 */
int health_sync(struct health *h, const struct model *m);

/*
 * After a restart, before the first health_sync(): what the pinned maps said. Used as the state
 * until probes say otherwise, with the thresholds of a settled endpoint.
 */
void health_seed(struct health *h, const struct spw_addr *addr, uint16_t port, uint64_t profile,
		 enum health_state state);

/* States of all instances of the model of the latest health_sync(); `admin` is left alone. */
void health_fill(const struct health *h, struct health_entry *entries, size_t count);
void health_get(const struct health *h, const struct instance *i, struct health_info *out);

#endif
