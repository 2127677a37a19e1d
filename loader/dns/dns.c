/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of names. An answer is good for the smallest TTL of its chain, within bounds; then the
 * next one who asks waits for a new one. A name server that fails does not take an address away:
 * the last good answer stands in at once when the latest question failed, or has waited long. "No
 * such name" is an answer, too, and does take it away.
 */
#include "dns/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "dns/resolver.h"

#define TTL_LEAST_MS  1000u
#define TTL_MOST_MS   300000u
#define TTL_NONE_MS   5000u	/* of an answer without address, and between failures */
#define STALE_MOST_MS 86400000u /* RFC 8767, section 5: one to three days */
#define PATIENCE_MS   300u	/* then an old answer is better than none */
#define UNUSED_MS     600000u	/* then a name is forgotten */
#define SWEEP_MS      60000u
#define BUCKETS	      1024

struct entry {
	struct entry *next; /* in its bucket */
	struct dns *dns;
	char *name;
	struct dns_answer answer; /* good_until_ms 0: there is none yet */
	uint64_t found_ms;	  /* when the addresses of `answer` came */
	uint64_t asked_ms;
	uint64_t used_ms;
	bool asking;
	bool failing; /* `answer` is older than the latest question */
	struct dns_wait *waiting;
};

struct dns {
	struct resolver *resolver;
	struct entry *buckets[BUCKETS];
	size_t count;
	uint64_t swept_ms;
};

static const struct dns_answer no_memory = {.outcome = DNS_OURS, .why = "out of memory"};

static bool is_definite(enum dns_outcome outcome)
{
	return outcome != DNS_FAILED && outcome != DNS_OURS;
}

static void take_answer(struct entry *e, const struct resolver_answer *from)
{
	uint64_t now = clock_ms(), ttl = from->ttl_ms;
	struct dns_answer a = {.outcome = from->outcome};

	e->failing =
		e->answer.count && !is_definite(from->outcome) && now - e->found_ms < STALE_MOST_MS;
	if (e->failing) {
		e->answer.good_until_ms = now + TTL_NONE_MS;
		return;
	}
	if (from->count) {
		a.count = from->count < DNS_ADDRS_MAX ? from->count : DNS_ADDRS_MAX;
		memcpy(a.addrs, from->addrs, a.count * sizeof(*a.addrs));
		ttl = ttl < TTL_LEAST_MS ? TTL_LEAST_MS : ttl;
		a.good_until_ms = now + (ttl > TTL_MOST_MS ? TTL_MOST_MS : ttl);
		e->found_ms = now;
	} else {
		(void)snprintf(a.why, sizeof(a.why), "%s", from->why);
		a.good_until_ms = now + TTL_NONE_MS;
	}
	e->answer = a;
}

static void leave(struct dns_wait *w)
{
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->link = NULL;
}

/* Whoever is told may ask again, or cancel others. */
static void tell(struct entry *e)
{
	const struct dns_answer a = e->answer;
	struct dns_wait *list = TAKE(e->waiting);

	if (list)
		list->link = &list;
	while (list) {
		struct dns_wait *w = list;

		leave(w);
		w->done(w->ctx, &a);
	}
}

static void on_answer(void *ctx, const struct resolver_answer *a)
{
	struct entry *e = ctx;

	e->asking = false;
	if (!a)
		return;
	take_answer(e, a);
	tell(e);
}

/* Nobody who has an old answer waits for a name server that is slow. */
static void on_tick(void *ctx)
{
	struct dns *d = ctx;
	uint64_t now = clock_ms();

	for (size_t b = 0; b < BUCKETS; b++)
		for (struct entry *e = d->buckets[b]; e; e = e->next)
			if (e->waiting && e->answer.count && now - e->asked_ms >= PATIENCE_MS)
				tell(e);
}

static void entry_free(struct entry *e)
{
	free(e->name);
	free(e);
}

static bool is_in_use(const struct entry *e)
{
	return e->asking || e->waiting;
}

static void forget(struct dns *d, struct entry **link)
{
	struct entry *e = *link;

	*link = e->next;
	d->count--;
	entry_free(e);
}

static void sweep(struct dns *d, uint64_t now)
{
	if (now - d->swept_ms < SWEEP_MS)
		return;
	d->swept_ms = now;
	for (size_t b = 0; b < BUCKETS; b++) {
		struct entry **link = &d->buckets[b];

		while (*link)
			if (is_in_use(*link) || now - (*link)->used_ms < UNUSED_MS)
				link = &(*link)->next;
			else
				forget(d, link);
	}
}

/* Names may come from clients, by way of the stub: there is no end of them. */
static void make_room(struct dns *d)
{
	struct entry **oldest = NULL;

	if (d->count < DNS_NAMES_MAX)
		return;
	for (size_t b = 0; b < BUCKETS; b++)
		for (struct entry **link = &d->buckets[b]; *link; link = &(*link)->next)
			if (!is_in_use(*link) && (!oldest || (*link)->used_ms < (*oldest)->used_ms))
				oldest = link;
	if (oldest)
		forget(d, oldest);
}

static struct entry *add(struct dns *d, size_t b, const char *name, size_t len)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->name = strndup(name, len);
	if (!e->name) {
		free(e);
		return NULL;
	}
	e->dns = d;
	e->next = d->buckets[b];
	d->buckets[b] = e;
	d->count++;
	return e;
}

/* Names are compared as they are written: manifests have them in lower case. */
static struct entry *get(struct dns *d, const char *name, uint64_t now)
{
	size_t len = strlen(name), b;

	if (len && name[len - 1] == '.')
		len--;
	b = hash_bytes(name, len, 0) % BUCKETS;
	for (struct entry *e = d->buckets[b]; e; e = e->next)
		if (strncmp(e->name, name, len) == 0 && e->name[len] == '\0')
			return e;
	sweep(d, now);
	make_room(d);
	return add(d, b, name, len);
}

const struct dns_answer *dns_lookup(struct dns *d, const char *name, struct dns_wait *w)
{
	uint64_t now = clock_ms();
	struct entry *e = get(d, name, now);

	if (!e)
		return &no_memory;
	e->used_ms = now;
	if (now < e->answer.good_until_ms)
		return &e->answer;
	if (!e->asking) {
		e->asking = true;
		e->asked_ms = now;
		resolver_ask(d->resolver,
			     &(struct resolver_question){e->name, AF_UNSPEC, on_answer, e});
		if (!e->asking)
			return &e->answer;
	}
	if (e->answer.count && (e->failing || now - e->asked_ms >= PATIENCE_MS))
		return &e->answer;
	w->next = e->waiting;
	if (w->next)
		w->next->link = &w->next;
	w->link = &e->waiting;
	e->waiting = w;
	return NULL;
}

void dns_cancel(struct dns_wait *w)
{
	if (w->link)
		leave(w);
}

int dns_new(uv_loop_t *loop, const struct dns_options *opts, struct dns **out)
{
	AUTO(free) struct dns *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	err = resolver_new(loop, opts, &d->resolver);
	if (err)
		return err;
	resolver_on_tick(d->resolver, on_tick, d);
	*out = TAKE(d);
	return 0;
}

void dns_free(struct dns *d)
{
	if (!d)
		return;
	resolver_free(d->resolver);
	for (size_t b = 0; b < BUCKETS; b++) {
		struct entry *next;

		for (struct entry *e = d->buckets[b]; e; e = next) {
			next = e->next;
			entry_free(e);
		}
	}
	free(d);
}
