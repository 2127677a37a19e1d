/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted array: set by hand, read for each instance of a new model. */
#include "health/words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

static int compare(const struct word *w, const struct spw_addr *addr, uint16_t port)
{
	const int by_addr = addr_compare(&w->addr, addr);

	return by_addr ? by_addr : (int)w->port - (int)port;
}

/* Where it is, or would be. */
static size_t place_of(const struct words *all, const struct spw_addr *addr, uint16_t port)
{
	size_t low = 0, high = all->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (compare(&all->items[mid], addr, port) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct word *words_find(const struct words *all, const struct spw_addr *addr, uint16_t port)
{
	const size_t at = place_of(all, addr, port);

	return at < all->count && !compare(&all->items[at], addr, port) ? &all->items[at] : NULL;
}

static int insert(struct words *all, size_t at, const struct word *w)
{
	if (all->count == all->capacity) {
		const size_t capacity = all->capacity ? 2 * all->capacity : 16;
		struct word *items = reallocarray(all->items, capacity, sizeof(*items));

		if (!items)
			return -ENOMEM;
		all->items = items;
		all->capacity = capacity;
	}
	memmove(&all->items[at + 1], &all->items[at], (all->count - at) * sizeof(*w));
	all->items[at] = *w;
	all->count++;
	return 0;
}

int words_set(struct words *all, const struct word *w)
{
	const size_t at = place_of(all, &w->addr, w->port);
	const bool is_there = at < all->count && !compare(&all->items[at], &w->addr, w->port);

	if (w->admin == SPW_ADMIN_AUTO) {
		if (is_there)
			memmove(&all->items[at], &all->items[at + 1],
				(--all->count - at) * sizeof(*w));
		return 0;
	}
	if (!is_there)
		return insert(all, at, w);
	all->items[at] = *w;
	return 0;
}

void words_done(struct words *all)
{
	free(all->items);
	*all = (struct words){0};
}
