/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads only; nothing here changes an interface. */
#include "dataplane/links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

static bool is_16_bits(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) == sizeof(uint16_t);
}

/* The number is read only with a parent in this namespace: else it names a way that is not ours. */
static void read_vlan(const struct nlattr *const *link, const struct nlattr *data,
		      struct link_info *out)
{
	const struct nlattr *t[IFLA_VLAN_PROTOCOL + 1];

	netlink_nested(data, t, IFLA_VLAN_PROTOCOL);
	if (!link[IFLA_LINK] || link[IFLA_LINK_NETNSID] || !is_16_bits(t[IFLA_VLAN_ID]))
		return;
	if (is_16_bits(t[IFLA_VLAN_PROTOCOL]) &&
	    mnl_attr_get_u16(t[IFLA_VLAN_PROTOCOL]) != htons(ETH_P_8021Q))
		return;
	out->vlan_parent_ifindex = mnl_attr_get_u32(link[IFLA_LINK]);
	out->vlan_id = mnl_attr_get_u16(t[IFLA_VLAN_ID]);
}

/* A virtio device that has a network interface is driven by virtio_net. */
static void read_kind(const struct nlattr *const *link, struct link_info *out)
{
	const struct nlattr *t[IFLA_INFO_DATA + 1];

	netlink_nested(link[IFLA_LINKINFO], t, IFLA_INFO_DATA);
	out->veth = netlink_has_text(t[IFLA_INFO_KIND], "veth");
	out->partial_csum = out->veth || netlink_has_text(t[IFLA_INFO_KIND], "tun") ||
			    netlink_has_text(link[IFLA_PARENT_DEV_BUS_NAME], "virtio");
	if (netlink_has_text(t[IFLA_INFO_KIND], "vlan"))
		read_vlan(link, t[IFLA_INFO_DATA], out);
}

void link_read(const struct nlmsghdr *m, struct link_info *out)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[IFLA_PARENT_DEV_BUS_NAME + 1];

	netlink_attributes(m, sizeof(*i), t, IFLA_PARENT_DEV_BUS_NAME);
	memset(out, 0, sizeof(*out));
	out->ifindex = (uint32_t)i->ifi_index;
	out->up = (i->ifi_flags & IFF_UP) && (i->ifi_flags & IFF_RUNNING);
	out->loopback = i->ifi_flags & IFF_LOOPBACK;
	if (t[IFLA_IFNAME])
		(void)strncpy(out->name, mnl_attr_get_str(t[IFLA_IFNAME]), IFNAMSIZ - 1);
	if (t[IFLA_MTU])
		out->mtu = mnl_attr_get_u32(t[IFLA_MTU]);
	out->ethernet = i->ifi_type == ARPHRD_ETHER && t[IFLA_ADDRESS] &&
			mnl_attr_get_payload_len(t[IFLA_ADDRESS]) == 6;
	if (out->ethernet)
		memcpy(out->mac, mnl_attr_get_payload(t[IFLA_ADDRESS]), 6);
	read_kind(t, out);
}

static int read_one(const struct nlmsghdr *m, void *ctx)
{
	if (m->nlmsg_type == RTM_NEWLINK)
		link_read(m, ctx);
	return MNL_CB_OK;
}

int link_find(struct netlink *nl, const char *name, struct link_info *out)
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETLINK, 0);
	struct link_info found = {0};
	int err;

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	err = netlink_do(nl, h, read_one, &found);
	if (err)
		return err;
	if (!found.ifindex)
		return -ENODEV;
	*out = found;
	return 0;
}

struct mac_search {
	const uint8_t *mac;
	bool found;
};

static int compare_mac(const struct nlmsghdr *m, void *ctx)
{
	struct mac_search *search = ctx;
	struct link_info link;

	link_read(m, &link);
	search->found = search->found || (link.ethernet && !memcmp(link.mac, search->mac, 6));
	return MNL_CB_OK;
}

bool link_has_mac(struct netlink *nl, const uint8_t mac[6])
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETLINK, NLM_F_DUMP);
	struct mac_search search = {.mac = mac};

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	(void)netlink_do(nl, h, compare_mac, &search);
	return search.found;
}

struct addr_list {
	struct host_addr *items;
	size_t count, room;
};

static int addr_add(const struct nlmsghdr *m, void *ctx)
{
	const struct ifaddrmsg *i = mnl_nlmsg_get_payload(m);
	const struct nlattr *t[IFA_PROTO + 1], *attr;
	struct addr_list *list = ctx;
	struct host_addr *h;

	if (m->nlmsg_type != RTM_NEWADDR)
		return MNL_CB_OK;
	netlink_attributes(m, sizeof(*i), t, IFA_PROTO);
	attr = t[IFA_LOCAL] ? t[IFA_LOCAL] : t[IFA_ADDRESS];
	if (list->count == list->room) {
		list->room = list->room ? list->room * 2 : 64;
		h = realloc(list->items, list->room * sizeof(*h));
		if (!h) {
			errno = ENOMEM;
			return MNL_CB_ERROR;
		}
		list->items = h;
	}
	h = &list->items[list->count];
	memset(h, 0, sizeof(*h));
	if (!netlink_get_addr(attr, &h->addr))
		return MNL_CB_OK;
	h->ifindex = i->ifa_index;
	h->prefix = i->ifa_prefixlen;
	h->scope = i->ifa_scope;
	h->flags = t[IFA_FLAGS] ? mnl_attr_get_u32(t[IFA_FLAGS]) : i->ifa_flags;
	h->protocol = t[IFA_PROTO] ? mnl_attr_get_u8(t[IFA_PROTO]) : 0;
	list->count++;
	return MNL_CB_OK;
}

int host_addrs_read(struct netlink *nl, struct host_addr **out, size_t *count)
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETADDR, NLM_F_DUMP);
	struct addr_list list = {0};
	int err;

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifaddrmsg));
	err = netlink_do(nl, h, addr_add, &list);
	if (err) {
		free(list.items);
		return err;
	}
	*out = list.items;
	*count = list.count;
	return 0;
}

bool host_addr_on_link(const struct host_addr *h, const struct spw_addr *addr)
{
	bool v4 = addr_is_v4(&h->addr);
	unsigned int bits = h->prefix + (v4 ? 96u : 0u);
	unsigned int whole = bits / 8, rest = bits % 8;

	if (v4 != addr_is_v4(addr) || !h->prefix || bits >= 128)
		return false;
	if (memcmp(h->addr.b, addr->b, whole) != 0)
		return false;
	return !rest || ((h->addr.b[whole] ^ addr->b[whole]) >> (8 - rest)) == 0;
}

bool host_addr_usable(const struct host_addr *h)
{
	const uint32_t bad = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;

	return h->scope == RT_SCOPE_UNIVERSE && h->protocol != NETLINK_OURS &&
	       (!(h->flags & bad) || (h->flags & IFA_F_OPTIMISTIC)) && !addr_is_loopback(&h->addr);
}
