/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTP on the Unix socket, run by the daemon's event loop. */
#ifndef SPILLWAY_CONTROL_SERVER_H
#define SPILLWAY_CONTROL_SERVER_H

#include "control/engine.h"

struct server;

struct server_options {
	const char *path;  /* of the socket; a stale one is replaced */
	const char *group; /* --socket-group, or NULL */
};

/* What would keep server_open() from working, found out before anything is changed on the host. */
int server_check(struct arena *a, const struct server_options *opts, const char **why);

/* The caller holds the lock on the directory. *why names cause and remedy, in `a`. */
int server_open(struct arena *a, uv_loop_t *loop, struct engine *e,
		const struct server_options *opts, struct server **out, const char **why);
/* Removes the socket; frees the server once its handles are closed: run the loop afterwards. */
void server_close(struct server *s);

#endif
