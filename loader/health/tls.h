/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS of probes, by OpenSSL: what a Backend's settings mean for a connection. Certificates, keys and
 * the system's authorities are read once and kept, since reading them costs more than a handshake.
 */
#ifndef SPILLWAY_HEALTH_TLS_H
#define SPILLWAY_HEALTH_TLS_H

#include <openssl/ssl.h>

#include "health/probe.h"

struct tls_cache;
struct tls_context;

int tls_cache_new(struct tls_cache **out);
void tls_cache_free(struct tls_cache *c); /* nobody holds a context any more */

/*
 * The context of these settings, held until tls_context_put(). NULL when they are of no use: *now
 * says why. `alpn` is offered when the settings name no protocol; NULL: none.
 */
struct tls_context *tls_context_get(struct tls_cache *c, const struct tls_settings *s,
				    const char *alpn, struct verdict *now);
void tls_context_put(struct tls_context *t);

/* A connection of our own; NULL when out of memory. Freed by SSL_free() before the context. */
SSL *tls_connection(struct tls_context *t, int fd);

/* The settings for a connection that someone else makes; false when out of memory. */
bool tls_configure(const struct tls_context *t, SSL_CTX *ssl_ctx);

/* Why there is no connection: `verify_result` of OpenSSL, and its text when that is X509_V_OK. */
struct verdict tls_verdict(const struct tls_settings *s, long verify_result, const char *text);

#endif
