/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of Backend: which fields go together, and what the kernel would not take. */
#include <string.h>

#include "manifest/rules.h"

#define UNIX_PATH_CHARS 108 /* upstream's limit, in code points */
#define UNIX_PATH_BYTES 107 /* sun_path without its NUL */

static int kinds_of_endpoint(const struct node *self)
{
	return rule_has(self, "fqdn") + rule_has(self, "ip") + rule_has(self, "unix");
}

static enum rule_result endpoint_has_kind(const struct node *self)
{
	return rule_if(kinds_of_endpoint(self) > 0);
}

/* Upstream's rule wants exactly one, so an entry with none breaks it too. */
static enum rule_result endpoint_has_one_kind(const struct node *self)
{
	return rule_if(kinds_of_endpoint(self) == 1);
}

static enum rule_result endpoints_not_mixed(const struct node *self)
{
	size_t fqdn = 0;

	for (size_t i = 0; i < self->count; i++)
		fqdn += rule_has(self->items[i], "fqdn");
	return rule_if(fqdn == 0 || fqdn == self->count);
}

static int64_t code_points(const struct node *n)
{
	int64_t count = 0;

	for (size_t i = 0; i < n->text_len; i++)
		count += ((unsigned char)n->text[i] & 0xc0) != 0x80;
	return count;
}

static enum rule_result unix_path_fits(const struct node *self)
{
	return rule_if(code_points(self) <= UNIX_PATH_CHARS);
}

static bool is_dynamic(const struct node *spec)
{
	return strcmp(node_text_at(spec, "type", ""), "DynamicResolver") == 0;
}

static bool is_auto_sni(const struct node *spec)
{
	return node_bool_at(spec, "tls.autoSNIFromEndpointHostname", false);
}

static enum rule_result dynamic_has_no_endpoints(const struct node *self)
{
	return rule_if(!is_dynamic(self) || !rule_has(self, "endpoints"));
}

static enum rule_result dynamic_has_no_auto_sni(const struct node *self)
{
	return rule_if(!is_dynamic(self) || !is_auto_sni(self));
}

static enum rule_result auto_sni_has_hostnames(const struct node *self)
{
	const struct node *endpoints = node_member(self, "endpoints"), *e;

	if (!is_auto_sni(self))
		return RULE_HOLDS;
	if (!endpoints)
		return RULE_NO_KEY;
	for (size_t i = 0; i < endpoints->count; i++) {
		e = endpoints->items[i];
		if ((rule_has(e, "ip") || rule_has(e, "unix")) && !rule_has(e, "hostname"))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static bool has_refs(const struct node *tls)
{
	return node_count(node_member(tls, "caCertificateRefs")) > 0;
}

static bool has_well_known(const struct node *tls)
{
	return *node_text_at(tls, "wellKnownCACertificates", "") != '\0';
}

static enum rule_result one_kind_of_ca(const struct node *self)
{
	return rule_if(!has_refs(self) || !has_well_known(self));
}

static enum rule_result no_ca_without_verify(const struct node *self)
{
	return rule_if(!node_bool_at(self, "insecureSkipVerify", false) ||
		       (!has_refs(self) && !has_well_known(self)));
}

static enum rule_result one_kind_of_sni(const struct node *self)
{
	return rule_if(!rule_has(self, "sni") ||
		       !node_bool_at(self, "autoSNIFromEndpointHostname", false));
}

static enum rule_result ciphers_have_effect(const struct node *self)
{
	return rule_if(strcmp(node_text_at(self, "minVersion", ""), "1.3") != 0 ||
		       !rule_has(self, "ciphers"));
}

/* Rank of a TLS version; Auto is the lowest minimum and the highest maximum. */
static int version_rank(const char *version, int rank_of_auto)
{
	return version[0] == 'A' ? rank_of_auto : version[2] - '0' + 1;
}

static enum rule_result versions_in_order(const struct node *self)
{
	const char *max = node_text_at(self, "maxVersion", NULL);

	if (!max)
		return RULE_HOLDS;
	return rule_if(version_rank(node_text_at(self, "minVersion", "1.2"), 0) <=
		       version_rank(max, 5));
}

const char *refuse_backend_port(struct arena *a, const struct node *self)
{
	(void)a;
	return self->integer == 0 ? "must be between 1 and 65535" : NULL;
}

const char *refuse_unix_path(struct arena *a, const struct node *self)
{
	/* Longer than upstream's limit: its own rule says so. */
	if (code_points(self) > UNIX_PATH_CHARS)
		return NULL;
	if (self->text_len > 0 && self->text_len <= UNIX_PATH_BYTES)
		return NULL;
	return arena_printf(a,
			    "must be 1 to %d bytes long, the most that a socket address takes, "
			    "it has %zu",
			    UNIX_PATH_BYTES, self->text_len);
}

const struct rule backend_endpoint_rules[] = {
	{endpoint_has_kind, "one of fqdn, ip or unix must be specified", NULL},
	{endpoint_has_one_kind, "only one of fqdn, ip or unix can be specified", NULL},
	{0},
};
const struct rule backend_endpoints_rules[] = {
	{endpoints_not_mixed, "fqdn addresses cannot be mixed with other address types", NULL},
	{0},
};
const struct rule backend_unix_path_rules[] = {
	{unix_path_fits, "unix domain socket path must not exceed 108 characters", NULL},
	{0},
};
const struct rule backend_spec_rules[] = {
	{dynamic_has_no_endpoints, "DynamicResolver type cannot have endpoints specified", NULL},
	{dynamic_has_no_auto_sni, "DynamicResolver type cannot use autoSNIFromEndpointHostname",
	 NULL},
	{auto_sni_has_hostnames,
	 "when autoSNIFromEndpointHostname is enabled, IP and Unix endpoints must define a hostname",
	 "endpoints"},
	{0},
};
const struct rule backend_tls_rules[] = {
	{one_kind_of_ca, "must not contain both CACertificateRefs and WellKnownCACertificates",
	 NULL},
	{no_ca_without_verify,
	 "must not contain either CACertificateRefs or WellKnownCACertificates when "
	 "InsecureSkipVerify is enabled",
	 NULL},
	{one_kind_of_sni, "sni and autoSNIFromEndpointHostname are mutually exclusive", NULL},
	{ciphers_have_effect,
	 "setting ciphers has no effect if the minimum possible TLS version is 1.3", NULL},
	{versions_in_order, "minVersion must be smaller or equal to maxVersion", NULL},
	{0},
};
