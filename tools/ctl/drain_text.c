/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said of drains in a line. An estimate is the daemon's, from how fast flows ended so far. */
#include <string.h>

#include "base/clock.h"
#include "ctl/drain.h"

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static bool is_under_way(const struct node *row)
{
	return strcmp(node_text_at(row, "state", ""), "draining") == 0;
}

/* Unknown of one is unknown of all: the slowest one counts. */
static void add_estimate(struct drain_sum *s, const struct node *row)
{
	const int64_t estimate_s = node_int_at(row, "estimateSeconds", -1);

	if (estimate_s < 0 || (s->under_way && s->estimate_s < 0))
		s->estimate_s = -1;
	else
		s->estimate_s = larger(s->estimate_s, estimate_s);
}

static void add_deadline(struct drain_sum *s, const struct node *row)
{
	const int64_t deadline_s = node_int_at(row, "deadlineSecondsLeft", -1);
	const char *then = node_text_at(row, "then", "leave");

	if (deadline_s < 0)
		return;
	if (s->deadline_s < 0)
		s->then = then;
	else if (s->then && strcmp(s->then, then) != 0)
		s->then = NULL;
	s->deadline_s = larger(s->deadline_s, deadline_s);
}

bool drain_is_counted(const struct node *row)
{
	const struct node *flows = node_member(row, "activeFlows");

	return !flows || flows->type != NODE_NULL;
}

struct drain_sum drain_sum_of(const struct node *const *rows, size_t count)
{
	struct drain_sum s = {.endpoints = count, .estimate_s = -1, .deadline_s = -1};
	int64_t flows;

	for (size_t i = 0; i < count; i++) {
		flows = node_int_at(rows[i], "activeFlows", 0);
		s.flows_at_start += larger(flows, node_int_at(rows[i], "flowsAtStart", 0));
		if (!is_under_way(rows[i]))
			continue;
		s.flows += flows;
		s.uncounted += !drain_is_counted(rows[i]);
		add_estimate(&s, rows[i]);
		add_deadline(&s, rows[i]);
		s.under_way++;
	}
	return s;
}

static const char *flows_text(struct arena *a, const struct drain_sum *s)
{
	const char *text;

	if (s->uncounted && s->uncounted == s->endpoints)
		return "flows are not counted";
	text = arena_printf(a, "%lld of %lld flows left", (long long)s->flows,
			    (long long)s->flows_at_start);
	if (!s->uncounted)
		return text;
	return arena_printf(a, "%s, those of %zu endpoint%s not counted", text, s->uncounted,
			    s->uncounted == 1 ? "" : "s");
}

const char *drain_sum_text(struct arena *a, const struct drain_sum *s)
{
	const char *text = flows_text(a, s);
	char age[24];

	if (s->endpoints > 1)
		text = arena_printf(a, "%zu of %zu endpoints drain, %s", s->under_way, s->endpoints,
				    text);
	if (s->estimate_s >= 0)
		text = arena_printf(a, "%s, about %s", text, clock_human_age(s->estimate_s, age));
	if (s->deadline_s < 0)
		return text;
	text = arena_printf(a, "%s; deadline in %s", text, clock_human_age(s->deadline_s, age));
	return s->then ? arena_printf(a, "%s, then %s", text, s->then) : text;
}

const char *drain_end_text(struct arena *a, const struct node *row)
{
	const char *address = node_text_at(row, "address", "");
	const char *then = strcmp(node_text_at(row, "then", ""), "reset") == 0
				   ? "reset at their next packet"
				   : "left to end";

	if (is_under_way(row))
		return NULL;
	if (strcmp(node_text_at(row, "state", ""), "done") == 0)
		return arena_printf(a, "endpoint %s done: no flows left", address);
	if (!drain_is_counted(row))
		return arena_printf(
			a, "endpoint %s deadline: flows are not counted, those left are %s",
			address, then);
	return arena_printf(a, "endpoint %s deadline: %lld flows left are %s", address,
			    (long long)node_int_at(row, "activeFlows", 0), then);
}
