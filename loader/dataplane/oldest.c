/* SPDX-License-Identifier: BSD-2-Clause */
/* What a drain waits for: the flows of some endpoints that have lived the longest. */
#include "dataplane/oldest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_endpoint(const void *a, const void *b)
{
	const struct oldest_flows *x = a, *y = b;

	return x->endpoint_id < y->endpoint_id ? -1 : x->endpoint_id > y->endpoint_id;
}

size_t oldest_start(struct oldest_flows *lists, const uint32_t *ids, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		lists[i] = (struct oldest_flows){.endpoint_id = ids[i]};
	if (count)
		qsort(lists, count, sizeof(*lists), by_endpoint);
	for (size_t i = 0; i < count; i++) {
		if (!kept || lists[kept - 1].endpoint_id != lists[i].endpoint_id)
			lists[kept++].endpoint_id = lists[i].endpoint_id;
	}
	return kept;
}

static struct oldest_flows *find(struct oldest_flows *lists, size_t count, uint32_t endpoint_id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (lists[middle].endpoint_id == endpoint_id)
			return &lists[middle];
		if (lists[middle].endpoint_id < endpoint_id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

void oldest_note(struct oldest_flows *lists, size_t count, const struct flow_row *row)
{
	struct oldest_flows *list = find(lists, count, row->endpoint_id);
	uint32_t at;

	if (!list || (row->state & SPW_FLOW_CLOSED))
		return;
	list->open++;
	if (list->count < OLDEST_FLOWS)
		list->count++;
	else if (list->rows[OLDEST_FLOWS - 1].age_ms >= row->age_ms)
		return;
	for (at = list->count - 1; at > 0 && list->rows[at - 1].age_ms < row->age_ms; at--)
		list->rows[at] = list->rows[at - 1];
	list->rows[at] = *row;
}

struct search {
	struct oldest_flows *lists; /* owned */
	size_t count;
	void (*done)(void *ctx, int err, const struct oldest_flows *lists, size_t count);
	void *ctx;
};

static bool on_flow(void *ctx, const struct flow_row *row)
{
	const struct search *s = ctx;

	oldest_note(s->lists, s->count, row);
	return true;
}

static void search_free(struct search *s)
{
	if (!s)
		return;
	free(s->lists);
	free(s);
}

static void on_done(void *ctx, int err)
{
	struct search *s = ctx;

	s->done(s->ctx, err, err ? NULL : s->lists, err ? 0 : s->count);
	search_free(s);
}

int dataplane_oldest_flows(struct dataplane *dp, const uint32_t *ids, size_t count,
			   void (*done)(void *ctx, int err, const struct oldest_flows *lists,
					size_t count),
			   void *ctx)
{
	struct search *s = calloc(1, sizeof(*s));
	int err = -ENOMEM;

	if (s)
		s->lists = calloc(count + 1, sizeof(*s->lists));
	if (s && s->lists) {
		s->count = oldest_start(s->lists, ids, count);
		s->done = done;
		s->ctx = ctx;
		err = dataplane_walk_flows(dp, on_flow, on_done, s);
	}
	if (err)
		search_free(s);
	return err;
}
