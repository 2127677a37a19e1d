/* SPDX-License-Identifier: BSD-2-Clause */
/* The program that finds sockets, attached to this network namespace. */
#ifndef SPILLWAY_DATAPLANE_STEER_H
#define SPILLWAY_DATAPLANE_STEER_H

#include <stddef.h>

#include "dataplane/why.h"

struct dataplane;
struct steer_bpf;

#define STEER_PIN                                                                                  \
	"steer-of-this-namespace" /* too long for an interface, whose links are beside it */

struct steer {
	struct steer_bpf *skel;
	int link; /* owned; -1: not attached */
};

/* The maps are there already. */
int steer_open(struct dataplane *dp, struct why why);
void steer_pin_path(const struct dataplane *dp, char *path, size_t size);
void steer_close(struct dataplane *dp);

#endif
