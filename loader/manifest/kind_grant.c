/* SPDX-License-Identifier: BSD-2-Clause */
/* ReferenceGrant, gateway.networking.k8s.io: lets routes of other namespaces refer to this one. */
#include "manifest/fields.h"

static const struct field from_fields[] = {
	ROW_GROUP("API group of who refers.", .required = true),
	ROW_KIND("Kind of who refers, such as TCPRoute.", .required = true),
	ROW_NAMESPACE("Namespace of who refers.", .required = true),
	FIELD_END,
};
static const struct field from_row = {.type = FIELD_OBJECT, .fields = from_fields};

static const struct field to_fields[] = {
	ROW_GROUP("API group of what is referred to.", .required = true),
	ROW_KIND("Kind of what is referred to, such as Backend.", .required = true),
	ROW_NAME("Only the resource of this name; all of the kind when absent."),
	FIELD_END,
};
static const struct field to_row = {.type = FIELD_OBJECT, .fields = to_fields};

static const struct field spec_fields[] = {
	{.name = "from",
	 .type = FIELD_LIST,
	 .item = &from_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(16),
	 .text = "Who may refer to resources of this namespace."},
	{.name = "to",
	 .type = FIELD_LIST,
	 .item = &to_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(16),
	 .text = "What may be referred to."},
	FIELD_END,
};

/* Upstream leaves spec optional; a grant without one grants nothing. */
const struct field grant_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .text = "Who may refer to what.",
	 .acts = ACTS_BOTH},
	FIELD_END,
};
