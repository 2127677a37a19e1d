/* SPDX-License-Identifier: BSD-2-Clause */
/* `events`: what happened, from the ring that the engine keeps; a watcher asks again from `last`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control/api.h"

#define DEFAULT_LIMIT 1000

static bool read_number(const struct call *c, const char *name, uint64_t *out)
{
	const char *text = call_query(c, name);
	uint64_t n;
	char *end;

	if (!text)
		return true;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end || errno)
		return false;
	*out = n;
	return true;
}

/* "2026-01-02T03:04:05.678Z" */
static const char *print_time(struct arena *a, int64_t unix_ms)
{
	char whole[24];

	clock_rfc3339(unix_ms / 1000, whole);
	whole[strcspn(whole, "Z")] = '\0';
	return arena_printf(a, "%s.%03dZ", whole, (int)(unix_ms % 1000));
}

static void add_event(struct call *c, struct node *list, const struct event *e)
{
	struct arena *a = c->arena;
	struct node *n = tree_append_map(a, list);

	tree_set_int(a, n, "seq", (int64_t)e->seq);
	tree_set_text(a, n, "time", print_time(a, e->unix_ms));
	if (e->mono_ns)
		tree_set_int(a, n, "monotonicNs", (int64_t)e->mono_ns);
	tree_set_text(a, n, "kind", e->kind);
	tree_set_text(a, n, "subject", e->subject);
	tree_set_text(a, n, "backend", e->backend);
	tree_set_text(a, n, "from", e->from);
	tree_set_text(a, n, "to", e->to);
	tree_set_text(a, n, "reason", e->reason);
}

void api_events(struct call *c)
{
	const struct event_log *log = c->engine->events;
	struct node *answer = tree_map(c->arena);
	struct node *list = tree_set_list(c->arena, answer, "events");
	uint64_t since = 0, limit = DEFAULT_LIMIT;
	const struct event *e;

	if (!read_number(c, "since", &since) || !read_number(c, "limit", &limit) || !limit) {
		call_fail(c, 400, "BadRequest",
			  "since: must be the number of an event; limit: a number from 1");
		return;
	}
	while (node_count(list) < limit && (e = event_log_next(log, since))) {
		add_event(c, list, e);
		since = e->seq;
	}
	e = event_log_next(log, 0);
	tree_set_int(c->arena, answer, "last", (int64_t)event_log_last_seq(log));
	tree_set_int(c->arena, answer, "oldest", e ? (int64_t)e->seq : 0);
	call_answer(c, 200, answer);
}
