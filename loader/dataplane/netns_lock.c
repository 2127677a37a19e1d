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

static socklen_t fill(struct sockaddr_un *addr, const char *program)
{
	size_t len = strnlen(program, sizeof(addr->sun_path) - 1);

	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(addr->sun_path + 1, program, len);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + len);
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

int netns_lock(const char *program, int *out, struct why why)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un addr;
	socklen_t len = fill(&addr, program);

	if (fd < 0)
		return why_set(why, -errno, "socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 1)) {
		if (errno != EADDRINUSE)
			return why_set(why, -errno, "abstract address %s: %s", program,
				       strerror(errno));
		return why_set(why, -EBUSY,
			       "another %s, pid %d, has this network namespace: stop it "
			       "first; one attaches to all interfaces",
			       program, holder(&addr, len));
	}
	*out = fd_take(&fd);
	return 0;
}
