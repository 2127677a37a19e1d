/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy, spec.rateLimit. Its local and global rules have the same fields. */
#include "manifest/policy.h"
#include "manifest/rules.h"

#define ROW_INVERT                                                                                 \
	{.name = "invert",                                                                         \
	 .type = FIELD_BOOL,                                                                       \
	 .preset = "false",                                                                        \
	 .text = "What does not match is meant."}

static const char *const value_types[] = {"Exact", "RegularExpression", "Distinct", NULL};
/* Of headers and of parameters alike. */
static const struct field value_match_fields[] = {
	ROW_INVERT,
	{.name = "name",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(256),
	 .text = "Its name."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = value_types,
	 .preset = "\"Exact\"",
	 .text = "How the value is compared. Distinct: each value is counted by itself."},
	{.name = "value",
	 .type = FIELD_STRING,
	 FIELD_MAX(1024),
	 .text = "Its value; not for Distinct."},
	FIELD_END,
};
static const struct field value_match_row = {.type = FIELD_OBJECT, .fields = value_match_fields};

static const char *const methods[] = {"GET",	 "HEAD",    "POST",  "PUT",   "DELETE",
				      "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};
static const struct field method_fields[] = {
	ROW_INVERT,
	{.name = "value",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = methods,
	 .text = "The method."},
	FIELD_END,
};
static const struct field method_row = {.type = FIELD_OBJECT, .fields = method_fields};

static const char *const path_types[] = {"Exact", "PathPrefix", "RegularExpression", NULL};
static const struct field path_fields[] = {
	ROW_INVERT,
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = path_types,
	 .preset = "\"PathPrefix\"",
	 .text = "How the path is compared."},
	{.name = "value",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MAX(1024),
	 .preset = "\"/\"",
	 .text = "The path, its beginning, or a regular expression."},
	FIELD_END,
};

static const char *const source_types[] = {"Exact", "Distinct", NULL};
static const struct field source_fields[] = {
	ROW_INVERT,
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = source_types,
	 .preset = "\"Exact\"",
	 .text = "Distinct: each address is counted by itself."},
	{.name = "value",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(256),
	 .text = "Addresses of clients, such as 192.0.2.0/24."},
	FIELD_END,
};

static const struct field client_fields[] = {
	{.name = "headers",
	 .type = FIELD_LIST,
	 .item = &value_match_row,
	 FIELD_MAX(128),
	 .text = "Headers that all must be there."},
	{.name = "methods",
	 .type = FIELD_LIST,
	 .item = &method_row,
	 .text = "Methods, of which one must be used."},
	{.name = "path",
	 .type = FIELD_OBJECT,
	 .fields = path_fields,
	 .text = "Path of the request."},
	{.name = "queryParams",
	 .type = FIELD_LIST,
	 .item = &value_match_row,
	 FIELD_MAX(16),
	 .text = "Parameters of the query that all must be there."},
	{.name = "sourceCIDR",
	 .type = FIELD_OBJECT,
	 .fields = source_fields,
	 .text = "Address of the client."},
	FIELD_END,
};
static const struct field client_row = {
	.type = FIELD_OBJECT, .fields = client_fields, .rules = policy_client_rules};

static const struct field cost_metadata_fields[] = {
	{.name = "key", .type = FIELD_STRING, .required = true, .text = "Key of the number."},
	{.name = "namespace",
	 .type = FIELD_STRING,
	 .required = true,
	 .text = "Namespace of the metadata."},
	FIELD_END,
};
static const char *const cost_sources[] = {"Number", "Metadata", NULL};
static const struct field cost_part_fields[] = {
	{.name = "from",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = cost_sources,
	 .text = "Number or Metadata."},
	{.name = "metadata",
	 .type = FIELD_OBJECT,
	 .fields = cost_metadata_fields,
	 .text = "For Metadata: where the number is found."},
	{.name = "number",
	 .type = FIELD_INT64,
	 FIELD_MIN(0),
	 .text = "For Number: what is counted; 0 only looks."},
	FIELD_END,
};
#define ROW_COST(key, description)                                                                 \
	{.name = key,                                                                              \
	 .type = FIELD_OBJECT,                                                                     \
	 .fields = cost_part_fields,                                                               \
	 .rules = policy_cost_rules,                                                               \
	 .text = description}
static const struct field cost_fields[] = {
	ROW_COST("request", "Counted when a request comes; 1 when absent."),
	ROW_COST("response", "Counted when a request is done; nothing when absent."),
	FIELD_END,
};

static const struct field limit_metadata_fields[] = {
	{.name = "key",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 .text = "Key of the limit."},
	{.name = "namespace",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 .text = "Namespace of the metadata."},
	FIELD_END,
};
static const char *const units[] = {"Second", "Minute", "Hour", "Day",
				    "Week",   "Month",	"Year", NULL};
static const struct field limit_fields[] = {
	{.name = "fromMetadata",
	 .type = FIELD_OBJECT,
	 .fields = limit_metadata_fields,
	 .text = "Where the limit of a request is found, in place of the other two."},
	ROW_COUNT("requests", 0, "Requests in this time.", .required = true),
	{.name = "unit",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = units,
	 .text = "Second, Minute, Hour, Day, Week, Month or Year."},
	FIELD_END,
};

static const char *const header_forms[] = {"Off", "DraftVersion03", NULL};
static const struct field rule_fields[] = {
	{.name = "clientSelectors",
	 .type = FIELD_LIST,
	 .item = &client_row,
	 FIELD_MAX(8),
	 .text = "Which requests are counted: those that all of them match; all when absent."},
	{.name = "cost",
	 .type = FIELD_OBJECT,
	 .fields = cost_fields,
	 .text = "What a request counts."},
	{.name = "limit",
	 .type = FIELD_OBJECT,
	 .fields = limit_fields,
	 .required = true,
	 .text = "How many are let through."},
	{.name = "shadowMode",
	 .type = FIELD_BOOL,
	 .text = "It is counted, but nothing is turned away."},
	{.name = "shared",
	 .type = FIELD_BOOL,
	 .text = "All targets of the policy are counted together."},
	{.name = "xRateLimitHeaders",
	 .type = FIELD_STRING,
	 .values = header_forms,
	 .text = "Whether answers say how many requests are left."},
	FIELD_END,
};
static const struct field rule_row = {.type = FIELD_OBJECT, .fields = rule_fields};

static const struct field global_fields[] = {
	{.name = "rules",
	 .type = FIELD_LIST,
	 .item = &rule_row,
	 .required = true,
	 FIELD_MAX(256),
	 .text = "Limits, of which all hold that match."},
	FIELD_END,
};
static const struct field local_fields[] = {
	{.name = "rules",
	 .type = FIELD_LIST,
	 .item = &rule_row,
	 FIELD_MAX(16),
	 .rules = policy_local_limit_rules,
	 .text = "Limits, of which the strictest holds that matches."},
	FIELD_END,
};
static const char *const types[] = {"Global", "Local", NULL};
const struct field policy_rate_fields[] = {
	{.name = "global",
	 .type = FIELD_OBJECT,
	 .fields = global_fields,
	 .text = "Counted by all gateways together."},
	{.name = "local",
	 .type = FIELD_OBJECT,
	 .fields = local_fields,
	 .text = "Counted by each gateway alone."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = types,
	 .text = "Older: which of the two is meant."},
	FIELD_END,
};
