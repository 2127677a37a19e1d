/* SPDX-License-Identifier: BSD-2-Clause */
/* Can the attached interfaces transmit what is redirected to them? */
#ifndef SPILLWAY_DATAPLANE_TRANSMIT_H
#define SPILLWAY_DATAPLANE_TRANSMIT_H

#include <uv.h>

#include "base/arena.h"
#include "dataplane/netdev.h"

struct dataplane;
struct interface;

/* Without fragments XDP needs a packet in one page; this MTU fits with every driver we know. */
#define MTU_ONE_PAGE 3498

/* What an attached interface's driver can do, where the kernel tells (Linux 6.3); else yes. */
struct driver {
	char name[32];	  /* "" while it is not known */
	bool xdp_xmit;	  /* transmits frames that are redirected to the interface */
	bool xdp_xmit_sg; /* also those of more than one buffer */
	bool said_lack;	  /* that frames are lost for want of these */
};

struct transmit {
	struct netdev netdev;
	uv_poll_t poll;
	bool changed; /* heard of an attached interface since the latest refresh */
};

/* Hears of changes from then on: open before the interfaces are looked up. */
int transmit_open(struct dataplane *dp);

/* Reads all attached interfaces' drivers again, and says what has changed. */
void transmit_refresh(struct dataplane *dp);

/* NULL, or why frames that leave by the interface are lost, with the remedy. In `a`. */
const char *transmit_problem(const struct dataplane *dp, struct arena *a,
			     const struct interface *i);
/* The same for an endpoint whose packets leave by it. */
const char *transmit_endpoint_problem(const struct dataplane *dp, struct arena *a,
				      const struct interface *i);

#endif
