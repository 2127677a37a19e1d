/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash by which equal slot tables find each other, in one compile and from one to the next. */
#include "tables/tables.h"

#include <string.h>

#include "base/hash.h"

uint32_t table_weights(const struct table_service *s)
{
	return s->pick == SPW_PICK_LEAST ? s->weights : TABLE_NONE;
}

uint64_t table_hash(const uint16_t *slots, uint32_t size)
{
	uint64_t h = size, word;
	uint32_t i = 0;

	for (; i + 4 <= size; i += 4) {
		memcpy(&word, &slots[i], sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15ull;
		h ^= h >> 29;
	}
	for (; i < size; i++)
		h = hash_mix(h ^ slots[i]);
	h = hash_mix(h);
	return h ? h : 1;
}

uint64_t tables_slots_taken(const struct tables *t)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < t->slots_count; i++)
		lines += (t->slots[i].size + SPW_LINE_SLOTS - 1) / SPW_LINE_SLOTS;
	return lines * SPW_LINE_SLOTS;
}
