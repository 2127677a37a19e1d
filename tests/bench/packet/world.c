/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router with a fixed neighbour entry stands for everybody: the kernel's route lookup is the real
 * one, and no packet asks for an address to be resolved.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"

#define PORT WORLD_INTERFACE

const uint8_t world_mac[6] = {2, 0, 0, 0, 1, 1};
const uint8_t world_router_mac[6] = {2, 0, 0, 0, 1, 254};

static const char topology[] =
	"link set lo up\n"
	"link add " PORT " type veth peer name peer\n"
	"link set " PORT " address 02:00:00:00:01:01 up\n"
	"link set peer up\n"
	"addr add 10.2.0.1/24 dev " PORT "\n"
	"addr add 10.2.0.2/24 dev " PORT "\n"
	"addr add fd00:1::1/64 dev " PORT " nodad\n"
	"addr add fd00:1::2/64 dev " PORT " nodad\n"
	"neigh add 10.2.0.254 lladdr 02:00:00:00:01:fe dev " PORT " nud permanent\n"
	"neigh add fd00:1::fe lladdr 02:00:00:00:01:fe dev " PORT " nud permanent\n"
	"route add 10.0.0.0/16 via 10.2.0.254\n"
	"route add fd00:2::/64 via fd00:1::fe dev " PORT "\n";

/* The kernel notices links coming up late, up to a second, and its routes change with that. */
static int await_link(const char *name)
{
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = -ETIMEDOUT;

	if (fd < 0)
		return -errno;
	strncpy(r.ifr_name, name, sizeof(r.ifr_name) - 1);
	for (int i = 0; i < 500 && err; i++) {
		if (!ioctl(fd, SIOCGIFFLAGS, &r) && (r.ifr_flags & IFF_RUNNING))
			err = 0;
		else
			usleep(10000);
	}
	close(fd);
	return err;
}

int world_open(void)
{
	FILE *ip;

	if (unshare(CLONE_NEWNET))
		return -errno;
	ip = popen("ip -batch -", "w");
	if (!ip)
		return -errno;
	fputs(topology, ip);
	/* Redirects into a veth need it at the other end; the daemon would warn. */
	if (pclose(ip) || system("ethtool -K peer gro on"))
		return -EIO;
	return await_link(PORT);
}

int world_ifindex(void)
{
	return (int)if_nametoindex(PORT);
}

static struct spw_addr v4(const char *base, uint32_t n)
{
	return addr_from_v4(htonl(ntohl(inet_addr(base)) + n));
}

static struct spw_addr v6(const char *base, uint32_t n)
{
	struct spw_addr a = {0};

	(void)addr_parse(base, &a);
	a.w[3] = htonl(n);
	return a;
}

struct spw_addr world_client(int family, uint32_t n)
{
	/* What is odd between them is nobody's: there lists have networks. */
	return family == 4 ? v4("198.18.0.0", 2 * n) : v6("2001:db8:c::", 2 * n);
}

struct spw_addr world_endpoint(int family, uint32_t n)
{
	return family == 4 ? v4("10.0.0.1", n) : v6("fd00:2::", n + 1);
}

struct spw_addr world_vip(int family, uint32_t n)
{
	return family == 4 ? v4("10.255.0.0", n) : v6("fd00:3::", n + 1);
}

struct spw_addr world_source(int family, uint32_t n)
{
	return family == 4 ? v4("10.2.0.1", n) : v6("fd00:1::", n + 1);
}

struct spw_addr world_foreign(int family, uint32_t n)
{
	return family == 4 ? v4("203.0.113.0", n & 0xff) : v6("2001:db8:f::", n & 0xff);
}
