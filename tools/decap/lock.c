/* SPDX-License-Identifier: BSD-2-Clause */
/* A bpffs holds no files, so the directory itself is locked; it ends with the process. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/cleanup.h"
#include "decap/decap.h"

int lock_directory(const char *bpffs, int *fd, struct why why)
{
	AUTO(fd_close) int dir = open(bpffs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (dir < 0)
		return errno == ENOENT ? 0 : why_set(why, -errno, "%s: %s", bpffs, strerror(errno));
	if (flock(dir, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
		return why_set(why, err, "%s: %s", bpffs,
			       err == -EBUSY ? "another spillway-decap has its pins here: stop it "
					       "first, or give another --bpffs"
					     : strerror(-err));
	}
	*fd = fd_take(&dir);
	return 0;
}
