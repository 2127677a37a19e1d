/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mergeType of a BackendTrafficPolicy on a route or a rule: its fields are laid over those of the policy of
 * the listener, else of the Gateway, and what it does not say is theirs. JSONMerge is RFC 7396: maps are
 * merged, lists are replaced. StrategicMerge differs where upstream's lists have a key: the rules of rate
 * limits, by name.
 */
#include <string.h>

#include "model/resolver.h"

/* Not settings: whose they are. */
static bool is_target(const char *key)
{
	static const char *const keys[] = {"targetRef", "targetRefs", "targetSelectors",
					   "mergeType"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i], key) == 0)
			return true;
	}
	return false;
}

static const struct node *item_named(const struct node *list, const struct node *like)
{
	const char *name = node_text_at(like, "name", NULL);

	for (size_t i = 0; name && i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "name", ""), name) == 0)
			return node_item(list, i);
	}
	return NULL;
}

static struct node *merge_maps(struct arena *a, const struct node *base, const struct node *patch,
			       bool strategic);

/* The patch's rules first, as upstream's machinery puts them; then those it does not name. */
static struct node *merge_rules(struct arena *a, const struct node *base, const struct node *patch)
{
	struct node *out = node_new(a, NODE_LIST, patch->loc);

	for (size_t i = 0; i < patch->count; i++) {
		const struct node *same = item_named(base, patch->items[i]);

		node_append(a, out,
			    same ? merge_maps(a, same, patch->items[i], true)
				 : node_copy(a, patch->items[i]));
	}
	for (size_t i = 0; i < base->count; i++) {
		if (!item_named(patch, base->items[i]))
			node_append(a, out, node_copy(a, base->items[i]));
	}
	return out;
}

static struct node *merge_values(struct arena *a, const struct node *base, const struct node *patch,
				 bool strategic)
{
	if (base && base->type == NODE_MAP && patch->type == NODE_MAP)
		return merge_maps(a, base, patch, strategic);
	if (strategic && base && base->type == NODE_LIST && patch->type == NODE_LIST &&
	    strcmp(patch->key ? patch->key : "", "rules") == 0)
		return merge_rules(a, base, patch);
	return node_copy(a, patch);
}

static struct node *merge_maps(struct arena *a, const struct node *base, const struct node *patch,
			       bool strategic)
{
	struct node *out = node_copy(a, base);

	for (size_t i = 0; i < patch->count; i++) {
		const struct node *n = patch->items[i];

		node_set(a, out, n->key, merge_values(a, node_member(base, n->key), n, strategic));
	}
	return out;
}

static struct node *merge_roots(struct arena *a, const struct node *base, const struct node *patch)
{
	const char *type = node_text_at(patch, "spec.mergeType", "");
	const struct node *own = node_member(patch, "spec");
	struct node *spec = node_copy(a, node_member(base, "spec"));
	struct node *root = node_copy(a, patch);

	for (size_t i = spec->count; i > 0; i--) {
		if (is_target(spec->items[i - 1]->key))
			node_remove(spec, spec->items[i - 1]->key);
	}
	node_set(a, root, "spec", merge_maps(a, spec, own, strcmp(type, "StrategicMerge") == 0));
	return root;
}

static struct target *find_merged(struct target *narrow, const struct target *wide)
{
	struct target *t = narrow->merged;

	while (t && t->wider != wide)
		t = t->merged;
	return t;
}

struct target *targets_merge(struct resolver *r, struct target *narrow, struct target *wide)
{
	struct object *effective;
	struct target *t;

	if (!wide || wide->policy == narrow->policy ||
	    !node_at(narrow->policy->res.root, "spec.mergeType"))
		return narrow;
	t = find_merged(narrow, wide);
	if (t)
		return t;
	effective = arena_alloc(r->arena, sizeof(*effective));
	*effective = *narrow->policy;
	effective->res.root =
		merge_roots(r->arena, wide->policy->res.root, narrow->policy->res.root);
	t = arena_alloc(r->arena, sizeof(*t));
	*t = *narrow;
	t->effective = effective;
	t->wider = wide;
	t->is_read = false;
	narrow->merged = t; /* *t holds the one before */
	return t;
}
