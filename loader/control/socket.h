/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening Unix socket. */
#ifndef SPILLWAY_CONTROL_SOCKET_H
#define SPILLWAY_CONTROL_SOCKET_H

#include <sys/types.h>

#include "base/arena.h"

/* Non-blocking, mode 0660, of `group` unless that is PEER_NO_GROUP. Replaces what is at `path`. */
int socket_listen(struct arena *a, const char *path, gid_t group, int *fd, const char **why);

/* Whether the path fits a socket's address; *why is a sentence with the remedy. */
int socket_check(struct arena *a, const char *path, const char **why);

#endif
