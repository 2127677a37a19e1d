/* SPDX-License-Identifier: BSD-2-Clause */
/* Bound under a umask that lets nobody in, opened up when owner and mode are right. */
#include "control/socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control/peer.h"

#define BACKLOG 1024 /* a full one refuses clients that do not block */

static int bind_private(int fd, const struct sockaddr_un *addr)
{
	const mode_t before = umask(0177);
	int err = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ? -errno : 0;

	(void)umask(before);
	return err;
}

static int open_socket(const struct sockaddr_un *addr, gid_t group, int *out)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		return -errno;
	if (unlink(addr->sun_path) && errno != ENOENT)
		return -errno;
	err = bind_private(fd, addr);
	if (err)
		return err;
	if (group != PEER_NO_GROUP && chown(addr->sun_path, (uid_t)-1, group))
		return -errno;
	if (chmod(addr->sun_path, 0660) || listen(fd, BACKLOG))
		return -errno;
	*out = fd_take(&fd);
	return 0;
}

int socket_check(struct arena *a, const char *path, const char **why)
{
	const size_t max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

	if (strlen(path) <= max)
		return 0;
	*why = arena_printf(a, "%s: longer than %zu bytes: give a shorter --run-dir", path, max);
	return -ENAMETOOLONG;
}

int socket_listen(struct arena *a, const char *path, gid_t group, int *fd, const char **why)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int err = socket_check(a, path, why);

	if (err)
		return err;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	err = open_socket(&addr, group, fd);
	if (err)
		*why = arena_printf(a, "%s: %s: check that --run-dir is writable", path,
				    strerror(-err));
	return err;
}
