/* SPDX-License-Identifier: BSD-2-Clause */
/* Every function makes one node and hangs it in; the arena has no way to fail. */
#include "control/tree.h"

static const struct loc nowhere;

struct node *tree_map(struct arena *a)
{
	return node_new(a, NODE_MAP, nowhere);
}

struct node *tree_list(struct arena *a)
{
	return node_new(a, NODE_LIST, nowhere);
}

struct node *tree_text(struct arena *a, const char *text)
{
	return text ? node_new_string(a, text, nowhere) : node_new(a, NODE_NULL, nowhere);
}

void tree_set_text(struct arena *a, struct node *map, const char *key, const char *text)
{
	node_set(a, map, key, tree_text(a, text));
}

void tree_set_int(struct arena *a, struct node *map, const char *key, int64_t value)
{
	node_set(a, map, key, node_new_int(a, value, nowhere));
}

void tree_set_number(struct arena *a, struct node *map, const char *key, double value)
{
	struct node *n = node_new(a, NODE_FLOAT, nowhere);

	n->number = value;
	node_set(a, map, key, n);
}

void tree_set_bool(struct arena *a, struct node *map, const char *key, bool value)
{
	node_set(a, map, key, node_new_bool(a, value, nowhere));
}

struct node *tree_set_list(struct arena *a, struct node *map, const char *key)
{
	struct node *n = tree_list(a);

	node_set(a, map, key, n);
	return n;
}

struct node *tree_set_map(struct arena *a, struct node *map, const char *key)
{
	struct node *n = tree_map(a);

	node_set(a, map, key, n);
	return n;
}

struct node *tree_append_map(struct arena *a, struct node *list)
{
	struct node *n = tree_map(a);

	node_append(a, list, n);
	return n;
}
