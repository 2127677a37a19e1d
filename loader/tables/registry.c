/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An array of rows by number and an index sorted by key. Assigning goes over the keys three times,
 * the surest match first: equal keys keep their number, then keys that differ in the profile alone
 * inherit one, then the lowest free numbers are given out.
 */
#include "tables/registry.h"

#include <errno.h>
#include <stdlib.h>

#include "base/addr.h"

static int compare_places(const struct registry_key *a, const struct registry_key *b)
{
	const int order = addr_compare(&a->addr, &b->addr);

	if (order)
		return order;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return a->kind < b->kind ? -1 : a->kind > b->kind;
}

static int compare_keys(const struct registry_key *a, const struct registry_key *b)
{
	const int order = compare_places(a, b);

	if (order)
		return order;
	return a->profile < b->profile ? -1 : a->profile > b->profile;
}

static int compare_numbers(const void *va, const void *vb, void *ctx)
{
	const struct registry *r = ctx;
	const uint32_t a = *(const uint32_t *)va, b = *(const uint32_t *)vb;
	const int order = compare_keys(&r->rows[a].key, &r->rows[b].key);

	return order ? order : a < b ? -1 : a > b;
}

static void sort_numbers(const struct registry *r, uint32_t *numbers, uint32_t count)
{
	if (count > 1)
		qsort_r(numbers, count, sizeof(*numbers), compare_numbers, (void *)r);
}

static void sort_order(struct registry *r)
{
	r->order_count = 0;
	for (uint32_t n = r->first; n < r->end; n++) {
		if (r->rows[n].state != REGISTRY_FREE)
			r->order[r->order_count++] = n;
	}
	sort_numbers(r, r->order, r->order_count);
}

int registry_init(struct registry *r, uint32_t first, uint32_t end)
{
	*r = (struct registry){.first = first, .end = end > first ? end : first};
	r->rows = calloc((size_t)r->end + 1, sizeof(*r->rows));
	r->order = calloc((size_t)r->end + 1, sizeof(*r->order));
	if (r->rows && r->order)
		return 0;
	registry_done(r);
	return -ENOMEM;
}

void registry_done(struct registry *r)
{
	free(r->rows);
	free(r->order);
	*r = (struct registry){0};
}

void registry_replace(struct registry *r, struct registry *next)
{
	registry_done(r);
	*r = *next;
	*next = (struct registry){0};
}

void registry_seed(struct registry *r, uint32_t number, const struct registry_key *k)
{
	if (number < r->first || number >= r->end)
		return;
	r->rows[number] = (struct registry_row){*k, REGISTRY_USED};
}

void registry_seed_resting(struct registry *r, uint32_t number, const struct registry_key *k)
{
	registry_seed(r, number, k);
	if (number >= r->first && number < r->end)
		r->rows[number].state = REGISTRY_RESTING;
}

void registry_seed_end(struct registry *r)
{
	sort_order(r);
}

/* First position in the order whose key is not below `k`. */
static uint32_t lower_bound(const struct registry *r, const struct registry_key *k)
{
	uint32_t low = 0, high = r->order_count;

	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;

		if (compare_keys(&r->rows[r->order[mid]].key, k) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t registry_find(const struct registry *r, const struct registry_key *k)
{
	const uint32_t at = lower_bound(r, k);

	if (at == r->order_count || compare_keys(&r->rows[r->order[at]].key, k) != 0)
		return REGISTRY_NONE;
	return r->order[at];
}

/* A number of the same place whose profile nobody has any more, by the lowest profile. */
static uint32_t find_heir(const struct registry *now, const struct registry *next,
			  const struct registry_key *k)
{
	struct registry_key lowest = *k;

	lowest.profile = 0;
	for (uint32_t i = lower_bound(now, &lowest); i < now->order_count; i++) {
		const uint32_t number = now->order[i];

		if (compare_places(&now->rows[number].key, k) != 0)
			break;
		if (now->rows[number].state == REGISTRY_USED &&
		    next->rows[number].state != REGISTRY_USED)
			return number;
	}
	return REGISTRY_NONE;
}

static void take(struct registry *next, uint32_t number, const struct registry_key *k,
		 uint32_t *out)
{
	next->rows[number] = (struct registry_row){*k, REGISTRY_USED};
	*out = number;
}

/* Mostly a key has the number that it had. */
static uint32_t find_near(const struct registry *now, const struct registry_key *k, uint32_t hint)
{
	if (hint >= now->first && hint < now->end && now->rows[hint].state != REGISTRY_FREE &&
	    compare_keys(&now->rows[hint].key, k) == 0)
		return hint;
	return registry_find(now, k);
}

static bool is_as_before(const struct registry *now, const struct registry *next, uint32_t number)
{
	return now->rows[number].state != REGISTRY_FREE &&
	       compare_keys(&now->rows[number].key, &next->rows[number].key) == 0;
}

/* Sorts what is new, and merges it with what stays, which is sorted; nobody is free that was not. */
static int make_order(const struct registry *now, struct registry *next)
{
	uint32_t *fresh = calloc((size_t)next->end + 1, sizeof(*fresh));
	uint32_t count = 0, f = 0;

	if (!fresh)
		return -ENOMEM;
	for (uint32_t n = next->first; n < next->end; n++) {
		if (next->rows[n].state != REGISTRY_FREE && !is_as_before(now, next, n))
			fresh[count++] = n;
	}
	sort_numbers(next, fresh, count);
	next->order_count = 0;
	for (uint32_t i = 0; i < now->order_count; i++) {
		const uint32_t n = now->order[i];

		if (!is_as_before(now, next, n))
			continue;
		while (f < count && compare_numbers(&fresh[f], &n, next) < 0)
			next->order[next->order_count++] = fresh[f++];
		next->order[next->order_count++] = n;
	}
	while (f < count)
		next->order[next->order_count++] = fresh[f++];
	free(fresh);
	return 0;
}

static int take_free(struct registry *next, const struct registry_key *keys, size_t count,
		     uint32_t *numbers)
{
	uint32_t n = next->first;

	for (size_t i = 0; i < count; i++) {
		if (numbers[i] != REGISTRY_NONE)
			continue;
		while (n < next->end && next->rows[n].state != REGISTRY_FREE)
			n++;
		if (n == next->end)
			return -ENOSPC;
		take(next, n, &keys[i], &numbers[i]);
	}
	return 0;
}

/* Into numbers[], which holds hints. */
static int give_numbers(const struct registry *now, const struct registry_key *keys, size_t count,
			struct registry *next, uint32_t *numbers)
{
	for (size_t i = 0; i < count; i++) {
		numbers[i] = find_near(now, &keys[i], numbers[i]);
		if (numbers[i] != REGISTRY_NONE)
			take(next, numbers[i], &keys[i], &numbers[i]);
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t heir;

		if (numbers[i] != REGISTRY_NONE)
			continue;
		heir = find_heir(now, next, &keys[i]);
		if (heir != REGISTRY_NONE)
			take(next, heir, &keys[i], &numbers[i]);
	}
	return take_free(next, keys, count, numbers);
}

int registry_assign(const struct registry *now, const struct registry_key *keys, size_t count,
		    struct registry *next, uint32_t *numbers)
{
	struct registry r;
	int err;

	if (registry_init(&r, now->first, now->end))
		return -ENOMEM;
	for (uint32_t n = now->first; n < now->end; n++) {
		r.rows[n] = now->rows[n];
		if (r.rows[n].state == REGISTRY_USED)
			r.rows[n].state = REGISTRY_RESTING;
	}
	err = give_numbers(now, keys, count, &r, numbers);
	if (!err)
		err = make_order(now, &r);
	if (err) {
		registry_done(&r);
		return err;
	}
	*next = r;
	return 0;
}

uint32_t registry_resting(const struct registry *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->order_count; i++)
		n += r->rows[r->order[i]].state == REGISTRY_RESTING;
	return n;
}

void registry_release(struct registry *r, bool (*fn)(void *ctx, uint32_t number), void *ctx)
{
	for (uint32_t n = r->first; n < r->end; n++) {
		if (r->rows[n].state == REGISTRY_RESTING && fn(ctx, n))
			r->rows[n] = (struct registry_row){0};
	}
	sort_order(r);
}
