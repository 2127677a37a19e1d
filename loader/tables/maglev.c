/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The home table is filled by Maglev's permutations (Eisenbud et al., NSDI 2016, section 3.4), but
 * to exact counts. Health then only takes slots away: each member gives up what it has too many in
 * a fixed order, and tables/spill.c gives those away. So with equal weights exactly the slots of
 * the endpoints that died move.
 */
#include "tables/maglev.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "tables/spill.h"

/*
 * Sizes double from one to the next, so that a set that grows or shrinks mostly keeps its size, and
 * with it most slots. A table of one endpoint has 251 slots too: the second one then takes half of
 * them, where a table of size 1 would be thrown away.
 */
static const uint32_t primes[] = {251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65537};
#define PRIME_COUNT (sizeof(primes) / sizeof(primes[0]))

uint32_t maglev_size(size_t members)
{
	for (size_t i = 0; i < PRIME_COUNT; i++) {
		if (primes[i] >= 100 * members)
			return primes[i];
	}
	return primes[PRIME_COUNT - 1];
}

/* A member's order of preference over the slots: offset, offset + skip, ... modulo the size. */
struct walk {
	uint32_t at;
	uint32_t skip;
};

static struct walk walk_start(uint64_t key, uint32_t size)
{
	return (struct walk){
		.at = (uint32_t)(hash_mix(key) % size),
		.skip = (uint32_t)(hash_mix(~key) % (size - 1) + 1),
	};
}

static void walk_next(struct walk *w, uint32_t size)
{
	w->at += w->skip;
	if (w->at >= size)
		w->at -= size;
}

/* Backwards from the least preferred slot, the one before the start. */
static void walk_back(struct walk *w, uint32_t size)
{
	w->at += size - w->skip;
	if (w->at >= size)
		w->at -= size;
}

static void fill_home(const struct member *members, size_t count, uint32_t size, uint32_t *wants,
		      uint16_t *slots)
{
	struct walk *walks = malloc(count * sizeof(*walks));
	uint32_t left = size;

	if (!walks)
		abort();
	for (size_t i = 0; i < count; i++)
		walks[i] = walk_start(members[i].key, size);
	while (left > 0) {
		for (size_t i = 0; i < count; i++) {
			if (wants[i] == 0)
				continue;
			while (slots[walks[i].at] != MAGLEV_FREE)
				walk_next(&walks[i], size);
			slots[walks[i].at] = (uint16_t)i;
			wants[i]--;
			left--;
		}
	}
	free(walks);
}

static void release(uint64_t key, uint16_t member, uint32_t excess, uint32_t size, uint16_t *slots)
{
	struct walk w = walk_start(key, size);

	while (excess > 0) {
		walk_back(&w, size);
		if (slots[w.at] != member)
			continue;
		slots[w.at] = MAGLEV_FREE;
		excess--;
	}
}

static bool has_share(const struct member *members, size_t count, bool now)
{
	for (size_t i = 0; i < count; i++) {
		if (now ? members[i].now : members[i].home)
			return true;
	}
	return false;
}

bool maglev_is_wanted(const struct member *members, size_t count)
{
	return has_share(members, count, true) && has_share(members, count, false);
}

void maglev_home(const struct member *members, size_t count, uint32_t size, uint32_t *counts,
		 uint16_t *slots)
{
	uint32_t *wants = malloc(count * sizeof(*wants));

	if (!wants)
		abort();
	quota_home(members, count, size, counts);
	memcpy(wants, counts, count * sizeof(*wants));
	memset(slots, 0xff, size * sizeof(*slots));
	fill_home(members, count, size, wants, slots);
	free(wants);
}

void maglev_move(const struct member *members, size_t count, uint32_t size, const uint32_t *home,
		 uint16_t *slots)
{
	uint32_t *target = malloc(count * sizeof(*target));
	bool moved = false;

	if (!target)
		abort();
	quota_now(members, count, size, home, target);
	for (size_t i = 0; i < count; i++) {
		if (home[i] > target[i]) {
			release(members[i].key, (uint16_t)i, home[i] - target[i], size, slots);
			moved = true;
			target[i] = 0;
		} else {
			target[i] -= home[i];
		}
	}
	if (moved)
		spill_fill(members, count, target, size, slots);
	free(target);
}

bool maglev_fill(const struct member *members, size_t count, uint32_t size, uint16_t *slots)
{
	uint32_t *counts;

	if (!maglev_is_wanted(members, count))
		return false;
	counts = malloc(count * sizeof(*counts));
	if (!counts)
		abort();
	maglev_home(members, count, size, counts, slots);
	maglev_move(members, count, size, counts, slots);
	free(counts);
	return true;
}
