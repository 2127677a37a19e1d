/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates made for a test: an authority, and what it signs. */
#ifndef SPILLWAY_TESTS_CERTIFICATES_H
#define SPILLWAY_TESTS_CERTIFICATES_H

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct certificate {
	X509 *x509;
	EVP_PKEY *key;
	char *pem, *key_pem;
};

static inline char *pem_text(BIO *bio)
{
	char *data, *text;
	long len = BIO_get_mem_data(bio, &data);

	text = strndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

static inline void add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

/* `names` as OpenSSL writes them: "DNS:a.example, URI:spiffe://x/y"; NULL signer: by itself. */
static inline struct certificate certificate_make(const char *cn, const char *names, long days,
						  const struct certificate *signer)
{
	static long serial = 1;
	struct certificate c = {.x509 = X509_new(), .key = EVP_EC_gen("P-256")};
	X509_NAME *subject = X509_get_subject_name(c.x509);
	BIO *bio;

	assert_non_null(c.key);
	(void)X509_set_version(c.x509, 2);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
	(void)X509_gmtime_adj(X509_getm_notBefore(c.x509), -30 * 86400L);
	(void)X509_gmtime_adj(X509_getm_notAfter(c.x509), days * 86400L);
	(void)X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1,
					 -1, 0);
	(void)X509_set_issuer_name(c.x509, signer ? X509_get_subject_name(signer->x509) : subject);
	(void)X509_set_pubkey(c.x509, c.key);
	if (names)
		add_extension(c.x509, NID_subject_alt_name, names);
	if (!signer)
		add_extension(c.x509, NID_basic_constraints, "critical,CA:TRUE");
	assert_true(X509_sign(c.x509, signer ? signer->key : c.key, EVP_sha256()) > 0);
	bio = BIO_new(BIO_s_mem());
	(void)PEM_write_bio_X509(bio, c.x509);
	c.pem = pem_text(bio);
	bio = BIO_new(BIO_s_mem());
	(void)PEM_write_bio_PrivateKey(bio, c.key, NULL, NULL, 0, NULL, NULL);
	c.key_pem = pem_text(bio);
	return c;
}

static inline void certificate_done(struct certificate *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
	free(c->pem);
	free(c->key_pem);
}

#endif
