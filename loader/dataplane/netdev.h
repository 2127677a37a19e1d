/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's generic netlink family "netdev" (Linux 6.3): what drivers can do with XDP, and a
 * notification when that changes. Features come and go: with a program, a peer's GRO, queues.
 */
#ifndef SPILLWAY_DATAPLANE_NETDEV_H
#define SPILLWAY_DATAPLANE_NETDEV_H

#include "dataplane/netlink.h"

/* Zero-initialise. */
struct netdev {
	struct netlink ask;
	struct mnl_socket *watch; /* non-blocking, hears of changes */
	uint16_t family;	  /* 0: this kernel has none */
};

struct netdev_features {
	uint32_t ifindex;
	bool xdp_xmit;	  /* transmits frames that are redirected to it */
	bool xdp_xmit_sg; /* also those of more than one buffer */
};

/* Hears from then on. -ENOENT on kernels without the family. */
int netdev_open(struct netdev *n);
void netdev_close(struct netdev *n);

/* -EOPNOTSUPP without the family. */
int netdev_features(struct netdev *n, uint32_t ifindex, struct netdev_features *out);

/* From a message of the family about one interface, answer or notification. */
void netdev_read(const struct nlmsghdr *m, struct netdev_features *out);

/* From the controller's answer about the family: its number, and that of its group of changes. */
void netdev_read_family(const struct nlmsghdr *m, uint16_t *family, uint32_t *group);

#endif
