/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ancestors of policies are Gateways, as upstream has them: the target itself, or those that routes with the
 * target name as parents. A policy that is in force nowhere has its targets in their place, since what is
 * wrong with it must be said somewhere.
 */
#include "model/ancestors.h"

#include <string.h>

#include "model/resolver.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same(const struct ancestor *a, const struct ancestor *b)
{
	return strcmp(a->kind, b->kind) == 0 && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->namespace, b->namespace) == 0 && is_same_text(a->section, b->section);
}

void ancestors_add(struct resolver *r, struct object *policy, const struct ancestor *a)
{
	if (policy->ancestor_count == ANCESTORS_MAX)
		return;
	for (size_t i = 0; i < policy->ancestor_count; i++) {
		if (is_same(&policy->ancestors[i], a))
			return;
	}
	*arena_push(r->arena, policy->ancestors, policy->ancestor_count) = *a;
}

static void add_of_route(struct resolver *r, const struct parent *p, const struct ancestor *a)
{
	const struct node *rules = node_at(p->route->res.root, "spec.rules");
	const struct target *t = targets_find(r, p->route, NULL);

	if (t)
		ancestors_add(r, t->policy, a);
	for (size_t i = 0; i < node_count(rules); i++) {
		const char *name = node_text_at(node_item(rules, i), "name", NULL);

		t = name ? targets_find(r, p->route, name) : NULL;
		if (t)
			ancestors_add(r, t->policy, a);
	}
}

static void add_of_backends(struct resolver *r, const struct parent *p, const struct ancestor *a)
{
	for (size_t i = 0; i < p->refs->covered_count; i++) {
		const struct backend *b = p->refs->covered[i];

		for (size_t k = 0; k < b->tls_policy_count; k++)
			ancestors_add(r, b->tls_policies[k], a);
	}
}

static void add_of_parent(struct resolver *r, const struct parent *p)
{
	const struct resource *gateway = &p->gateway->res;
	const struct ancestor a = {GATEWAY_GROUP, "Gateway", gateway->namespace, gateway->name,
				   p->section};

	add_of_route(r, p, &a);
	add_of_backends(r, p, &a);
}

static void add_target(struct resolver *r, struct object *policy, const struct node *ref)
{
	ancestors_add(r, policy,
		      &(struct ancestor){
			      .group = node_text_at(ref, "group", GATEWAY_GROUP),
			      .kind = node_text_at(ref, "kind", ""),
			      .namespace = policy->res.namespace,
			      .name = node_text_at(ref, "name", "*"), /* a selector has none */
			      .section = node_text_at(ref, "sectionName", NULL),
		      });
}

static void add_targets(struct resolver *r, struct object *policy)
{
	static const char *const paths[] = {"spec.targetRefs", "spec.targetSelectors"};
	const struct node *one = node_at(policy->res.root, "spec.targetRef");

	if (policy->ancestor_count || policy->foreign)
		return;
	if (one)
		add_target(r, policy, one);
	for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
		const struct node *list = node_at(policy->res.root, paths[k]);

		for (size_t i = 0; i < node_count(list); i++)
			add_target(r, policy, node_item(list, i));
	}
}

void ancestors_settle(struct resolver *r)
{
	static const enum kind_id policies[] = {KIND_BACKENDTRAFFICPOLICY, KIND_BACKENDTLSPOLICY};
	struct object **list;
	size_t count;

	for (size_t i = 0; i < r->parent_count; i++) {
		if (r->parents[i].gateway)
			add_of_parent(r, &r->parents[i]);
	}
	for (size_t k = 0; k < sizeof(policies) / sizeof(policies[0]); k++) {
		list = names_of_kind(r, r->by_name, policies[k], &count);
		for (size_t i = 0; i < count; i++)
			add_targets(r, list[i]);
	}
}
