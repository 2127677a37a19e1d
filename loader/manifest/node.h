/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A manifest as a tree of values, each with the place it was written at. Built by manifest/yaml.c
 * (files) and manifest/json.c (API requests, the store), checked and completed by the schema.
 */
#ifndef SPILLWAY_MANIFEST_NODE_H
#define SPILLWAY_MANIFEST_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

enum node_type {
	NODE_NULL,
	NODE_BOOL,
	NODE_INT,
	NODE_FLOAT,
	NODE_STRING,
	NODE_LIST,
	NODE_MAP,
};

#define NODE_INT_END                                                                               \
	9223372036854775808.0 /* 2^63: the first number that is too large for NODE_INT */

/* Lives in an arena; a node belongs to one parent. */
struct node {
	enum node_type type;
	bool boolean;
	struct loc loc;	    /* of the value */
	const char *key;    /* as a member of a map, else NULL */
	struct loc key_loc; /* of the key */
	int64_t integer;
	double number;
	const char *text;    /* NODE_STRING: NUL-terminated UTF-8, may hold NUL bytes inside */
	size_t text_len;     /* bytes */
	struct node **items; /* NODE_LIST and NODE_MAP, in written order */
	size_t count;
};

struct node *node_new(struct arena *a, enum node_type type, struct loc loc);
struct node *node_new_string(struct arena *a, const char *text, struct loc loc);
struct node *node_new_text(struct arena *a, const char *text, size_t len, struct loc loc);
struct node *node_new_int(struct arena *a, int64_t value, struct loc loc);
struct node *node_new_bool(struct arena *a, bool value, struct loc loc);
/* NODE_INT when the value is whole and fits, else NODE_FLOAT. */
struct node *node_new_number(struct arena *a, double value, struct loc loc);

/* Adds a member that the caller knows to be new; `key` is in the arena already. */
void node_add(struct arena *a, struct node *map, const char *key, struct node *value);
/* Adds a member (replacing one of the same key) or a list item. `key` is copied. */
void node_set(struct arena *a, struct node *map, const char *key, struct node *value);
void node_append(struct arena *a, struct node *list, struct node *value);
void node_remove(struct node *map, const char *key);

/* All of these accept NULL and other types and answer NULL, `fallback` or 0. */
struct node *node_member(const struct node *map, const char *key);
struct node *node_at(const struct node *n, const char *path); /* "spec.tls.sni", map members only */
struct node *node_item(const struct node *list, size_t index);
size_t node_count(const struct node *n);
const char *node_text_at(const struct node *n, const char *path, const char *fallback);
int64_t node_int_at(const struct node *n, const char *path, int64_t fallback);
bool node_bool_at(const struct node *n, const char *path, bool fallback);

struct node *node_copy(struct arena *a, const struct node *n);
/* Deep, map members in any order, places ignored; 8080 and 8080.0 are equal. */
bool node_equal(const struct node *a, const struct node *b);

#endif
