/* SPDX-License-Identifier: BSD-2-Clause */
/* A page of the daemon's events counts from the oldest, so its latest number is asked for first. */
#include "ctl/events.h"
#include "ctl/http.h"

#define PATH "/apis/spillway.dev/v1alpha1/events"
#define PAGE 1000

void events_keep_latest(struct node *list, size_t limit)
{
	const size_t count = node_count(list);

	if (count <= limit)
		return;
	list->items += count - limit;
	list->count = limit;
}

static const struct node *ask(struct ctl *c, int64_t since, int limit)
{
	const char *path =
		arena_printf(c->arena, PATH "?since=%lld&limit=%d", (long long)since, limit);
	const char *why = NULL;
	struct reply r;

	if (http_try(c, "GET", path, NULL, &r, &why))
		return NULL;
	return r.code == 200 ? r.body : NULL;
}

struct node *events_latest(struct ctl *c,
			   bool (*is_wanted)(const struct node *event, const char *name),
			   const char *name, size_t limit)
{
	struct loc nowhere = {0};
	struct node *list = node_new(c->arena, NODE_LIST, nowhere), *event;
	const int64_t last = node_int_at(ask(c, 0, 1), "last", 0);
	const struct node *page;

	if (!last)
		return list;
	page = node_member(ask(c, last > PAGE ? last - PAGE : 0, PAGE), "events");
	for (size_t i = 0; i < node_count(page); i++) {
		event = node_item(page, i);
		if (is_wanted(event, name))
			node_append(c->arena, list, event);
	}
	events_keep_latest(list, limit);
	return list;
}
