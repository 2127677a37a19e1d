/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAProxy's admin socket: commands, one after the other, each answered by a text. Runs on the loop.
 */
#ifndef SPILLWAY_HANDOFF_ADMIN_H
#define SPILLWAY_HANDOFF_ADMIN_H

#include <uv.h>

struct admin;

/* `answer` is NUL-terminated, without blank ends, and the caller's only for the time of the call. */
typedef void admin_done_fn(void *ctx, int err, const char *answer);

/* Copies the path of the socket. */
int admin_new(uv_loop_t *loop, const char *path, struct admin **out);
/* Those that wait are told -ECANCELED before it returns; run the loop afterwards. */
void admin_free(struct admin *a);

/*
 * Sends a command (copied, with its line end) after those before it; `done` may be NULL. -ENOMEM: it
 * will not be called.
 */
int admin_send(struct admin *a, const char *command, admin_done_fn *done, void *ctx);

#endif
