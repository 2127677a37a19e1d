/* SPDX-License-Identifier: BSD-2-Clause */
/* What a context holds; for tls.c and tls_fill.c only. */
#ifndef SPILLWAY_HEALTH_TLS_CONTEXT_H
#define SPILLWAY_HEALTH_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/check.h"

#define TLS_ALPN_MAX 128
#define TLS_RENEW_MS 3600000u

struct tls_context {
	struct tls_context *next;
	uint64_t hash;
	uint64_t made_ms, used_ms;
	unsigned users;
	bool forgotten; /* out of the cache: its last user frees it */
	SSL_CTX *own;	/* for tls_connection() */

	bool verify;
	char *sni;
	char **names; /* NULL-terminated, or NULL */
	char *ciphers;
	X509_STORE *store;
	STACK_OF(X509) * chain; /* the leaf first; NULL: no client certificate */
	EVP_PKEY *key;
	unsigned char alpn[TLS_ALPN_MAX]; /* as on the wire */
	unsigned alpn_len;
	int min_version, max_version; /* 0: the library's */
};

/*
 * Authorities, read once for all contexts that trust the same ones: the system's take a megabyte
 * and 10 ms.
 */
struct tls_store {
	struct tls_store *next;
	uint64_t hash, made_ms;
	X509_STORE *store;
};

/* Those of a bundle, or the system's (NULL), not older than TLS_RENEW_MS; NULL, or why not. */
const char *tls_store_get(struct tls_store **all, const char *ca_pem, uint64_t now_ms,
			  const struct tls_store **out);
void tls_stores_free(struct tls_store *all);

/*
 * Fills in what the settings say but for the authorities; NULL, or why it cannot. The caller frees
 * `t` in either case.
 */
const char *tls_fill(struct tls_context *t, const struct tls_settings *s, const char *alpn);

#endif
