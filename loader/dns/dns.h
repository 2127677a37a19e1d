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

#define DNS_ADDRS_MAX 16 /* of one name; more are left out */
#define DNS_WHY_MAX   32

struct dns;

struct dns_options {
	const char *servers;	 /* "192.0.2.1:53,[2001:db8::1]:53"; NULL: those of resolv.conf */
	const char *resolv_conf; /* path; NULL: the system's */
};

/* IPv4 addresses first, each family in the order of the answer. */
struct dns_answer {
	struct spw_addr addrs[DNS_ADDRS_MAX];
	size_t count;
	char why[DNS_WHY_MAX]; /* with no address: "NXDOMAIN", "no address", "timeout", ... */
	bool ours;	       /* with no address: a trouble of this host, no word about the name */
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
