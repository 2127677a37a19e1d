/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debian mounts /sys/fs/bpf by systemd; containers and small systems do not. A mount of ours is
 * noted in the journal and leaves at detach when it is empty.
 */
#include "dataplane/bpffs.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"

#define SYS_BPF "/sys/fs/bpf"

static const char *const parts[] = {"links", "progs", "maps"};

static bool on_bpffs(const char *dir)
{
	struct statfs fs;

	return !statfs(dir, &fs) && (unsigned long)fs.f_type == BPF_FS_MAGIC;
}

/* Makes `dir` with its parents. */
static int make_dirs(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (char *p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST && errno != EROFS && errno != EPERM)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int mount_at(const char *point, struct journal *j, struct why why)
{
	int err = journal_note(j, CHANGE_MOUNT, point, NULL, NULL);

	if (err)
		return why_set(why, err, "%s: cannot be written (%s)", j->path, strerror(-err));
	if (mount("bpf", point, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		err = -errno;
		return why_set(why, err,
			       "%s: no bpffs is mounted there and mounting one failed (%s): run "
			       "`mount -t bpf bpf %s`, or name a directory on a bpffs with --bpffs",
			       point, strerror(-err), point);
	}
	log_info("bpffs: %s: mounted", point);
	return 0;
}

static int prepare_mount(const char *dir, struct journal *j, struct why why)
{
	size_t len = strlen(SYS_BPF);
	bool below = !strncmp(dir, SYS_BPF, len) && (dir[len] == '/' || !dir[len]);
	int err;

	if (below && !on_bpffs(SYS_BPF)) {
		err = mount_at(SYS_BPF, j, why);
		if (err)
			return err;
	}
	err = make_dirs(dir);
	if (err)
		return why_set(why, err, "%s: cannot be made (%s)", dir, strerror(-err));
	return on_bpffs(dir) ? 0 : mount_at(dir, j, why);
}

int bpffs_prepare(const char *dir, struct journal *j, struct why why)
{
	int err = prepare_mount(dir, j, why);
	char path[PATH_MAX];

	if (err)
		return err;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", dir, parts[i]) >= (int)sizeof(path))
			return why_set(why, -ENAMETOOLONG, "%s: the path is too long", dir);
		if (mkdir(path, 0700) && errno != EEXIST) {
			err = -errno;
			return why_set(why, err, "%s: cannot be made (%s)", path, strerror(-err));
		}
	}
	return 0;
}

bool bpffs_exists(const char *dir)
{
	return on_bpffs(dir);
}

/* Unlinks all pins in `dir`, then removes it. */
static int empty_dir(const char *dir)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	int err = 0;

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) && errno != ENOENT)
			err = -errno;
	}
	(void)closedir(d);
	if (rmdir(dir) && errno != ENOENT && !err)
		err = -errno;
	return err;
}

int bpffs_remove(const char *dir)
{
	char path[PATH_MAX];
	int err = 0, one;

	if (!on_bpffs(dir))
		return 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, parts[i]);
		one = empty_dir(path);
		if (one)
			err = one;
	}
	/* A mount point of its own is busy, one with others' pins not empty: both stay. */
	(void)rmdir(dir);
	return err;
}

static bool is_empty(const char *dir)
{
	const struct dirent *e;
	DIR *d = opendir(dir);
	bool empty = true;

	if (!d)
		return false;
	/* maps.debug and progs.debug are the kernel's own. */
	while ((e = readdir(d)))
		empty = empty && (e->d_name[0] == '.' || strstr(e->d_name, ".debug"));
	(void)closedir(d);
	return empty;
}

void bpffs_unmount(const struct journal *j)
{
	for (size_t i = 0; i < j->count; i++) {
		const char *point = j->items[i].name;

		if (j->items[i].kind != CHANGE_MOUNT || !on_bpffs(point))
			continue;
		if (!is_empty(point))
			log_warn("bpffs: %s: has pins of others: stays mounted", point);
		else if (umount(point))
			log_warn("bpffs: %s: cannot be unmounted: %s", point, strerror(errno));
	}
}
