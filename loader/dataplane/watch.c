/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hears what changes on the host: interfaces, addresses, routes, neighbours. Nothing is decided
 * from the messages but which interface came or went; they only cause a refresh, so a lost message
 * (ENOBUFS) is answered by one as well.
 */
#include <errno.h>
#include <linux/neighbour.h>

#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"

#define MESSAGE_BYTES 32768

static void neighbour_news(struct dataplane *dp, const struct nlmsghdr *m)
{
	const struct ndmsg *n = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[NDA_DST + 1];
	struct spw_addr addr;

	netlink_attributes(m, sizeof(*n), t, NDA_DST);
	if (!netlink_get_addr(t[NDA_DST], &addr) ||
	    !neighbour_is_ours(dp, (uint32_t)n->ndm_ifindex, &addr))
		return;
	neighbour_heard(dp, m, (uint32_t)n->ndm_ifindex, &addr);
	if (m->nlmsg_type != RTM_DELNEIGH)
		return;
	dp->neighbours_lost = true;
	next_hops_refresh_soon(dp);
}

/* Routes of ours are VIPs: one that goes was taken away by us or by somebody else. */
static void route_changed(struct dataplane *dp, const struct nlmsghdr *m)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[RTA_DST + 1];
	struct spw_addr addr;

	if (r->rtm_protocol != NETLINK_OURS) {
		next_hops_refresh_soon(dp);
		return;
	}
	netlink_attributes(m, sizeof(*r), t, RTA_DST);
	if (m->nlmsg_type == RTM_DELROUTE && netlink_get_addr(t[RTA_DST], &addr))
		vip_lost(dp, &addr);
}

static int on_message(const struct nlmsghdr *m, void *ctx)
{
	struct dataplane *dp = ctx;
	struct link_info link;

	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		link_read(m, &link);
		interfaces_link_changed(dp, &link, m->nlmsg_type == RTM_DELLINK);
		vlan_device_changed(dp, &link, m->nlmsg_type == RTM_DELLINK);
		next_hops_refresh_soon(dp);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		next_hops_refresh_soon(dp);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		route_changed(dp, m);
		break;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		neighbour_news(dp, m);
		break;
	}
	return MNL_CB_OK;
}

/* After lost messages: every interface is looked at again. */
static void resync(struct dataplane *dp)
{
	struct link_info link;
	int err;

	log_warn("watch: messages of the kernel were lost: everything is looked up again");
	for (size_t i = 0; i < dp->interface_count; i++) {
		const struct link_info *known = &dp->interfaces[i].link;

		err = link_find(&dp->netlink, known->name, &link);
		if (!err)
			interfaces_link_changed(dp, &link, false);
		else if (err == -ENODEV)
			interfaces_link_changed(dp, &(struct link_info){.ifindex = known->ifindex},
						true);
	}
	dp->neighbours_lost = true;
	next_hops_refresh_soon(dp);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct dataplane *dp = poll->data;
	char buf[MESSAGE_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t len;

	(void)status;
	(void)events;
	for (int i = 0; i < 64; i++) {
		len = mnl_socket_recvfrom(dp->watch, buf, sizeof(buf));
		if (len < 0 && errno == ENOBUFS)
			resync(dp);
		if (len <= 0)
			return;
		(void)mnl_cb_run(buf, (size_t)len, 0, 0, on_message, dp);
	}
}

int watch_open(struct dataplane *dp)
{
	const int groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_NEIGH,	 RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
	};
	int err;

	dp->watch = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!dp->watch || mnl_socket_bind(dp->watch, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (mnl_socket_setsockopt(dp->watch, NETLINK_ADD_MEMBERSHIP, (void *)&groups[i],
					  sizeof(groups[i])) < 0)
			return -errno;
	}
	err = uv_poll_init(dp->loop, &dp->watch_poll, mnl_socket_get_fd(dp->watch));
	if (err)
		return err;
	handle_opened(dp, &dp->watch_poll);
	return uv_poll_start(&dp->watch_poll, UV_READABLE, on_readable);
}
