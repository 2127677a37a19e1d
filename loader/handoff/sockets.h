/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening sockets that connections are handed off to, in pairs, one for each family. They are
 * the daemon's, and HAProxy inherits them: so they outlive it, and connections that come while it is
 * started anew wait in their queues. Nobody can connect to them but by the steering program: they are
 * bound to addresses that no host has.
 */
#ifndef SPILLWAY_HANDOFF_SOCKETS_H
#define SPILLWAY_HANDOFF_SOCKETS_H

#include <stddef.h>

struct socket_pair {
	int v4;
	int v6; /* -1: this host has no IPv6 */
};

/* Grows *pairs (owned, on the heap) from *count to `wanted`; on failure it is as it was. */
int sockets_open(struct socket_pair **pairs, size_t *count, size_t wanted);
void sockets_close(struct socket_pair *pairs, size_t count);

#endif
