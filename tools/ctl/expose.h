/* SPDX-License-Identifier: BSD-2-Clause */
/* What `expose` is to make, and the objects for it. */
#ifndef SPILLWAY_CTL_EXPOSE_H
#define SPILLWAY_CTL_EXPOSE_H

#include "base/addr.h"
#include "ctl/ctl.h"

struct expose {
	struct ctl *c;
	const char *backend;
	const char *name; /* of the Gateway and of the route */
	struct spw_addr *addresses;
	size_t address_count;
	int64_t port, weight; /* weight -1: not given */
	const char *protocol; /* TCP or UDP */
};

/* From the command line; nonzero, and said so, for a mistake. */
int expose_read(struct ctl *c, struct expose *out);

/* Whether it is one of the addresses. */
bool expose_has(const struct expose *e, const struct spw_addr *addr);

/*
 * Looks at what is stored: the Backend must be there, the port free. *gateway is the stored Gateway
 * of the name, or NULL, and *route a name for the route. Nonzero, and said so, when it cannot be done.
 */
int expose_look(const struct expose *e, struct node **gateway, const char **route);

/* The objects. A stored Gateway gets a listener more; the trees are new. */
struct node *expose_gateway(const struct expose *e, const struct node *stored);
struct node *expose_route(const struct expose *e, const char *name);

#endif
