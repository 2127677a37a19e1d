/* SPDX-License-Identifier: BSD-2-Clause */
/* An object in kubectl's `describe` form: every field, its name split into words, aligned. */
#ifndef SPILLWAY_CTL_DESCRIBE_H
#define SPILLWAY_CTL_DESCRIBE_H

#include <stdio.h>

#include "base/arena.h"
#include "manifest/node.h"

/* Lines of "title: value"; values of neighbouring lines stand in one column. */
struct description_line {
	const char *title; /* with its indentation and colon; NULL: no value column */
	const char *value;
};

struct description {
	struct arena *arena;
	struct description_line *lines;
	size_t count;
};

/* "Name:", then labels and annotations, then all other fields with sorted keys. */
void describe_object(struct description *d, const struct node *object);
/* Only what stands above the fields. */
void describe_head(struct description *d, const struct node *object);
void describe_line(struct description *d, const char *title, const char *value);
void describe_print(const struct description *d, FILE *out);

/* The members by key; NULL has none. */
struct node **describe_sorted(struct arena *a, const struct node *map);

/* "appProtocols" is "App Protocols", "uid" is "UID". */
const char *describe_label(struct arena *a, const char *field);

#endif
