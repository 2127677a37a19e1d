/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A context is found by the hash of its settings, not by their address: every model has new ones.
 * It is made anew after an hour, so that a change of the system's authorities is seen.
 *
 * The name is verified here and not by curl: with subjectAltNames any of them is enough, of hosts
 * and of URIs, and the SNI does not matter then, as upstream.
 */
#include "health/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hash.h"
#include "health/tls_context.h"

#define UNUSED_MS 60000u

struct tls_cache {
	struct tls_context *first;
	struct tls_store *stores;
};

static int context_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

static uint64_t hash_text(const char *text, uint64_t seed)
{
	return hash_bytes(text ? text : "", text ? strlen(text) + 1 : 0, seed + 1);
}

static uint64_t hash_list(const char *const *list, uint64_t hash)
{
	for (; list && *list; list++)
		hash = hash_text(*list, hash);
	return hash_text(NULL, hash);
}

static uint64_t hash_settings(const struct tls_settings *s, const char *alpn)
{
	uint64_t h = s->verify;

	h = hash_text(s->sni, h);
	h = hash_text(s->ca_pem, h);
	h = hash_list(s->names, h);
	h = hash_text(s->cert_pem, h);
	h = hash_text(s->key_pem, h);
	h = hash_text(s->min_version, h);
	h = hash_text(s->max_version, h);
	h = hash_text(s->ciphers, h);
	return hash_text(alpn, hash_list(s->alpn, h));
}

static bool is_uri(const char *name)
{
	return strstr(name, "://") != NULL;
}

/* As it is written: a URI, or a wildcard that the certificate is to have itself. */
static bool has_entry(X509 *cert, int type, const char *text)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	size_t len = strlen(text);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(all) && !found; i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(all, i);

		found = n->type == type && (size_t)ASN1_STRING_length(n->d.ia5) == len &&
			strncasecmp((const char *)ASN1_STRING_get0_data(n->d.ia5), text, len) == 0;
	}
	GENERAL_NAMES_free(all);
	return found;
}

static bool is_for(X509 *cert, const char *name)
{
	if (is_uri(name))
		return has_entry(cert, GEN_URI, name);
	if (name[0] == '*')
		return has_entry(cert, GEN_DNS, name);
	return X509_check_host(cert, name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1 ||
	       X509_check_ip_asc(cert, name, 0) == 1;
}

static bool is_expected(const struct tls_context *t, X509 *cert)
{
	if (!t->names)
		return !t->sni || is_for(cert, t->sni);
	for (char **n = t->names; *n; n++)
		if (is_for(cert, *n))
			return true;
	return false;
}

/* Called for each certificate of the chain, the endpoint's own last. */
static int on_verify(int good, X509_STORE_CTX *ctx)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct tls_context *t = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index());

	if (!good || X509_STORE_CTX_get_error_depth(ctx) != 0 ||
	    is_expected(t, X509_STORE_CTX_get_current_cert(ctx)))
		return good;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
	return 0;
}

static bool set_client(const struct tls_context *t, SSL_CTX *ctx)
{
	if (!t->chain)
		return true;
	if (!SSL_CTX_use_certificate(ctx, sk_X509_value(t->chain, 0)))
		return false;
	for (int i = 1; i < sk_X509_num(t->chain); i++)
		if (!SSL_CTX_add1_chain_cert(ctx, sk_X509_value(t->chain, i)))
			return false;
	return SSL_CTX_use_PrivateKey(ctx, t->key);
}

bool tls_configure(const struct tls_context *t, SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, t->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
			   t->verify ? on_verify : NULL);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (t->store)
		SSL_CTX_set1_cert_store(ctx, t->store);
	if (t->min_version && t->min_version < TLS1_2_VERSION)
		SSL_CTX_set_security_level(ctx, 0); /* OpenSSL 3 has none of them above */
	return SSL_CTX_set_ex_data(ctx, context_index(), (void *)(uintptr_t)t) &&
	       SSL_CTX_set_min_proto_version(ctx, t->min_version) &&
	       SSL_CTX_set_max_proto_version(ctx, t->max_version) &&
	       (!t->ciphers || SSL_CTX_set_cipher_list(ctx, t->ciphers)) &&
	       (!t->alpn_len || SSL_CTX_set_alpn_protos(ctx, t->alpn, t->alpn_len) == 0) &&
	       set_client(t, ctx);
}

SSL *tls_connection(struct tls_context *t, int fd)
{
	SSL *ssl = SSL_new(t->own);

	if (!ssl || !SSL_set_fd(ssl, fd) || (t->sni && !SSL_set_tlsext_host_name(ssl, t->sni))) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_connect_state(ssl);
	return ssl;
}

static void context_free(struct tls_context *t)
{
	for (char **n = t->names; n && *n; n++)
		free(*n);
	free(t->names);
	free(t->sni);
	free(t->ciphers);
	X509_STORE_free(t->store);
	sk_X509_pop_free(t->chain, X509_free);
	EVP_PKEY_free(t->key);
	SSL_CTX_free(t->own);
	free(t);
}

/* Takes out what is old, and what nobody has used for a while. */
static void sweep(struct tls_cache *c, uint64_t now)
{
	struct tls_context **link = &c->first;

	while (*link) {
		struct tls_context *t = *link;

		if (now - t->made_ms < TLS_RENEW_MS && (t->users || now - t->used_ms < UNUSED_MS)) {
			link = &t->next;
			continue;
		}
		*link = t->next;
		t->forgotten = true;
		if (!t->users)
			context_free(t);
	}
}

/* A context is as old as its authorities. */
static const char *fill(struct tls_cache *c, struct tls_context *t, const struct tls_settings *s,
			const char *alpn, uint64_t now)
{
	const struct tls_store *store = NULL;
	const char *why = s->verify ? tls_store_get(&c->stores, s->ca_pem, now, &store) : NULL;

	if (why)
		return why;
	t->made_ms = now;
	if (store) {
		(void)X509_STORE_up_ref(store->store);
		t->store = store->store;
		t->made_ms = store->made_ms;
	}
	return tls_fill(t, s, alpn);
}

struct tls_context *tls_context_get(struct tls_cache *c, const struct tls_settings *s,
				    const char *alpn, struct verdict *now)
{
	uint64_t hash = hash_settings(s, alpn), ms = clock_ms();
	struct tls_context *t;
	const char *why;

	for (t = c->first; t; t = t->next) {
		if (t->hash != hash || ms - t->made_ms >= TLS_RENEW_MS)
			continue;
		t->users++;
		return t;
	}
	sweep(c, ms);
	t = calloc(1, sizeof(*t));
	why = t ? fill(c, t, s, alpn, ms) : "out of memory";
	ERR_clear_error();
	if (why) {
		*now = t ? verdict_make(VERDICT_BAD_AT_ONCE, "TLS: %s", why)
			 : verdict_errno(ENOMEM);
		if (t)
			context_free(t);
		return NULL;
	}
	t->hash = hash;
	t->users = 1;
	t->next = c->first;
	c->first = t;
	return t;
}

void tls_context_put(struct tls_context *t)
{
	if (!t)
		return;
	t->used_ms = clock_ms();
	if (--t->users == 0 && t->forgotten)
		context_free(t);
}

/* "error:0A00010B:SSL routines::wrong version number" and curl's text around it: the last part. */
static const char *last_part(const char *text)
{
	for (const char *at = strstr(text, "::"); at; at = strstr(text, "::"))
		text = at + 2;
	return text;
}

struct verdict tls_verdict(const struct tls_settings *s, long verify_result, const char *text)
{
	if (verify_result == X509_V_ERR_HOSTNAME_MISMATCH) {
		const char *name = !s ? NULL : s->names ? s->names[0] : s->sni;

		return verdict_make(VERDICT_BAD, "TLS: no certificate for %s", name ? name : "it");
	}
	if (verify_result != X509_V_OK)
		return verdict_make(VERDICT_BAD, "TLS: %s",
				    X509_verify_cert_error_string(verify_result));
	return verdict_make(VERDICT_BAD, "TLS: handshake failed: %s", last_part(text));
}

int tls_cache_new(struct tls_cache **out)
{
	struct tls_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	*out = c;
	return 0;
}

void tls_cache_free(struct tls_cache *c)
{
	struct tls_context *next;

	for (struct tls_context *t = c ? c->first : NULL; t; t = next) {
		next = t->next;
		context_free(t);
	}
	if (c)
		tls_stores_free(c->stores);
	free(c);
}
