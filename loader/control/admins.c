/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted array: there are few of them, and each rebuild asks for every instance. */
#include "control/admins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"

static const char *const words[] = {
	[SPW_ADMIN_AUTO] = "auto",
	[SPW_ADMIN_UP] = "up",
	[SPW_ADMIN_DOWN] = "down",
	[SPW_ADMIN_DRAIN] = "drain",
};

static int compare(const struct admin_entry *e, const struct spw_addr *addr, uint16_t port)
{
	int order = addr_compare(&e->addr, addr);

	return order ? order : (int)e->port - (int)port;
}

/* Where the entry is, or would have to be put. */
static size_t position(const struct admins *w, const struct spw_addr *addr, uint16_t port)
{
	size_t low = 0, high = w->count, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (compare(&w->items[mid], addr, port) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int is_at(const struct admins *w, size_t at, const struct spw_addr *addr, uint16_t port)
{
	return at < w->count && compare(&w->items[at], addr, port) == 0;
}

struct admin_entry *admins_find(const struct admins *w, const struct spw_addr *addr, uint16_t port)
{
	size_t at = position(w, addr, port);

	return is_at(w, at, addr, port) ? &w->items[at] : NULL;
}

enum spw_admin admins_get(const struct admins *w, const struct spw_addr *addr, uint16_t port)
{
	const struct admin_entry *e = admins_find(w, addr, port);

	return e ? e->admin : SPW_ADMIN_AUTO;
}

static void make_room(struct admins *w, size_t at)
{
	if (w->count == w->capacity) {
		w->capacity = w->capacity ? w->capacity * 2 : 16;
		w->items = realloc(w->items, w->capacity * sizeof(*w->items));
		if (!w->items)
			abort();
	}
	memmove(&w->items[at + 1], &w->items[at], (w->count - at) * sizeof(*w->items));
	w->count++;
}

void admins_put(struct admins *w, const struct admin_entry *entry)
{
	size_t at = position(w, &entry->addr, entry->port);
	bool is_there = is_at(w, at, &entry->addr, entry->port);

	if (entry->admin == SPW_ADMIN_AUTO) {
		if (!is_there)
			return;
		w->count--;
		memmove(&w->items[at], &w->items[at + 1], (w->count - at) * sizeof(*w->items));
		return;
	}
	if (!is_there)
		make_room(w, at);
	w->items[at] = *entry;
}

void admins_set(struct admins *w, const struct spw_addr *addr, uint16_t port, enum spw_admin admin)
{
	const struct admin_entry e = {.addr = *addr, .port = port, .admin = admin};

	admins_put(w, &e);
}

void admins_done(struct admins *w)
{
	free(w->items);
	*w = (struct admins){0};
}

const char *admin_text(enum spw_admin admin)
{
	return words[admin];
}

int admin_parse(const char *text, enum spw_admin *out)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = (enum spw_admin)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Seconds with three decimals: what a reader of the store expects of a UNIX time. */
static size_t add_time(char *text, size_t used, const char *key, int64_t ms)
{
	if (!ms)
		return used;
	return used + (size_t)snprintf(text + used, ADMIN_TEXT_MAX - used, " %s=%lld.%03d", key,
				       (long long)(ms / 1000), (int)(ms % 1000));
}

const char *admin_print_word(const struct admin_entry *e, char text[ADMIN_TEXT_MAX])
{
	const struct drain_word *d = &e->drain;
	size_t used = (size_t)snprintf(text, ADMIN_TEXT_MAX, "%s", admin_text(e->admin));

	if (e->admin != SPW_ADMIN_DRAIN || !d->started_ms)
		return text;
	used = add_time(text, used, "started", d->started_ms);
	used = add_time(text, used, "deadline", d->deadline_ms);
	(void)snprintf(text + used, ADMIN_TEXT_MAX - used, " then=%s flows=%llu%s%s",
		       d->reset ? "reset" : "leave", (unsigned long long)d->flows,
		       d->over ? " over" : "", d->done ? " done" : "");
	return text;
}

static int parse_time(const char *text, int64_t *out)
{
	char *end;
	int64_t ms = strtoll(text, &end, 10) * 1000;
	int scale = 100;

	if (end == text || ms < 0)
		return -EINVAL;
	if (*end == '.') {
		for (end++; *end >= '0' && *end <= '9'; end++, scale /= 10)
			ms += (*end - '0') * scale;
	}
	*out = ms;
	return *end ? -EINVAL : 0;
}

/* A word of a later version is let pass: better a drain that knows less than none. */
static int parse_part(char *part, struct drain_word *out)
{
	char *value = part;
	const char *key = strsep(&value, "=");

	if (strcmp(key, "over") == 0)
		out->over = true;
	if (strcmp(key, "done") == 0)
		out->done = true;
	if (!value)
		return 0;
	if (strcmp(key, "started") == 0)
		return parse_time(value, &out->started_ms);
	if (strcmp(key, "deadline") == 0)
		return parse_time(value, &out->deadline_ms);
	if (strcmp(key, "then") == 0)
		out->reset = strcmp(value, "reset") == 0;
	if (strcmp(key, "flows") == 0)
		out->flows = strtoull(value, NULL, 10);
	return 0;
}

int admin_parse_word(const char *text, struct admin_entry *out)
{
	char copy[ADMIN_TEXT_MAX], *rest = copy, *part;
	struct drain_word drain = {0};
	enum spw_admin admin = SPW_ADMIN_AUTO;
	int err;

	if (strlen(text) >= sizeof(copy))
		return -EINVAL;
	strcpy(copy, text);
	err = admin_parse(strsep(&rest, " "), &admin);
	while (!err && (part = strsep(&rest, " ")))
		err = admin == SPW_ADMIN_DRAIN ? parse_part(part, &drain) : -EINVAL;
	if (err)
		return err;
	out->admin = admin;
	out->drain = drain;
	return 0;
}
