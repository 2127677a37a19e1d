/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory that HAProxy reads from: it belongs to HAProxy's user and is closed to all others, since
 * keys are in it. Everything is written beside its place and moved there whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/strbuf.h"
#include "handoff/state.h"

/* Beside the directory, not in it: HAProxy's user may not say whom the daemon is to end. */
#define PROCESSES "%s.processes"

/* Debian's package makes the first one. */
static const struct passwd *find_user(void)
{
	const struct passwd *p = getpwnam("haproxy");

	return p ? p : getpwnam("nobody");
}

static int own(const struct handoff *h, int fd, mode_t mode)
{
	if (fchmod(fd, mode))
		return -errno;
	if (geteuid() == 0 && fchown(fd, h->uid, h->gid))
		return -errno;
	return 0;
}

int files_prepare(struct handoff *h, const char *run_dir)
{
	const struct passwd *user = geteuid() == 0 ? find_user() : NULL;
	AUTO(fd_close) int fd = -1;
	int err;

	h->uid = user ? user->pw_uid : geteuid();
	h->gid = user ? user->pw_gid : getegid();
	if (asprintf(&h->dir, "%s/proxy", run_dir) < 0)
		return -ENOMEM;
	if (mkdir(h->dir, 0700) && errno != EEXIST)
		return -errno;
	fd = open(h->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	err = fd < 0 ? -errno : own(h, fd, 0700);
	if (!err && reach_path(h, h->dir, X_OK)) {
		log_error("proxy: %s: HAProxy's user may not search the directories above it: let "
			  "others search them (chmod o+x), or choose another --run-dir",
			  h->dir);
		err = -EACCES;
	}
	return err;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int files_write(const struct handoff *h, const char *path, const char *text)
{
	AUTO(fd_close) int fd = -1;
	char next[PATH_MAX];
	int err;

	(void)snprintf(next, sizeof(next), "%s.next", path);
	(void)unlink(next);
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, strlen(text));
	if (!err)
		err = own(h, fd, 0600);
	if (!err && rename(next, path))
		err = -errno;
	if (err)
		(void)unlink(next);
	return err;
}

/* Their names are their contents: one that is there is as it should be. */
int files_write_pems(const struct handoff *h)
{
	for (size_t i = 0; i < h->file_count; i++) {
		int err;

		if (access(h->files[i].path, F_OK) == 0)
			continue;
		err = files_write(h, h->files[i].path, h->files[i].pem);
		if (err)
			return err;
	}
	return 0;
}

static bool is_needed(const struct handoff *h, const char *name, uint64_t number)
{
	unsigned long long of;

	if (sscanf(name, "admin-%llu.sock", &of) == 1 || sscanf(name, "haproxy-%llu.cfg", &of) == 1)
		return of >= number;
	if (strncmp(name, "ca-", 3) != 0 && strncmp(name, "cert-", 5) != 0 &&
	    strncmp(name, "list-", 5) != 0)
		return true;
	for (size_t i = 0; i < h->file_count; i++) {
		if (strcmp(strrchr(h->files[i].path, '/') + 1, name) == 0)
			return true;
	}
	for (size_t i = 0; i < h->live_count; i++) {
		const struct server *s = &h->entries[h->live[i]]->have;

		if (s->number && strstr(s->params, name))
			return true;
	}
	return false;
}

void files_sweep(const struct handoff *h, uint64_t number)
{
	DIR *dir = opendir(h->dir);
	const struct dirent *d;

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] != '.' && !is_needed(h, d->d_name, number))
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
}

/* A number may be another process's by now; the time of its start is not. 0: there is none. */
static unsigned long long start_time(pid_t pid)
{
	unsigned long long t = 0;
	char path[64], text[1024];
	const char *p;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	p = strrchr(text, ')'); /* the name in front may hold anything */
	if (p && p[1] && p[2] == 'Z')
		return 0; /* it has ended */
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		(void)sscanf(p, "%llu", &t);
	return t;
}

void files_note_process(const struct handoff *h, pid_t pid)
{
	char path[PATH_MAX], line[64];
	AUTO(fd_close) int fd = -1;

	(void)snprintf(path, sizeof(path), PROCESSES, h->dir);
	(void)snprintf(line, sizeof(line), "%d %llu\n", (int)pid, start_time(pid));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_all(fd, line, strlen(line)))
		log_warn("proxy: %s: %s: a later daemon will not find process %d", path,
			 strerror(errno), (int)pid);
}

void files_each_process(const char *dir, files_process_fn *fn, void *ctx)
{
	unsigned long long t;
	char path[PATH_MAX];
	FILE *f;
	int pid;

	(void)snprintf(path, sizeof(path), PROCESSES, dir);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d %llu", &pid, &t) == 2) {
		if (pid > 1 && t && start_time(pid) == t)
			fn(ctx, pid);
	}
	if (f)
		(void)fclose(f);
}

static void note_alive(void *ctx, pid_t pid)
{
	strbuf_printf(ctx, "%d %llu\n", (int)pid, start_time(pid));
}

void files_forget_ended(const struct handoff *h)
{
	struct strbuf alive = {0};
	AUTO(fd_close) int fd = -1;
	char path[PATH_MAX], next[PATH_MAX];

	files_each_process(h->dir, note_alive, &alive);
	(void)snprintf(path, sizeof(path), PROCESSES, h->dir);
	(void)snprintf(next, sizeof(next), PROCESSES ".next", h->dir);
	fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_all(fd, alive.text ? alive.text : "", alive.len) || rename(next, path))
		log_warn("proxy: %s: %s", path, strerror(errno));
	strbuf_done(&alive);
}

void files_remove(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *d;
	char processes[PATH_MAX];

	(void)snprintf(processes, sizeof(processes), PROCESSES, path);
	(void)unlink(processes);
	if (!dir)
		return;
	while ((d = readdir(dir))) {
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
	(void)closedir(dir);
	(void)rmdir(path);
}
