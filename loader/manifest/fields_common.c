/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that all kinds share: object metadata, conditions, status of routes and policies. */
#include "manifest/fields.h"

const struct field row_text = {.type = FIELD_STRING};

static const struct field owner_fields[] = {
	{.name = "apiVersion", .type = FIELD_STRING, .required = true, .text = "Its API version."},
	{.name = "blockOwnerDeletion", .type = FIELD_BOOL, .text = "Kept, without effect."},
	{.name = "controller",
	 .type = FIELD_BOOL,
	 .text = "Whether it is the managing controller."},
	{.name = "kind", .type = FIELD_STRING, .required = true, .text = "Its kind."},
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Its name."},
	{.name = "uid", .type = FIELD_STRING, .required = true, .text = "Its unique id."},
	FIELD_END,
};
static const struct field owner = {
	.type = FIELD_OBJECT, .fields = owner_fields, .type_name = "OwnerReference"};

static const struct field managed_fields[] = {
	{.name = "apiVersion", .type = FIELD_STRING, .text = "Version the fields belong to."},
	{.name = "fieldsType", .type = FIELD_STRING, .text = "Always FieldsV1."},
	{.name = "fieldsV1",
	 .type = FIELD_ANY,
	 .text = "The set of fields.",
	 .type_name = "FieldsV1"},
	{.name = "manager", .type = FIELD_STRING, .text = "Who manages the fields."},
	{.name = "operation", .type = FIELD_STRING, .text = "Apply or Update."},
	{.name = "subresource", .type = FIELD_STRING, .text = "status, or nothing."},
	{.name = "time", .type = FIELD_STRING, .text = "When the entry was last changed."},
	FIELD_END,
};
static const struct field managed = {
	.type = FIELD_OBJECT, .fields = managed_fields, .type_name = "ManagedFieldsEntry"};

const struct field metadata_fields[] = {
	{.name = "annotations",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Free text of tools. Names that begin with spillway.dev/ are Spillway's own: "
		 "docs/reference/annotations.md lists them, and others of that domain are refused."},
	{.name = "creationTimestamp",
	 .type = FIELD_STRING,
	 .text = "Set when the resource is stored."},
	{.name = "deletionGracePeriodSeconds",
	 .type = FIELD_INT64,
	 .text = "Kept, without effect."},
	{.name = "deletionTimestamp", .type = FIELD_STRING, .text = "Kept, without effect."},
	{.name = "finalizers",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .text = "Kept, without effect."},
	{.name = "generateName",
	 .type = FIELD_STRING,
	 .text = "Not usable with apply: a resource needs a name."},
	{.name = "generation", .type = FIELD_INT64, .text = "Counts changes of spec."},
	{.name = "labels",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Words to select resources by."},
	{.name = "managedFields",
	 .type = FIELD_LIST,
	 .item = &managed,
	 .text = "Kept, without effect."},
	{.name = "name",
	 .type = FIELD_STRING,
	 .text = "Unique among the resources of its kind and namespace; cannot be changed."},
	{.name = "namespace",
	 .type = FIELD_STRING,
	 .text = "\"default\" when nothing else is said."},
	{.name = "ownerReferences",
	 .type = FIELD_LIST,
	 .item = &owner,
	 .text = "Resources that this one depends on; kept, without effect."},
	{.name = "resourceVersion",
	 .type = FIELD_STRING,
	 .text = "Changes with every write; given back, it guards against overwriting."},
	{.name = "selfLink", .type = FIELD_STRING, .text = "Kept, without effect."},
	{.name = "uid",
	 .type = FIELD_STRING,
	 .text = "Unique id, set when the resource is stored."},
	FIELD_END,
};

static const char *const condition_status[] = {"True", "False", "Unknown", NULL};

static const struct field condition_fields[] = {
	{.name = "lastTransitionTime",
	 .type = FIELD_STRING,
	 .required = true,
	 .text = "When the status last changed."},
	{.name = "message",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MAX(32768),
	 .text = "A sentence for people."},
	{.name = "observedGeneration",
	 .type = FIELD_INT64,
	 FIELD_MIN(0),
	 .text = "The generation of the resource that was looked at."},
	{.name = "reason",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(1024),
	 .pattern = &pattern_reason,
	 .text = "One word for programs."},
	{.name = "status",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = condition_status,
	 .text = "Whether the condition holds."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MAX(316),
	 .pattern = &pattern_condition,
	 .text = "What the condition is about."},
	FIELD_END,
};
const struct field row_condition = {.type = FIELD_OBJECT, .fields = condition_fields};

static const struct field parent_ref_fields[] = {
	ROW_GROUP("API group of the parent.", .preset = "\"gateway.networking.k8s.io\""),
	ROW_KIND("Kind of the parent.", .preset = "\"Gateway\""),
	ROW_NAME("Name of the parent.", .required = true),
	ROW_NAMESPACE("Namespace of the parent."),
	ROW_PORT("Port of the parent."),
	ROW_SECTION("sectionName", "Listener of the parent."),
	FIELD_END,
};

#define ROW_CONDITIONS                                                                             \
	{.name = "conditions",                                                                     \
	 .type = FIELD_LIST,                                                                       \
	 .item = &row_condition,                                                                   \
	 .list_key = "type",                                                                       \
	 .required = true,                                                                         \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(8),                                                                             \
	 .text = "What was found out."}
#define ROW_CONTROLLER                                                                             \
	{.name = "controllerName",                                                                 \
	 .type = FIELD_STRING,                                                                     \
	 .required = true,                                                                         \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(253),                                                                           \
	 .pattern = &pattern_controller,                                                           \
	 .text = "Who says so."}

static const struct field parent_fields[] = {
	ROW_CONDITIONS,
	ROW_CONTROLLER,
	{.name = "parentRef",
	 .type = FIELD_OBJECT,
	 .fields = parent_ref_fields,
	 .required = true,
	 .text = "The parent that this is about."},
	FIELD_END,
};
static const struct field parent_entry = {.type = FIELD_OBJECT, .fields = parent_fields};

const struct field route_status_fields[] = {
	{.name = "parents",
	 .type = FIELD_LIST,
	 .item = &parent_entry,
	 .required = true,
	 FIELD_MAX(32),
	 .text = "One entry for each Gateway that the route names."},
	FIELD_END,
};

static const struct field ancestor_fields[] = {
	{.name = "ancestorRef",
	 .type = FIELD_OBJECT,
	 .fields = parent_ref_fields,
	 .required = true,
	 .text = "The target that this is about."},
	ROW_CONDITIONS,
	ROW_CONTROLLER,
	FIELD_END,
};
static const struct field ancestor_entry = {.type = FIELD_OBJECT, .fields = ancestor_fields};

/* What the daemon shows must be a manifest again, so its own conditions are known. */
const struct field policy_status_fields[] = {
	{.name = "ancestors",
	 .type = FIELD_LIST,
	 .item = &ancestor_entry,
	 FIELD_MAX(16),
	 .text = "One entry for each target."},
	{.name = "conditions",
	 .type = FIELD_LIST,
	 .item = &row_condition,
	 .list_key = "type",
	 .text = "What was found out about the policy, whatever the target."},
	FIELD_END,
};

const struct field fraction_fields[] = {
	{.name = "denominator",
	 .type = FIELD_INT32,
	 FIELD_MIN(1),
	 .preset = "100",
	 .text = "Of so many."},
	{.name = "numerator",
	 .type = FIELD_INT32,
	 .required = true,
	 FIELD_MIN(0),
	 .text = "So many."},
	FIELD_END,
};

const struct field secret_ref_fields[] = {
	ROW_GROUP("API group of the referent, empty for a Secret.", .preset = "\"\""),
	ROW_KIND("Secret.", .preset = "\"Secret\""),
	ROW_NAME("Name of the Secret.", .required = true),
	ROW_NAMESPACE("Namespace of the Secret; that of the resource when absent."),
	FIELD_END,
};
const struct field row_secret_ref = {.type = FIELD_OBJECT, .fields = secret_ref_fields};

static const struct field requirement_fields[] = {
	{.name = "key", .type = FIELD_STRING, .required = true, .text = "Label that is looked at."},
	{.name = "operator",
	 .type = FIELD_STRING,
	 .required = true,
	 .text = "In, NotIn, Exists or DoesNotExist."},
	{.name = "values", .type = FIELD_LIST, .item = &row_text, .text = "For In and NotIn."},
	FIELD_END,
};
const struct field row_requirement = {.type = FIELD_OBJECT, .fields = requirement_fields};

const struct field label_selector_fields[] = {
	{.name = "matchExpressions",
	 .type = FIELD_LIST,
	 .item = &row_requirement,
	 .text = "Requirements that all must hold."},
	{.name = "matchLabels",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Labels that all must be there, with these values."},
	FIELD_END,
};
