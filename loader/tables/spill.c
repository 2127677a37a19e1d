/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every pair of a free slot and a member has a score by hash; the best pair is matched first. As
 * both sides rank by the same score the matching is the one that is stable, and it changes little
 * when members or slots come and go: that keeps slots in place over several failures in a row
 * although no table knows the one before it.
 *
 * In a large set a slot sees the members next to it on a ring only, as in consistent hashing, and of
 * those it keeps the best few; what that leaves over is given out one by one.
 */
#include "tables/spill.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/hash.h"
#include "tables/maglev.h"

#define CANDIDATES 8
#define WINDOW	   128 /* members that a slot sees */

struct pair {
	uint64_t score;
	uint32_t slot;
	uint16_t member;
};

struct pairs {
	struct pair *items;
	size_t count;
};

/* A member that wants slots; sorted by key they are the ring. */
struct gainer {
	uint64_t key;
	uint16_t member;
};

struct gainers {
	struct gainer *items; /* owned */
	size_t count;
};

static uint64_t slot_hash(uint32_t slot)
{
	return hash_mix((uint64_t)slot + 1);
}

static uint64_t score(uint64_t key, uint64_t of_slot)
{
	return hash_mix(key ^ of_slot);
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

/* The first on the ring from a slot's place on. */
static size_t ring_start(const struct gainers *g, uint64_t of_slot)
{
	const uint64_t place = hash_mix(~of_slot);
	size_t low = 0, high = g->count;

	while (low < high) {
		const size_t mid = low + (high - low) / 2;

		if (g->items[mid].key < place)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void collect(const struct gainers *g, uint32_t size, const uint16_t *slots,
		    struct pairs *out)
{
	const size_t seen = g->count < WINDOW ? g->count : WINDOW;

	for (uint32_t s = 0; s < size; s++) {
		const uint64_t of_slot = slot_hash(s);
		size_t n = 0, at;

		if (slots[s] != MAGLEV_FREE)
			continue;
		at = seen < g->count ? ring_start(g, of_slot) : 0;
		for (size_t i = 0; i < seen; i++, at++) {
			const struct gainer *w = &g->items[at < g->count ? at : at - g->count];
			struct pair p = {score(w->key, of_slot), s, w->member};

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
static uint16_t best_of(const struct gainers *g, const uint32_t *wants, uint32_t slot)
{
	const uint64_t of_slot = slot_hash(slot);
	struct pair best = {.member = MAGLEV_FREE};

	for (size_t i = 0; i < g->count; i++) {
		struct pair p = {score(g->items[i].key, of_slot), slot, g->items[i].member};

		if (wants[p.member] && (best.member == MAGLEV_FREE || is_better(&p, &best)))
			best = p;
	}
	return best.member;
}

static void give_rest(const struct gainers *g, uint32_t *wants, uint32_t size, uint16_t *slots)
{
	for (uint32_t s = 0; s < size; s++) {
		uint16_t m;

		if (slots[s] != MAGLEV_FREE)
			continue;
		m = best_of(g, wants, s);
		if (m == MAGLEV_FREE)
			return;
		slots[s] = m;
		wants[m]--;
	}
}

static void fill_tier(const struct gainers *g, uint32_t *wants, uint32_t size, uint16_t *slots)
{
	const size_t per_slot = g->count < CANDIDATES ? g->count : CANDIDATES;
	struct pairs pairs = {0};
	size_t free_slots = 0;

	for (uint32_t s = 0; s < size; s++)
		free_slots += slots[s] == MAGLEV_FREE;
	if (free_slots == 0 || g->count == 0)
		return;
	pairs.items = malloc(free_slots * per_slot * sizeof(*pairs.items));
	if (!pairs.items)
		abort();
	collect(g, size, slots, &pairs);
	sort_pairs(&pairs);
	match(&pairs, wants, slots);
	free(pairs.items);
	give_rest(g, wants, size, slots);
}

static int compare_gainers(const void *va, const void *vb)
{
	const struct gainer *a = va, *b = vb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return a->member < b->member ? -1 : a->member > b->member;
}

/* Those of one tier that want slots, sorted. */
static void list_gainers(const struct member *members, size_t count, const uint32_t *wants,
			 uint32_t tier, struct gainers *out)
{
	out->count = 0;
	for (size_t i = 0; i < count; i++) {
		if (wants[i] > 0 && members[i].tier == tier)
			out->items[out->count++] = (struct gainer){members[i].key, (uint16_t)i};
	}
	if (out->count > 1)
		qsort(out->items, out->count, sizeof(*out->items), compare_gainers);
}

void spill_fill(const struct member *members, size_t count, uint32_t *wants, uint32_t size,
		uint16_t *slots)
{
	struct gainers g = {.items = malloc((count + 1) * sizeof(*g.items))};
	uint32_t tiers = 0;

	if (!g.items)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (wants[i] > 0 && members[i].tier >= tiers)
			tiers = members[i].tier + 1;
	}
	for (uint32_t tier = 0; tier < tiers; tier++) {
		list_gainers(members, count, wants, tier, &g);
		fill_tier(&g, wants, size, slots);
	}
	free(g.items);
}
