/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attached interfaces as packets find them: a small open hash by ifindex, in mapped memory. A row is
 * written before its ifindex, which makes it a row, and loses that first. VLAN devices on an attached
 * interface have rows too: as ways out, by the interface below and their tag.
 */
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "dataplane/state.h"

static struct spw_interface *find(const struct dataplane *dp, uint32_t ifindex)
{
	for (uint32_t i = 0; i < SPW_INTERFACE_PROBES; i++) {
		struct spw_interface *row = &dp->maps.interfaces[(ifindex + i) % SPW_INTERFACES];

		if (row->ifindex == ifindex)
			return row;
	}
	return NULL;
}

/* MAC, MTU and flags of a row in use may change: what packets read of them is one of both. */
static void fill(struct spw_interface *row, const struct spw_interface *new)
{
	memcpy((char *)row + sizeof(row->ifindex), (const char *)new + sizeof(new->ifindex),
	       sizeof(*new) - sizeof(new->ifindex));
	__atomic_store_n(&row->ifindex, new->ifindex, __ATOMIC_RELEASE);
}

static int put(struct dataplane *dp, const struct spw_interface *new)
{
	struct spw_interface *row = find(dp, new->ifindex), *at;

	for (uint32_t i = 0; i < SPW_INTERFACE_PROBES && !row; i++) {
		at = &dp->maps.interfaces[(new->ifindex + i) % SPW_INTERFACES];
		row = at->ifindex ? NULL : at;
	}
	if (!row)
		return -ENOSPC;
	fill(row, new);
	return 0;
}

static struct spw_interface row_of(const struct link_info *link)
{
	struct spw_interface row = {
		.ifindex = link->ifindex,
		.mtu = link->mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)link->mtu,
		.device = link->ifindex,
		.vlan = SPW_UNTAGGED,
	};

	memcpy(row.mac, link->mac, sizeof(row.mac));
	return row;
}

/*
 * An entry that is there stays: the kernel (devmap.c) takes the old one out before it puts the new one
 * in, and a packet in between finds no way out. That of a device that has gone the kernel removes.
 */
static int enter_tx_ports(struct dataplane *dp, uint32_t ifindex)
{
	uint32_t there;

	if (!bpf_map_lookup_elem(dp->maps.fd[MAP_TX_PORTS], &ifindex, &there) && there == ifindex)
		return 0;
	return bpf_map_update_elem(dp->maps.fd[MAP_TX_PORTS], &ifindex, &ifindex, BPF_ANY);
}

int interface_row_put(struct dataplane *dp, const struct link_info *link, uint32_t flags)
{
	struct spw_interface row = row_of(link);
	int err;

	row.flags = flags;
	err = put(dp, &row);
	if (err)
		return err;
	return enter_tx_ports(dp, link->ifindex);
}

int interface_row_put_vlan(struct dataplane *dp, const struct link_info *link, uint32_t below)
{
	const struct spw_interface *device = find(dp, below);
	struct spw_interface row = row_of(link);

	row.flags = device ? device->flags : 0;
	row.device = below;
	row.vlan = link->vlan_id;
	return put(dp, &row);
}

void interface_row_remove(struct dataplane *dp, uint32_t ifindex)
{
	struct spw_interface *row = ifindex ? find(dp, ifindex) : NULL;

	if (row)
		__atomic_store_n(&row->ifindex, 0, __ATOMIC_RELEASE);
	(void)bpf_map_delete_elem(dp->maps.fd[MAP_TX_PORTS], &ifindex);
}

/* Rows of an earlier run whose interfaces are not attached now. */
void interface_rows_prune(struct dataplane *dp)
{
	for (uint32_t i = 0; i < SPW_INTERFACES; i++) {
		uint32_t ifindex = dp->maps.interfaces[i].ifindex;

		if (ifindex && !interface_by_index(dp, ifindex))
			interface_row_remove(dp, ifindex);
	}
}
