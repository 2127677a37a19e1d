/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The targets of policies, by what they name. Open addressing; a policy sees its own namespace
 * only, so near what is looked for stands for project and namespace.
 */
#include <string.h>

#include "base/hash.h"
#include "model/resolver.h"

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static uint64_t mix(uint64_t h, const char *text)
{
	return text ? hash_bytes(text, strlen(text), h + 1) : hash_mix(h + 2);
}

/* Where it is, or the free place where it would be. */
static size_t place(const struct resolver *r, const struct object *near, const char *kind,
		    const char *name, const char *section)
{
	uint64_t h = mix(mix(0, near->project), near->res.namespace);
	size_t at;

	h = mix(mix(mix(h, kind), name), section);
	for (at = h & (r->target_table_size - 1); r->target_table[at];
	     at = (at + 1) & (r->target_table_size - 1)) {
		const struct target *t = &r->targets[r->target_table[at] - 1];

		if (strcmp(t->kind, kind) == 0 && strcmp(t->name, name) == 0 &&
		    is_same(t->section, section) &&
		    strcmp(t->policy->res.namespace, near->res.namespace) == 0 &&
		    strcmp(t->policy->project, near->project) == 0)
			break;
	}
	return at;
}

struct target *targets_find(const struct resolver *r, const struct object *near, const char *kind,
			    const char *name, const char *section)
{
	size_t at;

	if (r->target_table_size == 0)
		return NULL;
	at = place(r, near, kind, name, section);
	return r->target_table[at] ? &r->targets[r->target_table[at] - 1] : NULL;
}

static void grow(struct resolver *r)
{
	r->target_table_size = r->target_table_size ? 2 * r->target_table_size : 64;
	r->target_table = arena_array(r->arena, r->target_table_size, sizeof(*r->target_table));
	for (size_t i = 0; i < r->target_count; i++) {
		const struct target *t = &r->targets[i];

		r->target_table[place(r, t->policy, t->kind, t->name, t->section)] =
			(uint32_t)i + 1;
	}
}

void targets_add(struct resolver *r, const struct target *t)
{
	if (2 * (r->target_count + 1) > r->target_table_size)
		grow(r);
	*arena_push(r->arena, r->targets, r->target_count) = *t;
	r->target_table[place(r, t->policy, t->kind, t->name, t->section)] =
		(uint32_t)r->target_count;
}

static void note_override(struct resolver *r, const struct target *wide,
			  const struct target *in_force, const struct object *route)
{
	if (!wide || wide->policy == in_force->policy)
		return;
	names_add(r->arena, &r->overriders[wide->policy - r->model->objects],
		  arena_printf(r->arena, "%s %s/%s", route->res.kind->name, route->res.namespace,
			       route->res.name));
}

struct target *targets_settle(struct resolver *r, const struct object *route, size_t number,
			      const struct listener *l)
{
	const struct node *rules = node_at(route->res.root, "spec.rules");
	const char *rule = node_text_at(node_item(rules, number), "name", NULL);
	const char *kind = route->res.kind->name, *name = route->res.name;
	const struct object *gateway = l->gateway;
	/* The most specific first. */
	struct target *found[] = {
		rule ? targets_find(r, route, kind, name, rule) : NULL,
		targets_find(r, route, kind, name, NULL),
		targets_find(r, gateway, "Gateway", gateway->res.name, l->name),
		targets_find(r, gateway, "Gateway", gateway->res.name, NULL),
	};
	struct target *in_force = NULL;

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		if (in_force)
			note_override(r, found[i], in_force, route);
		else
			in_force = found[i];
	}
	return in_force;
}
