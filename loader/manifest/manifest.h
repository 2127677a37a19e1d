/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From text to checked resources: YAML or JSON, several documents, `kind: List` and KINDList;
 * strict decoding, defaults, limits, the one-of rules (upstream's CEL) and Spillway's own refusals.
 * What depends on other resources or on the host (upstream's controller stage) is model/'s.
 */
#ifndef SPILLWAY_MANIFEST_MANIFEST_H
#define SPILLWAY_MANIFEST_MANIFEST_H

#include "base/diag.h"
#include "base/strbuf.h"
#include "manifest/kind.h"
#include "manifest/node.h"

struct resource {
	const struct kind *kind;
	const char *namespace;
	const char *name;
	struct node *root; /* checked, defaults filled in, `status` removed */
	struct loc loc;	   /* of the object */
};

/* An object with a mistake: what refers to it is not mistaken too. */
struct refused_key {
	const char *kind, *namespace, *name;
};

struct resources {
	struct resource *items; /* in the arena, in written order */
	size_t count;
	struct refused_key *refused; /* those that were read but are not in `items` */
	size_t refused_count;
};

struct manifest_options {
	const char *namespace; /* for objects that name none; NULL: "default" */
	bool recursive;	       /* directories: also what is below */
	bool names_only;       /* kind and metadata are read and checked, nothing else */
	struct diags *unknown; /* NULL: unknown fields are mistakes; else they are dropped, and
				  warnings about them go here */
};

/*
 * Reads a file, a directory (its *.yaml, *.yml, *.json in name order) or "-" (standard input) and
 * appends its resources to *out. Mistakes go to `d`, all of them; a resource with a mistake is not
 * appended. Returns 0, also when mistakes were found, or a negative errno when `path` could not be
 * read (then a diagnostic names it too).
 */
int manifest_read_path(struct arena *a, struct diags *d, const char *path,
		       const struct manifest_options *opts, struct resources *out);

/* The same for text in memory; `file` is the name for messages, or NULL. */
int manifest_read_text(struct arena *a, struct diags *d, const char *file, const char *text,
		       size_t len, const struct manifest_options *opts, struct resources *out);

/*
 * The same for one object that is a tree already (an API request, the store). Takes `root` over and
 * changes it. -EINVAL, with diagnostics, when it is refused.
 */
int manifest_check(struct arena *a, struct diags *d, struct node *root,
		   const struct manifest_options *opts, struct resource *out);

/*
 * JSON text to tree (loc unknown); -EINVAL and a diagnostic when it is no JSON.
 */
int node_from_json(struct arena *a, struct diags *d, const char *text, size_t len,
		   struct node **out);

/* kubectl's forms. For the caller to free(). JSON: indent 0 = compact, keys in given order. */
char *node_to_json(const struct node *n, int indent);
/* One string, quoted: for texts of a fixed form, where a tree would be made to be printed only. */
void json_put_text(struct strbuf *b, const char *text);
char *node_to_yaml(const struct node *n); /* keys sorted, 2 spaces, sequences not indented */

/*
 * Kubernetes duration of the Gateway API ("1m30s", "1500ms") to milliseconds; -1 if malformed.
 */
int64_t duration_ms(const char *text);

/* The other way round, from seconds: "1m30s", "0s". */
const char *duration_text(struct arena *a, uint32_t seconds);

#endif
