/* SPDX-License-Identifier: BSD-2-Clause */
/* c-ares on the libuv loop: questions asked and answered, nothing kept. For dns.c only. */
#ifndef SPILLWAY_DNS_RESOLVER_H
#define SPILLWAY_DNS_RESOLVER_H

#include <ares.h>
#include <uv.h>

#include "dns/dns.h"

#define RESOLVER_TICK_MS 100

struct resolver;

/* Called about every RESOLVER_TICK_MS while a question is open. */
typedef void resolver_tick_fn(void *ctx);

int resolver_new(uv_loop_t *loop, const struct dns_options *opts, struct resolver **out);

/* Open questions are answered with ARES_EDESTRUCTION; run the loop afterwards. */
void resolver_free(struct resolver *r);
void resolver_on_tick(struct resolver *r, resolver_tick_fn *tick, void *ctx);

/* `done` may be called from within, too. `result` may be NULL, else it is the callee's to free. */
void resolver_ask(struct resolver *r, const char *name, ares_addrinfo_callback done, void *ctx);

#endif
