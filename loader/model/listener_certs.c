/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates of listeners where TLS ends. Upstream's words; one that is of no use stops the listener. */
#include <string.h>

#include "model/l7.h"

static void fail(struct resolver *r, struct listener *l, const struct node *at,
		 const struct cert_problem *why)
{
	if (!l->certs.reason)
		l->certs = (struct problem){why->reason, why->message};
	if (!why->follows)
		resolve_warn(r, l->gateway, at ? at->loc : l->node->loc, why->message);
}

static bool is_secret(const struct node *ref)
{
	return !*node_text_at(ref, "group", "") &&
	       strcmp(node_text_at(ref, "kind", "Secret"), "Secret") == 0;
}

/* Both texts of the Secret, when they go together. */
static const char *read_pair(struct resolver *r, const struct object *gateway,
			     const struct node *ref, struct cert_problem *why)
{
	const char *name = node_text_at(ref, "name", "");
	const char *namespace = node_text_at(ref, "namespace", gateway->res.namespace);
	struct client_cert pair = {0};
	const char *bad = NULL;

	why->reason = "InvalidCertificateRef";
	if (!names_find(r, KIND_SECRET, gateway->project, namespace, name)) {
		why->message =
			arena_printf(r->arena, "Secret %s/%s does not exist.", namespace, name);
		why->follows = names_was_refused(r, "Secret", namespace, name);
		return NULL;
	}
	if (!certs_pair(r, gateway, ref, &pair)) {
		why->message = arena_printf(r->arena,
					    "Secret %s/%s must contain valid tls.crt and tls.key.",
					    namespace, name);
		return NULL;
	}
	if (r->opts->refuse_pair)
		bad = r->opts->refuse_pair(r->arena, pair.cert_pem, pair.key_pem);
	if (bad) {
		why->message = arena_printf(r->arena,
					    "Secret %s/%s must contain valid tls.crt and tls.key, "
					    "unable to validate certificate in tls.crt: %s.",
					    namespace, name, bad);
		return NULL;
	}
	why->reason = NULL;
	return arena_printf(r->arena, "%s\n%s", pair.cert_pem, pair.key_pem);
}

static void read_ref(struct resolver *r, struct listener *l, const struct node *ref,
		     struct l7_listener *out)
{
	const char *name = node_text_at(ref, "name", "");
	const char *namespace = node_text_at(ref, "namespace", l->gateway->res.namespace);
	struct cert_problem why = {0};
	const char *pem;

	if (!is_secret(ref)) {
		why = (struct cert_problem){
			.reason = "InvalidCertificateRef",
			.message = "Listener's TLS certificate ref kind must be Secret."};
	} else if (!grants_allow(r, l->gateway, "", "Secret", namespace, name)) {
		why = (struct cert_problem){
			.reason = "RefNotPermitted",
			.message = arena_printf(r->arena,
						"Certificate ref to secret %s/%s not permitted by "
						"any ReferenceGrant.",
						namespace, name)};
	} else {
		pem = read_pair(r, l->gateway, ref, &why);
		if (pem)
			*arena_push(r->arena, out->pems, out->pem_count) = pem;
	}
	if (why.reason)
		fail(r, l, ref, &why);
}

void listener_certs_read(struct resolver *r, struct listener *l, struct l7_listener *out)
{
	const struct node *refs = node_at(l->node, "tls.certificateRefs");
	const struct cert_problem none = {
		.reason = "InvalidCertificateRef",
		.message = "Listener must have at least 1 TLS certificate ref",
		.follows = true, /* upstream's schema takes options instead; there are none here */
	};

	const struct cert_problem clients = {
		.reason = "Invalid",
		.message =
			"spec.tls.frontend of the Gateway asks for certificates of clients, which this "
			"version does not verify: its listeners that end TLS are left out",
	};

	if (node_at(l->gateway->res.root, "spec.tls.frontend")) {
		fail(r, l, NULL, &clients);
		return; /* nobody gets in without what was asked for */
	}
	for (size_t i = 0; i < node_count(refs); i++)
		read_ref(r, l, node_item(refs, i), out);
	if (!node_count(refs))
		fail(r, l, NULL, &none);
}
