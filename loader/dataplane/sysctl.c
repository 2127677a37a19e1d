/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Switching IPv6 forwarding on makes the kernel forget the routes of router advertisements on all
 * interfaces whose accept_ra is not 2, whichever interface it was switched on for. So accept_ra is
 * 2 on the attached interface from before the switch on (else it would take no more of them), and
 * on the others for the moment of the switch.
 */
#include "dataplane/sysctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"

#define IPV6_CONF   "/proc/sys/net/ipv6/conf"
#define SYSCTL_NAME 128

static int open_sysctl(const char *name, int flags)
{
	char path[SYSCTL_NAME + 16];
	int fd;

	if (snprintf(path, sizeof(path), "/proc/sys/%s", name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int sysctl_read(const char *name, char *buf, size_t size)
{
	AUTO(fd_close) int fd = open_sysctl(name, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, buf, size - 1);
	if (len < 0)
		return -errno;
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

int sysctl_write(const char *name, const char *value)
{
	AUTO(fd_close) int fd = open_sysctl(name, O_WRONLY);

	if (fd < 0)
		return fd;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

int sysctl_want(struct journal *j, const char *name, const char *value)
{
	char now[64];
	int err = sysctl_read(name, now, sizeof(now));

	if (err || !strcmp(now, value))
		return err;
	err = journal_note(j, CHANGE_SYSCTL, name, now, value);
	if (!err)
		err = sysctl_write(name, value);
	if (err)
		return err;
	log_info("sysctl: %s: %s -> %s", name, now, value);
	return 1;
}

/* accept_ra of every interface that has `from` becomes `to`. */
static void change_accept_ra(const char *from, const char *to, char changed[][SYSCTL_NAME],
			     size_t *count, size_t room)
{
	DIR *dir = opendir(IPV6_CONF);
	const struct dirent *e;
	char now[16];

	if (!dir)
		return;
	while ((e = readdir(dir)) && *count < room) {
		if (e->d_name[0] == '.' || !strcmp(e->d_name, "all") ||
		    !strcmp(e->d_name, "default"))
			continue;
		(void)snprintf(changed[*count], SYSCTL_NAME, "net/ipv6/conf/%.64s/accept_ra",
			       e->d_name);
		if (!sysctl_read(changed[*count], now, sizeof(now)) && !strcmp(now, from) &&
		    !sysctl_write(changed[*count], to))
			(*count)++;
	}
	(void)closedir(dir);
}

static int forward_v6(struct journal *j, const char *interface)
{
	char accept_ra[SYSCTL_NAME], forwarding[SYSCTL_NAME], now[16], held[256][SYSCTL_NAME];
	size_t count = 0;
	int err;

	(void)snprintf(accept_ra, SYSCTL_NAME, "net/ipv6/conf/%s/accept_ra", interface);
	(void)snprintf(forwarding, SYSCTL_NAME, "net/ipv6/conf/%s/forwarding", interface);
	err = sysctl_read(forwarding, now, sizeof(now));
	if (err || !strcmp(now, "1"))
		return err;
	if (!sysctl_read(accept_ra, now, sizeof(now)) && !strcmp(now, "1")) {
		err = sysctl_want(j, accept_ra, "2");
		if (err < 0)
			return err;
	}
	change_accept_ra("1", "2", held, &count, 256);
	err = sysctl_want(j, forwarding, "1");
	for (size_t i = 0; i < count; i++)
		(void)sysctl_write(held[i], "1");
	return err;
}

int sysctl_forwarding(struct journal *j, const char *interface)
{
	char name[SYSCTL_NAME];
	int err;

	(void)snprintf(name, sizeof(name), "net/ipv4/conf/%s/forwarding", interface);
	err = sysctl_want(j, name, "1");
	if (err < 0 && err != -ENOENT)
		return err;
	err = forward_v6(j, interface);
	return err < 0 && err != -ENOENT ? err : 0;
}

void sysctl_undo(const struct journal *j)
{
	char now[64];

	for (size_t i = j->count; i-- > 0;) {
		const struct change *c = &j->items[i];

		if (c->kind != CHANGE_SYSCTL || sysctl_read(c->name, now, sizeof(now)))
			continue;
		if (strcmp(now, c->to)) {
			log_warn("sysctl: %s: is %s, not our %s any more: left alone", c->name, now,
				 c->to);
			continue;
		}
		if (sysctl_write(c->name, c->from))
			log_warn("sysctl: %s: cannot be set back to %s", c->name, c->from);
	}
}
