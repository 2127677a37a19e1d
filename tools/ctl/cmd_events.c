/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway events`: what happened, and with -w what happens. The daemon answers a page at a time;
 * each poll has its own arena, since a watch may run for weeks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/events.h"
#include "ctl/follow.h"
#include "ctl/http.h"
#include "ctl/output.h"
#include "ctl/table.h"

#define PATH	"/apis/spillway.dev/v1alpha1/events"
#define PAGE	1000
#define POLL_MS 300

static const struct flag flags[] = {
	OUTPUT_FLAG("wide, yaml, json"),
	{.name = "watch",
	 .letter = 'w',
	 .type = FLAG_SWITCH,
	 .help = "Go on with what happens from now on"},
	{.name = "since",
	 .type = FLAG_TEXT,
	 .value = "SEQ|DURATION",
	 .help = "Only what came after event SEQ, or in the last DURATION (10m, 1h30m)"},
	{.name = "limit",
	 .type = FLAG_NUMBER,
	 .value = "N",
	 .help = "At most so many of what has happened, the latest"},
	{.name = "for",
	 .type = FLAG_TEXT,
	 .value = "WHAT",
	 .help = "Only what is about this address (with or without port), Backend or service"},
	{.name = NULL},
};

struct query {
	struct follow follow;
	struct event_filter filter;
	enum output_form form;
	enum event_columns columns;
	int64_t seq;	   /* of the latest event seen */
	int64_t last;	   /* the daemon's, at the latest answer */
	bool titled;	   /* the table's head is printed */
	struct table seen; /* its widths: columns stay where they are while a watch goes on */
};

static struct node *list_new(struct arena *a)
{
	struct loc nowhere = {0};

	return node_new(a, NODE_LIST, nowhere);
}

/* Takes one page over; how many events it had. */
static size_t take_page(struct query *q, struct arena *a, const struct node *answer,
			struct node *wanted)
{
	const struct node *list = node_member(answer, "events");
	struct node *event;

	for (size_t i = 0; i < node_count(list); i++) {
		event = node_item(list, i);
		q->seq = node_int_at(event, "seq", q->seq);
		if (event_is_wanted(&q->filter, event))
			node_append(a, wanted, event);
	}
	return node_count(list);
}

/* The daemon keeps only so many: what fell out between two polls is told. */
static void say_lost(const struct query *q, const struct node *answer)
{
	const int64_t oldest = node_int_at(answer, "oldest", 0);

	if (!q->last || oldest <= q->seq + 1)
		return;
	(void)fflush(stdout);
	fprintf(stderr, "warning: %lld events came and went unseen\n",
		(long long)(oldest - q->seq - 1));
}

/* All events after q->seq that are wanted; an error is said, but for -EAGAIN. */
static int fetch(struct query *q, struct arena *a, struct node *wanted, struct node **answer)
{
	const char *path;
	size_t count;
	int err;

	do {
		path = arena_printf(a, PATH "?since=%lld&limit=%d", (long long)q->seq, PAGE);
		err = follow_get(&q->follow, a, path, answer);
		if (err)
			return err;
		count = PAGE;
		if (node_int_at(*answer, "last", 0) < q->last) {
			q->seq = 0; /* another store: its numbers begin anew */
		} else {
			say_lost(q, *answer);
			count = take_page(q, a, *answer, wanted);
		}
		q->last = node_int_at(*answer, "last", 0);
	} while (count == PAGE && q->seq < q->last);
	return 0;
}

static void print_table(struct query *q, struct arena *a, const struct node *list)
{
	struct table t = q->seen;

	if (!node_count(list))
		return;
	t.arena = a;
	if (!q->titled)
		events_head(&t, q->columns);
	for (size_t i = 0; i < node_count(list); i++)
		events_row(&t, node_item(list, i), q->columns, events_now_ms());
	table_print(&t, stdout);
	q->titled = true;
	memcpy(q->seen.width, t.width, sizeof(t.width));
}

/* One event a line, or a document each, so that a reader need not wait for the end. */
static int print_stream(struct query *q, const struct node *list)
{
	for (size_t i = 0; i < node_count(list); i++) {
		AUTO(free)
		char *text = q->form == OUTPUT_JSON ? node_to_json(node_item(list, i), 0)
						    : node_to_yaml(node_item(list, i));

		if (!text)
			return ctl_error("out of memory");
		if (q->form == OUTPUT_JSON)
			puts(text);
		else
			printf("---\n%s", text);
	}
	return 0;
}

static int print_once(struct query *q, struct arena *a, struct node *wanted, struct node *answer)
{
	if (q->form == OUTPUT_JSON || q->form == OUTPUT_YAML) {
		node_set(a, answer, "events", wanted);
		return output_tree(answer, q->form);
	}
	if (!node_count(wanted))
		fputs("No events found\n", stderr);
	print_table(q, a, wanted);
	return 0;
}

static int print_batch(struct query *q, struct arena *a, const struct node *wanted)
{
	int code = 0;

	if (q->form == OUTPUT_JSON || q->form == OUTPUT_YAML)
		code = print_stream(q, wanted);
	else
		print_table(q, a, wanted);
	return fflush(stdout) || ferror(stdout) ? 1 : code;
}

static int watch(struct query *q)
{
	struct node *answer, *wanted;
	int err;

	while (follow_wait(POLL_MS)) {
		AUTO(arena_free) struct arena *a = arena_new();

		if (!a)
			return ctl_error("out of memory");
		wanted = list_new(a);
		err = fetch(q, a, wanted, &answer);
		if (err && err != -EAGAIN)
			return 1;
		if (print_batch(q, a, wanted))
			return 1;
	}
	return 0;
}

static int parse(struct ctl *c, struct query *q)
{
	const char *since = args_text(&c->args, "since");

	if (c->args.word_count)
		return ctl_usage_error(c, "unexpected argument \"%s\"", c->args.words[0]);
	q->filter.about = args_text(&c->args, "for");
	q->filter.namespace = c->namespace;
	if (since && event_since_parse(since, events_now_ms(), &q->filter))
		return ctl_usage_error(c,
				       "invalid argument \"%s\" for \"--since\" flag: must be the "
				       "number of an event, or a duration such as 10m",
				       since);
	q->seq = q->filter.after_seq;
	table_init(&q->seen, c->arena);
	return output_parse(
		c, OUTPUT_BIT(OUTPUT_WIDE) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML),
		&q->form);
}

static int run(struct ctl *c)
{
	const bool watched = args_switch(&c->args, "watch");
	struct node *answer, *wanted = list_new(c->arena);
	struct query q = {.follow = {.c = c}};
	int err;

	if (parse(c, &q))
		return 1;
	if (q.form == OUTPUT_WIDE)
		q.columns = EVENT_WIDE;
	else
		q.columns = watched ? EVENT_TIMES : EVENT_AGES;
	if (watched) {
		events_widths(&q.seen, q.columns);
		follow_begin();
	}
	err = fetch(&q, c->arena, wanted, &answer);
	if (err && !(watched && err == -EAGAIN))
		return 1;
	if (args_given(&c->args, "limit"))
		events_keep_latest(wanted, (size_t)args_number(&c->args, "limit"));
	if (!watched)
		return print_once(&q, c->arena, wanted, answer);
	return print_batch(&q, c->arena, wanted) ? 1 : watch(&q);
}

const struct verb verb_events = {
	.name = "events",
	.usage =
		"[-w] [--since SEQ|DURATION] [--limit N] [--for ADDRESS|BACKEND|SERVICE] [-o FORM]",
	.summary = "Show what became of endpoints, tiers and drains, and why",
	.details =
		"Oldest first. TIME is the age, with -o wide and -w the time itself. A watch goes on\n"
		"when the daemon is restarted; with -o json it prints an event a line.\n"
		"\n"
		"Examples:\n"
		"  spillway events --since 10m\n"
		"  spillway events -w --for 10.0.0.1\n"
		"  spillway events --for web -o json",
	.flags = flags,
	.run = run,
};
