/* SPDX-License-Identifier: BSD-2-Clause */
/* A row for each field. Values of Secrets are compared, and never shown. */
#include "control/immutable.h"

#include <string.h>

#include "manifest/quote.h"

struct row {
	enum kind_id kind;
	const char *path;
	const char *why;  /* behind the value; NULL: without a value */
	bool when_marked; /* only of what says `immutable: true` */
};

#define MARKED "Forbidden: field is immutable when `immutable` is set"

static const struct row rows[] = {
	{KIND_CONFIGMAP, "immutable", NULL, true},
	{KIND_CONFIGMAP, "data", NULL, true},
	{KIND_CONFIGMAP, "binaryData", NULL, true},
	{KIND_SECRET, "type", "field is immutable", false},
	{KIND_SECRET, "immutable", NULL, true},
	{KIND_SECRET, "data", NULL, true},
	{KIND_GATEWAYCLASS, "spec.controllerName", "Value is immutable", false},
};

/* An empty map is none. */
static bool is_same(const struct node *a, const struct node *b)
{
	const bool no_a = !a || (a->type == NODE_MAP && a->count == 0);
	const bool no_b = !b || (b->type == NODE_MAP && b->count == 0);

	return no_a || no_b ? no_a == no_b : node_equal(a, b);
}

const char *immutable_refuse(struct arena *a, const struct object *old, const struct object *next)
{
	const struct kind *kind = next->res.kind;
	const bool marked = node_bool_at(old->res.root, "immutable", false);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		const struct node *now = node_at(next->res.root, row->path);
		const char *text = MARKED;

		if (row->kind != kind->id || (row->when_marked && !marked) ||
		    is_same(node_at(old->res.root, row->path), now))
			continue;
		if (row->why)
			text = arena_printf(a, "Invalid value: %s: %s",
					    now ? quote_node(a, now) : "null", row->why);
		return arena_printf(a, "The %s \"%s\" is invalid: %s: %s", kind->name,
				    next->res.name, row->path, text);
	}
	return NULL;
}
