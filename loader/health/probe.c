/* SPDX-License-Identifier: BSD-2-Clause */
/* The words for what sockets report, and the one place that opens a socket for a probe. */
#include "health/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/addr.h"

struct verdict verdict_make(enum verdict_kind kind, const char *fmt, ...)
{
	struct verdict v = {.kind = kind};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(v.reason, sizeof(v.reason), fmt, ap);
	va_end(ap);
	return v;
}

/*
 * The first group are troubles of this host: they say nothing about the endpoint, so they must
 * not take it down.
 */
struct verdict verdict_errno(int err)
{
	const char *name;

	switch (err) {
	case EMFILE:
	case ENFILE:
		return verdict_make(VERDICT_NONE, "too many open files");
	case ENOMEM:
	case ENOBUFS:
		return verdict_make(VERDICT_NONE, "out of memory");
	case EAGAIN:
	case EADDRNOTAVAIL:
		return verdict_make(VERDICT_NONE, "no source address or port");
	case EAFNOSUPPORT:
		return verdict_make(VERDICT_NONE, "address family not supported here");
	case ECONNREFUSED:
		return verdict_make(VERDICT_BAD, "connection refused");
	case ETIMEDOUT:
		return verdict_make(VERDICT_BAD, "timeout");
	case EHOSTUNREACH:
		return verdict_make(VERDICT_BAD, "no route to host");
	case ENETUNREACH:
		return verdict_make(VERDICT_BAD, "network unreachable");
	case ECONNRESET:
		return verdict_make(VERDICT_BAD, "connection reset");
	case ENOENT:
		return verdict_make(VERDICT_BAD, "no such socket");
	case EACCES:
	case EPERM:
		return verdict_make(VERDICT_BAD, "permission denied");
	case EPIPE:
		return verdict_make(VERDICT_BAD, "closed before the answer");
	}
	name = strerrorname_np(err);
	return verdict_make(VERDICT_BAD, "error %s", name ? name : "unknown");
}

static socklen_t fill_path(const char *path, struct sockaddr_storage *to)
{
	struct sockaddr_un *un = (struct sockaddr_un *)to;

	un->sun_family = AF_UNIX;
	(void)snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
	return sizeof(*un);
}

static socklen_t fill_address(const struct probe *p, struct sockaddr_storage *to)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (p->job->kind == ENDPOINT_UNIX)
		return fill_path(p->job->host, to);
	if (addr_is_v4(&p->addr)) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(p->job->port);
		v4->sin_addr.s_addr = addr_v4(&p->addr);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(p->job->port);
	memcpy(&v6->sin6_addr, p->addr.b, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

static uid_t socket_uid;
static gid_t socket_gid;

void probe_set_socket_user(uid_t uid, gid_t gid)
{
	socket_uid = uid;
	socket_gid = gid;
}

/* File system permissions go by the fsuid, which takes the capabilities for files away with it. */
static int may_connect(const char *path)
{
	int err;

	if (!socket_uid)
		return 0;
	(void)setfsgid(socket_gid);
	(void)setfsuid(socket_uid);
	err = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) ? -errno : 0;
	(void)setfsuid(geteuid());
	(void)setfsgid(getegid());
	return err;
}

int probe_socket(const struct probe *p, struct sockaddr_storage *to, socklen_t *to_len)
{
	socklen_t len = fill_address(p, to);
	int err = p->job->kind == ENDPOINT_UNIX ? may_connect(p->job->host) : 0;
	int fd;

	if (err)
		return err;
	fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	*to_len = len;
	return fd;
}

struct probe *probe_start(const struct probe_tools *tools, const struct probe_order *order,
			  struct verdict *now)
{
	switch (order->job->check->type) {
	case CHECK_TCP:
		return check_tcp_start(tools, order, now);
	case CHECK_HTTP:
		return check_http_start(tools, order, now);
	case CHECK_GRPC:
		return check_grpc_start(tools, order, now);
	}
	abort();
}
