/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of names. An answer is good for the smallest TTL of its chain, within bounds; then the
 * next one who asks waits for a new one. A name server that fails does not take an address away:
 * the last good answer stands in at once when the latest question failed, or has waited long. "No
 * such name" is an answer, too, and does take it away.
 */
#include "dns/dns.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
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
	struct dns_answer answer;
	uint64_t good_until_ms; /* 0: there is no answer yet */
	uint64_t found_ms;	/* when the addresses of `answer` came */
	uint64_t asked_ms;
	uint64_t used_ms;
	bool asking;
	bool failing; /* `answer` is older than the latest question */
	struct dns_wait *waiting;
};

struct dns {
	struct resolver *resolver;
	struct entry *buckets[BUCKETS];
	uint64_t swept_ms;
};

static const struct dns_answer no_memory = {.why = "out of memory", .ours = true};

static struct dns_answer nothing(const char *why)
{
	struct dns_answer a = {0};

	(void)snprintf(a.why, sizeof(a.why), "%s", why);
	return a;
}

static struct dns_answer failed(int status)
{
	switch (status) {
	case ARES_ENOMEM:
		return no_memory;
	case ARES_ENOTFOUND:
		return nothing("NXDOMAIN");
	case ARES_ENODATA:
	case ARES_SUCCESS:
		return nothing("no address");
	case ARES_ESERVFAIL:
		return nothing("SERVFAIL");
	case ARES_EREFUSED:
		return nothing("REFUSED");
	case ARES_ETIMEOUT:
		return nothing("timeout");
	case ARES_ECONNREFUSED:
		return nothing("no name server could tell"); /* SERVFAIL of all, too */
	case ARES_EBADNAME:
		return nothing("not a valid name");
	}
	return nothing(ares_strerror(status));
}

static bool is_definite(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME ||
	       status == ARES_SUCCESS;
}

static void add_family(struct dns_answer *a, const struct ares_addrinfo *from, int family)
{
	for (const struct ares_addrinfo_node *n = from->nodes; n; n = n->ai_next) {
		if (n->ai_family != family || a->count == DNS_ADDRS_MAX)
			continue;
		if (family == AF_INET)
			a->addrs[a->count++] = addr_from_v4(
				((const struct sockaddr_in *)n->ai_addr)->sin_addr.s_addr);
		else
			a->addrs[a->count++] =
				addr_from_v6(&((const struct sockaddr_in6 *)n->ai_addr)->sin6_addr);
	}
}

/* CNAMEs count: what a name points to may change before its address does. */
static uint64_t ttl_ms(const struct ares_addrinfo *from)
{
	uint64_t least = TTL_MOST_MS;

	for (const struct ares_addrinfo_node *n = from->nodes; n; n = n->ai_next)
		if ((uint64_t)n->ai_ttl * 1000 < least)
			least = (uint64_t)n->ai_ttl * 1000;
	for (const struct ares_addrinfo_cname *n = from->cnames; n; n = n->next)
		if ((uint64_t)n->ttl * 1000 < least)
			least = (uint64_t)n->ttl * 1000;
	return least < TTL_LEAST_MS ? TTL_LEAST_MS : least;
}

static void take_answer(struct entry *e, int status, const struct ares_addrinfo *result)
{
	uint64_t now = clock_ms();
	struct dns_answer a = {0};

	if (status == ARES_SUCCESS && result) {
		add_family(&a, result, AF_INET);
		add_family(&a, result, AF_INET6);
	}
	if (a.count) {
		e->answer = a;
		e->found_ms = now;
		e->good_until_ms = now + ttl_ms(result);
		e->failing = false;
		return;
	}
	e->failing = e->answer.count && !is_definite(status) && now - e->found_ms < STALE_MOST_MS;
	if (!e->failing)
		e->answer = failed(status);
	e->good_until_ms = now + TTL_NONE_MS;
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

static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *result)
{
	struct entry *e = ctx;

	(void)timeouts;
	e->asking = false;
	if (status != ARES_EDESTRUCTION) {
		take_answer(e, status, result);
		tell(e);
	}
	if (result)
		ares_freeaddrinfo(result);
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

static void sweep(struct dns *d, uint64_t now)
{
	if (now - d->swept_ms < SWEEP_MS)
		return;
	d->swept_ms = now;
	for (size_t b = 0; b < BUCKETS; b++) {
		struct entry **link = &d->buckets[b];

		while (*link) {
			struct entry *e = *link;

			if (e->asking || e->waiting || now - e->used_ms < UNUSED_MS) {
				link = &e->next;
				continue;
			}
			*link = e->next;
			entry_free(e);
		}
	}
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
	return add(d, b, name, len);
}

const struct dns_answer *dns_lookup(struct dns *d, const char *name, struct dns_wait *w)
{
	uint64_t now = clock_ms();
	struct entry *e = get(d, name, now);

	if (!e)
		return &no_memory;
	e->used_ms = now;
	if (now < e->good_until_ms)
		return &e->answer;
	if (!e->asking) {
		e->asking = true;
		e->asked_ms = now;
		resolver_ask(d->resolver, e->name, on_answer, e);
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
