/* SPDX-License-Identifier: BSD-2-Clause */
/* Debian 12's headers are older than the family, so its numbers are here. */
#include "dataplane/netdev.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>

/* From include/uapi/linux/netdev.h of Linux 6.3, where they are enumerations. */
#define NETDEV_FAMILY_NAME	   "netdev"
#define NETDEV_FAMILY_VERSION	   1
#define NETDEV_MCGRP_MGMT	   "mgmt"
#define NETDEV_CMD_DEV_GET	   1
#define NETDEV_A_DEV_IFINDEX	   1
#define NETDEV_A_DEV_XDP_FEATURES  3
#define NETDEV_XDP_ACT_NDO_XMIT	   (1ULL << 2)
#define NETDEV_XDP_ACT_NDO_XMIT_SG (1ULL << 6)

void netdev_read(const struct nlmsghdr *m, struct netdev_features *out)
{
	const struct nlattr *t[NETDEV_A_DEV_XDP_FEATURES + 1];
	uint64_t features = 0;

	netlink_attributes(m, sizeof(struct genlmsghdr), t, NETDEV_A_DEV_XDP_FEATURES);
	memset(out, 0, sizeof(*out));
	if (t[NETDEV_A_DEV_IFINDEX])
		out->ifindex = mnl_attr_get_u32(t[NETDEV_A_DEV_IFINDEX]);
	if (t[NETDEV_A_DEV_XDP_FEATURES] &&
	    mnl_attr_get_payload_len(t[NETDEV_A_DEV_XDP_FEATURES]) == sizeof(features))
		features = mnl_attr_get_u64(t[NETDEV_A_DEV_XDP_FEATURES]);
	out->xdp_xmit = features & NETDEV_XDP_ACT_NDO_XMIT;
	out->xdp_xmit_sg = features & NETDEV_XDP_ACT_NDO_XMIT_SG;
}

static uint32_t mgmt_group(const struct nlattr *groups)
{
	const struct nlattr *t[CTRL_ATTR_MCAST_GRP_ID + 1], *group;

	mnl_attr_for_each_nested(group, groups)
	{
		netlink_nested(group, t, CTRL_ATTR_MCAST_GRP_ID);
		if (netlink_has_text(t[CTRL_ATTR_MCAST_GRP_NAME], NETDEV_MCGRP_MGMT) &&
		    t[CTRL_ATTR_MCAST_GRP_ID])
			return mnl_attr_get_u32(t[CTRL_ATTR_MCAST_GRP_ID]);
	}
	return 0;
}

void netdev_read_family(const struct nlmsghdr *m, uint16_t *family, uint32_t *group)
{
	const struct nlattr *t[CTRL_ATTR_MCAST_GROUPS + 1];

	netlink_attributes(m, sizeof(struct genlmsghdr), t, CTRL_ATTR_MCAST_GROUPS);
	*family = t[CTRL_ATTR_FAMILY_ID] ? mnl_attr_get_u16(t[CTRL_ATTR_FAMILY_ID]) : 0;
	*group = t[CTRL_ATTR_MCAST_GROUPS] ? mgmt_group(t[CTRL_ATTR_MCAST_GROUPS]) : 0;
}

struct family {
	uint16_t id;
	uint32_t group;
};

static int on_family(const struct nlmsghdr *m, void *ctx)
{
	struct family *f = ctx;

	netdev_read_family(m, &f->id, &f->group);
	return MNL_CB_OK;
}

static struct nlmsghdr *request(struct netlink_message *m, uint16_t family, uint8_t command,
				uint8_t version)
{
	struct nlmsghdr *h = netlink_start(m, family, 0);
	struct genlmsghdr *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	g->cmd = command;
	g->version = version;
	return h;
}

static int find_family(struct netlink *nl, struct family *out)
{
	struct netlink_message m;
	struct nlmsghdr *h = request(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	struct family found = {0};
	int err;

	mnl_attr_put_strz(h, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY_NAME);
	err = netlink_do(nl, h, on_family, &found);
	if (err)
		return err;
	if (!found.id || !found.group)
		return -ENOENT;
	*out = found;
	return 0;
}

static int listen_to(uint32_t group, struct mnl_socket **out)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int err = 0;

	if (!s)
		return -errno;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(s, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		err = -errno;
		(void)mnl_socket_close(s);
		return err;
	}
	*out = s;
	return 0;
}

int netdev_open(struct netdev *n)
{
	struct family family = {0};
	int err = netlink_open_generic(&n->ask);

	if (!err)
		err = find_family(&n->ask, &family);
	if (!err)
		err = listen_to(family.group, &n->watch);
	if (err) {
		netdev_close(n);
		return err;
	}
	n->family = family.id;
	return 0;
}

void netdev_close(struct netdev *n)
{
	netlink_close(&n->ask);
	if (n->watch)
		(void)mnl_socket_close(n->watch);
	*n = (struct netdev){0};
}

static int on_features(const struct nlmsghdr *m, void *ctx)
{
	netdev_read(m, ctx);
	return MNL_CB_OK;
}

int netdev_features(struct netdev *n, uint32_t ifindex, struct netdev_features *out)
{
	struct netlink_message m;
	struct netdev_features found = {0};
	struct nlmsghdr *h;
	int err;

	if (!n->family)
		return -EOPNOTSUPP;
	h = request(&m, n->family, NETDEV_CMD_DEV_GET, NETDEV_FAMILY_VERSION);
	mnl_attr_put_u32(h, NETDEV_A_DEV_IFINDEX, ifindex);
	err = netlink_do(&n->ask, h, on_features, &found);
	if (err)
		return err;
	if (found.ifindex != ifindex)
		return -ENODEV;
	*out = found;
	return 0;
}
