/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The checks that upstream's controller makes of a Backend on its own, in its order. Upstream stops
 * at the first failure, which is the answer here too; the others are for who mends a manifest. It
 * never looks at Unix paths, and neither does this. Where upstream can be slipped past with a
 * trailing dot, the dot is taken off first.
 */
#include <string.h>

#include "base/addr.h"
#include "manifest/pattern.h"
#include "model/accept.h"

#define HOSTNAME_MAX_BYTES 253

struct accept {
	struct arena *arena;
	const struct resource *backend;
	bool on_host;
	bool covered;
	struct refusals found;
};

static void refuse(struct accept *c, struct loc where, const char *why)
{
	*arena_push(c->arena, c->found.items, c->found.count) =
		(struct refusal){.why = why, .where = where};
}

static void check_tls(struct accept *c, const struct node *tls)
{
	const struct node *client = node_member(tls, "clientCertificateRef");
	const char *ns = node_text_at(client, "namespace", NULL);

	if (!c->covered && !node_bool_at(tls, "insecureSkipVerify", false) &&
	    node_count(node_member(tls, "caCertificateRefs")) == 0 &&
	    !*node_text_at(tls, "wellKnownCACertificates", ""))
		refuse(c, tls->key_loc,
		       "must specify either CACertificateRefs or WellKnownCACertificates when "
		       "InsecureSkipVerify is unset or false");
	if (!ns || strcmp(ns, c->backend->namespace) == 0)
		return;
	refuse(c, node_member(client, "namespace")->loc,
	       arena_printf(c->arena,
			    "clientCertificateRef Secret is not located in the same namespace as "
			    "Backend. Secret namespace: %s does not match Backend namespace: %s",
			    ns, c->backend->namespace));
}

/* `what` is "hostname" or "FQDN". */
static const char *why_no_hostname(const struct accept *c, const struct node *n, const char *what)
{
	size_t len = n->text_len;
	struct spw_addr addr;
	const char *name;

	len -= len > 0 && n->text[len - 1] == '.';
	name = arena_strndup(c->arena, n->text, len);
	if (len > HOSTNAME_MAX_BYTES || !pattern_subdomain.match(name, len))
		return arena_printf(c->arena, "hostname %s is not a valid %s", name, what);
	if (!c->on_host && !strchr(name, '.'))
		return arena_printf(c->arena,
				    "hostname %s should be a domain with at least two segments "
				    "separated by dots",
				    name);
	if (addr_parse(name, &addr) == 0)
		return arena_printf(c->arena, "hostname %s is an IP address", name);
	return NULL;
}

static const char *why_no_address(const struct accept *c, const struct node *n)
{
	struct spw_addr addr;

	if (addr_parse(n->text, &addr) < 0)
		return arena_printf(c->arena, "IP address %s is invalid", n->text);
	if (!c->on_host && addr_is_loopback(&addr))
		return arena_printf(c->arena,
				    "IP address %s in the loopback range is only supported when "
				    "using the Host infrastructure",
				    n->text);
	return NULL;
}

static void check_endpoint(struct accept *c, const struct node *endpoint)
{
	const struct node *hostname = node_member(endpoint, "hostname");
	const struct node *fqdn = node_at(endpoint, "fqdn.hostname");
	const struct node *address = node_at(endpoint, "ip.address");
	const char *why;

	why = hostname ? why_no_hostname(c, hostname, "hostname") : NULL;
	if (why)
		refuse(c, hostname->loc, why);
	why = fqdn ? why_no_hostname(c, fqdn, "FQDN") : NULL;
	if (why)
		refuse(c, fqdn->loc, why);
	why = address ? why_no_address(c, address) : NULL;
	if (why)
		refuse(c, address->loc, why);
}

struct refusals accept_backend(struct arena *a, const struct resource *backend, bool on_host,
			       bool covered)
{
	const struct node *spec = node_member(backend->root, "spec");
	const struct node *endpoints = node_member(spec, "endpoints");
	const struct node *tls = node_member(spec, "tls");
	struct accept c = {.arena = a, .backend = backend, .on_host = on_host, .covered = covered};

	if (strcmp(node_text_at(spec, "type", ""), "DynamicResolver") == 0 &&
	    node_count(endpoints) > 0)
		refuse(&c, endpoints->key_loc,
		       "DynamicResolver type cannot have endpoints specified");
	if (tls)
		check_tls(&c, tls);
	for (size_t i = 0; i < node_count(endpoints); i++)
		check_endpoint(&c, endpoints->items[i]);
	return c.found;
}
