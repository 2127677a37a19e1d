/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots by the members they were computed from: what makes a rebuild cheap. */
#ifndef SPILLWAY_TABLES_CACHE_H
#define SPILLWAY_TABLES_CACHE_H

#include "tables/compile.h"
#include "tables/quota.h"
#include "tables/recipe.h"

/* A table as it was filled; owned by the cache, valid until commit or cancel. */
struct cached_table {
	uint32_t size;
	uint16_t *slots; /* endpoint ids */
	uint64_t hash;	 /* table_hash() */
	bool *has_slots; /* by member */
	uint32_t row;	 /* the caller's, TABLE_NONE at first in each compile */
};

/* What was made of a recipe; owned by the cache likewise. */
struct cached_service {
	struct cached_table *table, *spare; /* NULL: none */
	bool *has_slots; /* by member of the recipe: the service's table has its endpoint */
	bool direct;	 /* the recipe's */
};

/* A compile is committed: what it did not ask for is forgotten; or cancelled: what it added is. */
void cache_begin(struct table_cache *c);
void cache_commit(struct table_cache *c);
void cache_cancel(struct table_cache *c);

/*
 * The table of these members, filled now if it is not known; NULL when nobody has a share. `size` is a
 * prime; 0: maglev_size().
 */
struct cached_table *cache_table(struct table_cache *c, const struct member *members, size_t count,
				 uint32_t size);

/* That of a service; *is_new: nothing was made of the recipe yet, the caller fills in the rest. */
struct cached_service *cache_service(struct table_cache *c, const struct recipe *r, bool *is_new);

#endif
