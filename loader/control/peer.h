/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may use the socket: root, the daemon's own user, and members of the socket's group. */
#ifndef SPILLWAY_CONTROL_PEER_H
#define SPILLWAY_CONTROL_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#define PEER_NO_GROUP ((gid_t) - 1)

/*
 * The group that `name` stands for; NULL: DEFAULT_SOCKET_GROUP if there is one, else PEER_NO_GROUP.
 * -ENOENT when a group that was named does not exist.
 */
int peer_group(const char *name, gid_t *out);

/* By the kernel's word on the connection, taken when it was made. */
bool peer_is_allowed(int fd, gid_t group);

#endif
