/* SPDX-License-Identifier: BSD-2-Clause */
/* The anchors of a YAML document by name; there may be as many as there are values. */
#ifndef SPILLWAY_MANIFEST_ANCHORS_H
#define SPILLWAY_MANIFEST_ANCHORS_H

#include "manifest/node.h"

struct anchor {
	const char *name;
	const struct node *node; /* NULL while it is being read */
};

/* In the reader's arena; zero-initialise for each document. */
struct anchors {
	struct anchor *items; /* in written order */
	size_t count;
	uint32_t *slots; /* a hash table: 1 + index of the latest of that name, 0: free */
	size_t slot_count;
};

void anchors_add(struct arena *a, struct anchors *list, const char *name);
/* The latest one of that name, or NULL. */
const struct anchor *anchors_find(const struct anchors *list, const char *name);

#endif
