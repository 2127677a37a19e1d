/* SPDX-License-Identifier: BSD-2-Clause */
/* `set endpoint`: the operator's word on an address, from the request into the packet path. */
#ifndef SPILLWAY_CONTROL_OPERATOR_H
#define SPILLWAY_CONTROL_OPERATOR_H

#include "control/engine.h"

struct operator_change {
	struct spw_addr addr;
	uint16_t port;
	enum spw_admin from, to;
};

struct operator_request {
	struct spw_addr addr;
	uint16_t port; /* 0: all ports of the address */
	enum spw_admin admin;
};

struct operator_result {
	struct operator_change *changes; /* ordered by port */
	size_t count;
	const char *why; /* what failed */
};

/*
 * Sets the word for all endpoints meant. When it returns 0 the word is in the store and in force;
 * when the store fails it is in force all the same, and *out says so.
 * -ENOENT: no endpoint has the address. *out is in `a`, and filled in on failure too.
 */
int operator_set(struct engine *e, struct arena *a, const struct operator_request *r,
		 struct operator_result *out);

#endif
