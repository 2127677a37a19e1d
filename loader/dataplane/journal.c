/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line is "sysctl NAME OLD NEW", "rx-vlan-offload INTERFACE OLD NEW", likewise
 * "generic-receive-offload" and "clsact", or "mount DIR", appended with one write(). The run directory is gone after a reboot, and so are the changes.
 */
#include "dataplane/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define JOURNAL_BYTES (1u << 20)
#define LINE_BYTES    (PATH_MAX + 64)

static const char *const words[] = {
	[CHANGE_SYSCTL] = "sysctl",	      [CHANGE_MOUNT] = "mount",
	[CHANGE_RX_VLAN] = "rx-vlan-offload", [CHANGE_GRO] = "generic-receive-offload",
	[CHANGE_CLSACT] = "clsact",
};

static void change_done(struct change *c)
{
	free(c->name);
	free(c->from);
	free(c->to);
}

const struct change *journal_find(const struct journal *j, enum change_kind kind, const char *name)
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

static bool is_name(enum change_kind kind, const char *name)
{
	if (kind == CHANGE_RX_VLAN || kind == CHANGE_GRO || kind == CHANGE_CLSACT)
		return strlen(name) < IFNAMSIZ && !strchr(name, '/');
	return !strstr(name, "..") && name[0] != '/';
}

static int parse_values(struct journal *j, enum change_kind kind, char *save)
{
	const char *name = strtok_r(NULL, " ", &save), *from = strtok_r(NULL, " ", &save);
	const char *to = strtok_r(NULL, " ", &save);

	if (!to || strtok_r(NULL, " ", &save) || !is_name(kind, name) ||
	    journal_find(j, kind, name))
		return 0;
	return add(j, kind, name, from, to);
}

static int parse_line(struct journal *j, char *line)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);

	if (!word)
		return 0;
	if (!strcmp(word, words[CHANGE_MOUNT]))
		return *save && !journal_find(j, CHANGE_MOUNT, save)
			       ? add(j, CHANGE_MOUNT, save, NULL, NULL)
			       : 0;
	if (!strcmp(word, words[CHANGE_SYSCTL]))
		return parse_values(j, CHANGE_SYSCTL, save);
	if (!strcmp(word, words[CHANGE_RX_VLAN]))
		return parse_values(j, CHANGE_RX_VLAN, save);
	if (!strcmp(word, words[CHANGE_GRO]))
		return parse_values(j, CHANGE_GRO, save);
	if (!strcmp(word, words[CHANGE_CLSACT]))
		return parse_values(j, CHANGE_CLSACT, save);
	return 0;
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

/* Its length; -ENAMETOOLONG when it does not fit. */
static int print_line(char line[LINE_BYTES], const struct change *c)
{
	int len;

	if (c->from)
		len = snprintf(line, LINE_BYTES, "%s %s %s %s\n", words[c->kind], c->name, c->from,
			       c->to);
	else
		len = snprintf(line, LINE_BYTES, "%s %s\n", words[c->kind], c->name);
	return len >= LINE_BYTES ? -ENAMETOOLONG : len;
}

static int write_line(int fd, const struct change *c)
{
	char line[LINE_BYTES];
	int len = print_line(line, c);

	if (len < 0)
		return len;
	return write(fd, line, (size_t)len) == len ? 0 : -EIO;
}

int journal_note(struct journal *j, enum change_kind kind, const char *name, const char *from,
		 const char *to)
{
	const struct change c = {kind, (char *)name, (char *)from, (char *)to};
	AUTO(fd_close) int fd = -1;
	int err;

	if (journal_find(j, kind, name))
		return 0;
	fd = open(j->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	err = write_line(fd, &c);
	return err ? err : add(j, kind, name, from, to);
}

/* All entries but one, in a new file that takes the old one's place. */
static int write_without(const struct journal *j, const struct change *gone)
{
	AUTO(free) char *path = NULL;
	AUTO(fd_close) int fd = -1;
	int err = 0;

	if (asprintf(&path, "%s.new", j->path) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < j->count && !err; i++) {
		if (&j->items[i] != gone)
			err = write_line(fd, &j->items[i]);
	}
	if (!err && rename(path, j->path))
		err = -errno;
	if (err)
		(void)unlink(path);
	return err;
}

int journal_forget(struct journal *j, enum change_kind kind, const char *name)
{
	const struct change *found = journal_find(j, kind, name);
	size_t at = found ? (size_t)(found - j->items) : 0;
	int err = found ? write_without(j, found) : 0;

	if (err || !found)
		return err;
	change_done(&j->items[at]);
	j->count--;
	memmove(&j->items[at], &j->items[at + 1], (j->count - at) * sizeof(*j->items));
	return 0;
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
