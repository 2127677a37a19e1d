/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes a VIP this host's: an AnyIP local route, so that a passed packet reaches the stack and
 * is never routed back; for IPv6 the address itself on each attached interface besides, since
 * neighbour discovery answers for addresses only. Both carry our protocol number. Kernels before
 * 5.18 do not keep it on addresses: there an address is ours when the route beside it is.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/log.h"
#include "dataplane/state.h"

static struct nlmsghdr *route_message(struct netlink_message *m, uint16_t type, uint16_t flags,
				      const struct spw_addr *vip, uint8_t protocol)
{
	struct nlmsghdr *h = netlink_start(m, type, flags);
	struct rtmsg *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	r->rtm_family = (unsigned char)netlink_family(vip);
	r->rtm_dst_len = addr_is_v4(vip) ? 32 : 128;
	r->rtm_table = RT_TABLE_LOCAL;
	r->rtm_protocol = protocol;
	r->rtm_scope = RT_SCOPE_HOST;
	r->rtm_type = RTN_LOCAL;
	netlink_put_addr(h, RTA_DST, vip);
	mnl_attr_put_u32(h, RTA_OIF, if_nametoindex("lo"));
	return h;
}

static struct nlmsghdr *addr_message(struct netlink_message *m, uint16_t type, uint16_t flags,
				     const struct spw_addr *vip, uint32_t ifindex)
{
	struct nlmsghdr *h = netlink_start(m, type, flags);
	struct ifaddrmsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

	i->ifa_family = AF_INET6;
	i->ifa_prefixlen = 128;
	i->ifa_index = ifindex;
	netlink_put_addr(h, IFA_LOCAL, vip);
	netlink_put_addr(h, IFA_ADDRESS, vip);
	return h;
}

/* Deprecated from the start (preferred lifetime 0), so that the host never picks it as a source. */
static int put_addr(struct dataplane *dp, const struct spw_addr *vip, uint32_t ifindex)
{
	const struct ifa_cacheinfo life = {.ifa_prefered = 0, .ifa_valid = UINT32_MAX};
	struct netlink_message m;
	struct nlmsghdr *h = addr_message(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, vip, ifindex);
	int err;

	mnl_attr_put_u32(h, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	mnl_attr_put(h, IFA_CACHEINFO, sizeof(life), &life);
	mnl_attr_put_u8(h, IFA_PROTO, NETLINK_OURS);
	err = netlink_do(&dp->netlink, h, NULL, NULL);
	return err == -EEXIST ? 0 : err;
}

int claim_put(struct dataplane *dp, const struct spw_addr *vip)
{
	struct netlink_message m;
	struct nlmsghdr *h =
		route_message(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, vip, NETLINK_OURS);
	int err = netlink_do(&dp->netlink, h, NULL, NULL), one;

	if (err && err != -EEXIST)
		return err;
	err = 0;
	for (size_t i = 0; !addr_is_v4(vip) && i < dp->interface_count; i++) {
		if (dp->interfaces[i].bpf_link < 0)
			continue;
		one = put_addr(dp, vip, dp->interfaces[i].link.ifindex);
		if (one)
			err = one;
	}
	return err;
}

static bool addr_is_ours(const struct host_addr *h, const struct spw_addr *vip)
{
	const uint32_t marks = IFA_F_NODAD | IFA_F_DEPRECATED;

	if (!addr_equal(&h->addr, vip) || addr_is_v4(vip))
		return false;
	return h->protocol == NETLINK_OURS ||
	       (!h->protocol && h->prefix == 128 && (h->flags & marks) == marks);
}

/* Only called for VIPs with a route of ours. */
int claim_remove(struct netlink *nl, const struct spw_addr *vip)
{
	struct host_addr *addrs = NULL;
	struct netlink_message m;
	size_t count = 0;
	int err = host_addrs_read(nl, &addrs, &count), one;

	for (size_t i = 0; i < count; i++) {
		if (!addr_is_ours(&addrs[i], vip))
			continue;
		one = netlink_do(nl, addr_message(&m, RTM_DELADDR, 0, vip, addrs[i].ifindex), NULL,
				 NULL);
		if (one && one != -EADDRNOTAVAIL)
			err = one;
	}
	free(addrs);
	one = netlink_do(nl, route_message(&m, RTM_DELROUTE, 0, vip, NETLINK_OURS), NULL, NULL);
	return one && one != -ESRCH ? one : err;
}

struct list {
	struct spw_addr *items;
	size_t count;
};

static int collect(const struct nlmsghdr *m, void *ctx)
{
	const struct rtmsg *r = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[RTA_DST + 1];
	struct spw_addr addr, *items;
	struct list *list = ctx;

	if (m->nlmsg_type != RTM_NEWROUTE || r->rtm_protocol != NETLINK_OURS ||
	    r->rtm_type != RTN_LOCAL || r->rtm_table != RT_TABLE_LOCAL)
		return MNL_CB_OK;
	netlink_attributes(m, sizeof(*r), t, RTA_DST);
	if (!netlink_get_addr(t[RTA_DST], &addr))
		return MNL_CB_OK;
	items = realloc(list->items, (list->count + 1) * sizeof(*items));
	if (!items)
		return MNL_CB_ERROR;
	list->items = items;
	items[list->count++] = addr;
	return MNL_CB_OK;
}

int claims_list(struct netlink *nl, struct spw_addr **out, size_t *count)
{
	const unsigned char families[] = {AF_INET, AF_INET6};
	struct list list = {0};
	struct netlink_message m;
	struct nlmsghdr *h;
	struct rtmsg *r;
	int err = 0;

	for (size_t i = 0; !err && i < 2; i++) {
		h = netlink_start(&m, RTM_GETROUTE, NLM_F_DUMP);
		r = mnl_nlmsg_put_extra_header(h, sizeof(*r));
		r->rtm_family = families[i];
		err = netlink_do(nl, h, collect, &list);
	}
	if (err) {
		free(list.items);
		return err;
	}
	*out = list.items;
	*count = list.count;
	return 0;
}
