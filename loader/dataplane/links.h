/* SPDX-License-Identifier: BSD-2-Clause */
/* What rtnetlink knows of network interfaces and their addresses. */
#ifndef SPILLWAY_DATAPLANE_LINKS_H
#define SPILLWAY_DATAPLANE_LINKS_H

#include <net/if.h>

#include "dataplane/netlink.h"

struct link_info {
	char name[IFNAMSIZ];
	uint32_t ifindex;
	uint32_t mtu;
	uint8_t mac[6];
	bool up; /* administratively, and with carrier */
	bool loopback;
	bool veth;
	bool ethernet; /* has a 6-byte hardware address */
	/*
	 * Frames may come in with an L4 checksum that their sender, a local stack or a guest's, left
	 * to a hardware that is not there: veth, tun and tap, virtio.
	 */
	bool partial_csum;
	/* Of an IEEE 802.1Q device on an interface of this namespace; 0 for all else. */
	uint32_t vlan_parent_ifindex;
	uint16_t vlan_id;
};

struct host_addr {
	struct spw_addr addr;
	uint32_t ifindex;
	uint32_t flags; /* IFA_F_* */
	uint8_t prefix;
	uint8_t scope;	  /* RT_SCOPE_* */
	uint8_t protocol; /* 0 where the kernel does not tell */
};

/* -ENODEV when there is none of this name. */
int link_find(struct netlink *nl, const char *name, struct link_info *out);

/* Whether an interface of this host, attached or not, has this hardware address. */
bool link_has_mac(struct netlink *nl, const uint8_t mac[6]);

/* From an RTM_NEWLINK or RTM_DELLINK message. */
void link_read(const struct nlmsghdr *m, struct link_info *out);

/* All addresses of this host; *out is the caller's to free(). */
int host_addrs_read(struct netlink *nl, struct host_addr **out, size_t *count);

/* Does the subnet of this host address hold the other address? Then it is asked for there by ARP
 * or neighbour discovery; addresses in no subnet are reached by somebody's route. */
bool host_addr_on_link(const struct host_addr *h, const struct spw_addr *addr);

/* Fit to be used by others and by us as a source: global, not tentative, deprecated or failed. */
bool host_addr_usable(const struct host_addr *h);

#endif
