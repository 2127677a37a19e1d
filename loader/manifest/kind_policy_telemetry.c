/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy, spec.telemetry. */
#include "manifest/policy.h"
#include "manifest/rules.h"

static const struct field metrics_fields[] = {
	{.name = "routeStatName",
	 .type = FIELD_STRING,
	 .text = "What the statistics of a route are called."},
	FIELD_END,
};

#define ROW_FALLBACK_VALUE                                                                         \
	{.name = "defaultValue", .type = FIELD_STRING, .text = "Where there is none."}
static const struct field environment_fields[] = {
	ROW_FALLBACK_VALUE,
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Name of the variable."},
	FIELD_END,
};
static const struct field literal_fields[] = {
	{.name = "value", .type = FIELD_STRING, .required = true, .text = "The value."},
	FIELD_END,
};
static const struct field request_header_fields[] = {
	ROW_FALLBACK_VALUE,
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Name of the header."},
	FIELD_END,
};
static const char *const tag_types[] = {"Literal", "Environment", "RequestHeader", NULL};
static const struct field tag_fields[] = {
	{.name = "environment",
	 .type = FIELD_OBJECT,
	 .fields = environment_fields,
	 .text = "For Environment: a variable of the environment."},
	{.name = "literal",
	 .type = FIELD_OBJECT,
	 .fields = literal_fields,
	 .text = "For Literal: a value."},
	{.name = "requestHeader",
	 .type = FIELD_OBJECT,
	 .fields = request_header_fields,
	 .text = "For RequestHeader: a header of the request."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = tag_types,
	 .preset = "\"Literal\"",
	 .text = "Literal, Environment or RequestHeader."},
	FIELD_END,
};
static const struct field tag_row = {.type = FIELD_OBJECT, .fields = tag_fields};

static const struct field span_fields[] = {
	{.name = "client",
	 .type = FIELD_STRING,
	 .required = true,
	 .text = "Name of the span towards the client."},
	{.name = "server",
	 .type = FIELD_STRING,
	 .required = true,
	 .text = "Name of the span towards the endpoint."},
	FIELD_END,
};
static const struct field tracing_fields[] = {
	ROW_FRACTION("clientSamplingFraction",
		     "Part of the requests that are traced because the client asks for it."),
	{.name = "customTags",
	 .type = FIELD_MAP,
	 .item = &tag_row,
	 .text = "Older spelling of tags."},
	ROW_FRACTION("overallSamplingFraction",
		     "Part of the requests that are traced after all other choices."),
	ROW_FRACTION("samplingFraction",
		     "Part of the requests that are traced when nobody has chosen."),
	{.name = "spanName",
	 .type = FIELD_OBJECT,
	 .fields = span_fields,
	 .text = "Names of the spans."},
	{.name = "tags",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "What is added to each span."},
	FIELD_END,
};
const struct field policy_telemetry_fields[] = {
	{.name = "metrics", .type = FIELD_OBJECT, .fields = metrics_fields, .text = "Statistics."},
	{.name = "tracing", .type = FIELD_OBJECT, .fields = tracing_fields, .text = "Traces."},
	FIELD_END,
};
