/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of a manifest. Members are found by walking: objects are small, and written order is
 * what messages and `get -o json` show. What may be huge (a hostile file) is sorted in settle.c.
 */
#include "manifest/node.h"

#include <string.h>

struct node *node_new(struct arena *a, enum node_type type, struct loc loc)
{
	struct node *n = arena_alloc(a, sizeof(*n));

	n->type = type;
	n->loc = loc;
	return n;
}

struct node *node_new_text(struct arena *a, const char *text, size_t len, struct loc loc)
{
	struct node *n = node_new(a, NODE_STRING, loc);
	char *copy = arena_alloc(a, len + 1);

	if (len)
		memcpy(copy, text, len);
	n->text = copy;
	n->text_len = len;
	return n;
}

struct node *node_new_string(struct arena *a, const char *text, struct loc loc)
{
	return node_new_text(a, text, strlen(text), loc);
}

struct node *node_new_int(struct arena *a, int64_t value, struct loc loc)
{
	struct node *n = node_new(a, NODE_INT, loc);

	n->integer = value;
	return n;
}

struct node *node_new_bool(struct arena *a, bool value, struct loc loc)
{
	struct node *n = node_new(a, NODE_BOOL, loc);

	n->boolean = value;
	return n;
}

struct node *node_new_number(struct arena *a, double value, struct loc loc)
{
	struct node *n;

	/* NaN fails both comparisons. */
	if (value >= -NODE_INT_END && value < NODE_INT_END && value == (double)(int64_t)value)
		return node_new_int(a, (int64_t)value, loc);
	n = node_new(a, NODE_FLOAT, loc);
	n->number = value;
	return n;
}

void node_add(struct arena *a, struct node *map, const char *key, struct node *value)
{
	value->key = key;
	*arena_push(a, map->items, map->count) = value;
}

void node_set(struct arena *a, struct node *map, const char *key, struct node *value)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->items[i]->key, key) != 0)
			continue;
		value->key = map->items[i]->key;
		value->key_loc = map->items[i]->key_loc;
		map->items[i] = value;
		return;
	}
	value->key_loc = value->loc;
	node_add(a, map, arena_strdup(a, key), value);
}

void node_append(struct arena *a, struct node *list, struct node *value)
{
	*arena_push(a, list->items, list->count) = value;
}

void node_remove(struct node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->items[i]->key, key) != 0)
			continue;
		memmove(&map->items[i], &map->items[i + 1],
			(map->count - i - 1) * sizeof(struct node *));
		map->count--;
		return;
	}
}

/* Most keys that are compared differ in their first character. */
static bool is_key(const char *a, const char *b)
{
	return a[0] == b[0] && strcmp(a, b) == 0;
}

struct node *node_member(const struct node *map, const char *key)
{
	if (!map || map->type != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (is_key(map->items[i]->key, key))
			return map->items[i];
	}
	return NULL;
}

static struct node *member_n(const struct node *map, const char *key, size_t len)
{
	if (!map || map->type != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		const char *other = map->items[i]->key;

		if (other[0] == key[0] && strncmp(other, key, len) == 0 && !other[len])
			return map->items[i];
	}
	return NULL;
}

struct node *node_at(const struct node *n, const char *path)
{
	struct node *at = (struct node *)n;
	size_t len;

	while (at && *path) {
		len = strcspn(path, ".");
		at = member_n(at, path, len);
		path += len + (path[len] == '.');
	}
	return at;
}

struct node *node_item(const struct node *list, size_t index)
{
	if (!list || list->type != NODE_LIST || index >= list->count)
		return NULL;
	return list->items[index];
}

size_t node_count(const struct node *n)
{
	return n && (n->type == NODE_LIST || n->type == NODE_MAP) ? n->count : 0;
}

const char *node_text_at(const struct node *n, const char *path, const char *fallback)
{
	const struct node *at = node_at(n, path);

	return at && at->type == NODE_STRING ? at->text : fallback;
}

int64_t node_int_at(const struct node *n, const char *path, int64_t fallback)
{
	const struct node *at = node_at(n, path);

	return at && at->type == NODE_INT ? at->integer : fallback;
}

bool node_bool_at(const struct node *n, const char *path, bool fallback)
{
	const struct node *at = node_at(n, path);

	return at && at->type == NODE_BOOL ? at->boolean : fallback;
}

struct node *node_copy(struct arena *a, const struct node *n)
{
	struct node *copy;

	if (!n)
		return NULL;
	copy = arena_alloc(a, sizeof(*copy));
	*copy = *n;
	if (n->key)
		copy->key = arena_strdup(a, n->key);
	if (n->type == NODE_STRING)
		copy->text = node_new_text(a, n->text, n->text_len, n->loc)->text;
	if (n->type != NODE_LIST && n->type != NODE_MAP)
		return copy;
	/* Pushed one by one: arena_push() knows an array's room by its count only. */
	copy->count = 0;
	copy->items = NULL;
	for (size_t i = 0; i < n->count; i++)
		*arena_push(a, copy->items, copy->count) = node_copy(a, n->items[i]);
	return copy;
}

static double as_number(const struct node *n)
{
	return n->type == NODE_INT ? (double)n->integer : n->number;
}

static bool lists_equal(const struct node *a, const struct node *b)
{
	for (size_t i = 0; i < a->count; i++) {
		if (!node_equal(a->items[i], b->items[i]))
			return false;
	}
	return true;
}

static bool maps_equal(const struct node *a, const struct node *b)
{
	const struct node *other;

	for (size_t i = 0; i < a->count; i++) {
		/* Mostly both are in the same order. */
		other = b->items[i];
		if (strcmp(other->key, a->items[i]->key) != 0)
			other = node_member(b, a->items[i]->key);
		if (!other || !node_equal(a->items[i], other))
			return false;
	}
	return true;
}

static bool is_number(const struct node *n)
{
	return n->type == NODE_INT || n->type == NODE_FLOAT;
}

bool node_equal(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (a->type != b->type)
		return is_number(a) && is_number(b) && as_number(a) == as_number(b);
	switch (a->type) {
	case NODE_NULL:
		return true;
	case NODE_BOOL:
		return a->boolean == b->boolean;
	case NODE_INT:
		return a->integer == b->integer;
	case NODE_FLOAT:
		return a->number == b->number;
	case NODE_STRING:
		return a->text_len == b->text_len && memcmp(a->text, b->text, a->text_len) == 0;
	case NODE_LIST:
		return a->count == b->count && lists_equal(a, b);
	case NODE_MAP:
		return a->count == b->count && maps_equal(a, b);
	}
	return false;
}
