/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kind as a table of fields: one row feeds strict decoding, defaults, limits and `explain`.
 * Rules that look at more than one field hang at the row of the object they are about.
 */
#ifndef SPILLWAY_MANIFEST_SCHEMA_H
#define SPILLWAY_MANIFEST_SCHEMA_H

#include "manifest/kind.h"
#include "manifest/node.h"
#include "manifest/pattern.h"

enum field_type {
	FIELD_OBJECT, /* of `fields` */
	FIELD_LIST,   /* of `item` */
	FIELD_MAP,    /* any keys, values of `item` */
	FIELD_STRING,
	FIELD_INT32,
	FIELD_INT64,
	FIELD_BOOL,
	FIELD_NUMBER,	/* with or without a fraction */
	FIELD_QUANTITY, /* an integer, or a text such as 32Ki: a number with a unit */
	FIELD_ANY,	/* not looked into */
};

/* What does something because of a field. A field that acts nowhere has no part that does. */
enum field_acts {
	ACTS_AS_PARENT, /* as the field that it is a part of */
	ACTS_XDP,
	ACTS_USERSPACE, /* connections that go by way of HAProxy, and requests */
	ACTS_BOTH,	/* either of them, or what both work with */
	ACTS_HTTP,	/* requests of layer 7 only */
	ACTS_NOWHERE,	/* kept, without effect */
	ACTS_NEVER,	/* the same, and no other with upstream */
	ACTS_META,	/* names, finds or describes the resource, or says what became of it */
};

enum rule_result {
	RULE_HOLDS,
	RULE_BROKEN,
	RULE_NO_KEY, /* upstream's rule cannot be evaluated: `needs` is absent; counts as broken */
};

/* Upstream's CEL: only asked when all types are right and nothing required is missing. */
struct rule {
	enum rule_result (*check)(const struct node *self);
	const char *message;
	const char *needs;
};

struct field {
	const char *name; /* NULL in the row of an item; a NULL name with no type ends a table */
	enum field_type type;
	bool required;
	bool has_min, has_max;
	int64_t min, max; /* numbers: value; strings: code points; lists and maps: members */
	const struct field *fields;
	const struct field *item;
	const char *preset; /* default, as JSON */
	const struct pattern *pattern;
	bool base64;		   /* of a string: bytes in base64 */
	const char *const *values; /* enumeration, NULL-terminated */
	const char *list_key;	   /* of a list of objects: this member is unique */
	bool is_set;		   /* of a list of texts: each is unique */
	const struct rule *rules;  /* ends with a NULL check */
	/* Spillway's own: NULL, or what is wrong with a value that upstream accepts. */
	const char *(*refuse)(struct arena *a, const struct node *self);
	const char *refuse_key;	 /* of an object: the member that is to blame, when refused */
	const char *refuse_text; /* what is refused, for readers; there when `refuse` is */
	const char *text;	 /* one or two sentences for `explain` */
	enum field_acts acts;
	const char *type_name; /* of an object that has one in Kubernetes: "ObjectMeta" */
};

#define FIELD_MIN(n) .has_min = true, .min = (n)
#define FIELD_MAX(n) .has_max = true, .max = (n)
#define FIELD_END    {.name = NULL}

/* The tables of the kinds: of the whole object. */
extern const struct field backend_fields[];
extern const struct field gateway_fields[];
extern const struct field tcproute_fields[];
extern const struct field udproute_fields[];
extern const struct field traffic_policy_fields[];
extern const struct field grant_fields[];
extern const struct field httproute_fields[];
extern const struct field tlsroute_fields[];
extern const struct field tls_policy_fields[];
extern const struct field gateway_class_fields[];
extern const struct field configmap_fields[];
extern const struct field secret_fields[];

struct unknown {
	const char *path;
	struct loc loc;
};

/*
 * One object on its way through the checks. Its diagnostics say `The KIND "NAME" is invalid: ...`.
 */
struct check {
	struct arena *arena;
	struct diags *diags;
	const struct kind *kind;
	const char *version;	 /* as written, without the group */
	const char *name;	 /* "" when it has none */
	const char *file;	 /* or NULL */
	size_t first_diag;	 /* where this object's diagnostics begin */
	struct unknown *unknown; /* fields, as they are met */
	size_t unknown_count;
	struct diags *dropped; /* where unknown fields are told of that are no mistakes, or NULL */
	bool blocked;	       /* an error that makes the rules pointless */
};

/* Where in the object: a chain on the stack, outermost last. */
struct path {
	const struct path *up;
	const char *name; /* NULL: an index */
	size_t index;
};

/* "spec.endpoints[0].ip", in the arena. */
const char *path_text(struct arena *a, const struct path *p);
/* The key of a member, else the value itself. */
struct loc node_place(const struct node *n);

void check_invalid(struct check *c, struct loc loc, const struct path *path, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The steps of an API server, in this order; `fields` is a table of root's members, or its tail
 * from `spec` on.
 */

/* Names every field that the table does not know, and removes it. */
void schema_unknown(struct check *c, const struct field *fields, struct node *root);
/* Drops nulls and puts in what is missing and has a default. */
void schema_fill(struct check *c, const struct field *fields, struct node *root);
/* Types, required fields, limits, patterns; sets c->blocked. Then what Spillway refuses besides. */
void schema_types(struct check *c, const struct field *fields, const struct node *root);
/* Of a list with a key or without equal items: every item but the first of a key is told. */
void schema_unique(struct check *c, const struct path *path, const struct field *f,
		   const struct node *n);
/* Upstream's rules, or the line that says why they were not asked. */
void schema_rules(struct check *c, const struct field *fields, const struct node *root);

const struct field *field_find(const struct field *fields, const char *name);

/* Where a field acts whose parent acts at `parent`; never ACTS_AS_PARENT if the parent does not. */
enum field_acts field_acts(enum field_acts parent, const struct field *f);
/* "XDP", "both paths": for a table of fields. */
const char *field_acts_text(enum field_acts acts);
/* "object", "list", "string", as a manifest's reader knows them. */
const char *field_type_text(enum field_type type);

/* Go's decoding of ObjectMeta, then names and labels; fills in metadata.namespace. */
void meta_check(struct check *c, struct node *root, const char *default_namespace);
/* "number", "object": a type as Go's JSON decoder calls it. */
const char *meta_json_type(const struct node *n);

#endif
