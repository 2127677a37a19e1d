/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that several tables are made of. */
#ifndef SPILLWAY_MANIFEST_FIELDS_H
#define SPILLWAY_MANIFEST_FIELDS_H

#include "manifest/schema.h"

/* The first rows of each kind's table. */
#define ROW_ENVELOPE                                                                               \
	{.name = "apiVersion",                                                                     \
	 .type = FIELD_STRING,                                                                     \
	 .text = "Group and version of the kind.",                                                 \
	 .acts = ACTS_META},                                                                       \
		{.name = "kind",                                                                   \
		 .type = FIELD_STRING,                                                             \
		 .text = "The kind of the resource.",                                              \
		 .acts = ACTS_META},                                                               \
	{                                                                                          \
		.name = "metadata", .type = FIELD_OBJECT, .fields = metadata_fields,               \
		.type_name = "ObjectMeta", .text = "Name, namespace, labels and annotations.",     \
		.acts = ACTS_META                                                                  \
	}
/* The last row of most kinds' tables. */
#define ROW_STATUS(rows)                                                                           \
	{.name = "status",                                                                         \
	 .type = FIELD_OBJECT,                                                                     \
	 .fields = (rows),                                                                         \
	 .text = "What became of it; set by the daemon, ignored in manifests.",                    \
	 .acts = ACTS_META}

/* Parts of references; what differs (required, preset) follows the description. */
#define ROW_GROUP(description, ...)                                                                \
	{.name = "group",                                                                          \
	 .type = FIELD_STRING,                                                                     \
	 FIELD_MAX(253),                                                                           \
	 .pattern = &pattern_group,                                                                \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_KIND(description, ...)                                                                 \
	{.name = "kind",                                                                           \
	 .type = FIELD_STRING,                                                                     \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(63),                                                                            \
	 .pattern = &pattern_kind,                                                                 \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_NAME(description, ...)                                                                 \
	{.name = "name",                                                                           \
	 .type = FIELD_STRING,                                                                     \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(253),                                                                           \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_NAMESPACE(description, ...)                                                            \
	{.name = "namespace",                                                                      \
	 .type = FIELD_STRING,                                                                     \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(63),                                                                            \
	 .pattern = &pattern_label,                                                                \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_SECTION(key, description, ...)                                                         \
	{.name = key,                                                                              \
	 .type = FIELD_STRING,                                                                     \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(253),                                                                           \
	 .pattern = &pattern_subdomain,                                                            \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_PORT(description, ...)                                                                 \
	{.name = "port",                                                                           \
	 .type = FIELD_INT32,                                                                      \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(65535),                                                                         \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_DURATION(key, description, ...)                                                        \
	{.name = key,                                                                              \
	 .type = FIELD_STRING,                                                                     \
	 .pattern = &pattern_duration,                                                             \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}

/* Of a reference to a Backend; the list of a route adds a weight. */
#define ROWS_BACKEND                                                                               \
	ROW_GROUP("gateway.envoyproxy.io for a Backend.", .preset = "\"\""),                       \
		ROW_KIND("Backend.", .preset = "\"Service\""),                                     \
		ROW_NAME("Name of the Backend.", .required = true),                                \
		ROW_NAMESPACE("Namespace of the Backend; the route's when absent. Another "        \
			      "namespace needs a ReferenceGrant there."),                          \
		ROW_PORT("Without effect for a Backend: each of its endpoints has its own port.",  \
			 .acts = ACTS_NEVER)
#define ROW_WEIGHT                                                                                 \
	{.name = "weight",                                                                         \
	 .type = FIELD_INT32,                                                                      \
	 FIELD_MIN(0),                                                                             \
	 FIELD_MAX(1000000),                                                                       \
	 .preset = "1",                                                                            \
	 .text = "Share of the traffic, relative to the other Backends of the same tier."}
#define ROW_PARENTS                                                                                \
	{.name = "parentRefs",                                                                     \
	 .type = FIELD_LIST,                                                                       \
	 .item = &row_parent_ref,                                                                  \
	 FIELD_MAX(32),                                                                            \
	 .rules = route_parents_rules,                                                             \
	 .text = "Gateways whose listeners the route attaches to."}

/* The whole table of a route, and what carries its traffic. */
#define ROUTE_FIELDS(spec_rows, path)                                                              \
	{                                                                                          \
		ROW_ENVELOPE,                                                                      \
		{.name = "spec",                                                                   \
		 .type = FIELD_OBJECT,                                                             \
		 .fields = (spec_rows),                                                            \
		 .required = true,                                                                 \
		 .text = "Where traffic comes from and where it goes.",                            \
		 .acts = (path)},                                                                  \
		ROW_STATUS(route_status_fields),                                                   \
		FIELD_END,                                                                         \
	}

extern const struct field metadata_fields[];
extern const struct field route_status_fields[];
extern const struct field policy_status_fields[];
extern const struct field secret_ref_fields[]; /* group, kind, name, namespace; a Secret */
extern const struct field label_selector_fields[];
extern const struct field fraction_fields[]; /* numerator, denominator; http_fraction_rules */
extern const struct field header_modifier_fields[]; /* add, remove, set */
extern const struct field row_requirement;	    /* item: one of a selector's matchExpressions */
extern const struct field row_text;		    /* item: any string */
extern const struct field row_condition;	    /* item: one condition */
extern const struct field row_secret_ref;	    /* item: secret_ref_fields */
extern const struct field row_parent_ref;	    /* item: a route's parent */
extern const struct field row_filter;		    /* item: a filter of an HTTPRoute */

#endif
