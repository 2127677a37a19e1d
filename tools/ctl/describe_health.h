/* SPDX-License-Identifier: BSD-2-Clause */
/* What `describe` adds to the fields of a Backend or a route: endpoints, sums, events. */
#ifndef SPILLWAY_CTL_DESCRIBE_HEALTH_H
#define SPILLWAY_CTL_DESCRIBE_HEALTH_H

#include "ctl/ctl.h"

/* On standard output. `services` is that of the daemon's endpoints answer, of all namespaces. */
void describe_backend_health(struct arena *a, const struct node *backend,
			     const struct node *services);
/* Its QUIC server ids, if it has some (describe_quic.c). */
void describe_backend_quic(struct arena *a, const struct node *backend,
			   const struct node *services);
void describe_route_health(struct arena *a, const struct node *route, const struct node *services);

/* Has the route a service? Events name routes without their kind, so only then are they its. */
bool describe_is_served(struct arena *a, const struct node *route, const struct node *services);

#endif
