/* SPDX-License-Identifier: BSD-2-Clause */
/* Open addressing, at most half full. Where memory lies is the seed, so names cannot be made to collide. */
#include "manifest/anchors.h"

#include <string.h>

#include "base/hash.h"

#define SLOTS_MIN 64

/* Where the name is, or belongs. */
static uint32_t *slot_of(const struct anchors *list, const char *name)
{
	const uint64_t seed = (uint64_t)(uintptr_t)list->slots;
	size_t at = hash_bytes(name, strlen(name), seed) & (list->slot_count - 1);

	while (list->slots[at] && strcmp(list->items[list->slots[at] - 1].name, name) != 0)
		at = (at + 1) & (list->slot_count - 1);
	return &list->slots[at];
}

static void grow(struct arena *a, struct anchors *list)
{
	list->slot_count = list->slot_count ? list->slot_count * 4 : SLOTS_MIN;
	list->slots = arena_array(a, list->slot_count, sizeof(*list->slots));
	for (size_t i = 0; i < list->count; i++)
		*slot_of(list, list->items[i].name) = (uint32_t)i + 1;
}

void anchors_add(struct arena *a, struct anchors *list, const char *name)
{
	const char *copy = arena_strdup(a, name);

	if (list->count * 2 >= list->slot_count)
		grow(a, list);
	arena_push(a, list->items, list->count)->name = copy;
	*slot_of(list, copy) = (uint32_t)list->count;
}

const struct anchor *anchors_find(const struct anchors *list, const char *name)
{
	uint32_t index = list->slot_count ? *slot_of(list, name) : 0;

	return index ? &list->items[index - 1] : NULL;
}
