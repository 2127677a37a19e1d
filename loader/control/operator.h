/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's word on endpoints (`set endpoint`, `drain`): from the request into the packet path,
 * and from the store or the maps at a start.
 */
#ifndef SPILLWAY_CONTROL_OPERATOR_H
#define SPILLWAY_CONTROL_OPERATOR_H

#include "control/engine.h"

struct operator_change {
	struct spw_addr addr;
	uint16_t port;
	enum spw_admin from;
};

/* What a drain is to come to; a plain word `drain` has none. */
struct drain_terms {
	int64_t deadline_s; /* from now; 0: none */
	bool reset;
};

/* All changes get one word. */
struct operator_request {
	enum spw_admin admin;
	const struct drain_terms
		*terms; /* of SPW_ADMIN_DRAIN; NULL: a drain under way keeps its own */
	struct operator_change *changes; /* by the two functions below */
	size_t count;
};

/* The endpoints of the address (port 0: all its ports) that the model has; in `a`. */
void operator_pick_address(struct engine *e, struct arena *a, const struct spw_addr *addr,
			   uint16_t port, struct operator_request *out);

/*
 * When it returns 0 the words are in the store and in force; when the store fails they are in force
 * all the same, marked in the maps, and *why says so. *why is in `a`.
 */
int operator_set(struct engine *e, struct arena *a, const struct operator_request *r,
		 const char **why);

/* Start: the store's words. */
int operator_load(struct engine *e);
/*
 * What the maps alone have, since no daemon ran or one ended before it was stored: to be found
 * before the first generation is installed, in `a`, and adopted afterwards, as a change like others.
 */
size_t operator_find_marked(struct engine *e, struct arena *a, struct admin_entry **out);
void operator_adopt(struct engine *e, const struct admin_entry *marked, size_t count);

/* Words that the store refused are put into it again; nothing when there are none. */
void operator_keep_again(struct engine *e);

/* The maps' own copy of the words of all instances of the generation in force follows. */
void operator_write_all(struct engine *e);

#endif
