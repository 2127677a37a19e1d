/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names that are followed: asked for again when their answers end, without anybody waiting, so that
 * their addresses are those of now. What an answer may do to a set of addresses is in
 * docs/names.md. Heeds /etc/hosts and resolv.conf but for its search list. Not thread-safe.
 */
#ifndef SPILLWAY_DNS_NAMES_H
#define SPILLWAY_DNS_NAMES_H

#include "base/event_log.h"
#include "dns/dns.h"

#define NAMES_REFRESH_MS 30000
#define NAMES_REASON_MAX EVENT_TEXT_MAX

struct names;

/* BackendTrafficPolicy's dns.lookupFamily. */
enum dns_family {
	DNS_IPV4_PREFERRED, /* IPv6 only when there is no IPv4 address */
	DNS_IPV6_PREFERRED,
	DNS_IPV4,
	DNS_IPV6,
	DNS_IPV4_AND_IPV6,
};

/* Equal wishes are one followed name; those that differ in anything are apart. */
struct names_wish {
	const char *name; /* one trailing dot does not matter */
	enum dns_family family;
	uint32_t refresh_ms; /* 0: NAMES_REFRESH_MS */
	bool respect_ttl;    /* else refresh_ms alone says when a name is asked for again */
};

enum names_state {
	NAMES_UNKNOWN, /* not answered yet */
	NAMES_GOOD,    /* the addresses of the latest answer */
	NAMES_KEPT,    /* also or only older ones; the reason says why */
	NAMES_EMPTY,   /* no address; the reason says why */
};

struct names_answer {
	enum names_state state;
	const struct spw_addr *addrs; /* sorted, each once, at most DNS_ADDRS_MAX */
	size_t count;
	char reason[NAMES_REASON_MAX]; /* also of what was left out; may be "" with NAMES_GOOD */
};

/* Called from the loop, once a turn for all names whose addresses changed or became known. */
typedef void names_changed_fn(void *ctx);

struct names_times {
	uint32_t ttl_least_ms, ttl_most_ms; /* the former bounds refresh_ms, too */
	uint32_t step_ms, confirm_ms;	    /* see dns/shrink.h */
	uint32_t retry_least_ms, retry_most_ms;
	uint32_t stale_most_ms; /* then an answer is not good enough to stand in any more */
};

struct names_options {
	struct dns_options dns;	  /* `search` is not heeded: there is none */
	bool on_host;		  /* loopback addresses are addresses, too */
	struct event_log *events; /* or NULL */
	names_changed_fn *changed;
	void *ctx;
	const struct names_times *times; /* NULL: those of docs/names.md */
};

int names_new(uv_loop_t *loop, const struct names_options *opts, struct names **out);
void names_free(struct names *n); /* run the loop afterwards; not from `changed` */

/*
 * These and no others from now on. What is followed already stays as it is known, new names are
 * asked for at once. -ENOMEM: everything is as before.
 */
int names_follow(struct names *n, const struct names_wish *wishes, size_t count);

/*
 * What was last known of a name, whoever followed it: sorted; NULL and 0: nothing. For wishes that
 * are not followed yet; names_follow() goes on from it. Good until the loop runs.
 */
const struct spw_addr *names_recall(const struct names *n, const struct names_wish *wish,
				    size_t *count);

/* Addresses in force, to a file and back, for the next daemon. Load before names_follow(). */
int names_save(const struct names *n, const char *path);
void names_load(struct names *n, const char *path);

/* NULL: not followed. Good until the loop runs or the next names_follow(). */
const struct names_answer *names_get(const struct names *n, const struct names_wish *wish);

#endif
