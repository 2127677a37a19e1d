/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every pair of a free slot and a member has a score by hash; the best pair is matched first. As
 * both sides rank by the same score the matching is the one that is stable, and it changes little
 * when members or slots come and go: that keeps slots in place over several failures in a row
 * although no table knows the one before it.
 *
 * A slot looks at its best few members only; what that leaves over is given out one by one.
 */
#include "tables/spill.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "tables/maglev.h"

#define CANDIDATES 8

struct pair {
	uint64_t score;
	uint32_t slot;
	uint16_t member;
};

struct pairs {
	struct pair *items;
	size_t count;
};

static uint64_t score(uint64_t key, uint32_t slot)
{
	return hash_mix(key ^ hash_mix((uint64_t)slot + 1));
}

static bool is_better(const struct pair *a, const struct pair *b)
{
	if (a->score != b->score)
		return a->score > b->score;
	return a->slot != b->slot ? a->slot < b->slot : a->member < b->member;
}

/* Keeps the best[] of a slot sorted; returns how many there are now. */
static size_t keep_best(struct pair *best, size_t n, struct pair p)
{
	size_t i = n < CANDIDATES ? n : CANDIDATES;

	if (n == CANDIDATES && !is_better(&p, &best[CANDIDATES - 1]))
		return n;
	if (n == CANDIDATES)
		i--;
	for (; i > 0 && is_better(&p, &best[i - 1]); i--)
		best[i] = best[i - 1];
	best[i] = p;
	return n < CANDIDATES ? n + 1 : n;
}

static void collect(const struct member *members, const uint16_t *gainers, size_t gainer_count,
		    uint32_t size, const uint16_t *slots, struct pairs *out)
{
	for (uint32_t s = 0; s < size; s++) {
		size_t n = 0;

		if (slots[s] != MAGLEV_FREE)
			continue;
		for (size_t g = 0; g < gainer_count; g++) {
			struct pair p = {score(members[gainers[g]].key, s), s, gainers[g]};

			n = keep_best(&out->items[out->count], n, p);
		}
		out->count += n;
	}
}

/* Scores are uniform: one bucket a pair, best first, then insertion within the buckets. */
static void sort_pairs(struct pairs *p)
{
	unsigned int bits = 1;
	struct pair *sorted;
	uint32_t *start;

	while ((1ull << bits) < p->count)
		bits++;
	start = calloc((1ull << bits) + 1, sizeof(*start));
	sorted = malloc((p->count + 1) * sizeof(*sorted));
	if (!start || !sorted)
		abort();
	for (size_t i = 0; i < p->count; i++)
		start[(~p->items[i].score >> (64 - bits)) + 1]++;
	for (size_t b = 0; b < 1ull << bits; b++)
		start[b + 1] += start[b];
	for (size_t i = 0; i < p->count; i++)
		sorted[start[~p->items[i].score >> (64 - bits)]++] = p->items[i];
	for (size_t i = 1; i < p->count; i++) {
		const struct pair moved = sorted[i];
		size_t at = i;

		for (; at > 0 && is_better(&moved, &sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = moved;
	}
	free(start);
	free(p->items);
	p->items = sorted;
}

static void match(const struct pairs *p, uint32_t *wants, uint16_t *slots)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct pair *pair = &p->items[i];

		if (slots[pair->slot] != MAGLEV_FREE || wants[pair->member] == 0)
			continue;
		slots[pair->slot] = pair->member;
		wants[pair->member]--;
	}
}

/* The best member that still wants one; MAGLEV_FREE when none does. */
static uint16_t best_of(const struct member *members, const uint16_t *gainers, size_t gainer_count,
			const uint32_t *wants, uint32_t slot)
{
	struct pair best = {.member = MAGLEV_FREE};

	for (size_t g = 0; g < gainer_count; g++) {
		struct pair p = {score(members[gainers[g]].key, slot), slot, gainers[g]};

		if (wants[p.member] && (best.member == MAGLEV_FREE || is_better(&p, &best)))
			best = p;
	}
	return best.member;
}

static void give_rest(const struct member *members, const uint16_t *gainers, size_t gainer_count,
		      uint32_t *wants, uint32_t size, uint16_t *slots)
{
	for (uint32_t s = 0; s < size; s++) {
		uint16_t m;

		if (slots[s] != MAGLEV_FREE)
			continue;
		m = best_of(members, gainers, gainer_count, wants, s);
		if (m == MAGLEV_FREE)
			return;
		slots[s] = m;
		wants[m]--;
	}
}

static void fill_tier(const struct member *members, const uint16_t *gainers, size_t gainer_count,
		      uint32_t *wants, uint32_t size, uint16_t *slots)
{
	const size_t per_slot = gainer_count < CANDIDATES ? gainer_count : CANDIDATES;
	struct pairs pairs = {0};
	size_t free_slots = 0;

	for (uint32_t s = 0; s < size; s++)
		free_slots += slots[s] == MAGLEV_FREE;
	if (free_slots == 0 || gainer_count == 0)
		return;
	pairs.items = malloc(free_slots * per_slot * sizeof(*pairs.items));
	if (!pairs.items)
		abort();
	collect(members, gainers, gainer_count, size, slots, &pairs);
	sort_pairs(&pairs);
	match(&pairs, wants, slots);
	free(pairs.items);
	give_rest(members, gainers, gainer_count, wants, size, slots);
}

void spill_fill(const struct member *members, size_t count, uint32_t *wants, uint32_t size,
		uint16_t *slots)
{
	uint16_t *gainers = malloc((count + 1) * sizeof(*gainers));
	uint32_t tiers = 0;

	if (!gainers)
		abort();
	for (size_t i = 0; i < count; i++)
		tiers = wants[i] > 0 && members[i].tier >= tiers ? members[i].tier + 1 : tiers;
	for (uint32_t tier = 0; tier < tiers; tier++) {
		size_t n = 0;

		for (size_t i = 0; i < count; i++) {
			if (wants[i] > 0 && members[i].tier == tier)
				gainers[n++] = (uint16_t)i;
		}
		fill_tier(members, gainers, n, wants, size, slots);
	}
	free(gainers);
}
