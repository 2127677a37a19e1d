/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates of listeners as HAProxy will read them: found broken before it is asked. */
#include "health/pair.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static X509 *read_cert(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return cert;
}

/* A key that asks for a passphrase has nobody to ask. */
static int no_passphrase(char *buf, int size, int is_write, void *ctx)
{
	(void)buf;
	(void)size;
	(void)is_write;
	(void)ctx;
	return -1;
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

const char *pair_refuse(struct arena *a, const char *cert_pem, const char *key_pem)
{
	X509 *cert = read_cert(cert_pem);
	EVP_PKEY *key = read_key(key_pem);
	const char *why = NULL;

	(void)a;
	if (!cert)
		why = "no certificate can be read from tls.crt";
	else if (!key)
		why = "no private key can be read from tls.key";
	else if (X509_check_private_key(cert, key) != 1)
		why = "the private key does not belong to the certificate";
	X509_free(cert);
	EVP_PKEY_free(key);
	return why;
}
