/* SPDX-License-Identifier: BSD-2-Clause */
/* flock() ends with the process, whatever ends it; the pid in the file is for messages only. */
#include "control/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define PATIENCE_MS 1000
#define TRIES	    50

static int make_dirs(struct arena *a, const char *dir, mode_t mode)
{
	char *path = arena_strdup(a, dir);

	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(path, mode) && errno != EEXIST)
		return -errno;
	return 0;
}

static const char *holder(struct arena *a, int fd)
{
	char text[24] = "";
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return "unknown";
	text[strcspn(text, "\n")] = '\0';
	return arena_strdup(a, text);
}

static int write_pid(struct arena *a, int fd)
{
	const char *text = arena_printf(a, "%ld\n", (long)getpid());
	size_t len = strlen(text);

	if (ftruncate(fd, 0) || pwrite(fd, text, len, 0) != (ssize_t)len)
		return -errno;
	return 0;
}

static int open_locked(struct arena *a, const char *path, int *out, const char **why)
{
	AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (err == -EBUSY)
		*why = arena_printf(a, "%s: another spillwayd runs here, pid %s: stop it first",
				    path, holder(a, fd));
	if (!err)
		err = write_pid(a, fd);
	if (err)
		return err;
	*out = fd_take(&fd);
	return 0;
}

int lock_take(struct arena *a, const char *dir, unsigned int mode, const char *flag, int *fd,
	      const char **why)
{
	const char *path = arena_printf(a, "%s/spillwayd.pid", dir);
	int err = make_dirs(a, dir, mode);

	*why = NULL;
	if (!err)
		err = open_locked(a, path, fd, why);
	if (err && !*why)
		*why = arena_printf(a, "%s: %s: give a %s that can be made and written", path,
				    strerror(-err), flag);
	return err;
}

static bool is_held(int fd, const char *dir)
{
	struct stat held, now;

	return fd >= 0 && fstat(fd, &held) == 0 && stat(dir, &now) == 0 &&
	       held.st_dev == now.st_dev && held.st_ino == now.st_ino;
}

int lock_pins(struct arena *a, const char *dir, int *fd, const char **why)
{
	AUTO(fd_close) int next = -1;

	if (is_held(*fd, dir))
		return 0;
	next = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (next < 0 && errno == ENOENT)
		return 0;
	if (next < 0 || flock(next, LOCK_EX | LOCK_NB)) {
		const int err = errno;

		*why = arena_printf(a, "%s: %s", dir,
				    err == EWOULDBLOCK
					    ? "another spillwayd has its pins here: stop "
					      "it first, or give another --bpffs"
					    : strerror(err));
		return err == EWOULDBLOCK ? -EBUSY : -err;
	}
	fd_close(*fd);
	*fd = fd_take(&next);
	return 0;
}

int lock_pins_patiently(struct arena *a, const char *dir, int *fd, const char **why)
{
	const struct timespec pause = {.tv_nsec = PATIENCE_MS * 1000000L / TRIES};
	int err = lock_pins(a, dir, fd, why);

	for (int i = 0; err == -EBUSY && i < TRIES; i++) {
		(void)nanosleep(&pause, NULL);
		err = lock_pins(a, dir, fd, why);
	}
	return err;
}
