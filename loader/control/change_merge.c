/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects of the next generation: the request's over those that are stored. */
#include <stdlib.h>

#include "base/limits.h"
#include "control/change_decode.h"

/* What is known of the object before the store has seen it. */
static void foresee(struct change_item *it)
{
	struct object *o = &it->object;

	if (!it->old) {
		o->created_s = (int64_t)time(NULL);
		o->generation = 1;
		return;
	}
	o->uid = it->old->uid;
	o->created_s = it->old->created_s;
	o->generation = it->old->generation + it->spec_changed;
	o->resource_version = it->old->resource_version;
}

static int compare_items(const void *a, const void *b)
{
	const struct change_item *x = *(struct change_item *const *)a;
	const struct change_item *y = *(struct change_item *const *)b;

	return object_key_compare(&x->key, &y->key);
}

static int compare_key(const void *key, const void *item)
{
	return object_key_compare(key, &(*(struct change_item *const *)item)->key);
}

static bool is_in_request(const struct change *c, const struct object *o)
{
	const struct object_key key = object_key(o);

	return bsearch(&key, c->sorted, c->count, sizeof(*c->sorted), compare_key) != NULL;
}

int change_sort(struct change *c)
{
	c->sorted = arena_array(c->answer, c->count, sizeof(*c->sorted));
	for (size_t i = 0; i < c->count; i++)
		c->sorted[i] = &c->items[i];
	qsort(c->sorted, c->count, sizeof(*c->sorted), compare_items);
	for (size_t i = 1; i < c->count; i++) {
		if (compare_items(&c->sorted[i - 1], &c->sorted[i]) == 0)
			change_cause(c, (int)(c->sorted[i] - c->items),
				     arena_printf(c->answer, "%s: given twice in one request",
						  change_resource(c, &c->sorted[i]->key)));
	}
	return c->out->cause_count ? change_refuse_causes(c) : 0;
}

/* The tree that the next generation is to have of it: what is stored already, if it is the same. */
static void settle_body(struct change_item *it)
{
	const char *mark = it->object.res.loc.file;

	if (it->changed) {
		object_freeze(&it->object);
		return;
	}
	it->object.body = frozen_share(it->old->body);
	it->object.res.root = it->old->res.root;
	object_mark(it->object.res.root, mark);
}

void change_release(struct change *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i].object.body)
			object_mark(c->items[i].object.res.root, NULL);
		frozen_release(c->items[i].object.body);
	}
}

/* Once: a patch that is not possible has done it already. */
void change_settle(struct change *c)
{
	if (c->is_settled)
		return;
	c->is_settled = true;
	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i].remove)
			continue;
		foresee(&c->items[i]);
		settle_body(&c->items[i]);
	}
}

/* The next generation's objects: the stored ones that the request leaves alone, and its own. */
int change_merge(struct change *c)
{
	const struct model *m = c->engine->now->model;
	struct object *all = NULL;
	struct change_item *it;
	size_t count = 0;

	change_settle(c);
	for (size_t i = 0; i < m->object_count; i++) {
		if (!is_in_request(c, &m->objects[i]))
			*arena_push(c->arena, all, count) = object_copy(c->arena, &m->objects[i]);
	}
	for (size_t i = 0; i < c->count; i++) {
		it = &c->items[i];
		if (it->remove)
			continue;
		*arena_push(c->arena, all, count) = object_copy(c->arena, &it->object);
		all[count - 1].res.loc = it->object.res.loc;
	}
	if (count > LIMIT_RESOURCES)
		return change_refuse(c, 507, "InsufficientStorage",
				     arena_printf(c->answer,
						  "%zu resources: at most %d can be stored", count,
						  LIMIT_RESOURCES));
	c->objects = all;
	c->object_count = count;
	return 0;
}
