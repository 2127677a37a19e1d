/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backend spec.tls with its defaults, and a BackendTLSPolicy over it. The name that is sent and verified is by default the one of
 * the endpoint: a chain check without a name check would accept any host of the same authority.
 */
#include <string.h>

#include "model/resolver.h"

#define MIN_VERSION "1.2"
#define MAX_VERSION "1.3"

/* "Auto" leaves it to the library. */
static const char *read_version(const struct node *tls, const char *name, const char *fallback)
{
	const char *text = node_text_at(tls, name, fallback);

	return strcmp(text, "Auto") == 0 ? NULL : text;
}

/* Upstream's list may hold groups of equal preference, "[A|B]", which OpenSSL does not know. */
static const char *read_ciphers(struct arena *a, const struct node *list)
{
	const char *all = NULL;
	char *text, *to;

	for (size_t i = 0; i < node_count(list); i++)
		all = text_join(a, all, ":", node_item(list, i)->text);
	if (!all)
		return NULL;
	text = to = arena_strdup(a, all);
	for (const char *p = all; *p; p++) {
		if (*p != '[' && *p != ']')
			*to++ = *p == '|' ? ':' : *p;
	}
	*to = '\0';
	return text;
}

/* An empty list is not none: it switches ALPN off. */
static const char *const *read_words(struct arena *a, const struct node *list)
{
	const size_t count = node_count(list);
	const char **out;

	if (!list || list->type != NODE_LIST)
		return NULL;
	out = arena_array(a, count + 1, sizeof(*out));
	for (size_t i = 0; i < count; i++)
		out[i] = node_item(list, i)->text;
	return out;
}

static const char *default_name(const struct endpoint *e)
{
	if (e->hostname)
		return e->hostname;
	return e->kind == ENDPOINT_FQDN ? e->host : NULL;
}

/* What the policy says of the server is all that counts: its fields are mandatory. */
static void read_policy(const struct tls_policy *policy, struct tls_settings *t)
{
	t->verify = true;
	t->sni = policy->hostname;
	t->names = policy->names;
	t->ca_pem = policy->ca_pem;
}

const struct tls_settings *tls_read(struct arena *a, const struct backend *b,
				    const struct tls_policy *policy, const struct endpoint *e)
{
	const struct node *tls = node_at(b->object->res.root, "spec.tls");
	struct tls_settings *t;

	if (!tls && !policy)
		return NULL;
	t = arena_alloc(a, sizeof(*t));
	t->verify = !node_bool_at(tls, "insecureSkipVerify", false);
	t->sni = node_text_at(tls, "sni", default_name(e));
	t->ca_pem = b->ca_pem;
	if (policy)
		read_policy(policy, t);
	t->cert_pem = b->client.cert_pem;
	t->key_pem = b->client.key_pem;
	t->min_version = read_version(tls, "minVersion", MIN_VERSION);
	t->max_version = read_version(tls, "maxVersion", MAX_VERSION);
	t->ciphers = read_ciphers(a, node_member(tls, "ciphers"));
	t->alpn = read_words(a, node_member(tls, "alpnProtocols"));
	return t;
}

const struct tls_settings *tls_for_gateway(struct arena *a, const struct tls_settings *tls,
					   const struct client_cert *client)
{
	struct tls_settings *t;

	if (!tls || tls->cert_pem || !client->cert_pem)
		return tls;
	t = arena_alloc(a, sizeof(*t));
	*t = *tls;
	t->cert_pem = client->cert_pem;
	t->key_pem = client->key_pem;
	return t;
}
