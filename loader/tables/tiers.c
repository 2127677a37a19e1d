/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The share of new flows of each tier. Truncating integers throughout and in Envoy's order of
 * steps, because every truncation shows in the shares that users compare.
 */
#include "tables/tiers.h"

#define OVERPROVISIONING 140u

static uint32_t availability(const struct tier *t)
{
	uint64_t percent;

	if (t->total == 0)
		return 0;
	percent = (uint64_t)OVERPROVISIONING * t->healthy / t->total;
	return percent > 100 ? 100 : (uint32_t)percent;
}

static uint32_t normalised_total(const struct tier *tiers, size_t count)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < count && sum < 100; i++)
		sum += availability(&tiers[i]);
	return sum > 100 ? 100 : sum;
}

static void distribute(struct tier *tiers, size_t count, uint32_t norm)
{
	size_t first = count;
	uint32_t left = 100;

	for (size_t i = 0; i < count; i++) {
		const uint32_t part = availability(&tiers[i]) * 100 / norm;

		if (part > 0 && first == count)
			first = i;
		tiers[i].load_percent = part < left ? part : left;
		left -= tiers[i].load_percent;
	}
	tiers[first].load_percent += left;
}

/* An empty tier counts as 0 percent, so it is in panic with the others. */
static bool is_below(const struct tier *t, uint32_t threshold)
{
	if (t->total == 0)
		return threshold > 0;
	return (uint64_t)100 * t->healthy < (uint64_t)threshold * t->total;
}

static uint64_t count_all(const struct tier *tiers, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += tiers[i].total;
	return total;
}

static void distribute_by_count(struct tier *tiers, size_t count)
{
	const uint64_t total = count_all(tiers, count);
	size_t first = count;
	uint32_t left = 100;

	for (size_t i = 0; i < count; i++) {
		tiers[i].load_percent = (uint32_t)(100ull * tiers[i].total / total);
		left -= tiers[i].load_percent;
		if (tiers[i].total > 0 && first == count)
			first = i;
	}
	tiers[first].load_percent += left;
}

void tiers_load(struct tier *tiers, size_t count, uint32_t panic_threshold)
{
	const uint32_t threshold = panic_threshold > 100 ? 100 : panic_threshold;
	const uint32_t norm = normalised_total(tiers, count);
	bool all_in_panic = true;

	for (size_t i = 0; i < count; i++) {
		tiers[i].available_percent = availability(&tiers[i]);
		tiers[i].load_percent = 0;
		tiers[i].panic = norm < 100 && is_below(&tiers[i], threshold);
		all_in_panic = all_in_panic && tiers[i].panic;
	}
	if (count_all(tiers, count) == 0)
		return;
	if (all_in_panic) {
		distribute_by_count(tiers, count);
		return;
	}
	if (norm > 0)
		distribute(tiers, count, norm);
	else
		tiers[0].load_percent = 100; /* panic is off: sums to 100, yet nobody is picked */
}

uint64_t locality_effective_weight(uint32_t weight, uint32_t healthy, uint32_t total)
{
	const uint64_t whole = 100ull * EFFECTIVE_UNIT;
	uint64_t part;

	if (total == 0)
		return 0;
	part = (uint64_t)OVERPROVISIONING * EFFECTIVE_UNIT * healthy / total;
	return (part < whole ? part : whole) * weight;
}
