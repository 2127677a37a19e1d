/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of the routes. */
#include <string.h>

#include "base/addr.h"
#include "manifest/rules.h"

static bool same(const struct node *a, const struct node *b, const char *key)
{
	return strcmp(node_text_at(a, key, ""), node_text_at(b, key, "")) == 0;
}

static bool same_parent(const struct node *a, const struct node *b)
{
	return same(a, b, "group") && same(a, b, "kind") && same(a, b, "name") &&
	       same(a, b, "namespace");
}

static enum rule_result no_pair(const struct node *list,
				bool (*bad)(const struct node *, const struct node *))
{
	for (size_t i = 1; i < list->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (same_parent(list->items[j], list->items[i]) &&
			    bad(list->items[j], list->items[i]))
				return RULE_BROKEN;
		}
	}
	return RULE_HOLDS;
}

static bool one_has_section(const struct node *a, const struct node *b)
{
	return !*node_text_at(a, "sectionName", "") != !*node_text_at(b, "sectionName", "");
}

static bool same_section(const struct node *a, const struct node *b)
{
	return same(a, b, "sectionName");
}

static enum rule_result sections_given(const struct node *self)
{
	return no_pair(self, one_has_section);
}

static enum rule_result sections_differ(const struct node *self)
{
	return no_pair(self, same_section);
}

static bool is_ip(const struct node *n)
{
	struct spw_addr addr;

	return strlen(n->text) == n->text_len && addr_parse(n->text, &addr) == 0;
}

static enum rule_result no_ip(const struct node *self)
{
	for (size_t i = 0; i < self->count; i++) {
		if (is_ip(self->items[i]))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static bool has_star(const struct node *n)
{
	return memchr(n->text, '*', n->text_len) != NULL;
}

static enum rule_result plain_names(const struct node *self)
{
	for (size_t i = 0; i < self->count; i++) {
		const struct node *n = self->items[i];

		if (!has_star(n) && !pattern_subdomain.match(n->text, n->text_len))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result star_names(const struct node *self)
{
	for (size_t i = 0; i < self->count; i++) {
		const struct node *n = self->items[i];

		if (has_star(n) && (strncmp(n->text, "*.", 2) != 0 ||
				    !pattern_subdomain.match(n->text + 2, n->text_len - 2)))
			return RULE_BROKEN;
	}
	return RULE_HOLDS;
}

static enum rule_result service_has_port(const struct node *self)
{
	return rule_if(*node_text_at(self, "group", "") ||
		       strcmp(node_text_at(self, "kind", ""), "Service") != 0 ||
		       rule_has(self, "port"));
}

const struct rule route_parents_rules[] = {
	{sections_given,
	 "sectionName must be specified when parentRefs includes 2 or more references to the same "
	 "parent",
	 NULL},
	{sections_differ,
	 "sectionName must be unique when parentRefs includes 2 or more references to the same "
	 "parent",
	 NULL},
	{0},
};
const struct rule route_targets_rules[] = {
	{sections_given,
	 "sectionName must be specified when targetRefs includes 2 or more references to the same "
	 "target",
	 NULL},
	{sections_differ,
	 "sectionName must be unique when targetRefs includes 2 or more references to the same "
	 "target",
	 NULL},
	{0},
};
const struct rule route_tls_hostnames_rules[] = {
	{no_ip, "Hostnames cannot contain an IP", NULL},
	{plain_names, "Hostnames must be valid based on RFC-1123", NULL},
	{star_names,
	 "Wildcards on hostnames must be the first label, and the rest of hostname must be valid "
	 "based on RFC-1123",
	 NULL},
	{0},
};
const struct rule route_backend_ref_rules[] = {
	{service_has_port, "Must have port for Service reference", NULL},
	{0},
};
