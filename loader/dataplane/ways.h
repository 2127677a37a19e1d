/* SPDX-License-Identifier: BSD-2-Clause */
/* How packets find services and the ways out: the functions that fill those maps, by their file. */
#ifndef SPILLWAY_DATAPLANE_WAYS_H
#define SPILLWAY_DATAPLANE_WAYS_H

#include "dataplane/links.h"
#include "tables/tables.h"

struct dataplane;
struct next_hop;

/* lookup.c: the perfect hash of a side; `want` NULL: the other side's once more. */
void lookup_write(struct dataplane *dp, uint32_t side, const struct tables *want);

/* hop_rows.c: rows of the map `next_hops`. */
int hop_rows_open(struct dataplane *dp);
void hop_row_write(struct dataplane *dp, uint32_t id);
void hop_rows_write_all(struct dataplane *dp);
/* A neighbour's address was learnt, changed or lost. */
void hop_rows_neighbour(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr);

/* vlan_devices.c */
int vlan_devices_open(struct dataplane *dp);
void vlan_device_changed(struct dataplane *dp, const struct link_info *link, bool gone);
/* Rows of all on interfaces that are attached now. */
void vlan_devices_put(struct dataplane *dp);
const struct link_info *vlan_device_find(const struct dataplane *dp, uint32_t ifindex);

/* interface_rows.c: the maps `interfaces` and `tx_ports`. */
int interface_row_put(struct dataplane *dp, const struct link_info *link, uint32_t flags);
int interface_row_put_vlan(struct dataplane *dp, const struct link_info *link, uint32_t below);
void interface_row_remove(struct dataplane *dp, uint32_t ifindex);
void interface_rows_prune(struct dataplane *dp);

/* next_hops.c */
int next_hop_find(struct dataplane *dp, const struct spw_addr *to, struct next_hop *out);
void next_hops_refresh_soon(struct dataplane *dp);
int next_hops_open(struct dataplane *dp);

/* neighbours.c */
/* Its MAC, if it is resolved. */
bool neighbour_mac(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr,
		   uint8_t mac[6]);
int neighbours_open(struct dataplane *dp);
void neighbours_sync(struct dataplane *dp);
/* Waits, up to a bound, for the answers of those that the latest sync asked for. */
void neighbours_await(struct dataplane *dp);
void neighbour_kick(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr);
bool neighbour_resolved(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr);
/* As of a moment ago, for those who list many endpoints. */
bool neighbour_resolved_lately(struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr);
/* The kernel has said something of it: RTM_NEWNEIGH or RTM_DELNEIGH. */
void neighbour_heard(struct dataplane *dp, const struct nlmsghdr *m, uint32_t ifindex,
		     const struct spw_addr *addr);
bool neighbour_is_ours(const struct dataplane *dp, uint32_t ifindex, const struct spw_addr *addr);
int neighbours_remove_all(struct netlink *nl);

#endif
