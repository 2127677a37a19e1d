/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules of the routes. */
#include <string.h>

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
const struct rule route_backend_ref_rules[] = {
	{service_has_port, "Must have port for Service reference", NULL},
	{0},
};
