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

/* Those that still want slots, in order: where one has nearly all the weight it is soon alone. */
static size_t list_wanting(const uint32_t *wants, size_t count, uint16_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (wants[i] > 0)
			list[n++] = (uint16_t)i;
	}
	return n;
}

static void fill_home(const struct member *members, size_t count, uint32_t size, uint32_t *wants,
		      uint16_t *slots)
{
	struct walk *walks = malloc(count * sizeof(*walks));
	uint16_t *list = malloc(count * sizeof(*list));
	size_t wanting;

	if (!walks || !list)
		abort();
	for (size_t i = 0; i < count; i++)
		walks[i] = walk_start(members[i].key, size);
	wanting = list_wanting(wants, count, list);
	while (wanting > 0) {
		size_t still = 0;

		for (size_t n = 0; n < wanting; n++) {
			const uint16_t i = list[n];

			while (slots[walks[i].at] != MAGLEV_FREE)
				walk_next(&walks[i], size);
			slots[walks[i].at] = i;
			if (--wants[i] > 0)
				list[still++] = i;
		}
		wanting = still;
	}
	free(walks);
	free(list);
}

/* A slot that a member has, and how late it would have claimed it. */
struct claim {
	uint32_t slot, rank;
	uint16_t member;
};

static int compare_claims(const void *va, const void *vb)
{
	const struct claim *a = va, *b = vb;

	if (a->member != b->member)
		return a->member < b->member ? -1 : 1;
	return a->rank > b->rank ? -1 : a->rank < b->rank;
}

/* 1 / n modulo a prime, by Fermat: n to the power of prime - 2. */
static uint32_t inverse(uint32_t n, uint32_t prime)
{
	uint64_t power = n, result = 1;

	for (uint32_t e = prime - 2; e > 0; e >>= 1) {
		if (e & 1)
			result = result * power % prime;
		power = power * power % prime;
	}
	return (uint32_t)result;
}

/* Slots of members that give up some but not all of theirs, by member, the last claimed first. */
static size_t list_claims(const struct member *members, size_t count, uint32_t size,
			  const uint32_t *home, const uint32_t *excess, const uint16_t *slots,
			  struct claim *out)
{
	uint32_t *inverses = calloc(count, sizeof(*inverses));
	size_t n = 0;

	if (!inverses)
		abort();
	for (uint32_t s = 0; s < size; s++) {
		const uint16_t m = slots[s];
		struct walk w;

		if (m == MAGLEV_FREE || excess[m] == 0 || excess[m] == home[m])
			continue;
		w = walk_start(members[m].key, size);
		if (inverses[m] == 0)
			inverses[m] = inverse(w.skip, size);
		out[n++] = (struct claim){
			.slot = s,
			.rank = (uint32_t)((uint64_t)(s + size - w.at) % size * inverses[m] % size),
			.member = m,
		};
	}
	free(inverses);
	if (n > 1)
		qsort(out, n, sizeof(*out), compare_claims);
	return n;
}

/* Each member gives up excess[] of its slots, those it would have claimed last. */
static void release(const struct member *members, size_t count, uint32_t size, const uint32_t *home,
		    uint32_t *excess, uint16_t *slots)
{
	struct claim *claims = malloc(size * sizeof(*claims));
	size_t n;

	if (!claims)
		abort();
	n = list_claims(members, count, size, home, excess, slots, claims);
	for (uint32_t s = 0; s < size; s++) {
		if (slots[s] != MAGLEV_FREE && excess[slots[s]] == home[slots[s]])
			slots[s] = MAGLEV_FREE;
	}
	for (size_t i = 0; i < n; i++) {
		if (excess[claims[i].member] == 0)
			continue;
		slots[claims[i].slot] = MAGLEV_FREE;
		excess[claims[i].member]--;
	}
	free(claims);
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
	uint32_t *wants = malloc(2 * count * sizeof(*wants)), *excess;
	bool moved = false;

	if (!wants)
		abort();
	excess = wants + count;
	quota_now(members, count, size, home, wants);
	for (size_t i = 0; i < count; i++) {
		const uint32_t target = wants[i];

		wants[i] = target > home[i] ? target - home[i] : 0;
		excess[i] = target < home[i] ? home[i] - target : 0;
		moved = moved || excess[i] > 0;
	}
	if (moved) {
		release(members, count, size, home, excess, slots);
		spill_fill(members, count, wants, size, slots);
	}
	free(wants);
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
