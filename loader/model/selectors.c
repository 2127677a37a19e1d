/* SPDX-License-Identifier: BSD-2-Clause */
/* Label selectors (Kubernetes): all matchLabels and all matchExpressions must hold. */
#include <string.h>

#include "model/resolver.h"

static const char *label_of(const struct object *o, const char *key)
{
	const struct node *n = node_member(node_at(o->res.root, "metadata.labels"), key);

	return n && n->type == NODE_STRING ? n->text : NULL;
}

static bool is_listed(const struct node *values, const char *label)
{
	for (size_t i = 0; label && i < node_count(values); i++) {
		const struct node *n = node_item(values, i);

		if (n->type == NODE_STRING && strcmp(n->text, label) == 0)
			return true;
	}
	return false;
}

/* An operator that is not known matches nothing: a policy rather holds on to too little. */
static bool holds(const struct object *o, const struct node *expression)
{
	const char *label = label_of(o, node_text_at(expression, "key", ""));
	const char *op = node_text_at(expression, "operator", "");
	const struct node *values = node_member(expression, "values");

	if (strcmp(op, "In") == 0)
		return is_listed(values, label);
	if (strcmp(op, "NotIn") == 0)
		return !is_listed(values, label);
	if (strcmp(op, "Exists") == 0)
		return label != NULL;
	return strcmp(op, "DoesNotExist") == 0 && !label;
}

bool selector_matches(const struct node *selector, const struct object *o)
{
	const struct node *labels = node_member(selector, "matchLabels");
	const struct node *expressions = node_member(selector, "matchExpressions");

	for (size_t i = 0; labels && labels->type == NODE_MAP && i < labels->count; i++) {
		const struct node *want = labels->items[i];
		const char *have = label_of(o, want->key);

		if (!have || want->type != NODE_STRING || strcmp(have, want->text) != 0)
			return false;
	}
	for (size_t i = 0; i < node_count(expressions); i++) {
		if (!holds(o, node_item(expressions, i)))
			return false;
	}
	return true;
}
