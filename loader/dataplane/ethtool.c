/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By ioctl: the netlink family of the same name has features since Linux 5.7 too, as bit sets with
 * names, which is much text for one bit.
 */
#include "dataplane/ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"

static int call(const char *interface, void *command)
{
	AUTO(fd_close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = {.ifr_data = command};

	if (fd < 0)
		return -errno;
	if (strlen(interface) >= sizeof(r.ifr_name))
		return -ENODEV;
	(void)strcpy(r.ifr_name, interface);
	return ioctl(fd, SIOCETHTOOL, &r) ? -errno : 0;
}

int ethtool_flags_get(const char *interface, uint32_t *flags)
{
	struct ethtool_value v = {.cmd = ETHTOOL_GFLAGS};
	int err = call(interface, &v);

	if (!err)
		*flags = v.data;
	return err;
}

int ethtool_flags_set(const char *interface, uint32_t flags)
{
	struct ethtool_value v = {.cmd = ETHTOOL_SFLAGS, .data = flags};

	return call(interface, &v);
}

int ethtool_gro_get(const char *interface, bool *on)
{
	struct ethtool_value v = {.cmd = ETHTOOL_GGRO};
	int err = call(interface, &v);

	if (!err)
		*on = v.data;
	return err;
}

int ethtool_gro_set(const char *interface, bool on)
{
	struct ethtool_value v = {.cmd = ETHTOOL_SGRO, .data = on};

	return call(interface, &v);
}

int ethtool_driver(const char *interface, char *driver, size_t size)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	int err = call(interface, &info);

	if (!err)
		(void)snprintf(driver, size, "%.*s", (int)sizeof(info.driver), info.driver);
	return err;
}
