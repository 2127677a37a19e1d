/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorts places in the member list by key, so that equal keys meet; written order is kept. */
#include "manifest/settle.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	const char *key;
	size_t index;
};

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	if (order)
		return order;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void compact(struct node *map)
{
	size_t kept = 0;

	for (size_t i = 0; i < map->count; i++) {
		if (map->items[i])
			map->items[kept++] = map->items[i];
	}
	map->count = kept;
}

void settle_members(struct node *map, size_t explicit_count,
		    void (*twice)(void *arg, const struct node *first, const struct node *second),
		    void *arg)
{
	AUTO(free) struct entry *entries = NULL;
	size_t first = 0;

	if (map->count < 2)
		return;
	entries = calloc(map->count, sizeof(*entries));
	if (!entries)
		abort(); /* as the arena would */
	for (size_t i = 0; i < map->count; i++)
		entries[i] = (struct entry){.key = map->items[i]->key, .index = i};
	qsort(entries, map->count, sizeof(*entries), compare);
	for (size_t i = 1; i < map->count; i++) {
		if (strcmp(entries[i].key, entries[first].key) != 0) {
			first = i;
			continue;
		}
		if (entries[i].index < explicit_count)
			twice(arg, map->items[entries[first].index], map->items[entries[i].index]);
		map->items[entries[i].index] = NULL;
	}
	compact(map);
}
