/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backends: accepted or not, and which of their endpoints the packet path can serve. In this
 * version it forwards by nat to addresses; the rest needs the userspace path or another mode.
 */
#include <string.h>

#include "base/addr.h"
#include "manifest/annotations.h"
#include "model/resolver.h"

static const char userspace[] = "they need the userspace path, which this version does not have";
static const char over_tls[] =
	"endpoints over TLS need the userspace path, which this version does not have";
static const char not_unicast[] = "no host has such an address";

static void read_ip(struct arena *a, const struct node *ip, bool on_host, struct endpoint *e)
{
	const char *text = node_text_at(ip, "address", "");
	char buf[ADDR_PORT_TEXT_MAX];

	e->port = (uint16_t)node_int_at(ip, "port", 0);
	if (addr_parse(text, &e->addr) || e->port == 0) {
		e->name = arena_printf(a, "%s:%u", text, e->port);
		e->unusable = not_unicast;
		return;
	}
	e->name = arena_strdup(a, addr_print_port(&e->addr, e->port, buf));
	if (addr_is_loopback(&e->addr) && on_host)
		e->unusable = userspace;
	else if (addr_is_unspecified(&e->addr) || addr_is_multicast(&e->addr))
		e->unusable = not_unicast;
}

/* A host name without its trailing dot, which says no more than where it ends. */
static const char *read_host(struct arena *a, const struct node *fqdn)
{
	const char *text = node_text_at(fqdn, "hostname", "");
	const size_t len = strlen(text);

	return arena_strndup(a, text, len - (len > 0 && text[len - 1] == '.'));
}

static void read_endpoint(struct arena *a, const struct node *n, bool on_host, struct endpoint *e)
{
	const struct node *fqdn = node_member(n, "fqdn");

	e->hostname = node_text_at(n, "hostname", NULL);
	e->zone = node_text_at(n, "zone", NULL);
	if (node_member(n, "ip")) {
		read_ip(a, node_member(n, "ip"), on_host, e);
		return;
	}
	e->unusable = userspace;
	if (fqdn) {
		e->kind = ENDPOINT_FQDN;
		e->host = read_host(a, fqdn);
		e->port = (uint16_t)node_int_at(fqdn, "port", 0);
		e->name = arena_printf(a, "%s:%u", e->host, e->port);
		return;
	}
	e->kind = ENDPOINT_UNIX;
	e->host = node_text_at(n, "unix.path", "");
	e->name = arena_printf(a, "unix:%s", e->host);
}

/* Why none of its endpoints can be served, or NULL. */
static const char *whole_reason(struct arena *a, const struct backend *b)
{
	const struct node *root = b->object->res.root;
	const char *mode = annotation_value(root, ANNOTATION_FORWARDING);

	if (strcmp(mode, "nat") != 0)
		return arena_printf(a,
				    "the annotation " ANNOTATION_FORWARDING
				    ": %s asks for a mode that this version does not have",
				    mode);
	return node_at(root, "spec.tls") ? over_tls : NULL;
}

/* "NAMES: WHY" of each reason in turn. */
static const char *list_unusable(struct arena *a, const struct backend *b)
{
	const char *text = NULL, *last = NULL;

	for (size_t i = 0; i < b->count; i++) {
		const char *why = b->endpoints[i].unusable;
		struct name_list names = {0};

		if (!why || why == last || (text && strstr(text, why)))
			continue;
		for (size_t n = i; n < b->count; n++) {
			if (b->endpoints[n].unusable == why)
				names_add(a, &names, b->endpoints[n].name);
		}
		text = text_join(a, text, "; ",
				 arena_printf(a, "%s: %s", names_text(a, &names), why));
		last = why;
	}
	return text;
}

static void tls_fails(struct backend *b, const struct cert_problem *why)
{
	if (why->reason && !b->tls_problem.reason)
		b->tls_problem = *why;
}

/* Authorities of its own are for the endpoints that no policy covers. */
static void read_authorities(struct resolver *r, struct backend *b)
{
	const struct node *tls = node_at(b->object->res.root, "spec.tls");
	const struct node *refs = node_member(tls, "caCertificateRefs");
	const char *word = node_text_at(tls, "wellKnownCACertificates", "System");
	struct cert_problem why = {0};
	bool is_asked = false;

	for (size_t i = 0; i < b->count; i++)
		is_asked = is_asked || !tls_policies_find(r, b->object, b->endpoints[i].port);
	if (!is_asked || node_bool_at(tls, "insecureSkipVerify", false))
		return;
	if (node_count(refs))
		b->ca_pem = certs_authorities(r, b->object, refs, &why);
	else if (strcmp(word, "System") != 0)
		why = (struct cert_problem){.reason = "Invalid", .message = NO_AUTHORITIES};
	tls_fails(b, &why);
}

static void read_client(struct resolver *r, struct backend *b)
{
	const struct node *ref = node_at(b->object->res.root, "spec.tls.clientCertificateRef");
	struct cert_problem why = {0};

	if (ref && !certs_client(r, b->object, ref, &b->client, &why))
		tls_fails(b, &why);
}

static void read_tls(struct resolver *r, struct backend *b, struct endpoint *e)
{
	const struct tls_policy *policy = tls_policies_find(r, b->object, e->port);

	if (policy)
		tls_fails(b, &policy->problem);
	e->tls = tls_read(r->arena, b, policy, e);
	e->handoff = e->unusable != not_unicast && (e->tls || e->unusable == userspace);
	if (e->tls)
		e->unusable = e->unusable == not_unicast ? not_unicast : over_tls;
}

static void read_endpoints(struct resolver *r, struct backend *b)
{
	const struct node *root = b->object->res.root;
	const struct node *list = node_at(root, "spec.endpoints");
	const char *whole = whole_reason(r->arena, b);

	b->count = node_count(list);
	b->endpoints = arena_array(r->arena, b->count, sizeof(*b->endpoints));
	for (size_t i = 0; i < b->count; i++)
		read_endpoint(r->arena, node_item(list, i), r->opts->on_host, &b->endpoints[i]);
	read_authorities(r, b);
	read_client(r, b);
	for (size_t i = 0; i < b->count; i++) {
		struct endpoint *e = &b->endpoints[i];

		read_tls(r, b, e);
		b->handoff_count += e->handoff;
		if (whole)
			e->unusable = whole;
	}
	b->unusable = list_unusable(r->arena, b);
}

static void read_words(struct backend *b)
{
	const struct node *root = b->object->res.root;
	const struct node *protocols = node_at(root, "spec.appProtocols");
	const char *tier = annotation_value(root, ANNOTATION_TIER);

	b->tier = node_bool_at(root, "spec.fallback", false) ? 1 : 0;
	if (tier)
		b->tier = (uint8_t)(tier[0] - '0');
	b->dynamic = strcmp(node_text_at(root, "spec.type", "Endpoints"), "DynamicResolver") == 0;
	b->reset_on_removal = strcmp(annotation_value(root, ANNOTATION_ON_REMOVAL), "reset") == 0;
	b->udp_replies = strcmp(annotation_value(root, ANNOTATION_UDP_REPLIES), "expected") == 0;
	for (size_t i = 0; i < node_count(protocols); i++) {
		if (strcmp(node_item(protocols, i)->text, "gateway.envoyproxy.io/h2c") == 0)
			b->app = APP_H2C;
	}
}

/* Upstream would go on without a check. */
static const char *accepted_text(struct resolver *r, struct object *o)
{
	static const char plain[] = "The Backend was accepted";
	const struct node *list = node_at(o->res.root, "spec.endpoints");
	const struct tls_policy *p = NULL;

	if (!node_bool_at(o->res.root, "spec.tls.insecureSkipVerify", false))
		return plain;
	for (size_t i = 0; i < node_count(list) && !p; i++) {
		const struct node *e = node_item(list, i);

		p = tls_policies_find(
			r, o, (uint16_t)node_int_at(e, "ip.port", node_int_at(e, "fqdn.port", 0)));
	}
	if (!p)
		return plain;
	return arena_printf(r->arena,
			    "%s, but insecureSkipVerify has no effect on endpoints that "
			    "BackendTLSPolicy %s/%s covers: they are verified",
			    plain, p->object->res.namespace, p->object->res.name);
}

/* A route that needs them is told as well, with a warning. */
static void report_certificates(struct resolver *r, const struct backend *b)
{
	const struct node *tls = node_at(b->object->res.root, "spec.tls");

	if (b->tls_problem.reason)
		condition_plain(r, b->object, "ResolvedRefs", false, "InvalidBackendTLS",
				text_sentence(r->arena, b->tls_problem.message));
	else if (node_count(node_member(tls, "caCertificateRefs")) ||
		 node_member(tls, "clientCertificateRef"))
		condition_plain(r, b->object, "ResolvedRefs", true, "ResolvedRefs",
				"Resolved all the Object references.");
}

static void read_backend(struct resolver *r, struct object *o, struct backend *b)
{
	struct refusals no =
		accept_backend(r->arena, &o->res, r->opts->on_host, tls_policies_cover(r, o));

	b->object = o;
	b->name = arena_printf(r->arena, "%s/%s", o->res.namespace, o->res.name);
	read_words(b);
	b->refusal = no.count ? no.items[0].why : NULL;
	o->accepted = !b->refusal;
	for (size_t i = 0; i < no.count; i++) {
		const char *text =
			arena_printf(r->arena, "The Backend was not accepted: %s", no.items[i].why);

		if (i == 0)
			condition_plain(r, o, "Accepted", false, "Invalid", text);
		resolve_warn(r, o, no.items[i].where, text);
	}
	if (b->refusal)
		return;
	condition_plain(r, o, "Accepted", true, "Accepted", accepted_text(r, o));
	read_endpoints(r, b);
	report_certificates(r, b);
}

void backends_read(struct resolver *r)
{
	size_t count;
	struct object **list = names_of_kind(r, r->by_name, KIND_BACKEND, &count);
	struct backend *backends = arena_array(r->arena, count, sizeof(*backends));

	r->backend_of = arena_array(r->arena, r->model->object_count, sizeof(struct backend *));
	for (size_t i = 0; i < count; i++) {
		read_backend(r, list[i], &backends[i]);
		r->backend_of[list[i] - r->model->objects] = &backends[i];
	}
}

struct backend *backends_find(const struct resolver *r, const char *project, const char *namespace,
			      const char *name)
{
	const struct object *o = names_find(r, KIND_BACKEND, project, namespace, name);

	return o ? r->backend_of[o - r->model->objects] : NULL;
}

void backends_report(struct resolver *r)
{
	for (size_t i = 0; i < r->model->object_count; i++) {
		const struct backend *b = r->backend_of[i];

		if (!b)
			continue;
		if (b->unusable)
			condition_plain(
				r, b->object, "Programmed", false, "EndpointsLeftOut",
				arena_printf(r->arena, "endpoints left out: %s", b->unusable));
		fallbacks_report(r, b);
	}
}
