/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kubectl's JSONPath: text with {expressions} in it, `range` and `end`. Fields that are missing are
 * no error, as in `kubectl get`. Everything lives in the arena; trees are only looked at.
 */
#ifndef SPILLWAY_CTL_JSONPATH_H
#define SPILLWAY_CTL_JSONPATH_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "manifest/node.h"

enum jsonpath_type {
	JSONPATH_LIST, /* one {expression}: its steps in order */
	JSONPATH_TEXT,
	JSONPATH_NUMBER,
	JSONPATH_BOOL,
	JSONPATH_FIELD,
	JSONPATH_SLICE,
	JSONPATH_FILTER,
	JSONPATH_WILDCARD,
	JSONPATH_RECURSIVE,
	JSONPATH_UNION,
	JSONPATH_WORD, /* range, end */
};

struct jsonpath_param {
	bool known;
	bool derived; /* the end of [n]: n + 1 */
	long value;
};

/* A step, or a list of them. */
struct jsonpath {
	enum jsonpath_type type;
	const char *text;		/* text, name of a field, word, operator of a filter */
	struct node *value;		/* of text and numbers */
	struct jsonpath_param slice[3]; /* start, end, step */
	struct jsonpath **items;	/* of lists, and alternatives of a union */
	size_t count;
	struct jsonpath *left, *right; /* of a filter; right NULL: existence */
};

/* What one {expression} or the text between two found. */
struct jsonpath_found {
	const struct node **items;
	size_t count;
};

struct jsonpath_result {
	struct jsonpath_found *items;
	size_t count;
};

/* -EINVAL, and the reason in *why in kubectl's words. */
int jsonpath_parse(struct arena *a, const char *text, struct jsonpath **out, const char **why);
int jsonpath_find(struct arena *a, const struct jsonpath *path, const struct node *data,
		  struct jsonpath_result *out, const char **why);

/* "name", ".name", "{name}" and "{.name}" are "{.name}"; NULL: none of these. */
const char *jsonpath_relaxed(struct arena *a, const char *text);

/* A string as it is, everything else as JSON. */
const char *jsonpath_text(struct arena *a, const struct node *n);
void jsonpath_print(struct arena *a, const struct jsonpath_result *r, FILE *out);
/* A list for each expression. */
void jsonpath_print_json(struct arena *a, const struct jsonpath_result *r, FILE *out);

#endif
