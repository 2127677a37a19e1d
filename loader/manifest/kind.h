/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds this program knows, one row each in kind.c; field tables are in kind_NAME.c. */
#ifndef SPILLWAY_MANIFEST_KIND_H
#define SPILLWAY_MANIFEST_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum kind_id {
	KIND_BACKEND,
	KIND_GATEWAY,
	KIND_TCPROUTE,
	KIND_UDPROUTE,
	KIND_BACKENDTRAFFICPOLICY,
	KIND_REFERENCEGRANT,
	KIND_MAX,
};

struct field; /* manifest/schema.h */

struct kind {
	enum kind_id id;
	const char *name;	     /* "Backend" */
	const char *group;	     /* "gateway.envoyproxy.io" */
	const char *const *versions; /* served, the stored one first, NULL-terminated */
	const char *plural;	     /* "backends" */
	const char *singular;	     /* "backend" */
	const char *const *shorts;   /* "be", NULL-terminated */
	const struct field
		*fields;	 /* of the whole object: apiVersion, kind, metadata, spec, status */
	const char *description; /* for `explain` */
};

extern const struct kind kinds[KIND_MAX];

/* By a user's word: plural, singular, short name, or plural.group, any case. NULL if none. */
const struct kind *kind_find(const char *word);
/* By an object's apiVersion ("group/version") and kind. NULL if none. */
const struct kind *kind_lookup(const char *api_version, const char *name);

#endif
