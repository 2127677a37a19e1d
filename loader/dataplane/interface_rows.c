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
static void fill(struct spw_interface *row, const struct link_info *link, uint32_t flags)
{
	struct spw_interface new = {
		.ifindex = link->ifindex,
		.flags = flags,
		.mtu = link->mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)link->mtu,
		.device = link->ifindex,
		.vlan = SPW_UNTAGGED,
	};

	memcpy(new.mac, link->mac, sizeof(new.mac));
	memcpy((char *)row + sizeof(row->ifindex), (char *)&new + sizeof(new.ifindex),
	       sizeof(new) - sizeof(new.ifindex));
	__atomic_store_n(&row->ifindex, link->ifindex, __ATOMIC_RELEASE);
}

int interface_row_put(struct dataplane *dp, const struct link_info *link, uint32_t flags)
{
	struct spw_interface *row = find(dp, link->ifindex), *at;

	for (uint32_t i = 0; i < SPW_INTERFACE_PROBES && !row; i++) {
		at = &dp->maps.interfaces[(link->ifindex + i) % SPW_INTERFACES];
		row = at->ifindex ? NULL : at;
	}
	if (!row)
		return -ENOSPC;
	fill(row, link, flags);
	return bpf_map_update_elem(dp->maps.fd[MAP_TX_PORTS], &link->ifindex, &link->ifindex,
				   BPF_ANY);
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
