/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A 64-bit hash whose values are part of the design: pick tables must be the same on every gateway
 * and in every version, so this never changes. Not for adversarial keys.
 */
#ifndef SPILLWAY_BASE_HASH_H
#define SPILLWAY_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);

/* A bijection with good avalanche: the finaliser of SplitMix64 (Steele 2014). */
static inline uint64_t hash_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	x ^= x >> 31;
	return x;
}

#endif
