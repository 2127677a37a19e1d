/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All objects are checked before the first answer, so that one run shows every mistake. Each tree is
 * marked with its index in the request, which leads later warnings back to it.
 */
#include "control/change_decode.h"

#include <errno.h>
#include <string.h>

void change_cause(struct change *c, int index, const char *text)
{
	struct change_note *n = arena_push(c->answer, c->out->causes, c->out->cause_count);

	n->index = index;
	n->message = arena_strdup(c->answer, text);
}

void change_warning(struct change *c, int index, const char *text)
{
	struct change_note *n = arena_push(c->answer, c->out->warnings, c->out->warning_count);

	n->index = index;
	n->message = arena_strdup(c->answer, text);
}

int change_refuse(struct change *c, int code, const char *reason, const char *message)
{
	c->out->code = code;
	c->out->reason = reason;
	c->out->message = message;
	return -EINVAL;
}

const char *change_resource(struct change *c, const struct object_key *key)
{
	return arena_printf(c->answer, "%s \"%s\"", kind_resource(c->answer, key->kind), key->name);
}

int change_refuse_causes(struct change *c)
{
	const size_t count = c->out->cause_count;

	c->out->code = 422;
	c->out->reason = "Invalid";
	c->out->message = c->out->causes[0].message;
	if (count > 1)
		c->out->message =
			arena_printf(c->answer, "%zu mistakes; nothing was changed", count);
	return -EINVAL;
}

static void note_diags(struct change *c, int index, const struct diags *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->items[i].severity == DIAG_ERROR)
			change_cause(c, index, d->items[i].text);
		else
			change_warning(c, index, d->items[i].text);
	}
}

/*
 * Is it word for word what is stored, which passed all checks? Then it would again, without a
 * warning, and come to the same: most of a large apply is nothing new.
 */
static bool is_stored(const struct change *c, struct node *root, struct change_item *it)
{
	const struct object_key key = {
		.project = c->req->project,
		.kind = kind_lookup(node_text_at(root, "apiVersion", ""),
				    node_text_at(root, "kind", "")),
		.namespace = node_text_at(root, "metadata.namespace", ""),
		.name = node_text_at(root, "metadata.name", ""),
	};
	const struct object *old = key.kind ? generation_find(c->engine->now, &key) : NULL;

	if (!old || !node_equal(old->res.root, root))
		return false;
	it->object = (struct object){.res = old->res, .project = key.project};
	it->object.res.namespace = key.namespace;
	it->object.res.name = key.name;
	it->object.res.root = root;
	it->object.res.loc = root->loc;
	it->key = object_key(&it->object);
	it->is_stored = true;
	return true;
}

static void decode_object(struct change *c, int index, struct node *root, struct change_item *it)
{
	const char *version = node_text_at(root, "metadata.resourceVersion", NULL);
	const size_t causes = c->out->cause_count;
	struct diags d;

	it->version = version ? arena_strdup(c->answer, version) : NULL;
	diags_init(&d, c->answer);
	if (object_decode(c->answer, &d, root, c->req->project, c->req->namespace, &it->object)) {
		note_diags(c, index, &d);
		if (c->out->cause_count == causes)
			change_cause(c, index, "the object is refused");
		return;
	}
	note_diags(c, index, &d);
	it->key = object_key(&it->object);
}

/* A delete names a resource; whether its spec would pass today does not matter. */
static void decode_key(struct change *c, int index, const struct node *root, struct change_item *it)
{
	const char *version = node_text_at(root, "apiVersion", "");
	const char *name = node_text_at(root, "kind", "");
	const struct kind *kind = kind_lookup(version, name);

	it->remove = true;
	it->key = (struct object_key){
		.project = arena_strdup(c->answer, c->req->project),
		.kind = kind,
		.namespace = kind && kind->scope == SCOPE_CLUSTER
				     ? ""
				     : node_text_at(root, "metadata.namespace", c->req->namespace),
		.name = node_text_at(root, "metadata.name", NULL),
	};
	if (!kind)
		change_cause(c, index,
			     arena_printf(c->answer, "no matches for kind \"%s\" in version \"%s\"",
					  name, version));
	else if (!it->key.name || !it->key.name[0])
		change_cause(c, index, "resource name may not be empty");
}

int change_decode(struct change *c)
{
	struct node *root;

	c->count = c->req->count;
	c->items = arena_array(c->answer, c->count, sizeof(*c->items));
	for (size_t i = 0; i < c->count; i++) {
		root = c->req->objects[i];
		root->loc.file = arena_printf(c->arena, "%zu", i);
		if (c->req->mode != CHANGE_DELETE && is_stored(c, root, &c->items[i]))
			continue;
		object_mark(root, root->loc.file);
		if (c->req->mode == CHANGE_DELETE)
			decode_key(c, (int)i, root, &c->items[i]);
		else
			decode_object(c, (int)i, root, &c->items[i]);
	}
	return c->out->cause_count ? change_refuse_causes(c) : 0;
}
