/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds this program knows, one row each in kind.c; field tables are in kind_NAME.c. */
#ifndef SPILLWAY_MANIFEST_KIND_H
#define SPILLWAY_MANIFEST_KIND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum kind_id {
	KIND_BACKEND,
	KIND_GATEWAY,
	KIND_TCPROUTE,
	KIND_UDPROUTE,
	KIND_BACKENDTRAFFICPOLICY,
	KIND_REFERENCEGRANT,
	KIND_HTTPROUTE,
	KIND_TLSROUTE,
	KIND_BACKENDTLSPOLICY,
	KIND_GATEWAYCLASS,
	KIND_CONFIGMAP,
	KIND_SECRET,
	KIND_MAX,
};

enum kind_scope { SCOPE_NAMESPACE, SCOPE_CLUSTER };

struct field; /* manifest/schema.h */
struct check;
struct node;

struct kind {
	enum kind_id id;
	const char *name;	     /* "Backend" */
	const char *group;	     /* "gateway.envoyproxy.io"; "": the core group */
	const char *const *versions; /* served, the stored one first, NULL-terminated */
	const char *plural;	     /* "backends" */
	const char *singular;	     /* "backend" */
	const char *const *shorts;   /* "be", NULL-terminated */
	const struct field
		*fields;	 /* of the whole object: apiVersion, kind, metadata, spec, status */
	const char *description; /* for `explain` */
	enum kind_scope scope;	 /* of the cluster: its resources have no namespace, "" */
	/* Instead of types and rules of the table, for kinds that upstream has no schema of. */
	void (*check)(struct check *c, struct node *root);
};

extern const struct kind kinds[KIND_MAX];

/* By a user's word: plural, singular, short name, or plural.group, any case. NULL if none. */
const struct kind *kind_find(const char *word);
/* By an object's apiVersion ("group/version", or "version" of the core group) and kind. NULL: none. */
const struct kind *kind_lookup(const char *api_version, const char *name);
/* By group and kind. NULL: none. */
const struct kind *kind_named(const char *group, const char *name);
/* An apiVersion; `version` NULL: the stored one. In the arena. */
const char *kind_api_version(struct arena *a, const struct kind *k, const char *version);
/* "backends.gateway.envoyproxy.io", as messages of an API server name it; "secrets". */
const char *kind_resource(struct arena *a, const struct kind *k);

#endif
