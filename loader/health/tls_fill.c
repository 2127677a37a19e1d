/* SPDX-License-Identifier: BSD-2-Clause */
/* From the texts of a manifest to what OpenSSL takes: certificates, keys, versions, protocols. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "health/tls.h"
#include "health/tls_context.h"

/* All certificates of a PEM text; NULL when there is none, or one of them is broken. */
static STACK_OF(X509) * read_certificates(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	STACK_OF(X509) *all = sk_X509_new_null();
	X509 *one;

	while (bio && all && (one = PEM_read_bio_X509(bio, NULL, NULL, (void *)"")))
		(void)sk_X509_push(all, one);
	/* The end of the text is said by an error, too. */
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || sk_X509_num(all) < 1) {
		sk_X509_pop_free(all, X509_free);
		all = NULL;
	}
	ERR_clear_error();
	BIO_free(bio);
	return all;
}

static const char *read_authorities(X509_STORE *store, const char *ca_pem)
{
	STACK_OF(X509) * all;

	(void)X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	if (!ca_pem)
		return X509_STORE_set_default_paths(store) ? NULL : "no system authorities";
	all = read_certificates(ca_pem);
	if (!all)
		return "the CA bundle cannot be read";
	for (int i = 0; i < sk_X509_num(all); i++)
		(void)X509_STORE_add_cert(store, sk_X509_value(all, i));
	sk_X509_pop_free(all, X509_free);
	return NULL;
}

static void store_free(struct tls_store *s)
{
	X509_STORE_free(s->store);
	free(s);
}

/* Contexts have references of their own. */
static void drop_old(struct tls_store **link, uint64_t now_ms)
{
	while (*link) {
		struct tls_store *s = *link;

		if (now_ms - s->made_ms < TLS_RENEW_MS) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		store_free(s);
	}
}

const char *tls_store_get(struct tls_store **all, const char *ca_pem, uint64_t now_ms,
			  const struct tls_store **out)
{
	const uint64_t hash = ca_pem ? hash_bytes(ca_pem, strlen(ca_pem), 1) : 0;
	struct tls_store *s;
	const char *why;

	drop_old(all, now_ms);
	for (s = *all; s && s->hash != hash; s = s->next)
		continue;
	if (s) {
		*out = s;
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return "out of memory";
	s->store = X509_STORE_new();
	why = s->store ? read_authorities(s->store, ca_pem) : "out of memory";
	if (why) {
		store_free(s);
		return why;
	}
	s->hash = hash;
	s->made_ms = now_ms;
	s->next = *all;
	*out = *all = s;
	return NULL;
}

void tls_stores_free(struct tls_store *all)
{
	struct tls_store *next;

	for (; all; all = next) {
		next = all->next;
		store_free(all);
	}
}

static const char *read_client(struct tls_context *t, const struct tls_settings *s)
{
	BIO *bio;

	if (!s->cert_pem)
		return NULL;
	t->chain = read_certificates(s->cert_pem);
	if (!t->chain)
		return "the client certificate cannot be read";
	bio = BIO_new_mem_buf(s->key_pem ? s->key_pem : "", -1);
	if (bio)
		t->key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	BIO_free(bio);
	if (!t->key)
		return "the client key cannot be read";
	if (!X509_check_private_key(sk_X509_value(t->chain, 0), t->key))
		return "the client key is not the certificate's";
	return NULL;
}

static int version_of(const char *text)
{
	static const struct {
		const char *text;
		int version;
	} all[] = {{"1.0", TLS1_VERSION},
		   {"1.1", TLS1_1_VERSION},
		   {"1.2", TLS1_2_VERSION},
		   {"1.3", TLS1_3_VERSION}};

	for (size_t i = 0; text && i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].text, text) == 0)
			return all[i].version;
	return 0;
}

static bool add_protocol(struct tls_context *t, const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > 255 || t->alpn_len + 1 + len > TLS_ALPN_MAX)
		return false;
	t->alpn[t->alpn_len++] = (unsigned char)len;
	memcpy(t->alpn + t->alpn_len, name, len);
	t->alpn_len += (unsigned)len;
	return true;
}

static const char *read_protocols(struct tls_context *t, const struct tls_settings *s,
				  const char *alpn)
{
	for (const char *const *p = s->alpn; p && *p; p++)
		if (!add_protocol(t, *p))
			return "the ALPN protocols are too long";
	if (!s->alpn && alpn)
		(void)add_protocol(t, alpn);
	return NULL;
}

static char **copy_list(const char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list && list[count])
		count++;
	copy = count ? calloc(count + 1, sizeof(char *)) : NULL;
	for (size_t i = 0; copy && i < count; i++)
		copy[i] = strdup(list[i]);
	return copy;
}

const char *tls_fill(struct tls_context *t, const struct tls_settings *s, const char *alpn)
{
	const char *why = read_client(t, s);

	if (!why)
		why = read_protocols(t, s, alpn);
	if (why)
		return why;
	t->verify = s->verify;
	t->sni = s->sni ? strdup(s->sni) : NULL;
	t->names = copy_list(s->names);
	t->ciphers = s->ciphers ? strdup(s->ciphers) : NULL;
	t->min_version = version_of(s->min_version);
	t->max_version = version_of(s->max_version);
	t->own = SSL_CTX_new(TLS_client_method());
	if (!t->own)
		return "out of memory";
	SSL_CTX_set_mode(t->own, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return tls_configure(t, t->own) ? NULL : "ciphers or versions that OpenSSL does not have";
}
