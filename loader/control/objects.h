/* SPDX-License-Identifier: BSD-2-Clause */
/* Resources between their three forms: a request's tree, the store's row, the API's answer. */
#ifndef SPILLWAY_CONTROL_OBJECTS_H
#define SPILLWAY_CONTROL_OBJECTS_H

#include "manifest/manifest.h"
#include "model/model.h"
#include "store/store.h"

/* What identifies a resource. */
struct object_key {
	const char *project;
	const struct kind *kind;
	const char *namespace;
	const char *name;
};

int object_key_compare(const struct object_key *a, const struct object_key *b);
struct object_key object_key(const struct object *o);
/* The store's form of the key; everything else is zero. */
struct stored object_stored_key(const struct object_key *key);

/*
 * Checks a tree (taken over, changed) and brings it into the stored form: the stored version, no
 * status, no metadata that the server owns. Mistakes go to `d`; -EINVAL then.
 */
int object_decode(struct arena *a, struct diags *d, struct node *root, const char *project,
		  const char *namespace, struct object *out);
/* The same for a row of the store. */
int object_load(struct arena *a, struct diags *d, const struct stored *row, struct object *out);
/* Puts the tree into a body of its own, which the caller holds. */
void object_freeze(struct object *o);
/* A copy in `a` without conditions; the body is the same one, and not held once more. */
struct object object_copy(struct arena *a, const struct object *o);
/* Takes over what the store says of the row. */
void object_stamp(struct arena *a, struct object *o, const struct stored *row);

/* The text the store keeps; for the caller to free(). */
char *object_body(const struct object *o);

/*
 * As the API shows it, in `a`; `version` as requested, `status` may be NULL. Of a Secret there are
 * no values: nothing that leaves the daemon may have any.
 */
struct node *object_render(struct arena *a, const struct object *o, const char *version,
			   struct node *status);

/*
 * Marks every place in the tree with `file` (NULL: unknown), so that a warning about the tree can
 * be led back to its request.
 */
void object_mark(struct node *root, const char *file);

#endif
