/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The attached interfaces, by a small open hash: the first place looked at is nearly always right. */
#ifndef SPILLWAY_BPF_INTERFACE_H
#define SPILLWAY_BPF_INTERFACE_H

#include "maps.h"

/* Those not in their first place, and those that are not there. */
__noinline __u32 interface_search(__u32 ifindex)
{
	__u32 i;

	for (i = 1; i < SPW_INTERFACE_PROBES; i++) {
		__u32 place = (ifindex + i) % SPW_INTERFACES;
		const struct spw_interface *row = bpf_map_lookup_elem(&interfaces, &place);

		if (row && row->ifindex == ifindex)
			return place;
	}
	return SPW_INTERFACES;
}

/* NULL: not attached. A row that is taken away meanwhile is one of before. */
static inline const struct spw_interface *interface_find(__u32 ifindex)
{
	__u32 place = ifindex % SPW_INTERFACES;
	const struct spw_interface *row = bpf_map_lookup_elem(&interfaces, &place);

	if (!ifindex)
		return NULL;
	if (row && row->ifindex == ifindex)
		return row;
	place = interface_search(ifindex);
	return bpf_map_lookup_elem(&interfaces, &place);
}

#endif
