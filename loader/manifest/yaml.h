/* SPDX-License-Identifier: BSD-2-Clause */
/* Text to trees, one for each document that is not empty. */
#ifndef SPILLWAY_MANIFEST_YAML_H
#define SPILLWAY_MANIFEST_YAML_H

#include "manifest/node.h"

struct documents {
	struct node **items; /* in the arena */
	size_t count;
};

/*
 * Reads YAML, or JSON as its subset. `file` (may be NULL) must live as long as the arena. Mistakes
 * go to `d`; a document with a mistake is not added, those after it are.
 */
void yaml_read(struct arena *a, struct diags *d, const char *file, const char *text, size_t len,
	       struct documents *out);

#endif
