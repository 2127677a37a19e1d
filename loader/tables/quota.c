/* SPDX-License-Identifier: BSD-2-Clause */
/* Largest remainder (Hamilton's method) in fixed point: exact, and the same on every machine. */
#include "tables/quota.h"

#include <assert.h>
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

/* Who gains most and can spare one without falling a whole slot behind; count: nobody. */
static size_t richest(const struct member *members, size_t count, uint32_t size,
		      const uint32_t *home, const uint32_t *counts)
{
	size_t best = count;
	uint32_t gain = 0;

	for (size_t i = 0; i < count; i++) {
		if (counts[i] <= home[i] || counts[i] < whole(members[i].now, size))
			continue;
		if (counts[i] - home[i] > gain) {
			gain = counts[i] - home[i];
			best = i;
		}
	}
	return best;
}

void quota_now(const struct member *members, size_t count, uint32_t size, const uint32_t *home,
	       uint32_t *counts)
{
	hamilton(members, count, size, home, counts);
	for (size_t i = 0; i < count; i++) {
		size_t giver;

		if (home[i] != counts[i] + 1 || counts[i] != whole(members[i].now, size) ||
		    fraction(members[i].now, size) == 0)
			continue;
		giver = richest(members, count, size, home, counts);
		if (giver == count)
			return;
		counts[giver]--;
		counts[i]++;
	}
}
