/* SPDX-License-Identifier: BSD-2-Clause */
/* FNV-1a over the bytes (draft-eastlake-fnv), then hash_mix(). */
#include "base/hash.h"

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed)
{
	const uint8_t *p = data;
	uint64_t h = 0xcbf29ce484222325ull ^ hash_mix(seed);

	for (size_t i = 0; i < len; i++) {
		h ^= p[i];
		h *= 0x100000001b3ull;
	}
	return hash_mix(h);
}
