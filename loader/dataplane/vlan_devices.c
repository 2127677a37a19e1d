/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VLAN devices (802.1Q) on attached interfaces. Frames of theirs pass the interface below with their
 * tag, so nothing is attached to them: a route by one means the interface below and the tag.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "dataplane/state.h"

static struct link_info *find(const struct dataplane *dp, uint32_t ifindex)
{
	for (size_t i = 0; i < dp->vlan_count; i++) {
		if (dp->vlans[i].ifindex == ifindex)
			return &dp->vlans[i];
	}
	return NULL;
}

const struct link_info *vlan_device_find(const struct dataplane *dp, uint32_t ifindex)
{
	return find(dp, ifindex);
}

static void forget(struct dataplane *dp, struct link_info *v)
{
	interface_row_remove(dp, v->ifindex);
	*v = dp->vlans[--dp->vlan_count];
}

static void note(struct dataplane *dp, const struct link_info *link)
{
	struct link_info *v = find(dp, link->ifindex), *grown;

	if (!v) {
		grown = realloc(dp->vlans, (dp->vlan_count + 1) * sizeof(*grown));
		if (!grown)
			return;
		dp->vlans = grown;
		v = &dp->vlans[dp->vlan_count++];
	}
	*v = *link;
}

void vlan_devices_put(struct dataplane *dp)
{
	for (size_t i = 0; i < dp->vlan_count; i++) {
		const struct link_info *v = &dp->vlans[i];
		const struct interface *below = interface_by_index(dp, v->vlan_parent_ifindex);

		if (!below)
			interface_row_remove(dp, v->ifindex);
		else if (interface_row_put_vlan(dp, v, below->link.ifindex))
			log_error("interface: %s: the map of interfaces is full: packets do not "
				  "leave by it",
				  v->name);
	}
}

void vlan_device_changed(struct dataplane *dp, const struct link_info *link, bool gone)
{
	struct link_info *v = find(dp, link->ifindex);

	if (v && (gone || !link->vlan_parent_ifindex))
		forget(dp, v);
	else if (!gone && link->vlan_parent_ifindex)
		note(dp, link);
	else
		return;
	vlan_devices_put(dp);
}

static int read_one(const struct nlmsghdr *m, void *ctx)
{
	struct link_info link;

	if (m->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	link_read(m, &link);
	if (link.vlan_parent_ifindex)
		note(ctx, &link);
	return MNL_CB_OK;
}

int vlan_devices_open(struct dataplane *dp)
{
	struct netlink_message m;
	struct nlmsghdr *h = netlink_start(&m, RTM_GETLINK, NLM_F_DUMP);

	(void)mnl_nlmsg_put_extra_header(h, sizeof(struct ifinfomsg));
	return netlink_do(&dp->netlink, h, read_one, dp);
}
