/* SPDX-License-Identifier: BSD-2-Clause */
/* IP networks as text, and lists of them as the packet path reads them (<spillway/list.h>). */
#ifndef SPILLWAY_BASE_NETWORK_H
#define SPILLWAY_BASE_NETWORK_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct network {
	struct spw_addr addr;
	uint8_t bits; /* of the 16 bytes: of IPv4 at least 96 */
};

/* Zero-initialise; grows in an arena. */
struct networks {
	struct network *items;
	size_t count;
};

/*
 * "10.0.0.0/8", "2001:db8::/32", or an address alone. Bits behind the prefix are ignored. -EINVAL,
 * *out untouched, for anything else.
 */
int network_parse(const char *text, size_t len, struct network *out);

/* A word of a text, and where it is. */
struct network_slip {
	const char *text;
	size_t len;
	unsigned int line; /* 1 is the first */
};

/*
 * Adds the networks of a text: separated by white space or commas, with `#` for the rest of the line.
 * Those that are none are left out: how many, and the first of them in *first (untouched when 0).
 */
size_t networks_add_text(struct arena *a, struct networks *list, const char *text, size_t len,
			 struct network_slip *first);

/* A list in the packet path's form. */
struct netlist {
	const struct spw_list_line *lines;
	uint32_t count; /* of lines */
	size_t networks;
};

/* Depends on the addresses that are in any of the networks, not on how they were put. In `a`. */
void netlist_build(struct arena *a, const struct networks *list, struct netlist *out);

/* Is the address in the list? As packets ask. */
bool netlist_has(const struct netlist *list, const struct spw_addr *addr);

#endif
