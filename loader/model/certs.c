/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates by reference: texts of ConfigMaps and Secrets, as they are. Nothing here looks into
 * a PEM text: one that is broken is found where it is used. Upstream's words for what fails.
 */
#include <string.h>

#include "manifest/base64.h"
#include "model/resolver.h"

#define SDS_TYPE "gateway.envoyproxy.io/sds"
#define NO_SDS	 "SDS Secret reference is not enabled in EnvoyGateway configuration"
#define BAD_KIND                                                                                   \
	"Unsupported reference kind, supported kinds are ConfigMap, Secret, and "                  \
	"ClusterTrustBundle in caCertificateRefs"

static void fail(struct cert_problem *out, const char *reason, const char *message)
{
	*out = (struct cert_problem){.reason = reason, .message = message};
}

/* ca.crt, else tls.crt, else the only one. */
static const struct node *authorities_in(const struct node *data)
{
	const struct node *n = node_member(data, "ca.crt");

	if (!n)
		n = node_member(data, "tls.crt");
	return !n && node_count(data) == 1 ? data->items[0] : n;
}

/* A value of a Secret; what is cut short by a NUL is no PEM. */
static const char *decode(struct arena *a, const struct node *n)
{
	struct base64_bytes value;

	if (!n || n->type != NODE_STRING || base64_decode(a, n->text, n->text_len, &value) >= 0)
		return NULL;
	return (const char *)value.bytes;
}

static bool is_sds(const struct object *secret)
{
	return strcmp(node_text_at(secret->res.root, "type", ""), SDS_TYPE) == 0;
}

static const char *read_secret(struct resolver *r, const struct object *owner, const char *name,
			       struct cert_problem *out)
{
	const char *namespace = owner->res.namespace;
	const struct object *o = names_find(r, KIND_SECRET, owner->project, namespace, name);
	const char *pem;

	if (!o) {
		fail(out, "InvalidCACertificateRef",
		     arena_printf(r->arena, "secret %s not found in namespace %s", name,
				  namespace));
		out->follows = names_was_refused(r, "Secret", namespace, name);
		return NULL;
	}
	if (is_sds(o)) {
		fail(out, "InvalidCACertificateRef", NO_SDS);
		return NULL;
	}
	pem = decode(r->arena, authorities_in(node_member(o->res.root, "data")));
	if (!pem)
		fail(out, "InvalidCACertificateRef",
		     arena_printf(r->arena, "no ca found in secret %s", name));
	return pem;
}

static const char *read_configmap(struct resolver *r, const struct object *owner, const char *name,
				  struct cert_problem *out)
{
	const char *namespace = owner->res.namespace;
	const struct object *o = names_find(r, KIND_CONFIGMAP, owner->project, namespace, name);
	const struct node *n;

	if (!o) {
		fail(out, "InvalidCACertificateRef",
		     arena_printf(r->arena, "configmap %s not found in namespace %s", name,
				  namespace));
		out->follows = names_was_refused(r, "ConfigMap", namespace, name);
		return NULL;
	}
	n = authorities_in(node_member(o->res.root, "data"));
	if (!n)
		fail(out, "InvalidCACertificateRef",
		     arena_printf(r->arena, "no ca found in configmap %s", name));
	return n ? n->text : NULL;
}

static const char *read_ref(struct resolver *r, const struct object *owner, const struct node *ref,
			    struct cert_problem *out)
{
	const char *kind = node_text_at(ref, "kind", "");
	const char *name = node_text_at(ref, "name", "");

	if (strcmp(kind, "ConfigMap") == 0)
		return read_configmap(r, owner, name, out);
	if (strcmp(kind, "Secret") == 0)
		return read_secret(r, owner, name, out);
	if (strcmp(kind, "ClusterTrustBundle") == 0) /* a kind that is not known here */
		fail(out, "InvalidCACertificateRef",
		     arena_printf(r->arena, "cluster trust bundle %s not found", name));
	else
		fail(out, "InvalidKind", BAD_KIND);
	return NULL;
}

const char *certs_authorities(struct resolver *r, const struct object *owner,
			      const struct node *refs, struct cert_problem *out)
{
	const char *all = NULL, *pem;

	for (size_t i = 0; i < node_count(refs); i++) {
		pem = read_ref(r, owner, node_item(refs, i), out);
		if (!pem)
			return NULL;
		if (*pem)
			all = text_join(r->arena, all, "\n", pem);
	}
	if (!all)
		fail(out, "InvalidCACertificateRef",
		     "no valid CA certificate found in referenced resources");
	return all;
}

bool certs_client(struct resolver *r, const struct object *owner, const struct node *ref,
		  struct client_cert *client, struct cert_problem *out)
{
	const char *name = node_text_at(ref, "name", "");
	const char *namespace = node_text_at(ref, "namespace", owner->res.namespace);
	const bool is_secret = strcmp(node_text_at(ref, "kind", "Secret"), "Secret") == 0 &&
			       !*node_text_at(ref, "group", "");
	const struct object *o =
		is_secret ? names_find(r, KIND_SECRET, owner->project, namespace, name) : NULL;
	const struct node *data = o ? node_member(o->res.root, "data") : NULL;

	if (!o) {
		fail(out, "InvalidClientCertificateRef",
		     arena_printf(r->arena,
				  "failed to locate TLS secret for client auth: %s/%s specified in "
				  "%s %s/%s",
				  namespace, name, owner->res.kind->name, owner->res.namespace,
				  owner->res.name));
		out->follows = names_was_refused(r, "Secret", namespace, name);
		return false;
	}
	*client = (struct client_cert){decode(r->arena, node_member(data, "tls.crt")),
				       decode(r->arena, node_member(data, "tls.key"))};
	if (is_sds(o))
		fail(out, "InvalidClientCertificateRef", NO_SDS);
	else if (!client->cert_pem || !client->key_pem)
		fail(out, "InvalidClientCertificateRef",
		     arena_printf(r->arena, "secret %s/%s for client auth lacks tls.crt or tls.key",
				  namespace, name));
	return !out->reason;
}

bool certs_pair(struct resolver *r, const struct object *owner, const struct node *ref,
		struct client_cert *out)
{
	const char *name = node_text_at(ref, "name", "");
	const char *namespace = node_text_at(ref, "namespace", owner->res.namespace);
	const struct object *o = names_find(r, KIND_SECRET, owner->project, namespace, name);
	const struct node *data = o ? node_member(o->res.root, "data") : NULL;

	*out = (struct client_cert){decode(r->arena, node_member(data, "tls.crt")),
				    decode(r->arena, node_member(data, "tls.key"))};
	return out->cert_pem && out->key_pem;
}
