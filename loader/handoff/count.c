/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HAProxy's counters of its servers, read once a second. They start from nothing with each server, so
 * what is kept are sums of differences.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handoff/state.h"

#define SILENT_MOST 3 /* questions in a row that are not answered in time: it hangs */

enum column {
	COLUMN_SECTION,
	COLUMN_SERVER,
	COLUMN_TRIED,
	COLUMN_AGAIN,
	COLUMN_ELSEWHERE,
	COLUMN_FAILED,
	COLUMN_IN,
	COLUMN_OUT,
	COLUMN_MAX
};

/* HAProxy's names of them. */
static const char *const names[COLUMN_MAX] = {"# pxname", "svname", "stot", "wretr",
					      "wredis",	  "econ",   "bin",  "bout"};

struct columns {
	size_t at[COLUMN_MAX];
};

static size_t field_len(const char *p)
{
	return strcspn(p, ",\n");
}

/* "# pxname,svname,..."; false when one is missing. */
static bool read_header(const char *line, struct columns *c)
{
	size_t found = 0, nth = 0;

	for (const char *p = line; *p && *p != '\n'; nth++) {
		const size_t len = field_len(p);

		for (size_t i = 0; i < COLUMN_MAX; i++) {
			if (strlen(names[i]) == len && strncmp(names[i], p, len) == 0) {
				c->at[i] = nth;
				found++;
			}
		}
		p += len + (p[len] == ',');
	}
	return found == COLUMN_MAX;
}

static void read_row(const char *line, const struct columns *c, const char *out[COLUMN_MAX])
{
	size_t nth = 0;

	for (const char *p = line; *p && *p != '\n'; nth++) {
		for (size_t i = 0; i < COLUMN_MAX; i++) {
			if (c->at[i] == nth)
				out[i] = p;
		}
		p += field_len(p);
		p += *p == ',';
	}
}

static uint64_t number_of(const char *field)
{
	uint64_t n = 0;

	(void)sscanf(field, "%" SCNu64, &n);
	return n;
}

/* The entries by the number of their present server. */
struct by_server {
	struct entry **items;
	size_t count;
};

static int compare(const void *va, const void *vb)
{
	const struct entry *a = *(struct entry *const *)va, *b = *(struct entry *const *)vb;

	return a->have.number < b->have.number ? -1 : a->have.number > b->have.number;
}

static void sort_entries(const struct handoff *h, struct by_server *s)
{
	for (size_t i = 0; i < h->live_count; i++) {
		if (h->entries[h->live[i]]->have.number)
			s->items[s->count++] = h->entries[h->live[i]];
	}
	if (s->count > 1)
		qsort(s->items, s->count, sizeof(struct entry *), compare);
}

static struct entry *find(const struct by_server *s, uint64_t number)
{
	const struct entry key = {.have = {.number = number}}, *p = &key;
	struct entry **found;

	if (!s->count)
		return NULL;
	found = bsearch(&p, s->items, s->count, sizeof(struct entry *), compare);
	return found ? *found : NULL;
}

/*
 * A connection is tried twice, so one that the endpoint did not take was tried again; one that was turned
 * away at the limit of connections was not, and says nothing of the endpoint. What is not over yet looks
 * like an answer, so an endpoint of which nothing came has answered nobody.
 */
static void judge(struct handoff *h, struct entry *e, const char *const row[COLUMN_MAX])
{
	const uint64_t tried = number_of(row[COLUMN_TRIED]), again = number_of(row[COLUMN_AGAIN]);
	uint64_t failed = number_of(row[COLUMN_FAILED]), answered = e->answered;

	if (failed > again)
		failed = again;
	if (number_of(row[COLUMN_OUT]) != e->out && tried > again + failed + answered)
		answered = tried - again - failed;
	if (answered != e->answered || failed != e->failed)
		h->hooks.counted(h->hooks.ctx, e->id, answered - e->answered + failed - e->failed,
				 failed - e->failed);
	e->answered = answered;
	e->failed = failed;
}

/* "e5" of a cluster. */
static void take_l7(struct handoff *h, const char *const row[COLUMN_MAX])
{
	const struct l7_counts now = {
		.tried = number_of(row[COLUMN_TRIED]),
		/* Only tries that another followed: who was turned away at a limit was not tried. */
		.failed = number_of(row[COLUMN_AGAIN]) + number_of(row[COLUMN_ELSEWHERE]),
		.lost = number_of(row[COLUMN_FAILED]),
		.in = number_of(row[COLUMN_IN]),
		.out = number_of(row[COLUMN_OUT]),
	};
	struct l7_server server = {0};
	char section[32];

	(void)snprintf(section, sizeof(section), "%.*s", (int)field_len(row[COLUMN_SECTION]),
		       row[COLUMN_SECTION]);
	if (sscanf(row[COLUMN_SERVER], "e%" SCNu32 "-%" SCNx32, &server.id, &server.tag) == 2)
		l7_count(h, section, &server, &now);
}

static void take(struct handoff *h, const struct by_server *all, const char *const row[COLUMN_MAX])
{
	const uint64_t in = number_of(row[COLUMN_IN]), out = number_of(row[COLUMN_OUT]);
	const uint64_t lost = number_of(row[COLUMN_FAILED]);
	struct entry *e;

	if (row[COLUMN_SERVER][0] == 'e')
		take_l7(h, row);
	if (row[COLUMN_SERVER][0] != 's')
		return;
	e = find(all, number_of(row[COLUMN_SERVER] + 1));
	if (!e)
		return;
	judge(h, e, row);
	e->counters.bytes_in += in - e->in;
	e->counters.bytes_out += out - e->out;
	e->counters.failed += lost - e->lost;
	e->lost = lost;
	e->in = in;
	e->out = out;
}

static void on_stat(void *ctx, int err, const char *answer)
{
	struct handoff *h = ctx;
	AUTO(free) struct entry **items = NULL;
	struct by_server all = {0};
	struct columns c;

	if (err == -ECANCELED)
		return;
	h->is_counting = false;
	h->silent = err == -ETIMEDOUT ? h->silent + 1 : 0;
	if (h->silent == SILENT_MOST && h->now)
		process_kill(h->now);
	if (err || !read_header(answer, &c))
		return;
	all.items = items = calloc(h->live_count + 1, sizeof(struct entry *));
	if (!items)
		return;
	sort_entries(h, &all);
	for (const char *p = strchr(answer, '\n'); p && p[1]; p = strchr(p + 1, '\n')) {
		const char *row[COLUMN_MAX] = {"", "", "", "", "", "", "", ""};

		read_row(p + 1, &c, row);
		take(h, &all, row);
	}
}

void count_poll(struct handoff *h)
{
	if (!h->now || !h->live_count || h->is_counting)
		return;
	h->is_counting = admin_send(h->now->admin, "show stat -1 4 -1\n", on_stat, h) == 0;
}
