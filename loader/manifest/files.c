/* SPDX-License-Identifier: BSD-2-Clause */
/* Files, directories and standard input as kubectl takes them after `-f`. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "manifest/manifest.h"

#define PIPE_LOOK_MS 100
#define PIPE_WAIT_MS 5000

struct names {
	const char **items; /* in the arena */
	size_t count;
};

_Static_assert(LIMIT_MANIFEST_BYTES == 64u << 20 && LIMIT_MANIFEST_FILES == 10000,
	       "the texts below say so");

static const char *reason(int error)
{
	switch (error) {
	case EFBIG:
		return "it is larger than 64 MiB: split it";
	case E2BIG:
		return "it holds more than 10000 manifests: name parts of it";
	case ETIMEDOUT:
		return "it is a pipe that nobody writes to";
	default:
		return strerror(error);
	}
}

static int cannot_read(struct diags *d, const char *path, int error)
{
	if (error == ENOENT)
		diag_add(d, (struct loc){0}, "error: the path \"%s\" does not exist", path);
	else
		diag_add(d, (struct loc){0}, "error: the path \"%s\" cannot be read: %s", path,
			 reason(error));
	return -error;
}

/*
 * A named pipe reads as ended before its first writer has come, but does not hang up. Files are opened
 * without blocking, so that one that nobody writes to is told.
 */
static bool is_unwritten_pipe(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && poll(&p, 1, PIPE_LOOK_MS) == 0;
}

static int await_data(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int read_all(int fd, struct strbuf *out)
{
	char chunk[65536];
	int waited_ms = 0, err;
	ssize_t n;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		err = n < 0 && errno == EAGAIN ? await_data(fd) : n < 0 ? -errno : 0;
		if (err)
			return err;
		if (n < 0)
			continue;
		if (n == 0 && (out->len || !is_unwritten_pipe(fd)))
			return 0;
		if (n == 0 && (waited_ms += PIPE_LOOK_MS) >= PIPE_WAIT_MS)
			return -ETIMEDOUT;
		if (out->len + (size_t)n > LIMIT_MANIFEST_BYTES)
			return -EFBIG;
		strbuf_add(out, chunk, (size_t)n);
	}
}

static int read_fd(struct arena *a, struct diags *d, const char *name, int fd,
		   const struct manifest_options *opts, struct resources *out)
{
	struct strbuf text = {0};
	int ret = read_all(fd, &text);

	if (ret < 0)
		ret = cannot_read(d, name, -ret);
	else
		ret = manifest_read_text(a, d, name, text.text ? text.text : "", text.len, opts,
					 out);
	strbuf_done(&text);
	return ret;
}

static int read_file(struct arena *a, struct diags *d, const char *path,
		     const struct manifest_options *opts, struct resources *out)
{
	AUTO(fd_close) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return cannot_read(d, path, errno);
	return read_fd(a, d, path, fd, opts, out);
}

static bool is_manifest(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot &&
	       (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The entries of a directory in byte order, without those that start with "..". */
static int list_entries(struct arena *a, const char *path, struct names *out)
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			*arena_push(a, out->items, out->count) = arena_strdup(a, entry->d_name);
	}
	closedir(dir);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_name);
	return 0;
}

/* Appends the manifests of a directory to *files. Links to directories are not followed. */
static int find_manifests(struct arena *a, const char *path, bool recursive, struct names *files)
{
	struct names entries = {0};
	struct stat st;
	const char *full;
	int ret = list_entries(a, path, &entries);

	for (size_t i = 0; ret == 0 && i < entries.count; i++) {
		full = arena_printf(a, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
				    entries.items[i]);
		if (lstat(full, &st) == 0 && S_ISDIR(st.st_mode)) {
			if (recursive)
				ret = find_manifests(a, full, true, files);
		} else if (is_manifest(entries.items[i])) {
			if (files->count >= LIMIT_MANIFEST_FILES)
				return -E2BIG;
			*arena_push(a, files->items, files->count) = full;
		}
	}
	return ret;
}

static int read_directory(struct arena *a, struct diags *d, const char *path,
			  const struct manifest_options *opts, struct resources *out)
{
	struct names files = {0};
	int ret = find_manifests(a, path, opts && opts->recursive, &files), one;

	if (ret < 0)
		return cannot_read(d, path, -ret);
	if (files.count == 0)
		diag_add(
			d, (struct loc){.file = arena_strdup(a, path)},
			"error: error reading [%s]: recognized file extensions are [.json .yaml .yml]",
			path);
	for (size_t i = 0; i < files.count; i++) {
		one = read_file(a, d, files.items[i], opts, out);
		if (one < 0)
			ret = one;
		if (out->count + out->refused_count <= LIMIT_RESOURCES)
			continue;
		diag_add(d, (struct loc){.file = arena_strdup(a, path)},
			 "error: more than %d resources: name parts of the directory",
			 LIMIT_RESOURCES);
		return -E2BIG;
	}
	return ret;
}

int manifest_read_path(struct arena *a, struct diags *d, const char *path,
		       const struct manifest_options *opts, struct resources *out)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return read_fd(a, d, "STDIN", STDIN_FILENO, opts, out);
	if (!*path || stat(path, &st) < 0)
		return cannot_read(d, path, *path ? errno : ENOENT);
	if (S_ISDIR(st.st_mode))
		return read_directory(a, d, path, opts, out);
	return read_file(a, d, path, opts, out);
}
