/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wait for drains. A terminal gets one line that is rewritten; anything else a line now and
 * then, since a log wants to know that it goes on, not every flow.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/drain.h"
#include "ctl/follow.h"
#include "ctl/http.h"

#define POLL_MS	      500
#define LINE_EVERY_MS 5000
#define REWRITE	      "\r\033[K"

struct wait {
	struct follow follow;
	const char *const *addresses;
	bool *ended; /* and said so, by address */
	size_t count;
	enum output_form form;
	bool terminal;
	uint64_t began_ms, said_ms;
	int64_t said_flows; /* -1: nothing yet */
};

enum outcome { WAIT_ON, WAIT_DONE, WAIT_CALLED_OFF, WAIT_FAILED };

static const struct node *find_drain(const struct node *list, const char *address)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "address", ""), address) == 0)
			return node_item(list, i);
	}
	return NULL;
}

static bool is_shown(const struct wait *w)
{
	return w->form == OUTPUT_TABLE || w->form == OUTPUT_WIDE;
}

static void say_progress(struct wait *w, struct arena *a, const struct drain_sum *sum)
{
	const uint64_t now = clock_ms();
	const char *text = drain_sum_text(a, sum);

	if (!is_shown(w) || !sum->under_way)
		return;
	if (w->terminal) {
		printf(REWRITE "%s", text);
	} else if (w->said_flows < 0 ||
		   (sum->flows != w->said_flows && now - w->said_ms >= LINE_EVERY_MS)) {
		puts(text);
		w->said_flows = sum->flows;
		w->said_ms = now;
	}
	(void)fflush(stdout);
}

/* Tells those that ended since the last look; how many are there at all. */
static size_t say_ends(struct wait *w, struct arena *a, const struct node **rows)
{
	size_t there = 0;
	const char *text;

	for (size_t i = 0; i < w->count; i++) {
		if (!rows[i])
			continue;
		there++;
		text = drain_end_text(a, rows[i]);
		if (text && !w->ended[i] && is_shown(w))
			printf("%s%s\n", w->terminal ? REWRITE : "", text);
		w->ended[i] = text != NULL;
	}
	return there;
}

static int called_off(const struct wait *w, const struct node *const *rows)
{
	if (w->terminal && is_shown(w))
		fputs(REWRITE, stdout);
	for (size_t i = 0; i < w->count; i++) {
		if (!rows[i])
			(void)ctl_error("endpoint %s does not drain any more: it was removed, or "
					"another word was given",
					w->addresses[i]);
	}
	return WAIT_CALLED_OFF;
}

/* The rows that are there, without gaps. */
static struct drain_sum sum_of(struct arena *a, const struct node *const *rows, size_t count)
{
	const struct node **there = arena_array(a, count, sizeof(*there));
	size_t there_count = 0;

	for (size_t i = 0; i < count; i++) {
		if (rows[i])
			there[there_count++] = rows[i];
	}
	return drain_sum_of(there, there_count);
}

static struct node *tree_of(struct arena *a, const struct node *const *rows, size_t count)
{
	struct loc nowhere = {0};
	struct node *map = node_new(a, NODE_MAP, nowhere), *list = node_new(a, NODE_LIST, nowhere);

	for (size_t i = 0; i < count; i++)
		node_append(a, list, node_copy(a, rows[i]));
	node_set(a, map, "drains", list);
	return map;
}

/* One endpoint is asked for by itself: others' flows need not be looked through. */
static const char *path_of(const struct wait *w, struct arena *a)
{
	if (w->count != 1)
		return DRAINS_PATH;
	return arena_printf(a, DRAINS_PATH "?address=%s", http_escape(a, w->addresses[0]));
}

static enum outcome look(struct wait *w, struct arena *a)
{
	const struct node **rows = arena_array(a, w->count, sizeof(const struct node *));
	struct drain_sum sum;
	struct node *answer;
	int err;

	err = follow_get(&w->follow, a, path_of(w, a), &answer);
	if (err)
		return err == -EAGAIN ? WAIT_ON : WAIT_FAILED;
	for (size_t i = 0; i < w->count; i++)
		rows[i] = find_drain(node_member(answer, "drains"), w->addresses[i]);
	sum = sum_of(a, rows, w->count);
	if (say_ends(w, a, rows) < w->count && !sum.under_way)
		return called_off(w, rows);
	say_progress(w, a, &sum);
	if (sum.under_way)
		return WAIT_ON;
	if (!is_shown(w))
		(void)output_tree(tree_of(a, rows, w->count), w->form);
	return WAIT_DONE;
}

/* Why the wait ended before the drains did. */
static int give_up(const struct wait *w, const char *why)
{
	if (w->terminal && is_shown(w))
		putchar('\n');
	return ctl_error("%s; the drain goes on (`spillway drain` shows it)", why);
}

/* The next pause: never past the timeout. 0: it has passed. */
static unsigned int pause_ms(const struct wait *w, int64_t timeout_ms)
{
	const int64_t left = timeout_ms - (int64_t)(clock_ms() - w->began_ms);

	if (timeout_ms < 0 || left > POLL_MS)
		return POLL_MS;
	return left > 0 ? (unsigned int)left : 0;
}

int drain_wait(struct ctl *c, const char *const *addresses, size_t count, int64_t timeout_ms,
	       enum output_form form)
{
	struct wait w = {.follow = {.c = c, .answered = true},
			 .addresses = addresses,
			 .ended = arena_array(c->arena, count, sizeof(bool)),
			 .count = count,
			 .form = form,
			 .terminal = isatty(STDOUT_FILENO) == 1,
			 .began_ms = clock_ms(),
			 .said_flows = -1};
	enum outcome outcome;
	unsigned int ms;

	follow_begin();
	while (true) {
		AUTO(arena_free) struct arena *a = arena_new();

		outcome = a ? look(&w, a) : WAIT_FAILED;
		if (outcome != WAIT_ON)
			return outcome == WAIT_DONE ? 0 : 1;
		ms = pause_ms(&w, timeout_ms);
		if (!ms)
			return give_up(&w, "--timeout passed before all flows had ended");
		if (!follow_wait(ms))
			return give_up(&w, "interrupted");
	}
}
