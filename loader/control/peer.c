/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket's mode says the same, but a mode can be changed by mistake; SO_PEERCRED and
 * SO_PEERGROUPS cannot.
 */
#include "control/peer.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_SOCKET_GROUP "spillway"

int peer_group(const char *name, gid_t *out)
{
	const struct group *g;

	errno = 0;
	g = getgrnam(name ? name : DEFAULT_SOCKET_GROUP);
	if (!g && name)
		return errno && errno != ESRCH ? -errno : -ENOENT;
	*out = g ? g->gr_gid : PEER_NO_GROUP;
	return 0;
}

/* Supplementary groups; the buffer's size is asked for first. */
static bool is_member(int fd, gid_t group)
{
	socklen_t size = 0;
	gid_t *groups;
	bool found = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
		return false;
	groups = malloc(size);
	if (groups && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0) {
		for (size_t i = 0; i < size / sizeof(*groups) && !found; i++)
			found = groups[i] == group;
	}
	free(groups);
	return found;
}

bool peer_is_allowed(int fd, gid_t group)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size))
		return false;
	if (cred.uid == 0 || cred.uid == geteuid())
		return true;
	if (group == PEER_NO_GROUP)
		return false;
	return cred.gid == group || is_member(fd, group);
}
