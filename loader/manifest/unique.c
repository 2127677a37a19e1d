/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists whose items, or one member of them, must differ. */
#include <stdlib.h>
#include <string.h>

#include "manifest/manifest.h"
#include "manifest/schema.h"

struct keyed {
	const char *key; /* as JSON */
	size_t index;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static const char *json_text(struct check *c, const struct node *n)
{
	AUTO(free) char *json = node_to_json(n, 0);

	return arena_strdup(c->arena, json);
}

/* What must be unique of an item: its key, or all of it. */
static const struct node *unique_part(const struct field *f, const struct node *item)
{
	return f->is_set ? item : node_member(item, f->list_key);
}

/* Sorted, so that a list without a limit may be long; then every item but the first of a key. */
void schema_unique(struct check *c, const struct path *path, const struct field *f,
		   const struct node *n)
{
	struct keyed *keys = arena_array(c->arena, n->count, sizeof(*keys));
	const struct node *member;
	size_t count = 0;

	for (size_t i = 0; i < n->count; i++) {
		member = unique_part(f, n->items[i]);
		if (member)
			keys[count++] = (struct keyed){json_text(c, member), i};
	}
	if (count)
		qsort(keys, count, sizeof(*keys), by_key);
	for (size_t i = 1; i < count; i++) {
		struct path at = {.up = path, .index = keys[i].index};

		if (strcmp(keys[i - 1].key, keys[i].key) != 0)
			continue;
		member = unique_part(f, n->items[keys[i].index]);
		if (f->is_set)
			check_invalid(c, member->loc, &at, "Duplicate value: %s", keys[i].key);
		else
			check_invalid(c, member->loc, &at, "Duplicate value: {\"%s\":%s}",
				      f->list_key, keys[i].key);
	}
}
