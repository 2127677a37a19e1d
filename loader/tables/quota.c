/* SPDX-License-Identifier: BSD-2-Clause */
/* Largest remainder (Hamilton's method) in fixed point: exact, and the same on every machine. */
#include "tables/quota.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

struct remainder {
	uint64_t part; /* of a slot, in SHARE_ONE */
	uint32_t home;
	uint32_t index;
};

static int compare_remainders(const void *va, const void *vb)
{
	const struct remainder *a = va, *b = vb;

	if (a->part != b->part)
		return a->part < b->part ? 1 : -1;
	if (a->home != b->home)
		return a->home < b->home ? 1 : -1;
	return a->index < b->index ? -1 : a->index > b->index;
}

static uint64_t fraction(uint64_t share, uint32_t size)
{
	return (uint64_t)(((unsigned __int128)share * size) & (SHARE_ONE - 1));
}

static uint32_t whole(uint64_t share, uint32_t size)
{
	return (uint32_t)((unsigned __int128)share * size / SHARE_ONE);
}

static void round_up(struct remainder *r, size_t count, uint32_t missing, uint32_t *counts)
{
	qsort(r, count, sizeof(*r), compare_remainders);
	for (size_t i = 0; missing > 0 && i < count && r[i].part > 0; i++) {
		counts[r[i].index]++;
		missing--;
	}
	assert(missing == 0); /* the parts sum to the missing slots, and each is below one */
}

static void hamilton(const struct member *members, size_t count, uint32_t size,
		     const uint32_t *home, uint32_t *counts)
{
	struct remainder *r = calloc(count, sizeof(*r));
	uint32_t missing = size;

	if (!r)
		abort();
	for (size_t i = 0; i < count; i++) {
		const uint64_t share = home ? members[i].now : members[i].home;

		counts[i] = whole(share, size);
		missing -= counts[i];
		r[i] = (struct remainder){fraction(share, size), home ? home[i] : 0, (uint32_t)i};
	}
	round_up(r, count, missing, counts);
	free(r);
}

void quota_home(const struct member *members, size_t count, uint32_t size, uint32_t *counts)
{
	hamilton(members, count, size, NULL, counts);
}

/* Members that gain, the one that gains most on top, then the first: a binary heap. */
struct givers {
	uint32_t *items; /* owned: indices of members */
	size_t count;
	const uint32_t *home, *counts;
};

static bool is_richer(const struct givers *g, uint32_t a, uint32_t b)
{
	const uint32_t gain_a = g->counts[a] - g->home[a], gain_b = g->counts[b] - g->home[b];

	return gain_a != gain_b ? gain_a > gain_b : a < b;
}

static void sink(struct givers *g, size_t at)
{
	const uint32_t moved = g->items[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child + 1 < g->count && is_richer(g, g->items[child + 1], g->items[child]))
			child++;
		if (child >= g->count || !is_richer(g, g->items[child], moved))
			break;
		g->items[at] = g->items[child];
		at = child;
	}
	g->items[at] = moved;
}

/* Gains, and can spare one without falling a whole slot behind. */
static bool can_give(const struct givers *g, const struct member *members, uint32_t size,
		     uint32_t i)
{
	return g->counts[i] > g->home[i] && g->counts[i] >= whole(members[i].now, size);
}

static void find_givers(struct givers *g, const struct member *members, size_t count, uint32_t size)
{
	g->items = malloc(count * sizeof(*g->items));
	if (!g->items)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (can_give(g, members, size, (uint32_t)i))
			g->items[g->count++] = (uint32_t)i;
	}
	for (size_t i = g->count / 2; i > 0; i--)
		sink(g, i - 1);
}

/* One slot from whoever gains most; false when nobody can give. */
static bool take_one(struct givers *g, const struct member *members, uint32_t size,
		     uint32_t *counts)
{
	if (g->count == 0)
		return false;
	counts[g->items[0]]--;
	if (!can_give(g, members, size, g->items[0]))
		g->items[0] = g->items[--g->count];
	if (g->count > 1)
		sink(g, 0);
	return true;
}

void quota_now(const struct member *members, size_t count, uint32_t size, const uint32_t *home,
	       uint32_t *counts)
{
	struct givers givers = {.home = home, .counts = counts};

	hamilton(members, count, size, home, counts);
	for (size_t i = 0; i < count; i++) {
		if (home[i] != counts[i] + 1 || counts[i] != whole(members[i].now, size) ||
		    fraction(members[i].now, size) == 0)
			continue;
		if (!givers.items)
			find_givers(&givers, members, count, size);
		if (!take_one(&givers, members, size, counts))
			break;
		counts[i]++;
	}
	free(givers.items);
}
