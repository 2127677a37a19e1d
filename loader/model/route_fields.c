/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields of an HTTPRoute that nothing does: named in a condition, never ignored in silence. */
#include <string.h>

#include "model/l7.h"

static const char *const done[] = {"RequestHeaderModifier", "ResponseHeaderModifier",
				   "RequestRedirect", "URLRewrite", NULL};

static bool is_done(const char *type)
{
	const char *const *p = done;

	while (*p && strcmp(*p, type) != 0)
		p++;
	return *p != NULL;
}

static const char *add(struct arena *a, const char *list, size_t rule, const char *what)
{
	return text_join(a, list, ", ", arena_printf(a, "spec.rules[%zu].%s", rule, what));
}

static const char *of_filters(struct arena *a, const char *list, size_t number,
			      const struct node *rule)
{
	const struct node *filters = node_member(rule, "filters");

	for (size_t i = 0; i < node_count(filters); i++) {
		const char *type = node_text_at(node_item(filters, i), "type", "");

		if (!is_done(type))
			list = add(a, list, number, arena_printf(a, "filters[%zu]: %s", i, type));
	}
	return list;
}

static const char *of_refs(struct arena *a, const char *list, size_t number,
			   const struct node *rule)
{
	const struct node *refs = node_member(rule, "backendRefs");

	for (size_t i = 0; i < node_count(refs); i++) {
		if (node_count(node_member(node_item(refs, i), "filters")))
			list = add(a, list, number, arena_printf(a, "backendRefs[%zu].filters", i));
	}
	return list;
}

const char *route_idle_fields(struct arena *a, const struct object *route)
{
	static const char *const fields[] = {"retry", "sessionPersistence", NULL};
	const struct node *rules = node_at(route->res.root, "spec.rules");
	const char *list = NULL;

	if (route->res.kind->id != KIND_HTTPROUTE)
		return NULL;
	for (size_t i = 0; i < node_count(rules); i++) {
		const struct node *rule = node_item(rules, i);

		list = of_filters(a, list, i, rule);
		list = of_refs(a, list, i, rule);
		for (const char *const *f = fields; *f; f++) {
			if (node_member(rule, *f))
				list = add(a, list, i, *f);
		}
	}
	return list;
}

/* A filter of somebody else's: upstream answers 500, too, when it is not there. */
bool route_rule_is_void(const struct node *rule)
{
	const struct node *filters = node_member(rule, "filters");

	for (size_t i = 0; i < node_count(filters); i++) {
		if (strcmp(node_text_at(node_item(filters, i), "type", ""), "ExtensionRef") == 0)
			return true;
	}
	return false;
}
