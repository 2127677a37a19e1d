/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our routes, addresses and neighbours are marked by a protocol number, whoever of us made them: a
 * second daemon in the same network namespace, with directories of its own, would give up the VIPs
 * of the first. The directories' locks cannot see that; an abstract address can.
 */
#include "dataplane/netns_lock.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NAME "spillwayd"

static socklen_t fill(struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(addr->sun_path + 1, NAME, sizeof(NAME) - 1);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(NAME));
}

/* The pid of the one who listens, or 0. */
static int holder(const struct sockaddr_un *addr, socklen_t len)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	if (fd < 0 || connect(fd, (const struct sockaddr *)addr, len) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return 0;
	return peer.pid;
}

int netns_lock(int *out, struct why why)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr;
	socklen_t len = fill(&addr);

	if (fd < 0)
		return why_set(why, -errno, "socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 1)) {
		if (errno != EADDRINUSE)
			return why_set(why, -errno, "abstract address %s: %s", NAME,
				       strerror(errno));
		return why_set(why, -EBUSY,
			       "another spillwayd, pid %d, has this network namespace: stop it "
			       "first; one daemon attaches to all interfaces",
			       holder(&addr, len));
	}
	*out = fd_take(&fd);
	return 0;
}
