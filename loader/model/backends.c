/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backends: accepted or not, and which of their endpoints can be served by whom: plain addresses by
 * the packet path, names, sockets, TLS and what is on this host by the userspace path.
 */
#include <string.h>

#include "base/addr.h"
#include "base/hash.h"
#include "manifest/acts.h"
#include "model/accept.h"
#include "model/resolver.h"

static const char no_abstract[] =
	"HAProxy fills the names of abstract sockets up to 107 bytes, so it "
	"cannot connect to one that has a shorter name: use a path";
static const char not_unicast[] = "no host has such an address";

bool addr_is_of_this_host(const struct model_options *o, const struct spw_addr *addr)
{
	for (size_t i = 0; i < o->host_addr_count; i++) {
		if (addr_equal(&o->host_addrs[i], addr))
			return true;
	}
	for (size_t i = 0; i < o->own_addr_count; i++) {
		if (addr_equal(&o->own_addrs[i], addr))
			return true;
	}
	return addr_is_loopback(addr);
}

static void read_ip(struct resolver *r, const struct node *ip, struct endpoint *e)
{
	const char *text = node_text_at(ip, "address", "");
	char buf[ADDR_PORT_TEXT_MAX];

	e->port = (uint16_t)node_int_at(ip, "port", 0);
	if (addr_parse(text, &e->addr) || e->port == 0) {
		e->name = arena_printf(r->arena, "%s:%u", text, e->port);
		e->unusable = not_unicast;
		return;
	}
	e->handoff = addr_is_of_this_host(r->opts, &e->addr);
	e->name = arena_strdup(r->arena, addr_print_port(&e->addr, e->port, buf));
	if (addr_is_unspecified(&e->addr) || addr_is_multicast(&e->addr))
		e->unusable = not_unicast;
}

/* A host name without its trailing dot, which says no more than where it ends. */
static const char *read_host(struct arena *a, const struct node *fqdn)
{
	const char *text = node_text_at(fqdn, "hostname", "");
	const size_t len = strlen(text);

	return arena_strndup(a, text, len - (len > 0 && text[len - 1] == '.'));
}

/*
 * A socket has no address, but rows and words go by one: 64 bits of its path's hash in the prefix that
 * is for discarding (RFC 6666), where no endpoint can be.
 */
struct spw_addr addr_of_text(const char *path)
{
	struct spw_addr a = {.b = {0x01}};
	const uint64_t h = hash_bytes(path, strlen(path), 0);

	memcpy(a.b + 8, &h, sizeof(h));
	return a;
}

static void read_endpoint(struct resolver *r, const struct node *n, struct endpoint *e)
{
	struct arena *a = r->arena;
	const struct node *fqdn = node_member(n, "fqdn");

	e->hostname = node_text_at(n, "hostname", NULL);
	e->zone = node_text_at(n, "zone", NULL);
	if (node_member(n, "ip")) {
		read_ip(r, node_member(n, "ip"), e);
		return;
	}
	e->handoff = true;
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
	e->addr = addr_of_text(e->host);
	if (e->host[0] == '@')
		e->unusable = no_abstract;
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

/* Authorities of its own are for the endpoints that no policy covers; a resolver has none yet. */
static bool needs_authorities(const struct resolver *r, const struct backend *b)
{
	bool is_covered = b->count > 0 || tls_policies_find(r, b->object, 0);

	for (size_t i = 0; i < b->count && is_covered; i++)
		is_covered = tls_policies_find(r, b->object, b->endpoints[i].port);
	return !is_covered;
}

static void note_policy(struct resolver *r, struct backend *b, const struct tls_policy *policy)
{
	for (size_t i = 0; i < b->tls_policy_count; i++) {
		if (b->tls_policies[i] == policy->object)
			return;
	}
	*arena_push(r->arena, b->tls_policies, b->tls_policy_count) = policy->object;
	tls_fails(b, &policy->problem);
}

static void read_authorities(struct resolver *r, struct backend *b)
{
	const struct node *tls = node_at(b->object->res.root, "spec.tls");
	const struct node *refs = node_member(tls, "caCertificateRefs");
	const char *word = node_text_at(tls, "wellKnownCACertificates", "System");
	const struct tls_policy *whole = b->count ? NULL : tls_policies_find(r, b->object, 0);
	struct cert_problem why = {0};

	if (whole)
		note_policy(r, b, whole);
	if (!needs_authorities(r, b) || node_bool_at(tls, "insecureSkipVerify", false))
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

/* HAProxy verifies one DNS name; to verify less than what is asked for is no way out. */
static const char *tls_beyond_proxy(const struct tls_settings *t)
{
	if (t->verify && t->names && t->names[0] && t->names[1])
		return "HAProxy verifies one name, and validation.subjectAltNames of their "
		       "BackendTLSPolicy has more";
	if (t->verify && t->names && t->names[0] && strchr(t->names[0], ':'))
		return "HAProxy verifies DNS names only, and validation.subjectAltNames of their "
		       "BackendTLSPolicy has a URI";
	return NULL;
}

static void read_tls(struct resolver *r, struct backend *b, struct endpoint *e)
{
	const struct tls_policy *policy = tls_policies_find(r, b->object, e->port);

	if (policy)
		note_policy(r, b, policy);
	e->tls = tls_read(r->arena, b, policy, e);
	e->handoff = e->unusable != not_unicast && (e->tls || e->handoff);
	if (e->tls && !e->unusable)
		e->unusable = tls_beyond_proxy(e->tls);
}

static void read_endpoints(struct resolver *r, struct backend *b)
{
	const struct node *root = b->object->res.root;
	const struct node *list = node_at(root, "spec.endpoints");

	b->count = node_count(list);
	b->endpoints = arena_array(r->arena, b->count, sizeof(*b->endpoints));
	for (size_t i = 0; i < b->count; i++)
		read_endpoint(r, node_item(list, i), &b->endpoints[i]);
	read_authorities(r, b);
	read_client(r, b);
	for (size_t i = 0; i < b->count; i++)
		read_tls(r, b, &b->endpoints[i]);
	b->unusable = list_unusable(r->arena, b);
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
	backend_read_words(b);
	quic_read(r, b);
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

static const char *left_out_of(struct resolver *r, const struct backend *b)
{
	const char *text = endpoints_left_out(r, b, IPPROTO_TCP);

	if (b->unusable)
		text = text ? text_join(r->arena, b->unusable, "; ", text) : b->unusable;
	if (!b->other_ports.count)
		return text;
	return text_join(r->arena, text, "; ",
			 arena_printf(r->arena,
				      "%s: packets of mode %s keep the port of the listener, and "
				      "theirs is another",
				      names_text(r->arena, &b->other_ports), mode_text(b->mode)));
}

static const char *direct_needs(struct resolver *r, enum spw_mode mode)
{
	const unsigned int port = r->opts->gue_port ? r->opts->gue_port : SPW_GUE_PORT;

	if (mode == SPW_MODE_L2)
		return "be on a link of this gateway";
	if (mode == SPW_MODE_IPIP)
		return "take packets out of IP in IP";
	return arena_printf(r->arena, "take packets out of GUE (UDP port %u)", port);
}

/* What else is needed, since nobody sees it from here. */
static void report_direct(struct resolver *r, const struct backend *b)
{
	if (!mode_is_direct(b->mode))
		return;
	condition_plain(
		r, b->object, "DirectReturn", true, "ServersAnswerClients",
		arena_printf(r->arena,
			     "mode %s: endpoints answer clients themselves, so each has to %s "
			     "and to have the VIP on its loopback interface "
			     "(docs/direct-return.md); answers are not seen here: passive "
			     "detection and LeastRequest have no effect, and flows are not "
			     "counted",
			     mode_text(b->mode), direct_needs(r, b->mode)));
}

/* Settings of TLS that HAProxy has for clients only, in the version that Debian has. */
static const char *idle_fields(struct arena *a, const struct backend *b)
{
	const char *list = acts_idle(a, b->object->res.kind, b->object->res.root, true);

	return list ? arena_printf(a,
				   "these fields have no effect, HAProxy has no such setting "
				   "towards servers: %s",
				   list)
		    : NULL;
}

static void report(struct resolver *r, const struct backend *b)
{
	const char *left_out = left_out_of(r, b), *idle = idle_fields(r->arena, b);

	if (left_out)
		left_out = arena_printf(r->arena, "endpoints left out: %s", left_out);
	if (left_out && idle)
		left_out = text_join(r->arena, left_out, "; ", idle);
	if (left_out || idle)
		condition_plain(r, b->object, "Programmed", false,
				left_out ? "EndpointsLeftOut" : "FieldsWithoutEffect",
				left_out ? left_out : idle);
	report_direct(r, b);
	quic_report(r, r->backend_of[b->object - r->model->objects]);
	fallbacks_report(r, b);
}

void backends_report(struct resolver *r)
{
	for (size_t i = 0; i < r->model->object_count; i++) {
		if (r->backend_of[i])
			report(r, r->backend_of[i]);
	}
}
