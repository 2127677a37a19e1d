/* SPDX-License-Identifier: BSD-2-Clause */
/* See due.h. Every item knows its place, so moving and removing cost O(log n), too. */
#include "health/due.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static void set(struct due_queue *q, size_t i, struct due *d)
{
	q->items[i] = d;
	d->place = i + 1;
}

static void sift_up(struct due_queue *q, size_t i, struct due *d)
{
	while (i > 0) {
		size_t parent = (i - 1) / 2;

		if (q->items[parent]->at_ms <= d->at_ms)
			break;
		set(q, i, q->items[parent]);
		i = parent;
	}
	set(q, i, d);
}

static void sift_down(struct due_queue *q, size_t i, struct due *d)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= q->count)
			break;
		if (child + 1 < q->count && q->items[child + 1]->at_ms < q->items[child]->at_ms)
			child++;
		if (q->items[child]->at_ms >= d->at_ms)
			break;
		set(q, i, q->items[child]);
		i = child;
	}
	set(q, i, d);
}

/* Puts `d` where it belongs, starting from the free place `i`. */
static void settle(struct due_queue *q, size_t i, struct due *d)
{
	if (i > 0 && q->items[(i - 1) / 2]->at_ms > d->at_ms)
		sift_up(q, i, d);
	else
		sift_down(q, i, d);
}

int due_reserve(struct due_queue *q, size_t count)
{
	struct due **items;

	if (count <= q->capacity)
		return 0;
	items = reallocarray(q->items, count, sizeof(struct due *));
	if (!items)
		return -ENOMEM;
	q->items = items;
	q->capacity = count;
	return 0;
}

void due_done(struct due_queue *q)
{
	free(q->items);
	*q = (struct due_queue){0};
}

void due_put(struct due_queue *q, struct due *d, uint64_t at_ms)
{
	d->at_ms = at_ms;
	if (d->place) {
		settle(q, d->place - 1, d);
		return;
	}
	assert(q->count < q->capacity);
	q->count++;
	sift_up(q, q->count - 1, d);
}

void due_remove(struct due_queue *q, struct due *d)
{
	size_t i = d->place - 1;
	struct due *last;

	if (!d->place)
		return;
	d->place = 0;
	last = q->items[--q->count];
	if (last != d)
		settle(q, i, last);
}

struct due *due_first(const struct due_queue *q)
{
	return q->count ? q->items[0] : NULL;
}
