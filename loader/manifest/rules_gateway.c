/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of Gateway. Listeners and addresses are few (64, 16): pairs are compared as written. */
#include <string.h>

#include "base/addr.h"
#include "manifest/rules.h"

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

static const char *protocol_of(const struct node *listener)
{
	return node_text_at(listener, "protocol", "");
}

static const char *mode_of(const struct node *listener)
{
	return node_text_at(listener, "tls.mode", "");
}

static enum rule_result tls_only_with_tls(const struct node *self)
{
	static const char *const plain[] = {"HTTP", "TCP", "UDP", NULL};

	for (size_t i = 0; i < self->count; i++) {
		if (is_one_of(protocol_of(self->items[i]), plain) &&
		    rule_has(self->items[i], "tls"))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result https_terminates(const struct node *self)
{
	for (size_t i = 0; i < self->count; i++) {
		if (strcmp(protocol_of(self->items[i]), "HTTPS") == 0 &&
		    rule_has(self->items[i], "tls") &&
		    strcmp(mode_of(self->items[i]), "Terminate") != 0)
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result tls_has_mode(const struct node *self)
{
	for (size_t i = 0; i < self->count; i++) {
		if (strcmp(protocol_of(self->items[i]), "TLS") == 0 && !*mode_of(self->items[i]))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result no_hostname_on_l4(const struct node *self)
{
	static const char *const l4[] = {"TCP", "UDP", NULL};

	for (size_t i = 0; i < self->count; i++) {
		if (is_one_of(protocol_of(self->items[i]), l4) &&
		    *node_text_at(self->items[i], "hostname", ""))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

/* Does any pair of items satisfy `same`? */
static enum rule_result no_pair(const struct node *list,
				bool (*same)(const struct node *, const struct node *))
{
	for (size_t i = 1; i < list->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (same(list->items[j], list->items[i]))
				return RULE_BROKEN;
		}
	}
	return RULE_HOLDS;
}

static bool same_member(const struct node *a, const struct node *b, const char *key)
{
	return node_equal(node_member(a, key), node_member(b, key));
}

static bool same_name(const struct node *a, const struct node *b)
{
	return same_member(a, b, "name");
}

static bool same_tuple(const struct node *a, const struct node *b)
{
	return same_member(a, b, "port") && same_member(a, b, "protocol") &&
	       same_member(a, b, "hostname");
}

static enum rule_result names_differ(const struct node *self)
{
	return no_pair(self, same_name);
}

static enum rule_result tuples_differ(const struct node *self)
{
	return no_pair(self, same_tuple);
}

static bool is_type(const struct node *address, const char *type)
{
	return strcmp(node_text_at(address, "type", ""), type) == 0;
}

static bool same_ip(const struct node *a, const struct node *b)
{
	return is_type(a, "IPAddress") && is_type(b, "IPAddress") && rule_has(a, "value") &&
	       same_member(a, b, "value");
}

static bool same_hostname(const struct node *a, const struct node *b)
{
	return is_type(a, "Hostname") && is_type(b, "Hostname") && rule_has(a, "value") &&
	       same_member(a, b, "value");
}

static enum rule_result ips_differ(const struct node *self)
{
	return no_pair(self, same_ip);
}

static enum rule_result hostnames_differ(const struct node *self)
{
	return no_pair(self, same_hostname);
}

static enum rule_result hostname_is_valid(const struct node *self)
{
	const struct node *value = node_member(self, "value");

	return rule_if(!is_type(self, "Hostname") || !value || value->text_len == 0 ||
		       pattern_hostname.match(value->text, value->text_len));
}

static enum rule_result terminate_has_certificate(const struct node *self)
{
	return rule_if(strcmp(node_text_at(self, "mode", ""), "Terminate") != 0 ||
		       node_count(node_member(self, "certificateRefs")) > 0 ||
		       node_count(node_member(self, "options")) > 0);
}

/* All keys of a map fit. */
static enum rule_result all_keys(const struct node *self, bool (*fits)(const char *key))
{
	for (size_t i = 0; i < self->count; i++) {
		if (!fits(self->items[i]->key))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static bool is_meta_key(const char *key)
{
	return pattern_meta_key.match(key, strlen(key));
}

/* Upstream's rule says less than 253, its text not longer than that. */
static bool has_short_prefix(const char *key)
{
	return strcspn(key, "/") < 253;
}

static enum rule_result keys_are_names(const struct node *self)
{
	return all_keys(self, is_meta_key);
}

static enum rule_result prefixes_are_short(const struct node *self)
{
	return all_keys(self, has_short_prefix);
}

static bool same_port(const struct node *a, const struct node *b)
{
	return same_member(a, b, "port");
}

static enum rule_result ports_differ(const struct node *self)
{
	return no_pair(self, same_port);
}

const char *refuse_gateway_address(struct arena *a, const struct node *self)
{
	const struct node *value = node_member(self, "value");
	struct spw_addr addr;

	(void)a;
	if (!is_type(self, "IPAddress") || !value || value->type != NODE_STRING ||
	    value->text_len == 0)
		return NULL;
	if (strlen(value->text) == value->text_len && addr_parse(value->text, &addr) == 0)
		return NULL;
	return "must be an IPv4 or IPv6 address";
}

const struct rule gateway_listeners_rules[] = {
	{tls_only_with_tls, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']", NULL},
	{https_terminates, "tls mode must be Terminate for protocol HTTPS", NULL},
	{tls_has_mode, "tls mode must be set for protocol TLS", NULL},
	{no_hostname_on_l4, "hostname must not be specified for protocols ['TCP', 'UDP']", NULL},
	{names_differ, "Listener name must be unique within the Gateway", NULL},
	{tuples_differ,
	 "Combination of port, protocol and hostname must be unique for each listener", NULL},
	{0},
};
const struct rule gateway_listener_tls_rules[] = {
	{terminate_has_certificate,
	 "certificateRefs or options must be specified when mode is Terminate", NULL},
	{0},
};
const struct rule gateway_addresses_rules[] = {
	{ips_differ, "IPAddress values must be unique", NULL},
	{hostnames_differ, "Hostname values must be unique", NULL},
	{0},
};
const struct rule gateway_address_rules[] = {
	{hostname_is_valid,
	 "Hostname value must be empty or contain only valid characters (matching "
	 "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)",
	 NULL},
	{0},
};
#define KEYS_ARE_NAMES(what)                                                                       \
	what " keys must be in the form of an optional DNS subdomain prefix followed by a "        \
	     "required name segment of up to 63 characters."
#define PREFIXES_ARE_SHORT(what)                                                                   \
	"If specified, the " what " key's prefix must be a DNS subdomain not longer than 253 "     \
	"characters in total."
const struct rule gateway_annotations_rules[] = {
	{keys_are_names, KEYS_ARE_NAMES("Annotation"), NULL},
	{prefixes_are_short, PREFIXES_ARE_SHORT("annotation"), NULL},
	{0},
};
const struct rule gateway_labels_rules[] = {
	{keys_are_names, KEYS_ARE_NAMES("Label"), NULL},
	{prefixes_are_short, PREFIXES_ARE_SHORT("label"), NULL},
	{0},
};
const struct rule gateway_ports_rules[] = {
	{ports_differ, "Port for TLS configuration must be unique within the Gateway", NULL},
	{0},
};
const struct rule gateway_status_address_rules[] = {
	{hostname_is_valid,
	 "Hostname value must only contain valid characters (matching "
	 "^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)",
	 NULL},
	{0},
};
