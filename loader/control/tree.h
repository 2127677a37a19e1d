/* SPDX-License-Identifier: BSD-2-Clause */
/* Short words for building an answer's tree; places are unknown in all of it. */
#ifndef SPILLWAY_CONTROL_TREE_H
#define SPILLWAY_CONTROL_TREE_H

#include "manifest/node.h"

struct node *tree_map(struct arena *a);
struct node *tree_list(struct arena *a);
struct node *tree_text(struct arena *a, const char *text); /* NULL becomes null */

/* Members of a map. */
void tree_set_text(struct arena *a, struct node *map, const char *key, const char *text);
void tree_set_int(struct arena *a, struct node *map, const char *key, int64_t value);
void tree_set_number(struct arena *a, struct node *map, const char *key, double value);
void tree_set_bool(struct arena *a, struct node *map, const char *key, bool value);
/* An empty list or map, as the member; returned to be filled. */
struct node *tree_set_list(struct arena *a, struct node *map, const char *key);
struct node *tree_set_map(struct arena *a, struct node *map, const char *key);
/* A new map at the list's end. */
struct node *tree_append_map(struct arena *a, struct node *list);

#endif
