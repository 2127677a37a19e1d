/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An object goes when `apply` made or changed it at some time, its labels match, its kind is asked
 * for, and the request has objects in its namespace but not this one. So what was made by `create`,
 * by `expose` or over the API stays, as do namespaces that the request does not speak of.
 */
#include "control/prune.h"

#include <stdlib.h>
#include <string.h>

#include "model/resolver.h"

static int compare_key(const void *key, const void *item)
{
	return object_key_compare(key, &(*(struct change_item *const *)item)->key);
}

static bool is_named(const struct change *c, const struct object *o)
{
	const struct object_key key = object_key(o);

	return bsearch(&key, c->sorted, c->count, sizeof(*c->sorted), compare_key) != NULL;
}

static bool is_kind_asked(const struct change_prune *p, const struct kind *kind)
{
	if (!p->kinds)
		return kind->scope == SCOPE_NAMESPACE;
	for (const struct kind *const *k = p->kinds; *k; k++) {
		if (*k == kind)
			return true;
	}
	return false;
}

/* The request's namespaces, sorted; there may be as many as objects. */
struct visited {
	const char **items;
	size_t count;
};

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_visited(const struct visited *v, const char *namespace)
{
	return bsearch(&namespace, v->items, v->count, sizeof(*v->items), compare_text) != NULL;
}

static struct visited visit(const struct change *c)
{
	struct visited v = {.items = arena_array(c->arena, c->count, sizeof(*v.items)),
			    .count = c->count};

	for (size_t i = 0; i < c->count; i++)
		v.items[i] = c->items[i].key.namespace;
	qsort(v.items, v.count, sizeof(*v.items), compare_text);
	return v;
}

static bool goes(const struct change *c, const struct visited *v, const struct object *o)
{
	const struct change_prune *p = c->req->prune;

	return o->applied && strcmp(o->project, c->req->project) == 0 &&
	       is_kind_asked(p, o->res.kind) &&
	       (o->res.kind->scope == SCOPE_CLUSTER || has_visited(v, o->res.namespace)) &&
	       (!p->selector || selector_matches(p->selector, o)) && !is_named(c, o);
}

size_t prune_find(struct change *c)
{
	const struct generation *now = c->engine->now;
	const struct visited v = visit(c);
	const size_t given = c->count;
	struct change_item *items = NULL;
	size_t count = 0;

	for (size_t i = 0; i < given; i++)
		*arena_push(c->answer, items, count) = c->items[i];
	for (size_t i = 0; i < now->model->object_count; i++) {
		struct object *o = now->by_key[i];

		if (goes(c, &v, o))
			*arena_push(c->answer, items, count) =
				(struct change_item){.key = object_key(o), .remove = true};
	}
	c->items = items;
	c->count = count;
	return count - given;
}
