/* SPDX-License-Identifier: BSD-2-Clause */
/* Prefixes of addresses, as the maps have them. */
#ifndef SPILLWAY_DECAP_PREFIX_H
#define SPILLWAY_DECAP_PREFIX_H

#include <spillway/decap.h>

#include "base/arena.h"
#include "base/addr.h"

#define PREFIX_TEXT_MAX (ADDR_TEXT_MAX + 4)

/* ADDR or ADDR/LEN. -EINVAL, and in *why what is wrong with it. */
int prefix_parse(struct arena *a, const char *text, struct spw_decap_prefix *out, const char **why);

/* One address, as struct spw_decap_prefix. */
struct spw_decap_prefix prefix_of(const struct spw_addr *addr);

bool prefix_is_one(const struct spw_decap_prefix *p);

/* Length as it is written: up to 32 of IPv4. */
unsigned int prefix_len(const struct spw_decap_prefix *p);

bool prefix_equal(const struct spw_decap_prefix *p, const struct spw_decap_prefix *q);
bool prefix_has(const struct spw_decap_prefix *p, const struct spw_addr *addr);

const char *prefix_print(const struct spw_decap_prefix *p, char buf[PREFIX_TEXT_MAX]);

#endif
