/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hash by which equal slot tables find each other, in one compile and from one to the next; and the one by
 * which operators compare those of several gateways.
 */
#include "tables/tables.h"

#include <stdlib.h>
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

static uint64_t hash_endpoint(const struct table_endpoint *e)
{
	return hash_bytes(e->addr.b, sizeof(e->addr.b), (uint64_t)e->port << 8 | e->mode);
}

static uint64_t digest_slots(const struct table_slots *s, const uint64_t *by_id)
{
	uint64_t h = s->size;

	for (uint32_t i = 0; i < s->size; i++)
		h = hash_mix(h ^ (s->kind == TABLE_PICK ? by_id[s->slots[i]] : s->slots[i]));
	return h ? h : 1;
}

static void make_digests(struct tables *t)
{
	uint64_t *by_id = calloc(SPW_ENDPOINTS_LIMIT, sizeof(*by_id));

	if (!by_id)
		abort();
	for (size_t i = 0; i < t->endpoint_count; i++)
		by_id[t->endpoints[i].id] = hash_endpoint(&t->endpoints[i]);
	for (size_t i = 0; i < t->slots_count; i++)
		t->slots[i].digest = digest_slots(&t->slots[i], by_id);
	free(by_id);
}

uint64_t tables_digest(struct tables *t, const struct table_service *s)
{
	const uint32_t parts[] = {s->table, s->spare, table_weights(s)};
	uint64_t h = s->pick;

	if (s->table == TABLE_NONE)
		return 0;
	if (!t->slots[s->table].digest)
		make_digests(t);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		h = hash_mix(h ^ (parts[i] == TABLE_NONE ? 0 : t->slots[parts[i]].digest));
	return h ? h : 1;
}
