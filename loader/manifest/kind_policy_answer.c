/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy, spec.responseOverride: other answers in place of some. */
#include "manifest/policy.h"
#include "manifest/rules.h"

static const char *const text_types[] = {"Exact", "Prefix", "Suffix", "RegularExpression", NULL};
static const struct field text_match_fields[] = {
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = text_types,
	 .preset = "\"Exact\"",
	 .text = "How the value is compared."},
	{.name = "value",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(1024),
	 .text = "The value, its beginning or end, or a regular expression."},
	FIELD_END,
};
static const struct field header_match_fields[] = {
	{.name = "name",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(256),
	 .pattern = &pattern_header,
	 .text = "Name of the header."},
	{.name = "value",
	 .type = FIELD_OBJECT,
	 .fields = text_match_fields,
	 .required = true,
	 .text = "Its value."},
	FIELD_END,
};
static const struct field header_match_row = {.type = FIELD_OBJECT, .fields = header_match_fields};

static const struct field range_fields[] = {
	{.name = "end", .type = FIELD_INT64, .required = true, .text = "Last status."},
	{.name = "start", .type = FIELD_INT64, .required = true, .text = "First status."},
	FIELD_END,
};
static const char *const status_types[] = {"Value", "Range", NULL};
static const struct field status_fields[] = {
	{.name = "range",
	 .type = FIELD_OBJECT,
	 .fields = range_fields,
	 .rules = policy_range_rules,
	 .text = "For Range: several in a row."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = status_types,
	 .preset = "\"Value\"",
	 .text = "Value or Range."},
	{.name = "value", .type = FIELD_INT64, .text = "For Value: a status."},
	FIELD_END,
};
static const struct field status_row = {
	.type = FIELD_OBJECT, .fields = status_fields, .rules = policy_status_rules};
static const struct field match_fields[] = {
	{.name = "responseHeaders",
	 .type = FIELD_LIST,
	 .item = &header_match_row,
	 FIELD_MIN(1),
	 FIELD_MAX(16),
	 .text = "Headers that all must be there."},
	{.name = "statusCodes",
	 .type = FIELD_LIST,
	 .item = &status_row,
	 FIELD_MIN(1),
	 FIELD_MAX(50),
	 .text = "Statuses, of which the answer has one."},
	FIELD_END,
};

static const char *const path_types[] = {"ReplaceFullPath", "ReplacePrefixMatch", NULL};
static const struct field path_fields[] = {
	{.name = "replaceFullPath",
	 .type = FIELD_STRING,
	 FIELD_MAX(1024),
	 .text = "In place of the whole path."},
	{.name = "replacePrefixMatch",
	 .type = FIELD_STRING,
	 FIELD_MAX(1024),
	 .text = "Not possible here."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = path_types,
	 .text = "ReplaceFullPath."},
	FIELD_END,
};
static const char *const schemes[] = {"http", "https", NULL};
static const char *const redirects[] = {"301", "302", NULL};
static const struct field redirect_fields[] = {
	{.name = "hostname",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_subdomain,
	 .text = "Host to go to; the one asked for when absent."},
	{.name = "path",
	 .type = FIELD_OBJECT,
	 .fields = path_fields,
	 .rules = policy_redirect_path_rules,
	 .text = "What becomes of the path."},
	{.name = "port", .type = FIELD_INT32, .text = "Port to go to."},
	{.name = "scheme", .type = FIELD_STRING, .values = schemes, .text = "http or https."},
	{.name = "statusCode",
	 .type = FIELD_INT64,
	 .values = redirects,
	 .preset = "302",
	 .text = "Status of the answer."},
	FIELD_END,
};

static const struct field value_ref_fields[] = {
	ROW_GROUP("API group of the referent, empty for a ConfigMap.", .required = true),
	ROW_KIND("ConfigMap.", .required = true),
	ROW_NAME("Name of the ConfigMap.", .required = true),
	FIELD_END,
};
static const char *const body_types[] = {"Inline", "ValueRef", NULL};
static const struct field body_fields[] = {
	{.name = "inline", .type = FIELD_STRING, .text = "For Inline: the text."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = body_types,
	 .preset = "\"Inline\"",
	 .text = "Inline or ValueRef."},
	{.name = "valueRef",
	 .type = FIELD_OBJECT,
	 .fields = value_ref_fields,
	 .text = "For ValueRef: the key response.body of a ConfigMap."},
	FIELD_END,
};
static const struct field response_fields[] = {
	{.name = "body",
	 .type = FIELD_OBJECT,
	 .fields = body_fields,
	 .rules = policy_body_rules,
	 .text = "Body of the answer."},
	{.name = "contentType", .type = FIELD_STRING, .text = "The answer's Content-Type."},
	{.name = "header",
	 .type = FIELD_OBJECT,
	 .fields = header_modifier_fields,
	 .rules = policy_header_rules,
	 .text = "Headers that are added or set."},
	{.name = "statusCode",
	 .type = FIELD_INT64,
	 .text = "Status of the answer; as it was when absent."},
	FIELD_END,
};

static const char *const sources[] = {"All", "Local", "Backend", NULL};
static const struct field answer_fields[] = {
	{.name = "match",
	 .type = FIELD_OBJECT,
	 .fields = match_fields,
	 .required = true,
	 .rules = policy_match_rules,
	 .text = "Which answers."},
	{.name = "redirect",
	 .type = FIELD_OBJECT,
	 .fields = redirect_fields,
	 .text = "Clients are sent elsewhere."},
	{.name = "response",
	 .type = FIELD_OBJECT,
	 .fields = response_fields,
	 .text = "What clients get instead."},
	{.name = "source",
	 .type = FIELD_STRING,
	 .values = sources,
	 .text = "Local: answers of the gateway. Backend: those of endpoints."},
	FIELD_END,
};
const struct field row_policy_answer = {
	.type = FIELD_OBJECT, .fields = answer_fields, .rules = policy_answer_rules};
