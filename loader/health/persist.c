/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See persist.h. Fields are separated by tabs; texts have '%', tab and what cannot be printed as
 * %XX. Times are CLOCK_MONOTONIC, since a file of another boot is not believed anyway.
 */
#include "health/persist.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/limits.h"

#define FIRST_LINE    "spillway-health 1\n"
#define FIELDS_MAX    20
#define TARGET_FIELDS 19
#define EVENT_FIELDS  9
#define TARGETS_MOST  (4 * LIMIT_ENDPOINTS)

static const char *const state_texts[] = {"unknown", "up", "down"};

static void print_text(struct strbuf *to, const char *text)
{
	for (;; text++) {
		size_t plain = 0;

		while ((unsigned char)text[plain] >= ' ' && text[plain] != '%' &&
		       text[plain] != 127)
			plain++;
		strbuf_add(to, text, plain);
		text += plain;
		if (!*text)
			return;
		strbuf_printf(to, "%%%02X", (unsigned char)*text);
	}
}

/* printf() for 15 numbers of each of 10,000 targets would be most of what a save costs. */
static void print_number(struct strbuf *to, uint64_t number, unsigned base)
{
	char buf[24];
	size_t at = sizeof(buf);

	do {
		buf[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number);
	buf[--at] = '\t';
	strbuf_add(to, buf + at, sizeof(buf) - at);
}

static void print_field(struct strbuf *to, const char *text)
{
	strbuf_add(to, "\t", 1);
	print_text(to, text);
}

/* In the order of read_target(). */
static void print_target(struct strbuf *to, const struct target *t)
{
	const struct ejection *e = &t->ejection;
	char addr[ADDR_TEXT_MAX];

	strbuf_puts(to, "target");
	print_field(to, addr_print(&t->addr, addr));
	print_number(to, t->port, 10);
	print_number(to, t->profile, 16);
	print_field(to, state_texts[t->known.state]);
	print_number(to, t->known.settled, 10);
	print_number(to, t->known.last_good, 10);
	print_number(to, t->known.streak, 10);
	print_field(to, standing_text(t->standing));
	print_number(to, t->since_ms, 10);
	print_number(to, t->last_probe_ms, 10);
	print_number(to, e->on, 10);
	print_number(to, e->count, 10);
	print_number(to, e->since_ms, 10);
	print_number(to, e->until_ms, 10);
	print_number(to, t->ramp_start_ms, 10);
	print_field(to, t->reason);
	print_field(to, t->latest);
	print_field(to, e->reason);
	strbuf_add(to, "\n", 1);
}

static void print_event(struct strbuf *to, const struct event *e)
{
	const char *const texts[] = {e->kind, e->subject, e->backend, e->from, e->to, e->reason};

	strbuf_printf(to, "event\t%" PRIu64 "\t%" PRId64, e->seq, e->unix_ms);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		print_field(to, texts[i]);
	strbuf_add(to, "\n", 1);
}

void persist_print(struct strbuf *to, const char *boot, const struct target_table *targets,
		   const struct event_log *events, enum persist_end end)
{
	const struct event *e = events ? event_log_latest(events, PERSIST_EVENTS) : NULL;

	strbuf_puts(to, FIRST_LINE);
	strbuf_printf(to, "boot\t%s\n", boot);
	for (size_t b = 0; b < targets->bucket_count; b++)
		for (const struct target *t = targets->buckets[b]; t; t = t->next)
			if (t->begun)
				print_target(to, t);
	for (; e; e = event_log_next(events, e->seq))
		print_event(to, e);
	if (events)
		strbuf_printf(to, "%s\t%" PRIu64 "\n", end == PERSIST_ENDING ? "ended" : "running",
			      event_log_last_seq(events));
}

/* Undoes print_text() in place. */
static bool read_text(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from && n + 1 < size; from++) {
		unsigned byte = (unsigned char)*from;

		if (*from == '%') {
			if (!isxdigit((unsigned char)from[1]) || !isxdigit((unsigned char)from[2]))
				return false;
			(void)sscanf(from + 1, "%2x", &byte);
			from += 2;
		}
		if (byte)
			to[n++] = (char)byte;
	}
	to[n] = '\0';
	return !*from;
}

static bool read_number(const char *text, int base, uint64_t most, uint64_t *out)
{
	char *end;

	if (!isxdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	*out = strtoull(text, &end, base);
	return !errno && !*end && *out <= most;
}

static bool read_word(const char *text, const char *const *words, size_t count, size_t *out)
{
	for (*out = 0; *out < count; ++*out)
		if (strcmp(text, words[*out]) == 0)
			return true;
	return false;
}

static bool read_standing(const char *text, enum standing *out)
{
	for (int s = STANDING_UNKNOWN; s <= STANDING_DRAINING; s++) {
		if (strcmp(text, standing_text(s)) != 0)
			continue;
		*out = s;
		return true;
	}
	return false;
}

static uint64_t not_after(uint64_t ms, uint64_t now_ms)
{
	return ms < now_ms ? ms : now_ms;
}

/* In the order of print_target(). */
static bool read_target(char **f, uint64_t now_ms, struct target *t)
{
	uint64_t port, settled, good, streak, on, count;
	size_t state;

	if (addr_parse(f[1], &t->addr) || !read_number(f[2], 10, UINT16_MAX, &port) ||
	    !read_number(f[3], 16, UINT64_MAX, &t->profile) ||
	    !read_word(f[4], state_texts, 3, &state) || !read_number(f[5], 10, 1, &settled) ||
	    !read_number(f[6], 10, 1, &good) || !read_number(f[7], 10, UINT32_MAX, &streak) ||
	    !read_standing(f[8], &t->standing) ||
	    !read_number(f[9], 10, UINT64_MAX, &t->since_ms) ||
	    !read_number(f[10], 10, UINT64_MAX, &t->last_probe_ms) ||
	    !read_number(f[11], 10, 1, &on) || !read_number(f[12], 10, UINT32_MAX, &count) ||
	    !read_number(f[13], 10, UINT64_MAX, &t->ejection.since_ms) ||
	    !read_number(f[14], 10, UINT64_MAX, &t->ejection.until_ms) ||
	    !read_number(f[15], 10, UINT64_MAX, &t->ramp_start_ms) ||
	    !read_text(f[16], t->reason, sizeof(t->reason)) ||
	    !read_text(f[17], t->latest, sizeof(t->latest)) ||
	    !read_text(f[18], t->ejection.reason, sizeof(t->ejection.reason)))
		return false;
	t->port = (uint16_t)port;
	t->known = (struct rise_fall){.state = (enum health_state)state,
				      .settled = settled,
				      .last_good = good,
				      .streak = (uint32_t)streak};
	t->ejection.on = on;
	t->ejection.count = (uint32_t)count;
	t->since_ms = not_after(t->since_ms, now_ms);
	t->last_probe_ms = not_after(t->last_probe_ms, now_ms);
	t->ejection.since_ms = not_after(t->ejection.since_ms, now_ms);
	t->ramp_start_ms = not_after(t->ramp_start_ms, now_ms);
	return true;
}

static bool add_target(char **f, uint64_t now_ms, struct target_table *table)
{
	struct target read = {0};
	struct target *t;

	if (!read_target(f, now_ms, &read) || table->count >= TARGETS_MOST ||
	    target_find(table, &read.addr, read.port, read.profile) ||
	    target_table_reserve(table, table->count + 1))
		return false;
	t = target_add(table, &read.addr, read.port, read.profile);
	if (!t)
		return false;
	read.next = t->next;
	*t = read;
	t->loaded = true;
	return true;
}

static bool add_event(char **f, struct event_log *events)
{
	struct event e = {0};
	uint64_t unix_ms;

	if (!read_number(f[1], 10, UINT64_MAX / 2, &e.seq) ||
	    !read_number(f[2], 10, INT64_MAX, &unix_ms) || !unix_ms ||
	    !read_text(f[3], e.kind, sizeof(e.kind)) ||
	    !read_text(f[4], e.subject, sizeof(e.subject)) ||
	    !read_text(f[5], e.backend, sizeof(e.backend)) ||
	    !read_text(f[6], e.from, sizeof(e.from)) || !read_text(f[7], e.to, sizeof(e.to)) ||
	    !read_text(f[8], e.reason, sizeof(e.reason)) || e.seq <= event_log_last_seq(events))
		return false;
	e.unix_ms = (int64_t)unix_ms;
	(void)event_log_add(events, &e);
	return true;
}

static size_t split(char *line, char **fields)
{
	size_t n = 0;

	while (line && n < FIELDS_MAX)
		fields[n++] = strsep(&line, "\t");
	return n;
}

/* The number behind which new events go on; `false` when the run did not come to its end. */
static bool read_last(char **f, struct event_log *events)
{
	const uint64_t last = events ? event_log_last_seq(events) : 0;
	uint64_t seq;

	if (!read_number(f[1], 10, UINT64_MAX / 2, &seq))
		return false;
	if (events && seq > last)
		event_log_skip(events, seq - last);
	return strcmp(f[0], "ended") == 0;
}

static bool read_line(char *line, const char *boot, struct persist_found *found, uint64_t now_ms,
		      struct target_table *targets, struct event_log *events)
{
	char *f[FIELDS_MAX];
	const size_t n = split(line, f);

	if (n == 2 && strcmp(f[0], "boot") == 0) {
		found->is_other_boot = !boot[0] || strcmp(f[1], boot) != 0;
		return true;
	}
	if (n == TARGET_FIELDS && strcmp(f[0], "target") == 0) {
		if (found->is_other_boot)
			return true;
		return add_target(f, now_ms, targets) && ++found->targets;
	}
	if (n == EVENT_FIELDS && strcmp(f[0], "event") == 0)
		return !events || (add_event(f, events) && ++found->events);
	if (n == 2 && (strcmp(f[0], "ended") == 0 || strcmp(f[0], "running") == 0)) {
		found->ended = read_last(f, events);
		return true;
	}
	return false;
}

struct persist_found persist_parse(char *text, size_t len, const char *boot, uint64_t now_ms,
				   struct target_table *targets, struct event_log *events)
{
	/* Without a word of the boot nothing is believed. */
	struct persist_found found = {.is_other_boot = true};
	char *end;

	if (len < strlen(FIRST_LINE) || strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0) {
		found.damaged = len != 0;
		return found;
	}
	/* What has no end of line was cut. */
	for (; (end = memchr(text, '\n', len)); len -= (size_t)(end + 1 - text), text = end + 1) {
		*end = '\0';
		if (strcmp(text, "spillway-health 1") != 0 &&
		    !read_line(text, boot, &found, now_ms, targets, events))
			found.damaged++;
	}
	if (events && !found.ended && event_log_last_seq(events))
		event_log_skip(events, PERSIST_SEQ_GAP);
	return found;
}
