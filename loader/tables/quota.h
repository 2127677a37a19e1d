/* SPDX-License-Identifier: BSD-2-Clause */
/* How many slots of a table each member gets. */
#ifndef SPILLWAY_TABLES_QUOTA_H
#define SPILLWAY_TABLES_QUOTA_H

#include <stddef.h>
#include <stdint.h>

/* A share of 1, in fixed point; its product with a table size needs 128 bits. */
#define SHARE_ONE (1ull << 56)

/* One share of a table. No padding: lists of members are compared and hashed as bytes. */
struct member {
	uint64_t key;  /* hash of what it is, distinct within a table */
	uint64_t home; /* its share when everything is up: these sum to SHARE_ONE, or to 0 */
	uint64_t now;  /* its share now: the same */
	uint32_t tier;
	uint32_t id; /* the endpoint's number, for who fills the slots in; decides nothing */
};
_Static_assert(sizeof(struct member) == 32, "no padding");

/* Of the shares when everything is up: largest remainder, ties in the members' order. */
void quota_home(const struct member *members, size_t count, uint32_t size, uint32_t *counts);

/*
 * Of the shares now: largest remainder, ties to who has more home slots, then the members' order.
 * Where rounding alone would take one slot from a member, it keeps it at the cost of whoever gains
 * most: a count is then less than two slots from its share, and no flow moves for a rounding.
 */
void quota_now(const struct member *members, size_t count, uint32_t size, const uint32_t *home,
	       uint32_t *counts);

#endif
