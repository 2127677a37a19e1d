/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * HTTPRoute, gateway.networking.k8s.io: from hosts, paths and headers to Backends. Filters are in
 * kind_http_filter.c.
 */
#include "manifest/fields.h"
#include "manifest/rules.h"

static const char *const value_types[] = {"Exact", "RegularExpression", NULL};
#define ROWS_MATCH(what, longest)                                                                  \
	{.name = "name",                                                                           \
	 .type = FIELD_STRING,                                                                     \
	 .required = true,                                                                         \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(256),                                                                           \
	 .pattern = &pattern_header,                                                               \
	 .text = "Name of the " what "."},                                                         \
		{.name = "type",                                                                   \
		 .type = FIELD_STRING,                                                             \
		 .values = value_types,                                                            \
		 .preset = "\"Exact\"",                                                            \
		 .text = "How the value is compared."},                                            \
		{.name = "value",                                                                  \
		 .type = FIELD_STRING,                                                             \
		 .required = true,                                                                 \
		 FIELD_MIN(1),                                                                     \
		 FIELD_MAX(longest),                                                               \
		 .text = "Value of the " what "."}

static const struct field header_fields[] = {ROWS_MATCH("header", 4096), FIELD_END};
static const struct field header_row = {.type = FIELD_OBJECT, .fields = header_fields};
static const struct field param_fields[] = {ROWS_MATCH("parameter", 1024), FIELD_END};
static const struct field param_row = {.type = FIELD_OBJECT, .fields = param_fields};

static const char *const path_types[] = {"Exact", "PathPrefix", "RegularExpression", NULL};
static const struct field path_fields[] = {
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = path_types,
	 .preset = "\"PathPrefix\"",
	 .text = "PathPrefix compares whole parts between slashes."},
	{.name = "value",
	 .type = FIELD_STRING,
	 FIELD_MAX(1024),
	 .preset = "\"/\"",
	 .text = "The path, its beginning, or a regular expression."},
	FIELD_END,
};

#define ANY_PATH "{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/\"}}"

static const char *const methods[] = {"GET",	 "HEAD",    "POST",  "PUT",   "DELETE",
				      "CONNECT", "OPTIONS", "TRACE", "PATCH", NULL};
static const struct field match_fields[] = {
	{.name = "headers",
	 .type = FIELD_LIST,
	 .item = &header_row,
	 .list_key = "name",
	 FIELD_MAX(16),
	 .text = "Headers that all must be there."},
	{.name = "method",
	 .type = FIELD_STRING,
	 .values = methods,
	 .text = "Method of the request; any when absent."},
	{.name = "path",
	 .type = FIELD_OBJECT,
	 .fields = path_fields,
	 .preset = "{\"type\":\"PathPrefix\",\"value\":\"/\"}",
	 .rules = http_path_rules,
	 .text = "Path of the request."},
	{.name = "queryParams",
	 .type = FIELD_LIST,
	 .item = &param_row,
	 .list_key = "name",
	 FIELD_MAX(16),
	 .text = "Parameters of the query that all must be there."},
	FIELD_END,
};
static const struct field match_row = {.type = FIELD_OBJECT, .fields = match_fields};

#define ROW_FILTERS(description, ...)                                                              \
	{.name = "filters",                                                                        \
	 .type = FIELD_LIST,                                                                       \
	 .item = &row_filter,                                                                      \
	 FIELD_MAX(16),                                                                            \
	 .rules = http_filters_rules,                                                              \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}

static const struct field backend_ref_fields[] = {
	ROW_FILTERS("What is changed in requests to this Backend only.", .acts = ACTS_NOWHERE),
	ROWS_BACKEND,
	ROW_WEIGHT,
	FIELD_END,
};
static const struct field backend_ref_row = {
	.type = FIELD_OBJECT, .fields = backend_ref_fields, .rules = route_backend_ref_rules};

static const struct field timeouts_fields[] = {
	ROW_DURATION("backendRequest", "For one request to an endpoint."),
	ROW_DURATION("request", "From the request until its answer is complete; 0s: none."),
	FIELD_END,
};

static const struct field retry_code_row = {.type = FIELD_INT64, FIELD_MIN(400), FIELD_MAX(599)};
static const struct field retry_fields[] = {
	{.name = "attempts", .type = FIELD_INT64, .text = "Tries after the first one; 0: none."},
	ROW_DURATION("backoff", "Time before a retry."),
	{.name = "codes",
	 .type = FIELD_LIST,
	 .item = &retry_code_row,
	 .text = "Statuses that are tried again."},
	FIELD_END,
};

static const char *const lifetimes[] = {"Permanent", "Session", NULL};
static const struct field session_cookie_fields[] = {
	{.name = "lifetimeType",
	 .type = FIELD_STRING,
	 .values = lifetimes,
	 .preset = "\"Session\"",
	 .text = "Permanent: the client keeps the cookie. Session: it forgets it when it ends."},
	FIELD_END,
};
static const char *const session_types[] = {"Cookie", "Header", NULL};
static const struct field session_fields[] = {
	ROW_DURATION("absoluteTimeout", "How long a session lasts."),
	{.name = "cookieConfig",
	 .type = FIELD_OBJECT,
	 .fields = session_cookie_fields,
	 .text = "For Cookie: how long the cookie is kept."},
	ROW_DURATION("idleTimeout", "How long a session lasts without a request."),
	{.name = "sessionName",
	 .type = FIELD_STRING,
	 FIELD_MAX(128),
	 .text = "Name of the cookie or header."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .values = session_types,
	 .preset = "\"Cookie\"",
	 .text = "Cookie or Header."},
	FIELD_END,
};

static const struct field rule_fields[] = {
	{.name = "backendRefs",
	 .type = FIELD_LIST,
	 .item = &backend_ref_row,
	 FIELD_MAX(16),
	 .text = "Backends that get the requests."},
	ROW_FILTERS("What is changed in requests and answers."),
	{.name = "matches",
	 .type = FIELD_LIST,
	 .item = &match_row,
	 FIELD_MAX(64),
	 .preset = "[" ANY_PATH "]",
	 .text = "Which requests the rule is for: those that any of these matches."},
	ROW_SECTION("name", "Name of the rule, for policies."),
	{.name = "retry",
	 .type = FIELD_OBJECT,
	 .fields = retry_fields,
	 .text = "Which failed requests are sent again. A BackendTrafficPolicy's `retry` works.",
	 .acts = ACTS_NOWHERE},
	{.name = "sessionPersistence",
	 .type = FIELD_OBJECT,
	 .fields = session_fields,
	 .rules = http_session_rules,
	 .text = "Requests of a client go to one endpoint.",
	 .acts = ACTS_NOWHERE},
	{.name = "timeouts",
	 .type = FIELD_OBJECT,
	 .fields = timeouts_fields,
	 .rules = http_timeouts_rules,
	 .text = "How long a request may take."},
	FIELD_END,
};
static const struct field rule_row = {
	.type = FIELD_OBJECT, .fields = rule_fields, .rules = http_rule_rules};

static const struct field hostname_row = {
	.type = FIELD_STRING, FIELD_MIN(1), FIELD_MAX(253), .pattern = &pattern_hostname};
static const struct field spec_fields[] = {
	{.name = "hostnames",
	 .type = FIELD_LIST,
	 .item = &hostname_row,
	 FIELD_MAX(16),
	 .text = "Host names that clients ask for; all of the listener's when absent."},
	ROW_PARENTS,
	{.name = "rules",
	 .type = FIELD_LIST,
	 .item = &rule_row,
	 FIELD_MIN(1),
	 FIELD_MAX(16),
	 .preset = "[{\"matches\":[" ANY_PATH "]}]",
	 .rules = http_rules_rules,
	 .text = "Which requests go where."},
	FIELD_END,
};

const struct field httproute_fields[] = ROUTE_FIELDS(spec_fields, ACTS_HTTP);
