/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line is "sysctl NAME OLD NEW" or "mount DIR", appended with one write(). The run directory is
 * gone after a reboot, and so are the changes.
 */
#include "dataplane/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define JOURNAL_BYTES (1u << 20)

static void change_done(struct change *c)
{
	free(c->name);
	free(c->from);
	free(c->to);
}

static const struct change *find(const struct journal *j, enum change_kind kind, const char *name)
{
	for (size_t i = 0; i < j->count; i++) {
		if (j->items[i].kind == kind && !strcmp(j->items[i].name, name))
			return &j->items[i];
	}
	return NULL;
}

static int add(struct journal *j, enum change_kind kind, const char *name, const char *from,
	       const char *to)
{
	struct change c = {.kind = kind, .name = strdup(name)}, *items;

	if (from)
		c.from = strdup(from);
	if (to)
		c.to = strdup(to);
	items = realloc(j->items, (j->count + 1) * sizeof(*items));
	if (items)
		j->items = items;
	if (!items || !c.name || (from && !c.from) || (to && !c.to)) {
		change_done(&c);
		return -ENOMEM;
	}
	items[j->count++] = c;
	return 0;
}

static int parse_line(struct journal *j, char *line)
{
	char *save = NULL, *kind = strtok_r(line, " ", &save), *name, *from, *to;

	if (kind && !strcmp(kind, "mount") && *save && !find(j, CHANGE_MOUNT, save))
		return add(j, CHANGE_MOUNT, save, NULL, NULL);
	if (!kind || strcmp(kind, "sysctl"))
		return 0;
	name = strtok_r(NULL, " ", &save);
	from = strtok_r(NULL, " ", &save);
	to = strtok_r(NULL, " ", &save);
	if (!to || strtok_r(NULL, " ", &save) || strstr(name, "..") || name[0] == '/' ||
	    find(j, CHANGE_SYSCTL, name))
		return 0;
	return add(j, CHANGE_SYSCTL, name, from, to);
}

int journal_parse(struct journal *j, const char *text)
{
	AUTO(free) char *copy = strdup(text);
	char *save = NULL;
	int err;

	if (!copy)
		return -ENOMEM;
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		err = parse_line(j, l);
		if (err)
			return err;
	}
	return 0;
}

int journal_open(struct journal *j, const char *run_dir)
{
	AUTO(free) char *text = NULL;
	AUTO(fd_close) int fd = -1;
	ssize_t len;

	if (asprintf(&j->path, "%s/host-changes", run_dir) < 0) {
		j->path = NULL;
		return -ENOMEM;
	}
	fd = open(j->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	text = calloc(1, JOURNAL_BYTES + 1);
	if (!text)
		return -ENOMEM;
	len = read(fd, text, JOURNAL_BYTES);
	return len < 0 ? -errno : journal_parse(j, text);
}

void journal_done(struct journal *j)
{
	for (size_t i = 0; i < j->count; i++)
		change_done(&j->items[i]);
	free(j->items);
	free(j->path);
	*j = (struct journal){0};
}

int journal_note(struct journal *j, enum change_kind kind, const char *name, const char *from,
		 const char *to)
{
	AUTO(fd_close) int fd = -1;
	char line[PATH_MAX + 64];
	int len;

	if (find(j, kind, name))
		return 0;
	if (kind == CHANGE_SYSCTL)
		len = snprintf(line, sizeof(line), "sysctl %s %s %s\n", name, from, to);
	else
		len = snprintf(line, sizeof(line), "mount %s\n", name);
	if (len >= (int)sizeof(line))
		return -ENAMETOOLONG;
	fd = open(j->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, line, (size_t)len) != len)
		return -EIO;
	return add(j, kind, name, from, to);
}

int journal_clear(struct journal *j)
{
	for (size_t i = 0; i < j->count; i++)
		change_done(&j->items[i]);
	free(j->items);
	j->items = NULL;
	j->count = 0;
	return unlink(j->path) && errno != ENOENT ? -errno : 0;
}
