/* SPDX-License-Identifier: BSD-2-Clause */
/* What only the ethtool interface of the kernel knows of a driver, by the interface's name. */
#ifndef SPILLWAY_DATAPLANE_ETHTOOL_H
#define SPILLWAY_DATAPLANE_ETHTOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Features as ETH_FLAG_* of <linux/ethtool.h>. */
int ethtool_flags_get(const char *interface, uint32_t *flags);
/* -EOPNOTSUPP when one that would change is fixed; the driver may leave the rest as it was. */
int ethtool_flags_set(const char *interface, uint32_t flags);

/* Generic receive offload, which is the kernel's own. */
int ethtool_gro_get(const char *interface, bool *on);
int ethtool_gro_set(const char *interface, bool on);

/* "veth", "virtio_net", "ixgbe". */
int ethtool_driver(const char *interface, char *driver, size_t size);

#endif
