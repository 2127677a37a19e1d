/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of followed names, as events and lines of the log. A name server that fails may do
 * so for thousands of names at once: then the log says how many lines it has not.
 */
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/clock.h"
#include "dns/followed.h"

#define WINDOW_MS 10000
#define LINES_MAX 200 /* in a window */

const char *news_print(const struct spw_addr *addrs, size_t count, char text[EVENT_TEXT_MAX])
{
	const size_t more = sizeof(", and 64 more");
	char addr[ADDR_TEXT_MAX];
	size_t used = 0;

	(void)snprintf(text, EVENT_TEXT_MAX, "none");
	for (size_t i = 0; i < count; i++) {
		(void)addr_print(&addrs[i], addr);
		if (used + strlen(addr) + 2 + more > EVENT_TEXT_MAX) {
			(void)snprintf(text + used, EVENT_TEXT_MAX - used, ", and %zu more",
				       count - i);
			break;
		}
		used += (size_t)snprintf(text + used, EVENT_TEXT_MAX - used, "%s%s", i ? ", " : "",
					 addr);
	}
	return text;
}

static bool may_write(struct news *n)
{
	uint64_t now = clock_ms();

	if (now - n->began_ms >= WINDOW_MS) {
		if (n->more)
			log_warn("dns: %u more lines were left out, the events have them", n->more);
		n->began_ms = now;
		n->lines = 0;
		n->more = 0;
	}
	if (n->lines < LINES_MAX) {
		n->lines++;
		return true;
	}
	n->more++;
	return false;
}

void news_tell(struct news *n, const struct followed *f, const char *from, const char *reason,
	       enum log_level level)
{
	struct event e = {.kind = "name"};

	(void)news_print(f->set.addrs, f->set.count, e.to);
	event_text(e.subject, sizeof(e.subject), "%s", f->wish.name);
	event_text(e.from, sizeof(e.from), "%s", from ? from : e.to);
	event_text(e.reason, sizeof(e.reason), "%s", reason);
	if (n->events)
		(void)event_log_add(n->events, &e);
	if (!may_write(n))
		return;
	if (from)
		log_write(level, "dns: %s: %s -> %s (%s)", f->wish.name, from, e.to, reason);
	else
		log_write(level, "dns: %s: %s", f->wish.name, reason);
}
