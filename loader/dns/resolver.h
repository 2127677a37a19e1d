/* SPDX-License-Identifier: BSD-2-Clause */
/* c-ares on the libuv loop: questions asked and answered, nothing kept. For dns/ only. */
#ifndef SPILLWAY_DNS_RESOLVER_H
#define SPILLWAY_DNS_RESOLVER_H

#include <sys/socket.h>

#include "dns/dns.h"

#define RESOLVER_TICK_MS 100

struct resolver;

struct resolver_answer {
	enum dns_outcome outcome;
	const struct spw_addr *addrs; /* all of them, IPv4 first, each family as it was answered */
	size_t count;		      /* more than 0 with DNS_FOUND alone */
	uint64_t ttl_ms;	      /* the least of the chain, aliases included */
	const char *why;	      /* without an address */
};

/* What `a` points to is good until this returns; NULL: the resolver is being freed. */
typedef void resolver_done_fn(void *ctx, const struct resolver_answer *a);

/* Called about every RESOLVER_TICK_MS while a question is open. */
typedef void resolver_tick_fn(void *ctx);

int resolver_new(uv_loop_t *loop, const struct dns_options *opts, struct resolver **out);
void resolver_free(struct resolver *r); /* run the loop afterwards */
void resolver_on_tick(struct resolver *r, resolver_tick_fn *tick, void *ctx);

struct resolver_question {
	const char *name; /* until resolver_ask() returns */
	int family;	  /* AF_INET, AF_INET6, or AF_UNSPEC for both */
	resolver_done_fn *done;
	void *ctx;
};

/* `done` may be called from within, too. */
void resolver_ask(struct resolver *r, const struct resolver_question *question);

#endif
