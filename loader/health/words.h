/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's words by address and port: kept apart from targets, since they outlive them. The
 * store is control's; this is the copy that the funnel reads.
 */
#ifndef SPILLWAY_HEALTH_WORDS_H
#define SPILLWAY_HEALTH_WORDS_H

#include <spillway/abi.h>
#include <stddef.h>
#include <stdint.h>

struct word {
	struct spw_addr addr;
	uint16_t port; /* host order */
	enum spw_admin admin;
	char reason[48]; /* "set by the operator" */
};

/* Zero-initialise. Sorted by address and port. */
struct words {
	struct word *items; /* owned */
	size_t count;
	size_t capacity;
};

/* SPW_ADMIN_AUTO forgets it. -ENOMEM: nothing has changed. */
int words_set(struct words *all, const struct word *w);
/* NULL: automatic. Good until the next words_set(). */
const struct word *words_find(const struct words *all, const struct spw_addr *addr, uint16_t port);
void words_done(struct words *all);

#endif
