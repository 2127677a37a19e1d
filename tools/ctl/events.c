/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an event is about is told by its subject ("10.0.0.1:80", "default/web at 192.0.2.1:80/tcp")
 * and its Backend, so one word finds an endpoint, all ports of an address, a Backend or a service.
 */
#include "ctl/events.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/addr.h"
#include "base/clock.h"

#define SERVICE_AT " at "

int event_since_parse(const char *text, int64_t now_ms, struct event_filter *f)
{
	int64_t ms = duration_ms(text), seq;
	char *end;

	if (ms >= 0) {
		f->not_before_ms = now_ms > ms ? now_ms - ms : 1;
		return 0;
	}
	errno = 0;
	seq = strtoll(text, &end, 10);
	if (errno || *end || !isdigit((unsigned char)text[0]))
		return -EINVAL;
	f->after_seq = seq;
	return 0;
}

int64_t event_unix_ms(const char *rfc3339)
{
	struct tm tm = {0};
	int64_t ms = 0;
	const char *p;

	p = rfc3339 ? strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
	if (!p)
		return -1;
	if (*p == '.') {
		p++;
		for (int scale = 100; isdigit((unsigned char)*p); p++, scale /= 10)
			ms += scale * (*p - '0');
	}
	return strcmp(p, "Z") == 0 ? (int64_t)timegm(&tm) * 1000 + ms : -1;
}

int64_t events_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* "10.0.0.1" or "host" of "10.0.0.1:80" and "host:80", whatever the spelling of an address. */
static bool is_host_of(const char *about, const char *subject)
{
	const size_t len = strlen(about);
	struct spw_addr wanted, there;
	uint16_t port, wanted_port;

	if (addr_parse_port(subject, &there, &port))
		return strncmp(subject, about, len) == 0 && subject[len] == ':' &&
		       !strchr(subject + len + 1, ':');
	if (!addr_parse(about, &wanted))
		return addr_equal(&wanted, &there);
	return !addr_parse_port(about, &wanted, &wanted_port) && addr_equal(&wanted, &there) &&
	       wanted_port == port;
}

bool event_is_of_backend(const struct node *event, const char *name)
{
	return strcmp(node_text_at(event, "backend", ""), name) == 0;
}

/* "default/web" of "default/web at 192.0.2.1:80/tcp". */
bool event_is_of_service(const struct node *event, const char *name)
{
	const char *subject = node_text_at(event, "subject", "");
	const size_t len = strlen(name);

	return strncmp(subject, name, len) == 0 &&
	       strncmp(subject + len, SERVICE_AT, strlen(SERVICE_AT)) == 0;
}

/* Whether `full` ("NAMESPACE/NAME", perhaps more behind it) begins with the namespace. */
static const char *behind_namespace(const char *full, const char *namespace)
{
	const size_t len = strlen(namespace);

	return strncmp(full, namespace, len) == 0 && full[len] == '/' ? full + len + 1 : NULL;
}

static bool is_name_about(const struct event_filter *f, const struct node *event)
{
	const char *subject = node_text_at(event, "subject", "");
	const char *backend = node_text_at(event, "backend", "");
	const size_t len = strlen(f->about);

	if (strchr(f->about, '/'))
		return event_is_of_backend(event, f->about) || event_is_of_service(event, f->about);
	backend = behind_namespace(backend, f->namespace);
	subject = behind_namespace(subject, f->namespace);
	return (backend && strcmp(backend, f->about) == 0) ||
	       (subject && strncmp(subject, f->about, len) == 0 &&
		strncmp(subject + len, SERVICE_AT, strlen(SERVICE_AT)) == 0);
}

static bool is_about(const struct event_filter *f, const struct node *event)
{
	const char *subject = node_text_at(event, "subject", "");

	return strcmp(subject, f->about) == 0 || is_host_of(f->about, subject) ||
	       is_name_about(f, event);
}

bool event_is_wanted(const struct event_filter *f, const struct node *event)
{
	if (f->not_before_ms && event_unix_ms(node_text_at(event, "time", NULL)) < f->not_before_ms)
		return false;
	return !f->about || is_about(f, event);
}

void events_widths(struct table *t, enum event_columns columns)
{
	/* TIME, KIND, SUBJECT ("default/web at 192.0.2.1:80/tcp"), BACKEND, CHANGE */
	static const size_t widths[] = {27, 11, 36, 18, 21};
	const size_t first = columns == EVENT_WIDE;

	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		t->width[first + i] = widths[i];
}

void events_head(struct table *t, enum event_columns columns)
{
	table_head(t, columns == EVENT_WIDE ? "SEQ TIME KIND SUBJECT BACKEND CHANGE REASON"
					    : "TIME KIND SUBJECT BACKEND CHANGE REASON");
}

static const char *change_text(struct arena *a, const struct node *event)
{
	const char *from = node_text_at(event, "from", "");
	const char *to = node_text_at(event, "to", "");

	return from[0] ? arena_printf(a, "%s -> %s", from, to) : to;
}

static void time_cell(struct table *t, const struct node *event, enum event_columns columns,
		      int64_t now_ms)
{
	const char *text = node_text_at(event, "time", "");
	const int64_t ms = event_unix_ms(text);
	char age[24];

	if (columns != EVENT_AGES || ms < 0)
		table_cell(t, text);
	else
		table_cell(t, arena_strdup(t->arena, clock_human_age((now_ms - ms) / 1000, age)));
}

void events_row(struct table *t, const struct node *event, enum event_columns columns,
		int64_t now_ms)
{
	const char *backend = node_text_at(event, "backend", "");

	table_row(t);
	if (columns == EVENT_WIDE)
		table_cellf(t, "%lld", (long long)node_int_at(event, "seq", 0));
	time_cell(t, event, columns, now_ms);
	table_cell(t, node_text_at(event, "kind", ""));
	table_cell(t, node_text_at(event, "subject", ""));
	table_cell(t, backend[0] ? backend : "-");
	table_cell(t, change_text(t->arena, event));
	table_cell(t, node_text_at(event, "reason", ""));
}
