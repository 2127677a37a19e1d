/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See keep.h. No fsync: after a crash of the host the file speaks of another boot and is not
 * believed; after one of the daemon the page cache has it.
 */
#include "health/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define TICK_MS	       500
#define FILE_BYTES_MAX (64u << 20)
#define BOOT_ID_FILE   "/proc/sys/kernel/random/boot_id"

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The whole new file is there afterwards, or the old one. */
static int replace(const char *path, const char *text, size_t len)
{
	AUTO(fd_close) int fd = -1;
	AUTO(free) char *tmp = NULL;
	int err;

	if (asprintf(&tmp, "%s.new", path) < 0) {
		tmp = NULL;
		return -ENOMEM;
	}
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, len);
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		(void)unlink(tmp);
	return err;
}

static int read_all(int fd, char *to, size_t size, size_t *len)
{
	*len = 0;
	while (*len < size) {
		const ssize_t n = read(fd, to + *len, size - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*len += (size_t)n;
	}
	return -EFBIG;
}

/* A time in the future is no heartbeat: the clock was set. */
static uint64_t age_of(const struct stat *st)
{
	struct timespec now;
	int64_t ms;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	ms = (int64_t)(now.tv_sec - st->st_mtim.tv_sec) * 1000 +
	     (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
	return ms < -TICK_MS ? UINT64_MAX : ms < 0 ? 0 : (uint64_t)ms;
}

static int read_file(const char *path, char **text, size_t *len, uint64_t *age_ms)
{
	AUTO(fd_close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(free) char *buf = NULL;
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return -EFBIG;
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	err = read_all(fd, buf, (size_t)st.st_size + 1, len);
	if (err)
		return err;
	*age_ms = age_of(&st);
	*text = TAKE(buf);
	return 0;
}

static void read_boot_id(char *to)
{
	AUTO(fd_close) int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? 0 : read(fd, to, KEEP_BOOT_MAX - 1);

	to[n > 0 ? n : 0] = '\0';
	to[strcspn(to, "\n")] = '\0';
}

static void report(struct keep *k, int err, const char *what)
{
	if (err && !k->warned)
		log_warn("health: %s: %s: %s: states would not survive a restart", k->path, what,
			 strerror(-err));
	k->warned = err != 0;
}

void keep_save(struct keep *k, enum persist_end end)
{
	struct strbuf text = {0};
	uint64_t now = clock_ms();

	if (!k->path || !k->ready)
		return;
	persist_print(&text, k->boot, k->targets, k->events, end);
	report(k, replace(k->path, text.text, text.len), "write");
	strbuf_done(&text);
	k->unsaved_ms = 0;
	k->beaten_ms = now;
	k->saved_seq = k->events ? event_log_last_seq(k->events) : 0;
}

void keep_begin(struct keep *k)
{
	if (k->ready)
		return;
	k->ready = true;
	keep_save(k, PERSIST_RUNNING);
}

static void beat(struct keep *k, uint64_t now)
{
	if (!k->ready || now - k->beaten_ms < KEEP_BEAT_MS)
		return;
	k->beaten_ms = now;
	if (utimensat(AT_FDCWD, k->path, NULL, AT_SYMLINK_NOFOLLOW))
		keep_changed(k); /* somebody took it away: write it again */
}

static void on_tick(uv_timer_t *timer)
{
	struct keep *k = timer->data;
	const uint64_t now = clock_ms();

	if (k->events && event_log_last_seq(k->events) != k->saved_seq)
		keep_changed(k); /* others add to them, too */
	if (k->unsaved_ms && now >= k->unsaved_ms + KEEP_DELAY_MS)
		keep_save(k, PERSIST_RUNNING);
	else
		beat(k, now);
}

void keep_changed(struct keep *k)
{
	if (!k->unsaved_ms)
		k->unsaved_ms = clock_ms();
}

int keep_init(struct keep *k, uv_loop_t *loop)
{
	int err = uv_timer_init(loop, &k->timer);

	if (err)
		return err;
	k->timer.data = k;
	uv_unref((uv_handle_t *)&k->timer);
	read_boot_id(k->boot);
	return k->path ? uv_timer_start(&k->timer, on_tick, TICK_MS, TICK_MS) : 0;
}

void keep_load(struct keep *k, struct target_table *targets)
{
	AUTO(free) char *text = NULL;
	struct persist_found found;
	size_t len = 0;
	int err;

	if (!k->path)
		return;
	err = read_file(k->path, &text, &len, &k->age_ms);
	if (err) {
		if (err != -ENOENT)
			log_warn("health: %s: read: %s: states start anew", k->path,
				 strerror(-err));
		return;
	}
	found = persist_parse(text, len, k->boot, clock_ms(), targets, k->events);
	k->was_cut = !found.ended;
	if (found.damaged)
		log_warn("health: %s: %zu damaged lines left out", k->path, found.damaged);
	if (found.is_other_boot)
		log_info("health: %s: of another boot: states start anew", k->path);
	else if (k->age_ms == UINT64_MAX)
		log_info("health: %s: %zu endpoints, %zu events, of a time to come: the clock was "
			 "set, the first results decide",
			 k->path, found.targets, found.events);
	else
		log_info("health: %s: %zu endpoints, %zu events, %" PRIu64 " ms old", k->path,
			 found.targets, found.events, k->age_ms);
}

bool keep_is_stale(const struct keep *k, uint64_t interval_ms)
{
	const uint64_t least = 3 * interval_ms;

	return k->age_ms > (least > KEEP_FRESH_MS ? least : KEEP_FRESH_MS);
}
