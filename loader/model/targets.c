/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The targets of policies, by what they name. Open addressing; a policy sees its own project only.
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
static size_t place(const struct resolver *r, const char *project, const struct target *want)
{
	uint64_t h = mix(mix(0, project), want->namespace);
	size_t at;

	h = mix(mix(mix(h, want->kind), want->name), want->section);
	for (at = h & (r->target_table_size - 1); r->target_table[at];
	     at = (at + 1) & (r->target_table_size - 1)) {
		const struct target *t = &r->targets[r->target_table[at] - 1];

		if (strcmp(t->kind, want->kind) == 0 && strcmp(t->name, want->name) == 0 &&
		    is_same(t->section, want->section) &&
		    strcmp(t->namespace, want->namespace) == 0 &&
		    strcmp(t->policy->project, project) == 0)
			break;
	}
	return at;
}

struct target *targets_find(const struct resolver *r, const struct object *aim, const char *section)
{
	const struct target want = {.kind = aim->res.kind->name,
				    .namespace = aim->res.namespace,
				    .name = aim->res.name,
				    .section = section};
	size_t at;

	if (r->target_table_size == 0)
		return NULL;
	at = place(r, aim->project, &want);
	return r->target_table[at] ? &r->targets[r->target_table[at] - 1] : NULL;
}

static void grow(struct resolver *r)
{
	r->target_table_size = r->target_table_size ? 2 * r->target_table_size : 64;
	r->target_table = arena_array(r->arena, r->target_table_size, sizeof(*r->target_table));
	for (size_t i = 0; i < r->target_count; i++) {
		const struct target *t = &r->targets[i];

		r->target_table[place(r, t->policy->project, t)] = (uint32_t)i + 1;
	}
}

void targets_add(struct resolver *r, const struct target *t)
{
	if (2 * (r->target_count + 1) > r->target_table_size)
		grow(r);
	*arena_push(r->arena, r->targets, r->target_count) = *t;
	r->target_table[place(r, t->policy->project, t)] = (uint32_t)r->target_count;
}

static void note_override(struct resolver *r, const struct target *wide,
			  const struct target *in_force, const struct object *route)
{
	const bool is_merged = wide && wide == in_force->wider;

	if (!wide || wide->policy == in_force->policy)
		return;
	names_add(r->arena,
		  &(is_merged ? r->mergers : r->overriders)[wide->policy - r->model->objects],
		  arena_printf(r->arena, "%s %s/%s", route->res.kind->name, route->res.namespace,
			       route->res.name));
	if (is_merged)
		names_add(r->arena, &r->bases[in_force->policy - r->model->objects],
			  arena_printf(r->arena, "%s/%s", wide->policy->res.namespace,
				       wide->policy->res.name));
}

struct target *targets_settle(struct resolver *r, const struct object *route, size_t number,
			      const struct listener *l)
{
	const struct node *rules = node_at(route->res.root, "spec.rules");
	const char *rule = node_text_at(node_item(rules, number), "name", NULL);
	/* The most specific first: of the route, then of the Gateway. */
	struct target *found[] = {
		rule ? targets_find(r, route, rule) : NULL,
		targets_find(r, route, NULL),
		targets_find(r, l->gateway, l->name),
		targets_find(r, l->gateway, NULL),
	};
	struct target *wide = found[2] ? found[2] : found[3];
	struct target *in_force = NULL;

	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
		if (in_force)
			note_override(r, found[i], in_force, route);
		else if (i < 2 && found[i])
			in_force = targets_merge(r, found[i], wide);
		else
			in_force = found[i];
	}
	return in_force;
}
