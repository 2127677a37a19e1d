/* SPDX-License-Identifier: BSD-2-Clause */
/* ReferenceGrants: they live beside the target; one that matches is enough. */
#include <string.h>

#include "model/resolver.h"

static bool names_source(const struct node *from, const struct object *route)
{
	for (size_t i = 0; i < node_count(from); i++) {
		const struct node *n = node_item(from, i);

		if (strcmp(node_text_at(n, "group", ""), route->res.kind->group) == 0 &&
		    strcmp(node_text_at(n, "kind", ""), route->res.kind->name) == 0 &&
		    strcmp(node_text_at(n, "namespace", ""), route->res.namespace) == 0)
			return true;
	}
	return false;
}

static bool names_target(const struct node *to, const char *group, const char *kind,
			 const char *name)
{
	for (size_t i = 0; i < node_count(to); i++) {
		const struct node *n = node_item(to, i);
		const char *only = node_text_at(n, "name", NULL);

		if (strcmp(node_text_at(n, "group", ""), group) == 0 &&
		    strcmp(node_text_at(n, "kind", ""), kind) == 0 &&
		    (!only || strcmp(only, name) == 0))
			return true;
	}
	return false;
}

bool grants_allow(const struct resolver *r, const struct object *route, const char *group,
		  const char *kind, const char *namespace, const char *name)
{
	struct object **list;
	size_t count;

	if (strcmp(route->res.namespace, namespace) == 0)
		return true;
	list = names_of_kind(r, r->by_name, KIND_REFERENCEGRANT, &count);
	for (size_t i = 0; i < count; i++) {
		const struct node *root = list[i]->res.root;

		if (strcmp(list[i]->project, route->project) == 0 &&
		    strcmp(list[i]->res.namespace, namespace) == 0 &&
		    names_source(node_at(root, "spec.from"), route) &&
		    names_target(node_at(root, "spec.to"), group, kind, name))
			return true;
	}
	return false;
}
