/* SPDX-License-Identifier: BSD-2-Clause */
/* Kubernetes' paths: resources by group, version, namespace, plural and name. */
#include "control/api.h"

#include <string.h>

#include "control/change.h"
#include "control/change_answer.h"
#include "control/status.h"

/* "" for what has none. */
static const char *path_namespace(const struct call *c)
{
	return c->params[PARAM_NAMESPACE] ? c->params[PARAM_NAMESPACE] : "";
}

/* Without a namespace in the path: all of a kind are listed, and single resources have none. */
static bool fits_scope(const struct call *c, const struct kind *k)
{
	if (c->params[PARAM_NAMESPACE])
		return k->scope == SCOPE_NAMESPACE;
	return k->scope == SCOPE_CLUSTER ||
	       (!c->params[PARAM_NAME] && strcmp(c->method, "GET") == 0);
}

/* The kind that the path names; answers 404 and returns NULL when there is none. */
static const struct kind *path_kind(struct call *c)
{
	const struct kind *k;

	for (size_t i = 0; i < KIND_MAX; i++) {
		k = &kinds[i];
		if (strcmp(k->group, c->params[PARAM_GROUP] ? c->params[PARAM_GROUP] : "") != 0 ||
		    strcmp(k->plural, c->params[PARAM_PLURAL]) != 0 || !fits_scope(c, k))
			continue;
		for (size_t v = 0; k->versions[v]; v++) {
			if (strcmp(k->versions[v], c->params[PARAM_VERSION]) == 0)
				return k;
		}
	}
	call_fail(c, 404, "NotFound", "the server could not find the requested resource");
	return NULL;
}

static struct node *render(struct call *c, const struct object *o)
{
	return object_render(c->arena, o, c->params[PARAM_VERSION],
			     status_render(c->engine, c->arena, o));
}

void api_list(struct call *c)
{
	const struct generation *g = c->engine->now;
	const struct kind *kind = path_kind(c);
	const char *namespace = c->params[PARAM_NAMESPACE];
	struct node *list, *items;
	const struct object *o;

	if (!kind)
		return;
	list = tree_map(c->arena);
	tree_set_text(c->arena, list, "apiVersion",
		      kind_api_version(c->arena, kind, c->params[PARAM_VERSION]));
	tree_set_text(c->arena, list, "kind", arena_printf(c->arena, "%sList", kind->name));
	tree_set_text(c->arena, tree_set_map(c->arena, list, "metadata"), "resourceVersion",
		      arena_printf(c->arena, "%lld", (long long)store_version(c->engine->store)));
	items = tree_set_list(c->arena, list, "items");
	for (size_t i = 0; i < g->model->object_count; i++) {
		o = g->by_key[i];
		if (o->res.kind == kind && strcmp(o->project, c->project) == 0 &&
		    (!namespace || strcmp(o->res.namespace, namespace) == 0))
			node_append(c->arena, items, render(c, o));
	}
	call_answer(c, 200, list);
}

static void answer_not_found(struct call *c, const struct kind *kind)
{
	struct node *status =
		call_status(c, 404, "NotFound",
			    arena_printf(c->arena, "%s \"%s\" not found",
					 kind_resource(c->arena, kind), c->params[PARAM_NAME]));
	struct node *details = tree_set_map(c->arena, status, "details");

	tree_set_text(c->arena, details, "name", c->params[PARAM_NAME]);
	tree_set_text(c->arena, details, "group", kind->group);
	tree_set_text(c->arena, details, "kind", kind->plural);
	call_answer(c, 404, status);
}

static struct object_key path_key(const struct call *c, const struct kind *kind, const char *name)
{
	return (struct object_key){
		.project = c->project,
		.kind = kind,
		.namespace = path_namespace(c),
		.name = name,
	};
}

static void answer_object(struct call *c, int code, const struct kind *kind, const char *name)
{
	const struct object_key key = path_key(c, kind, name);
	const struct object *o = generation_find(c->engine->now, &key);

	if (o)
		call_answer(c, code, render(c, o));
	else
		answer_not_found(c, kind);
}

void api_get(struct call *c)
{
	const struct kind *kind = path_kind(c);

	if (kind)
		answer_object(c, 200, kind, c->params[PARAM_NAME]);
}

/* The object must be what the path says; answers 400 and returns false when it is not. */
static bool is_of_path(struct call *c, const struct node *root, const struct kind *kind)
{
	const char *version = node_text_at(root, "apiVersion", "");
	const char *name = node_text_at(root, "metadata.name", "");
	const char *namespace = node_text_at(root, "metadata.namespace", path_namespace(c));

	if (kind_lookup(version, node_text_at(root, "kind", "")) != kind)
		call_fail(c, 400, "BadRequest",
			  "the API version and kind in the data (%s, %s) do not match the URL",
			  version, node_text_at(root, "kind", ""));
	else if (kind->scope == SCOPE_NAMESPACE && strcmp(namespace, path_namespace(c)) != 0)
		call_fail(c, 400, "BadRequest",
			  "the namespace of the provided object does not match the namespace sent "
			  "on the request");
	else if (c->params[PARAM_NAME] && strcmp(name, c->params[PARAM_NAME]) != 0)
		call_fail(c, 400, "BadRequest",
			  "the name of the object (%s) does not match the name on the URL (%s)",
			  name, c->params[PARAM_NAME]);
	else
		return true;
	return false;
}

static void change(struct call *c, struct node *object, enum change_mode mode,
		   struct change_result *out)
{
	const struct change_request request = {
		.project = c->project,
		.namespace = path_namespace(c),
		.mode = mode,
		.objects = &object,
		.count = 1,
	};

	engine_change(c->engine, c->arena, &request, out);
}

static void put(struct call *c, enum change_mode mode)
{
	const struct kind *kind = path_kind(c);
	struct node *root = kind ? call_body(c) : NULL;
	struct change_result result;
	bool is_new;

	if (!root || !is_of_path(c, root, kind))
		return;
	change(c, root, mode, &result);
	if (result.code != 200) {
		change_answer_failure(c, &result);
		return;
	}
	is_new = result.outcomes[0].outcome == STORE_CREATED;
	answer_object(c, is_new ? 201 : 200, kind, result.outcomes[0].key.name);
}

void api_create(struct call *c)
{
	put(c, CHANGE_CREATE);
}

void api_replace(struct call *c)
{
	put(c, CHANGE_REPLACE);
}

void api_delete(struct call *c)
{
	const struct kind *kind = path_kind(c);
	struct change_result result;
	struct node *root, *metadata;

	if (!kind)
		return;
	root = tree_map(c->arena);
	tree_set_text(c->arena, root, "apiVersion",
		      kind_api_version(c->arena, kind, c->params[PARAM_VERSION]));
	tree_set_text(c->arena, root, "kind", kind->name);
	metadata = tree_set_map(c->arena, root, "metadata");
	tree_set_text(c->arena, metadata, "name", c->params[PARAM_NAME]);
	change(c, root, CHANGE_DELETE, &result);
	if (result.code != 200)
		change_answer_failure(c, &result);
	else if (result.outcomes[0].outcome == STORE_NOT_FOUND)
		answer_not_found(c, kind);
	else
		call_answer(c, 200, call_status(c, 200, NULL, NULL));
}
