/* SPDX-License-Identifier: BSD-2-Clause */
/* The stored form is canonical, so that "unchanged" is plain equality of trees. */
#include "control/objects.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "manifest/config.h"

/* Metadata of the server: dropped from requests, added to answers. */
static const char *const server_metadata[] = {
	"uid",	    "resourceVersion", "generation",	    "creationTimestamp",
	"selfLink", "managedFields",   "deletionTimestamp", "deletionGracePeriodSeconds",
};

static const struct loc nowhere;

int object_key_compare(const struct object_key *a, const struct object_key *b)
{
	int order = strcmp(a->project, b->project);

	if (!order)
		order = (int)a->kind->id - (int)b->kind->id;
	if (!order)
		order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

struct object_key object_key(const struct object *o)
{
	return (struct object_key){
		.project = o->project,
		.kind = o->res.kind,
		.namespace = o->res.namespace,
		.name = o->res.name,
	};
}

struct stored object_stored_key(const struct object_key *key)
{
	return (struct stored){
		.project = key->project,
		.group = key->kind->group,
		.kind = key->kind->name,
		.namespace = key->namespace,
		.name = key->name,
	};
}

static struct node *text_node(struct arena *a, const char *text)
{
	return node_new_string(a, text, nowhere);
}

int object_decode(struct arena *a, struct diags *d, struct node *root, const char *project,
		  const char *namespace, struct object *out)
{
	const struct manifest_options opts = {.namespace = namespace};
	struct object o = {.project = arena_strdup(a, project)};
	struct node *metadata;
	int err = manifest_check(a, d, root, &opts, &o.res);

	if (err)
		return err;
	metadata = node_member(o.res.root, "metadata");
	for (size_t i = 0; i < sizeof(server_metadata) / sizeof(server_metadata[0]); i++)
		node_remove(metadata, server_metadata[i]);
	if (o.res.kind->scope == SCOPE_NAMESPACE)
		node_set(a, metadata, "namespace", text_node(a, o.res.namespace));
	node_set(a, o.res.root, "apiVersion", text_node(a, kind_api_version(a, o.res.kind, NULL)));
	*out = o;
	return 0;
}

void object_stamp(struct arena *a, struct object *o, const struct stored *row)
{
	o->uid = arena_strdup(a, row->uid);
	o->generation = row->generation;
	o->resource_version = row->resource_version;
	o->created_s = row->created_s;
	o->applied = row->applied;
}

int object_load(struct arena *a, struct diags *d, const struct stored *row, struct object *out)
{
	struct node *root;
	int err = node_from_json(a, d, row->body, strlen(row->body), &root);

	if (!err)
		err = object_decode(a, d, root, row->project, row->namespace, out);
	if (err)
		return err;
	object_stamp(a, out, row);
	return 0;
}

void object_freeze(struct object *o)
{
	o->body = frozen_new(o->res.root);
	o->res.root = frozen_root(o->body);
}

struct object object_copy(struct arena *a, const struct object *o)
{
	struct object copy = *o;

	copy.project = arena_strdup(a, o->project);
	copy.uid = o->uid ? arena_strdup(a, o->uid) : NULL;
	copy.res.namespace = arena_strdup(a, o->res.namespace);
	copy.res.name = arena_strdup(a, o->res.name);
	copy.res.loc = nowhere;
	copy.conditions = NULL;
	copy.condition_count = 0;
	copy.ancestors = NULL;
	copy.ancestor_count = 0;
	copy.attached = NULL;
	copy.accepted = false;
	return copy;
}

char *object_body(const struct object *o)
{
	return node_to_json(o->res.root, 0);
}

static struct node *render_metadata(struct arena *a, const struct object *o)
{
	struct node *m = node_copy(a, node_member(o->res.root, "metadata"));
	char when[24];

	if (!o->uid)
		return m;
	node_set(a, m, "uid", text_node(a, o->uid));
	node_set(a, m, "generation", node_new_int(a, o->generation, nowhere));
	node_set(a, m, "resourceVersion",
		 text_node(a, arena_printf(a, "%lld", (long long)o->resource_version)));
	node_set(a, m, "creationTimestamp", text_node(a, clock_rfc3339(o->created_s, when)));
	return m;
}

struct node *object_render(struct arena *a, const struct object *o, const char *version,
			   struct node *status)
{
	struct node *out = node_new(a, NODE_MAP, nowhere);
	const struct node *root = o->res.root;

	node_set(a, out, "apiVersion", text_node(a, kind_api_version(a, o->res.kind, version)));
	node_set(a, out, "kind", text_node(a, o->res.kind->name));
	node_set(a, out, "metadata", render_metadata(a, o));
	for (size_t i = 0; i < root->count; i++) {
		if (!node_member(out, root->items[i]->key))
			node_set(a, out, root->items[i]->key, node_copy(a, root->items[i]));
	}
	if (status)
		node_set(a, out, "status", status);
	config_redact(a, o->res.kind, out);
	return out;
}

void object_mark(struct node *root, const char *file)
{
	root->loc.file = file;
	root->key_loc.file = file;
	for (size_t i = 0; i < root->count; i++)
		object_mark(root->items[i], file);
}
