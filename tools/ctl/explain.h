/* SPDX-License-Identifier: BSD-2-Clause */
/* The field tables for people: which field a user means, its type, what is below it. */
#ifndef SPILLWAY_CTL_EXPLAIN_H
#define SPILLWAY_CTL_EXPLAIN_H

#include <stdio.h>

#include "base/arena.h"
#include "manifest/schema.h"

/* KIND[.FIELD...]; the kind may be PLURAL.GROUP. In *path what follows it, "" if nothing. */
const struct kind *explain_kind(struct arena *a, const char *word, const char **path);

/* The whole object as a field without a name. */
struct field explain_root(const struct kind *kind);

/* The fields of an object, also of one in a list or map; NULL: it has none. */
const struct field *explain_children(const struct field *f);

/* As kubectl calls it: "boolean", "[]Object", "map[string]string", "ObjectMeta". */
const char *explain_type(struct arena *a, const struct field *f);

/* The table's rows by name, NULL behind the last. */
const struct field **explain_sorted(struct arena *a, const struct field *fields);

/* `text` in lines of kubectl's width, each indented by four. */
void explain_wrapped(FILE *out, const char *text);

/* "FIELDS:": with the description of each, or with all that is below them. */
void explain_list(FILE *out, struct arena *a, const struct field *fields);
void explain_tree(FILE *out, struct arena *a, const struct field *fields);

/* "RULES:": default, limits and rules of the value; nothing when there are none. */
void explain_rules(FILE *out, struct arena *a, const struct field *f);

#endif
