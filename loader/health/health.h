/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one place that decides whether an endpoint is healthy: active probes, passive detection from
 * the packet path's signals, slow start and the operator's word meet in one funnel. Runs on the
 * daemon's event loop and is not thread-safe.
 */
#ifndef SPILLWAY_HEALTH_HEALTH_H
#define SPILLWAY_HEALTH_HEALTH_H

#include <uv.h>

#include "base/event_log.h"
#include "model/health_view.h"
#include "model/model.h"

struct health;

/* What is known of one instance, for `endpoints` and `describe`. */
struct health_info {
	enum health_state state; /* of the active check */
	enum standing standing;	 /* what everything together comes to */
	/*
	 * Why `standing` is what it is: "connected", "timeout", "status 503", "no check", "set by the
	 * operator", "5 consecutive failures (connection refused)"; and what the latest probe said,
	 * which differs while a change is pending ("" before the first one). Both belong to health/
	 * and are good until the loop runs again or health_sync().
	 */
	const char *reason;
	const char *latest;
	uint64_t since_ms;	/* clock_ms() of the latest change of standing; 0: none yet. An age
				   that is older than the daemon is kept over restarts */
	uint64_t last_probe_ms; /* 0: none yet */
	uint32_t streak;	/* equal results in a row */
	bool checked;		/* it has an active check */
	bool passive;		/* passive detection judges it */
	uint32_t ejections;	/* how often it was ejected lately: multiplies the next ejection */
	uint64_t ejected_left_ms; /* until the ejection may end; 0: not ejected */
	uint8_t ramp_percent;	  /* 100: all of its share */
};

/* What the health module asks of, and tells, the rest of the daemon. All on the loop. */
struct health_hooks {
	/*
	 * At once, in the middle of a loop turn, for each instance that may get no new flows any more:
	 * the one write that takes it out of the packet path. May be NULL.
	 */
	void (*out)(void *ctx, const struct instance *i);
	/*
	 * After one or more instances changed in what health_fill() says (several changes of one loop
	 * turn come as one call): the tables want to be rebuilt.
	 */
	void (*changed)(void *ctx);
	/* The packet path's signals of an instance, mapped memory; NULL: it has none. May be NULL. */
	struct spw_signals *(*signals)(void *ctx, const struct instance *i);
	/* Packets to and from the endpoint so far, for UDP's silence. May be NULL. */
	void (*traffic)(void *ctx, const struct instance *i, uint64_t *packets_in,
			uint64_t *packets_out);
	void *ctx;
};

struct health_options {
	struct health_hooks hooks;
	struct event_log *events; /* borrowed; NULL: none are kept */
	const char *resolv_conf;  /* path, for names; NULL: the system's */
	bool on_host; /* names may resolve to loopback addresses, as endpoints may be on them */
	const char *state_file; /* where states and events are kept over restarts; NULL: nowhere */
};

/*
 * Unix sockets are probed with the permissions of the user who connects to them for clients; until it is
 * told, or with 0, with the daemon's own.
 */
void health_set_socket_user(uid_t uid, gid_t gid);

/* Turns UV_METRICS_IDLE_TIME of the loop on: how else would it tell waiting from working? */
int health_new(uv_loop_t *loop, const struct health_options *opts, struct health **out);
/* Saves the states, stops and closes all its handles; run the loop afterwards. */
void health_free(struct health *h);

/*
 * Checks exactly the instances of `m` from now on. An endpoint that was checked before with the same
 * address, port and profile keeps its state and its schedule; a new one is probed at once. With an
 * equal address and port but another profile it keeps its state until its first new result. The
 * model must outlive the next health_sync().
 */
int health_sync(struct health *h, const struct model *m);

/*
 * After a restart, before the first health_sync(): what the pinned maps said. Used where the state
 * file says nothing, or is of a run that was cut short and may not know yet that the endpoint is
 * out; the first result may overturn it.
 */
void health_seed(struct health *h, const struct spw_addr *addr, uint16_t port, uint64_t profile,
		 enum health_state state);

/*
 * The operator's word on all instances of the address and port, now and in later models; the
 * caller keeps it in the store. `reason` is for the log and the event: "operator", "drain".
 */
void health_set_admin(struct health *h, const struct spw_addr *addr, uint16_t port,
		      enum spw_admin admin, const char *reason);

/* All that is known of the instances of the model of the latest health_sync(). */
void health_fill(const struct health *h, struct health_entry *entries, size_t count);
void health_get(const struct health *h, const struct instance *i, struct health_info *out);

#endif
