/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests are synchronous: netlink answers from the caller's context, so there is nothing to
 * wait for. What the kernel tells on its own comes by another socket (watch.c).
 */
#include "dataplane/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/addr.h"

#define RECEIVE_BYTES 32768 /* the kernel fills dumps in chunks of this size */

static int open_bus(struct netlink *nl, int bus)
{
	struct mnl_socket *s = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int err;

	if (!s)
		return -errno;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		(void)mnl_socket_close(s);
		return err;
	}
	nl->socket = s;
	nl->sequence = (uint32_t)time(NULL);
	return 0;
}

int netlink_open(struct netlink *nl)
{
	return open_bus(nl, NETLINK_ROUTE);
}

int netlink_open_generic(struct netlink *nl)
{
	return open_bus(nl, NETLINK_GENERIC);
}

void netlink_close(struct netlink *nl)
{
	if (nl->socket)
		(void)mnl_socket_close(nl->socket);
	nl->socket = NULL;
}

struct nlmsghdr *netlink_start(struct netlink_message *m, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h;

	memset(m, 0, sizeof(*m));
	h = mnl_nlmsg_put_header(m->bytes);
	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return h;
}

static int ignore(const struct nlmsghdr *m, void *ctx)
{
	(void)m;
	(void)ctx;
	return MNL_CB_OK;
}

/*
 * A dump that changes overtook is taken as it is: those changes come as notifications and cause a
 * refresh. Else libmnl would stop in the middle and leave the rest to the next request.
 */
static void accept_interrupted(char *buf, size_t len)
{
	struct nlmsghdr *m = (struct nlmsghdr *)(void *)buf;
	int left = (int)len;

	for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
		m->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
}

int netlink_do(struct netlink *nl, struct nlmsghdr *m, mnl_cb_t fn, void *ctx)
{
	uint32_t port = mnl_socket_get_portid(nl->socket);
	char buf[RECEIVE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;
	int more;

	m->nlmsg_seq = ++nl->sequence;
	if (mnl_socket_sendto(nl->socket, m, m->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(nl->socket, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		accept_interrupted(buf, (size_t)len);
		more = mnl_cb_run(buf, (size_t)len, m->nlmsg_seq, port, fn ? fn : ignore, ctx);
		if (more < 0 && errno == EPROTO)
			more = 1; /* left over from a request that was given up */
	} while (more > 0);
	return more < 0 ? -errno : 0;
}

struct attribute_table {
	const struct nlattr **table;
	uint16_t max;
};

static int collect(const struct nlattr *attr, void *ctx)
{
	struct attribute_table *t = ctx;
	uint16_t type = mnl_attr_get_type(attr);

	if (type <= t->max)
		t->table[type] = attr;
	return MNL_CB_OK;
}

void netlink_attributes(const struct nlmsghdr *m, size_t offset, const struct nlattr **table,
			uint16_t max)
{
	struct attribute_table t = {table, max};

	memset(table, 0, sizeof(*table) * (max + 1u));
	(void)mnl_attr_parse(m, (unsigned int)offset, collect, &t);
}

void netlink_nested(const struct nlattr *outer, const struct nlattr **table, uint16_t max)
{
	struct attribute_table t = {table, max};

	memset(table, 0, sizeof(*table) * (max + 1u));
	if (outer)
		(void)mnl_attr_parse_nested(outer, collect, &t);
}

bool netlink_has_text(const struct nlattr *attr, const char *text)
{
	size_t len = strlen(text) + 1;

	return attr && mnl_attr_get_payload_len(attr) == len &&
	       !memcmp(mnl_attr_get_payload(attr), text, len);
}

int netlink_family(const struct spw_addr *addr)
{
	return addr_is_v4(addr) ? AF_INET : AF_INET6;
}

void netlink_put_addr(struct nlmsghdr *m, uint16_t type, const struct spw_addr *addr)
{
	if (addr_is_v4(addr))
		mnl_attr_put(m, type, 4, &addr->b[12]);
	else
		mnl_attr_put(m, type, 16, addr->b);
}

bool netlink_get_addr(const struct nlattr *attr, struct spw_addr *out)
{
	__be32 v4;

	if (!attr)
		return false;
	if (mnl_attr_get_payload_len(attr) == 16) {
		*out = addr_from_v6(mnl_attr_get_payload(attr));
		return true;
	}
	if (mnl_attr_get_payload_len(attr) != 4)
		return false;
	memcpy(&v4, mnl_attr_get_payload(attr), 4);
	*out = addr_from_v4(v4);
	return true;
}
