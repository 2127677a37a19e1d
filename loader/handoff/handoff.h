/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The userspace path: listening sockets for the endpoints that connections are handed off to, and a
 * HAProxy behind them that is fed, watched and started anew. Runs on the daemon's loop. HAProxy goes on
 * when the daemon ends; the next one replaces it once its own is ready.
 */
#ifndef SPILLWAY_HANDOFF_HANDOFF_H
#define SPILLWAY_HANDOFF_HANDOFF_H

#include <stdbool.h>
#include <uv.h>

#include "model/health_view.h"
#include "model/model.h"
#include "tables/ids.h"

struct handoff;

struct handoff_hooks {
	/* The sockets that get an endpoint's connections from now on; -1: none of that family. */
	void (*steer)(void *ctx, uint32_t id, int socket_v4, int socket_v6);
	/* Some endpoints became ready, or cease to be: the tables want to be looked at. */
	void (*changed)(void *ctx);
	/* Connections to an endpoint that were made, and that failed, since the last call. */
	void (*counted)(void *ctx, uint32_t id, uint64_t made, uint64_t failed);
	void *ctx;
};

struct handoff_options {
	struct handoff_hooks hooks;
	const char *run_dir;	/* a directory `proxy` is made in it */
	const char *haproxy;	/* path of the program */
	uint16_t resolver_port; /* of dns/stub.h, for DynamicResolvers; 0: there is none */
	bool local_clients;	/* plain endpoints are served, too, to clients on this host */
};

/* What the userspace path counted of an endpoint since the daemon's start. */
struct handoff_counters {
	uint64_t bytes_in;  /* towards the endpoint */
	uint64_t bytes_out; /* towards clients */
	uint64_t failed;    /* connections that could not be made */
};

/* NULL when HAProxy can be started, else a sentence that says what to do; `haproxy` NULL: none is wanted. */
const char *handoff_missing(const char *haproxy);

/* The user that HAProxy runs as. */
void handoff_user(const struct handoff *h, uid_t *uid, gid_t *gid);

int handoff_new(uv_loop_t *loop, const struct handoff_options *opts, struct handoff **out);
/* HAProxy stays. Closes all handles: run the loop afterwards. */
void handoff_free(struct handoff *h);

/*
 * Brings HAProxy to what `m` says, under the numbers of `ids`; nothing of either is kept. What can be
 * changed while it runs is, else a new process takes over without a gap.
 */
void handoff_sync(struct handoff *h, const struct model *m, const struct ids *ids,
		  const struct health_view *v);

/* The shares of this moment, for what it spreads itself: on layer 7. After each change of health. */
void handoff_shares(struct handoff *h, const struct model *m, const struct ids *ids,
		    const struct health_view *v);

/* The daemon before this one had the endpoint ready, and its HAProxy may serve it still. */
void handoff_trust(struct handoff *h, uint32_t id);

/* Would a connection that is handed to the endpoint be served? */
bool handoff_is_ready(const struct handoff *h, uint32_t id);

/* Is there an endpoint that is not ready, but is about to be? */
bool handoff_is_pending(const struct handoff *h);

/* NULL, or why not, or what stands in its connections' way; good until the loop runs. */
const char *handoff_endpoint_problem(const struct handoff *h, uint32_t id);
/* The same but for what passes by itself: what is to be set right. */
const char *handoff_obstacle(const struct handoff *h, uint32_t id);
/* Whether there are any of these. */
bool handoff_has_obstacles(const struct handoff *h);
/* NULL, or what is wrong with the whole. */
const char *handoff_problem(const struct handoff *h);

void handoff_count(const struct handoff *h, uint32_t id, struct handoff_counters *out);

/* Ends the HAProxy that a daemon left behind; needs no running daemon. */
int handoff_detach(const char *run_dir);

#endif
