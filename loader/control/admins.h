/* SPDX-License-Identifier: BSD-2-Clause */
/* The operator's words by endpoint address, as the store keeps them. An absent one is `auto`. */
#ifndef SPILLWAY_CONTROL_ADMINS_H
#define SPILLWAY_CONTROL_ADMINS_H

#include <spillway/abi.h>
#include <stddef.h>
#include <stdint.h>

struct admin_entry {
	struct spw_addr addr;
	uint16_t port; /* host order */
	enum spw_admin admin;
};

/* Zero-initialise; ordered by addr, port; holds no `auto`. */
struct admins {
	struct admin_entry *items; /* owned */
	size_t count;
	size_t capacity;
};

enum spw_admin admins_get(const struct admins *w, const struct spw_addr *addr, uint16_t port);
void admins_set(struct admins *w, const struct spw_addr *addr, uint16_t port, enum spw_admin admin);
void admins_done(struct admins *w);

const char *admin_text(enum spw_admin admin);		/* "auto", "up", "down", "drain" */
int admin_parse(const char *text, enum spw_admin *out); /* -EINVAL */

#endif
