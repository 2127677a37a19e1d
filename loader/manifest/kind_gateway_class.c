/* SPDX-License-Identifier: BSD-2-Clause */
/* GatewayClass, gateway.networking.k8s.io: one for the whole cluster, in no namespace. */
#include "manifest/fields.h"

static const struct field parameters_fields[] = {
	ROW_GROUP("API group of the referent.", .required = true),
	ROW_KIND("Kind of the referent.", .required = true),
	ROW_NAME("Name of the referent.", .required = true),
	ROW_NAMESPACE("Namespace of the referent."),
	FIELD_END,
};

static const struct field spec_fields[] = {
	{.name = "controllerName",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_controller,
	 .text = "Who takes care of its Gateways; Spillway when it is spillway.dev/gateway.",
	 .acts = ACTS_BOTH},
	{.name = "description",
	 .type = FIELD_STRING,
	 FIELD_MAX(64),
	 .text = "A few words for people."},
	{.name = "parametersRef",
	 .type = FIELD_OBJECT,
	 .fields = parameters_fields,
	 .text = "Further settings of implementations; none here.",
	 .acts = ACTS_NOWHERE},
	FIELD_END,
};

static const struct field feature_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Name of the feature."},
	FIELD_END,
};
static const struct field feature_row = {.type = FIELD_OBJECT, .fields = feature_fields};
static const struct field status_fields[] = {
	{.name = "conditions",
	 .type = FIELD_LIST,
	 .item = &row_condition,
	 .list_key = "type",
	 FIELD_MAX(8),
	 .text = "What was found out about it."},
	{.name = "supportedFeatures",
	 .type = FIELD_LIST,
	 .item = &feature_row,
	 .list_key = "name",
	 FIELD_MAX(64),
	 .text = "Always absent."},
	FIELD_END,
};

const struct field gateway_class_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .text = "Who takes care of the class.",
	 .acts = ACTS_META},
	ROW_STATUS(status_fields),
	FIELD_END,
};
