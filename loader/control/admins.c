/* SPDX-License-Identifier: BSD-2-Clause */
/* A sorted array: there are few of them, and each rebuild asks for every instance. */
#include "control/admins.h"

#include <errno.h>
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

enum spw_admin admins_get(const struct admins *w, const struct spw_addr *addr, uint16_t port)
{
	size_t at = position(w, addr, port);

	return is_at(w, at, addr, port) ? w->items[at].admin : SPW_ADMIN_AUTO;
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

void admins_set(struct admins *w, const struct spw_addr *addr, uint16_t port, enum spw_admin admin)
{
	size_t at = position(w, addr, port);

	if (admin == SPW_ADMIN_AUTO) {
		if (!is_at(w, at, addr, port))
			return;
		w->count--;
		memmove(&w->items[at], &w->items[at + 1], (w->count - at) * sizeof(*w->items));
		return;
	}
	if (!is_at(w, at, addr, port))
		make_room(w, at);
	w->items[at] = (struct admin_entry){.addr = *addr, .port = port, .admin = admin};
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
