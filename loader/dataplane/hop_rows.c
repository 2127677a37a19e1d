/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Next hops of endpoints in mapped memory, so that a packet finds interface and MACs in one line. A
 * row is kept only where all of it is known: else, and when the lease that a living daemon renews
 * has run out, packets ask the kernel's routes themselves. So a route or neighbour that changes
 * while no daemon runs is followed too.
 */
#include <string.h>

#include "dataplane/state.h"
#include "dataplane/ticks.h"

#define RENEW_MS 500
#define LEASE_S	 3

/* A sequence number that is odd meanwhile, so that no packet goes by half of two rows. */
static void store(struct spw_next_hop *row, const struct spw_next_hop *new)
{
	uint32_t seq = row->seq | 1;

	if (!memcmp((char *)row + sizeof(row->seq), (char *)new + sizeof(new->seq),
		    sizeof(*row) - sizeof(row->seq)))
		return;
	__atomic_store_n(&row->seq, seq, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy((char *)row + sizeof(row->seq), (const char *)new + sizeof(new->seq),
	       sizeof(*row) - sizeof(row->seq));
	__atomic_store_n(&row->seq, seq + 1, __ATOMIC_RELEASE);
}

static uint16_t least_mtu(uint32_t link, uint32_t route)
{
	uint32_t mtu = route && route < link ? route : link;

	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

/* By the interface itself, or by the one below a VLAN device and its tag. */
static void fill(struct dataplane *dp, const struct next_hop *hop, struct spw_next_hop *row)
{
	const struct interface *i = interface_by_index(dp, hop->ifindex);
	const struct link_info *vlan = vlan_device_find(dp, hop->ifindex);
	const struct link_info *link = vlan ? vlan : i ? &i->link : NULL;

	if (!i || !neighbour_mac(dp, hop->ifindex, &hop->addr, row->dmac))
		return;
	memcpy(row->smac, link->mac, sizeof(row->smac));
	row->mtu = least_mtu(link->mtu, hop->mtu);
	if (vlan)
		row->vlan = vlan->vlan_id;
	row->ifindex = i->link.ifindex;
}

void hop_row_write(struct dataplane *dp, uint32_t id)
{
	struct spw_next_hop new = {.vlan = SPW_UNTAGGED};

	if (dp->next_hops[id].kind == ROUTE_FORWARD && dp->maps.endpoints[id].mode != SPW_MODE_NONE)
		fill(dp, &dp->next_hops[id], &new);
	store(&dp->maps.next_hops[id], &new);
}

void hop_rows_write_all(struct dataplane *dp)
{
	for (uint32_t id = 1; id < dp->endpoints_end; id++)
		hop_row_write(dp, id);
}

void hop_rows_neighbour(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr)
{
	for (uint32_t id = 1; id < dp->endpoints_end; id++) {
		const struct next_hop *hop = &dp->next_hops[id];

		if (hop->ifindex == ifindex && !memcmp(&hop->addr, addr, sizeof(*addr)))
			hop_row_write(dp, id);
	}
}

static void renew(uv_timer_t *timer)
{
	struct dataplane *dp = timer->data;
	uint32_t now;

	if (ticks_now(dp->sweep_fd, &now))
		__atomic_store_n(&dp->maps.config->hops_until, now + LEASE_S * ticks_a_second(),
				 __ATOMIC_RELAXED);
}

int hop_rows_open(struct dataplane *dp)
{
	int err = uv_timer_init(dp->loop, &dp->lease_timer);

	if (err)
		return err;
	handle_opened(dp, &dp->lease_timer);
	hop_rows_write_all(dp);
	renew(&dp->lease_timer);
	return uv_timer_start(&dp->lease_timer, renew, RENEW_MS, RENEW_MS);
}
