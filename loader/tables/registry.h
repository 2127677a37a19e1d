/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers given to keys, kept while the keys come back, and rested when they do not. */
#ifndef SPILLWAY_TABLES_REGISTRY_H
#define SPILLWAY_TABLES_REGISTRY_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGISTRY_NONE UINT32_MAX

struct registry_key {
	struct spw_addr addr;
	uint16_t port;
	uint8_t kind;	  /* mode or protocol */
	uint64_t profile; /* may change without a new number, if nothing else wants the old one */
};

enum registry_state { REGISTRY_FREE, REGISTRY_USED, REGISTRY_RESTING };

struct registry_row {
	struct registry_key key;
	enum registry_state state;
};

struct registry {
	struct registry_row *rows; /* owned, by number; those below `first` stay free */
	uint32_t first, end;	   /* numbers first .. end - 1 */
	uint32_t *order;	   /* owned: numbers not free, sorted by key */
	uint32_t order_count;
};

int registry_init(struct registry *r, uint32_t first, uint32_t end);
void registry_done(struct registry *r);
/* *r becomes *next, which is left empty. */
void registry_replace(struct registry *r, struct registry *next);

/* Takes numbers over, one by one, then registry_seed_end(); one out of range is ignored. */
void registry_seed(struct registry *r, uint32_t number, const struct registry_key *k);
/* Its key has gone; who comes back with it gets the number. */
void registry_seed_resting(struct registry *r, uint32_t number, const struct registry_key *k);
void registry_seed_end(struct registry *r);

/*
 * Numbers for `keys` (distinct) into numbers[], which holds hints: where to look first; and the registry as it is then into *next, which
 * the caller owns on success. -ENOSPC, -ENOMEM; *now never changes.
 */
int registry_assign(const struct registry *now, const struct registry_key *keys, size_t count,
		    struct registry *next, uint32_t *numbers);

/* REGISTRY_NONE when the key has none. */
uint32_t registry_find(const struct registry *r, const struct registry_key *k);

uint32_t registry_resting(const struct registry *r);
void registry_release(struct registry *r, bool (*fn)(void *ctx, uint32_t number), void *ctx);

#endif
