/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet sockets that hear who answers for an address, and the one to ask and announce by. */
#ifndef SPILLWAY_DATAPLANE_EAR_H
#define SPILLWAY_DATAPLANE_EAR_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct dataplane;

/* A packet socket that hears the answers to probes. */
struct ear {
	uv_poll_t poll;
	bool started;
	int fd; /* -1: not open */
};

/* Both are deaf until ears_listen(). */
int ears_open(struct dataplane *dp);
void ears_listen(struct dataplane *dp);
void ears_hear(struct dataplane *dp); /* what is there now, without the loop */
void ears_rest(struct dataplane *dp);
void ears_close(struct dataplane *dp); /* handles are closed already */

/* By attached interfaces that are up; both return their number. Asked is where it is on link. */
size_t ears_ask(struct dataplane *dp, const struct spw_addr *addr);
size_t ears_announce(struct dataplane *dp, const struct spw_addr *addr);

/* vips.c: somebody else, on this interface, has the address or wants it. */
void vip_heard(struct dataplane *dp, const struct spw_addr *addr, const uint8_t mac[6],
	       const char *interface);

#endif
