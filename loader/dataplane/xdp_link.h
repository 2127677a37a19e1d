/* SPDX-License-Identifier: BSD-2-Clause */
/* XDP links and their pins, whoever's program is in them. */
#ifndef SPILLWAY_DATAPLANE_XDP_LINK_H
#define SPILLWAY_DATAPLANE_XDP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With XDP_FLAGS_*; the link's descriptor or a negative errno. */
int xdp_link_create(int program, uint32_t ifindex, uint32_t flags);

/* The interface that it is on; 0: the interface has gone, or it is no XDP link. */
uint32_t xdp_link_ifindex(int fd);

/* Is the program on that interface in the driver? */
bool xdp_link_is_native(uint32_t ifindex);

/* Detaches at once; removing the pin alone would do it a little later, when the link is freed. */
int link_unpin(const char *path);

/* BPFFS/links/INTERFACE */
void xdp_link_path(const char *bpffs, const char *interface, char *path, size_t size);

#endif
