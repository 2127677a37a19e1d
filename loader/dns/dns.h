/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of endpoints to addresses, on the daemon's loop and with a cache of its own: what all users
 * of one name share. Heeds /etc/hosts and /etc/resolv.conf, and reads them anew when they change.
 * Not thread-safe.
 */
#ifndef SPILLWAY_DNS_DNS_H
#define SPILLWAY_DNS_DNS_H

#include <spillway/abi.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define DNS_ADDRS_MAX 64 /* of one name; more are left out */
#define DNS_WHY_MAX   32
#define DNS_NAMES_MAX 8192 /* in the cache; then the one that nobody asked for longest gives way */

struct dns;

enum dns_outcome {
	DNS_FOUND,
	DNS_NO_NAME,	/* NXDOMAIN */
	DNS_NO_ADDRESS, /* there is such a name, without an address */
	DNS_BAD_NAME,
	DNS_FAILED, /* timeout, SERVFAIL, REFUSED: no word about the name */
	DNS_OURS,   /* a trouble of this host: no word about the name either */
};

/* Whether resolv.conf's search list is tried, too. */
enum dns_search { DNS_SEARCH_LIST, DNS_SEARCH_NONE };

struct dns_options {
	const char *servers;	 /* "192.0.2.1:53,[2001:db8::1]:53"; NULL: those of resolv.conf */
	const char *resolv_conf; /* path; NULL: the system's */
	enum dns_search search;
};

/* IPv4 addresses first, each family in the order of the answer. */
struct dns_answer {
	enum dns_outcome outcome;
	struct spw_addr addrs[DNS_ADDRS_MAX];
	size_t count;		/* more than 0 with DNS_FOUND alone */
	char why[DNS_WHY_MAX];	/* with no address: "NXDOMAIN", "no address", "timeout", ... */
	uint64_t good_until_ms; /* clock_ms(); in the past: an old answer that stands in */
};

typedef void dns_done_fn(void *ctx, const struct dns_answer *a);

/* Someone who waits for an answer; embedded in its owner, who sets `done` and `ctx`. */
struct dns_wait {
	dns_done_fn *done; /* called once, from the loop, unless cancelled before */
	void *ctx;
	struct dns_wait *next, **link; /* dns/ only; link NULL: not waiting */
};

/* Copies the options. Files are read and sockets opened with the first name. */
int dns_new(uv_loop_t *loop, const struct dns_options *opts, struct dns **out);
void dns_free(struct dns *d); /* nobody may wait; run the loop afterwards */

/*
 * The answer, when it is known (good until the loop runs or the next call), or NULL: `w` is told.
 * One trailing dot of the name does not matter.
 */
const struct dns_answer *dns_lookup(struct dns *d, const char *name, struct dns_wait *w);
void dns_cancel(struct dns_wait *w); /* fine when it does not wait */

#endif
