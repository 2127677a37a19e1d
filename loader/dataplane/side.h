/* SPDX-License-Identifier: BSD-2-Clause */
/* The two generation sides of service rows and settings, and the switch between them. */
#ifndef SPILLWAY_DATAPLANE_SIDE_H
#define SPILLWAY_DATAPLANE_SIDE_H

#include "dataplane/dataplane.h"

struct bound_port { /* a service's address and port */
	struct spw_addr addr;
	uint16_t port; /* host order */
};

/* Writes the other side and switches to it. `want` NULL: the service rows stay as they are. */
void side_switch(struct dataplane *dp, const struct tables *want);
bool side_differs(struct dataplane *dp);
void side_settings_defaults(struct spw_settings *s, uint32_t seed);
/* Notes which addresses and ports services have, for the port list. */
int side_bind(struct dataplane *dp, const struct tables *t);
int side_bind_pinned(struct dataplane *dp); /* those of an earlier run */
bool side_is_vip(const struct dataplane *dp, const struct spw_addr *addr);

#endif
