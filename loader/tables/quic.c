/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line has room for three keys. With half of that taken at most, nearly every key is in the line of its
 * hash and the longest way to one stays short; where it does not, there are twice as many lines.
 */
#include "tables/quic.h"

#include <string.h>

#define FILL 2 /* ways for each key, at least */

static bool put(struct spw_quic_line *lines, uint32_t count, const union spw_quic_key *key,
		uint16_t endpoint)
{
	uint32_t at = spw_quic_first(key, count);

	for (unsigned int i = 0; i < SPW_QUIC_PROBES; i++) {
		struct spw_quic_keys *l = &lines[(at + i) % count].keys;

		for (unsigned int way = 0; way < SPW_QUIC_WAYS; way++) {
			if (l->endpoint[way])
				continue;
			l->key[way] = *key;
			l->endpoint[way] = endpoint;
			return true;
		}
	}
	return false;
}

static bool fill(struct spw_quic_line *lines, uint32_t count, const struct quic_map *map,
		 const uint16_t *endpoints)
{
	for (size_t i = 0; i < map->count; i++) {
		if (endpoints[i] != SPW_ENDPOINT_NONE &&
		    !put(lines, count, &map->ids[i].key, endpoints[i]))
			return false;
	}
	return true;
}

void quic_build(struct arena *a, const struct quic_map *map, const uint16_t *endpoints,
		struct table_slots *out)
{
	uint32_t count = (uint32_t)(map->count * FILL + SPW_QUIC_WAYS - 1) / SPW_QUIC_WAYS;
	struct spw_quic_line *lines;

	for (;; count *= 2) {
		lines = arena_array(a, 1 + (size_t)count, sizeof(*lines));
		if (fill(lines + 1, count, map, endpoints))
			break;
	}
	memcpy(lines[0].head.id_len, map->id_len, sizeof(map->id_len));
	*out = (struct table_slots){
		.kind = TABLE_QUIC,
		.size = (1 + count) * SPW_LINE_SLOTS,
		.slots = (const uint16_t *)lines,
	};
	out->hash = table_hash(out->slots, out->size);
}

uint32_t quic_find(const struct table_slots *t, const union spw_quic_key *key)
{
	const struct spw_quic_line *lines = (const struct spw_quic_line *)t->slots + 1;
	const uint32_t count = t->size / SPW_LINE_SLOTS - 1, at = spw_quic_first(key, count);

	for (unsigned int i = 0; i < SPW_QUIC_PROBES; i++) {
		const struct spw_quic_keys *l = &lines[(at + i) % count].keys;

		for (unsigned int way = 0; way < SPW_QUIC_WAYS; way++) {
			if (!l->endpoint[way])
				return SPW_ENDPOINT_NONE;
			if (memcmp(&l->key[way], key, sizeof(*key)) == 0)
				return l->endpoint[way];
		}
	}
	return SPW_ENDPOINT_NONE;
}
