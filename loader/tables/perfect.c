/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash and displace (CHD: Belazzougui, Botelho, Dietzfelbinger, 2009): keys fall into buckets; the
 * buckets, the fullest first, get the smallest displacement that puts each of their keys on a free
 * slot. As the slots are twice the keys, a handful of tries is the rule.
 */
#include "tables/perfect.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/cleanup.h"

#define DISPLACE_MIN  16
#define DISPLACEMENTS 65536

struct work {
	const struct spw_service_key *keys;
	const uint32_t *ids;
	uint16_t *displace;
	uint32_t *slots;
	uint32_t buckets, slot_count;
	uint64_t *hashes; /* by key */
	uint32_t *
		start; /* by bucket, and one more: its keys are members[start[b] .. start[b + 1]) */
	uint32_t *members; /* keys, bucket by bucket */
	uint32_t *order;   /* buckets, the fullest first */
	uint32_t *places;  /* by fill, as many as there are keys, and one more: for counting */
};

static uint32_t power_of_two(uint64_t least)
{
	uint32_t n = 1;

	while (n < least)
		n *= 2;
	return n;
}

uint32_t perfect_slot_count(uint32_t max_services)
{
	return power_of_two(2 * (uint64_t)max_services);
}

uint32_t perfect_displace_count(uint32_t max_services)
{
	const uint32_t least = (max_services + 1) / 2;

	return power_of_two(least > DISPLACE_MIN ? least : DISPLACE_MIN);
}

static uint32_t slot_of(const struct work *w, uint32_t key, uint16_t displacement)
{
	return spw_service_slot(w->hashes[key], displacement) & (w->slot_count - 1);
}

static uint32_t fill_of(const struct work *w, uint32_t bucket)
{
	return w->start[bucket + 1] - w->start[bucket];
}

/* A counting sort by bucket: start[] counts, then says where a bucket ends, then where it starts. */
static void sort_keys(struct work *w, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		w->start[(uint32_t)w->hashes[i] & (w->buckets - 1)]++;
	for (uint32_t b = 1; b <= w->buckets; b++)
		w->start[b] += w->start[b - 1];
	for (uint32_t i = 0; i < count; i++)
		w->members[--w->start[(uint32_t)w->hashes[i] & (w->buckets - 1)]] = i;
}

/* Another one, of the buckets by their fill; equal ones in the order of their numbers. */
static void sort_buckets(struct work *w, uint32_t count)
{
	uint32_t place = 0;

	for (uint32_t b = 0; b < w->buckets; b++)
		w->places[fill_of(w, b)]++;
	for (uint32_t fill = count + 1; fill-- > 0;) {
		const uint32_t n = w->places[fill];

		w->places[fill] = place;
		place += n;
	}
	for (uint32_t b = 0; b < w->buckets; b++)
		w->order[w->places[fill_of(w, b)]++] = b;
}

static bool key_equal(const struct spw_service_key *a, const struct spw_service_key *b)
{
	return a->port == b->port && a->proto == b->proto && addr_equal(&a->vip, &b->vip);
}

/* Equal keys are in one bucket, with equal hashes. */
static bool has_twice(const struct work *w, const uint32_t *members, uint32_t fill)
{
	for (uint32_t i = 1; i < fill; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (w->hashes[members[i]] == w->hashes[members[j]] &&
			    key_equal(&w->keys[members[i]], &w->keys[members[j]]))
				return true;
		}
	}
	return false;
}

/* All of the bucket's keys or none. */
static bool try_displacement(struct work *w, const uint32_t *members, uint32_t fill, uint16_t d)
{
	uint32_t done = 0;

	while (done < fill) {
		uint32_t *slot = &w->slots[slot_of(w, members[done], d)];

		if (*slot != SPW_SERVICE_NONE)
			break;
		*slot = w->ids[members[done++]];
	}
	if (done == fill)
		return true;
	while (done > 0)
		w->slots[slot_of(w, members[--done], d)] = SPW_SERVICE_NONE;
	return false;
}

static int place_bucket(struct work *w, uint32_t bucket)
{
	const uint32_t *members = &w->members[w->start[bucket]];
	const uint32_t fill = fill_of(w, bucket);

	if (has_twice(w, members, fill))
		return -EEXIST;
	for (uint32_t d = 0; d < DISPLACEMENTS; d++) {
		if (try_displacement(w, members, fill, (uint16_t)d)) {
			w->displace[bucket] = (uint16_t)d;
			return 0;
		}
	}
	return -ENOSPC;
}

static int place_all(struct work *w)
{
	for (uint32_t i = 0; i < w->buckets && fill_of(w, w->order[i]) > 0; i++) {
		int err = place_bucket(w, w->order[i]);

		if (err)
			return err;
	}
	return 0;
}

int perfect_build(const struct spw_service_key *keys, const uint32_t *ids, size_t count,
		  uint32_t seed, uint16_t *displace, uint32_t displace_count, uint32_t *slots,
		  uint32_t slot_count)
{
	AUTO(free) uint64_t *hashes = malloc((count + 1) * sizeof(*hashes));
	AUTO(free) uint32_t *start = calloc((size_t)displace_count + 1, sizeof(*start));
	AUTO(free) uint32_t *members = malloc((count + 1) * sizeof(*members));
	AUTO(free) uint32_t *order = malloc(displace_count * sizeof(*order));
	AUTO(free) uint32_t *places = calloc(count + 1, sizeof(*places));
	struct work w = {keys,	 ids,	displace, slots, displace_count, slot_count,
			 hashes, start, members,  order, places};

	if (!hashes || !start || !members || !order || !places)
		return -ENOMEM;
	if (count > slot_count)
		return -ENOSPC;
	memset(displace, 0, displace_count * sizeof(*displace));
	for (uint32_t i = 0; i < slot_count; i++)
		slots[i] = SPW_SERVICE_NONE;
	for (size_t i = 0; i < count; i++)
		hashes[i] = spw_service_hash(&keys[i].vip, keys[i].port, keys[i].proto, seed);
	sort_keys(&w, (uint32_t)count);
	sort_buckets(&w, (uint32_t)count);
	return place_all(&w);
}

uint32_t perfect_find(const struct spw_service_key *key, uint32_t seed, const uint16_t *displace,
		      uint32_t displace_count, const uint32_t *slots, uint32_t slot_count)
{
	const uint64_t hash = spw_service_hash(&key->vip, key->port, key->proto, seed);
	const uint16_t d = displace[(uint32_t)hash & (displace_count - 1)];

	return slots[spw_service_slot(hash, d) & (slot_count - 1)];
}
