/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters of an HTTPRoute, the types of upstream's standard channel. */
#include "manifest/fields.h"
#include "manifest/rules.h"

#define HEADER_NAME .type = FIELD_STRING, FIELD_MIN(1), FIELD_MAX(256), .pattern = &pattern_header
#define ROW_HOSTNAME(description)                                                                  \
	{.name = "hostname",                                                                       \
	 .type = FIELD_STRING,                                                                     \
	 FIELD_MIN(1),                                                                             \
	 FIELD_MAX(253),                                                                           \
	 .pattern = &pattern_subdomain,                                                            \
	 .text = description}

static const struct field header_fields[] = {
	{.name = "name", HEADER_NAME, .required = true, .text = "Name of the header."},
	{.name = "value",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(4096),
	 .text = "Value of the header."},
	FIELD_END,
};
static const struct field header_row = {.type = FIELD_OBJECT, .fields = header_fields};
#define ROW_HEADERS(key, description)                                                              \
	{.name = key,                                                                              \
	 .type = FIELD_LIST,                                                                       \
	 .item = &header_row,                                                                      \
	 .list_key = "name",                                                                       \
	 FIELD_MAX(16),                                                                            \
	 .text = description}
const struct field header_modifier_fields[] = {
	ROW_HEADERS("add", "Headers that get one more value."),
	{.name = "remove",
	 .type = FIELD_LIST,
	 .item = &row_text,
	 .is_set = true,
	 FIELD_MAX(16),
	 .text = "Names of headers that are taken out."},
	ROW_HEADERS("set", "Headers that get this value instead of theirs."),
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
	 .text = "In place of the beginning that the rule's PathPrefix matched."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = path_types,
	 .text = "Which of the two."},
	FIELD_END,
};
#define ROW_PATH                                                                                   \
	{.name = "path",                                                                           \
	 .type = FIELD_OBJECT,                                                                     \
	 .fields = path_fields,                                                                    \
	 .rules = http_path_modifier_rules,                                                        \
	 .text = "What becomes of the path."}

static const char *const schemes[] = {"http", "https", NULL};
static const char *const statuses[] = {"301", "302", "303", "307", "308", NULL};
static const struct field redirect_fields[] = {
	ROW_HOSTNAME("Host to go to; the one asked for when absent."),
	ROW_PATH,
	ROW_PORT("Port to go to."),
	{.name = "scheme", .type = FIELD_STRING, .values = schemes, .text = "http or https."},
	{.name = "statusCode",
	 .type = FIELD_INT64,
	 .values = statuses,
	 .preset = "302",
	 .text = "Status of the answer."},
	FIELD_END,
};
static const struct field rewrite_fields[] = {
	ROW_HOSTNAME("Host header that endpoints get."),
	ROW_PATH,
	FIELD_END,
};

static const struct field mirror_ref_fields[] = {ROWS_BACKEND, FIELD_END};
static const struct field mirror_fields[] = {
	{.name = "backendRef",
	 .type = FIELD_OBJECT,
	 .fields = mirror_ref_fields,
	 .required = true,
	 .rules = route_backend_ref_rules,
	 .text = "Backend that gets a copy; its answers are thrown away."},
	{.name = "fraction",
	 .type = FIELD_OBJECT,
	 .fields = fraction_fields,
	 .rules = http_fraction_rules,
	 .text = "Part of the requests that is copied."},
	{.name = "percent",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 FIELD_MAX(100),
	 .text = "The same in percent."},
	FIELD_END,
};

static const struct field origin_row = {
	.type = FIELD_STRING, FIELD_MIN(1), FIELD_MAX(253), .pattern = &pattern_origin};
static const struct field header_name_row = {HEADER_NAME};
static const char *const methods[] = {"GET",	 "HEAD",  "POST",  "PUT", "DELETE", "CONNECT",
				      "OPTIONS", "TRACE", "PATCH", "*",	  NULL};
static const struct field method_row = {.type = FIELD_STRING, .values = methods};
#define ROW_SET(key, row, most, ...)                                                               \
	{.name = key,                                                                              \
	 .type = FIELD_LIST,                                                                       \
	 .item = &(row),                                                                           \
	 .is_set = true,                                                                           \
	 FIELD_MAX(most),                                                                          \
	 ##__VA_ARGS__}
static const struct field cors_fields[] = {
	{.name = "allowCredentials",
	 .type = FIELD_BOOL,
	 .text = "Whether requests may carry credentials."},
	ROW_SET("allowHeaders", header_name_row, 64, .rules = http_headers_rules,
		.text = "Headers that requests may have."),
	ROW_SET("allowMethods", method_row, 9, .rules = http_methods_rules,
		.text = "Methods that requests may use."),
	ROW_SET("allowOrigins", origin_row, 64, .rules = http_origins_rules,
		.text = "Who may ask."),
	ROW_SET("exposeHeaders", header_name_row, 64, .text = "Headers that scripts may read."),
	{.name = "maxAge",
	 .type = FIELD_INT32,
	 FIELD_MIN(1),
	 .preset = "5",
	 .text = "Seconds for which a client may keep the answer."},
	FIELD_END,
};

static const struct field extension_fields[] = {
	ROW_GROUP("API group of the filter.", .required = true),
	ROW_KIND("Kind of the filter.", .required = true),
	ROW_NAME("Name of the filter.", .required = true),
	FIELD_END,
};

static const char *const filter_types[] = {"RequestHeaderModifier",
					   "ResponseHeaderModifier",
					   "RequestMirror",
					   "RequestRedirect",
					   "URLRewrite",
					   "ExtensionRef",
					   "CORS",
					   NULL};
static const struct field filter_fields[] = {
	{.name = "cors",
	 .type = FIELD_OBJECT,
	 .fields = cors_fields,
	 .text = "For CORS: which scripts of other origins may ask.",
	 .acts = ACTS_NOWHERE},
	{.name = "extensionRef",
	 .type = FIELD_OBJECT,
	 .fields = extension_fields,
	 .text = "For ExtensionRef: a filter of an implementation. A rule with one answers 500.",
	 .acts = ACTS_NOWHERE},
	{.name = "requestHeaderModifier",
	 .type = FIELD_OBJECT,
	 .fields = header_modifier_fields,
	 .text = "For RequestHeaderModifier: what becomes of headers of requests."},
	{.name = "requestMirror",
	 .type = FIELD_OBJECT,
	 .fields = mirror_fields,
	 .rules = http_mirror_rules,
	 .text = "For RequestMirror: who gets a copy.",
	 .acts = ACTS_NOWHERE},
	{.name = "requestRedirect",
	 .type = FIELD_OBJECT,
	 .fields = redirect_fields,
	 .text = "For RequestRedirect: where clients are sent."},
	{.name = "responseHeaderModifier",
	 .type = FIELD_OBJECT,
	 .fields = header_modifier_fields,
	 .text = "For ResponseHeaderModifier: what becomes of headers of answers."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = filter_types,
	 .text = "Which of the fields says what to do."},
	{.name = "urlRewrite",
	 .type = FIELD_OBJECT,
	 .fields = rewrite_fields,
	 .text = "For URLRewrite: what becomes of the host and path of requests."},
	FIELD_END,
};
const struct field row_filter = {
	.type = FIELD_OBJECT, .fields = filter_fields, .rules = http_filter_rules};
