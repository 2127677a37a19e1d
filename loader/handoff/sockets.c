/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses are 192.0.0.8 (RFC 7600, a source of ICMP only) and one of 100::/64 (RFC 6666, for
 * discarding): with IP_FREEBIND a socket may be bound to what is not here. The ports do not matter.
 */
#include "handoff/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define BACKLOG 65535 /* the kernel takes net.core.somaxconn when that is less */

static int open_v4(int *out)
{
	AUTO(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(0xc0000008),
	};
	const int on = 1;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG))
		return -errno;
	*out = fd_take(&fd);
	return 0;
}

static int open_v6(int *out)
{
	AUTO(fd_close) int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_in6 at = {
		.sin6_family = AF_INET6,
		.sin6_addr.s6_addr = {0x01, [15] = 0x08},
	};
	const int on = 1;

	if (fd < 0)
		return errno == EAFNOSUPPORT ? 0 : -errno;
	if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)))
		return -errno;
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		return errno == EADDRNOTAVAIL ? 0 : -errno; /* switched off */
	if (listen(fd, BACKLOG))
		return -errno;
	*out = fd_take(&fd);
	return 0;
}

int sockets_open(struct socket_pair **pairs, size_t *count, size_t wanted)
{
	struct socket_pair *p = realloc(*pairs, wanted * sizeof(*p));
	size_t n = *count;
	int err = 0;

	if (!p)
		return -ENOMEM;
	*pairs = p;
	for (; n < wanted && !err; n++) {
		p[n] = (struct socket_pair){-1, -1};
		err = open_v4(&p[n].v4);
		if (!err)
			err = open_v6(&p[n].v6);
	}
	if (err)
		sockets_close(p + *count, n - *count);
	else
		*count = wanted;
	return err;
}

void sockets_close(struct socket_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fd_close(pairs[i].v4);
		fd_close(pairs[i].v6);
	}
}
