/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy, spec.healthCheck: active checks and passive detection. */
#include "manifest/policy.h"
#include "manifest/rules.h"

static const char *const payload_types[] = {"Text", "Binary", NULL};
static const struct field payload_fields[] = {
	{.name = "binary",
	 .type = FIELD_STRING,
	 .base64 = true,
	 .text = "The bytes in base64, for Binary."},
	{.name = "text", .type = FIELD_STRING, .text = "The bytes as text, for Text."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = payload_types,
	 .text = "Text or Binary."},
	FIELD_END,
};

#define ROW_PAYLOAD(key, description)                                                              \
	{.name = key,                                                                              \
	 .type = FIELD_OBJECT,                                                                     \
	 .fields = payload_fields,                                                                 \
	 .rules = policy_payload_rules,                                                            \
	 .text = description}

static const struct field tcp_fields[] = {
	ROW_PAYLOAD("receive", "What must appear in the answer."),
	ROW_PAYLOAD("send", "What is sent once connected; nothing when absent."),
	FIELD_END,
};

static const struct field http_fields[] = {
	ROW_PAYLOAD("expectedResponse", "What must appear in the body."),
	{.name = "expectedStatuses",
	 .type = FIELD_LIST,
	 .item = &row_http_status,
	 .text = "Statuses of a healthy endpoint, 200 when absent."},
	{.name = "hostname",
	 .type = FIELD_STRING,
	 FIELD_MIN(1),
	 FIELD_MAX(253),
	 .pattern = &pattern_subdomain,
	 .text = "Host header; the endpoint's hostname when absent."},
	{.name = "method",
	 .type = FIELD_STRING,
	 FIELD_MAX(16),
	 .text = "Method of the request, GET when absent."},
	{.name = "path",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(1024),
	 .text = "Path of the request."},
	ROW_PAYLOAD("requestBody", "Body of the request, for POST and PUT."),
	{.name = "retriableStatuses",
	 .type = FIELD_LIST,
	 .item = &row_http_status,
	 .text = "Statuses that count towards unhealthyThreshold; others are unhealthy at once."},
	FIELD_END,
};

static const struct field grpc_fields[] = {
	{.name = "service",
	 .type = FIELD_STRING,
	 .text = "Service that is asked for; the whole server when absent."},
	FIELD_END,
};
static const struct field overrides_fields[] = {
	ROW_PORT("Port that is checked instead of the endpoint's."),
	FIELD_END,
};

static const struct field log_file_fields[] = {
	{.name = "path",
	 .type = FIELD_STRING,
	 .required = true,
	 FIELD_MIN(1),
	 .text = "Path of the file."},
	FIELD_END,
};
static const char *const sink_types[] = {"File", NULL};
static const struct field sink_fields[] = {
	{.name = "file",
	 .type = FIELD_OBJECT,
	 .fields = log_file_fields,
	 .text = "For File: the file."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = sink_types,
	 .text = "File."},
	FIELD_END,
};
static const struct field sink_row = {
	.type = FIELD_OBJECT, .fields = sink_fields, .rules = policy_sink_rules};
static const char *const outcomes[] = {"Failure", "FailureSeriesStart", "Success",
				       "HealthyTransition", NULL};
static const struct field outcome_row = {.type = FIELD_STRING, .values = outcomes};
static const struct field log_fields[] = {
	{.name = "matches",
	 .type = FIELD_LIST,
	 .item = &outcome_row,
	 .is_set = true,
	 FIELD_MAX(4),
	 .rules = policy_outcome_rules,
	 .text = "Outcomes that are written, all when absent."},
	{.name = "sinks",
	 .type = FIELD_LIST,
	 .item = &sink_row,
	 FIELD_MAX(1),
	 .text = "Where to; standard output when absent."},
	FIELD_END,
};

static const char *const types[] = {"HTTP", "TCP", "GRPC", NULL};
static const struct field active_fields[] = {
	{.name = "grpc",
	 .type = FIELD_OBJECT,
	 .fields = grpc_fields,
	 .text = "For GRPC: what is asked for."},
	{.name = "healthCheckLog",
	 .type = FIELD_OBJECT,
	 .fields = log_fields,
	 .text = "Where outcomes are written. Spillway's own are in `spillway events`.",
	 .acts = ACTS_NOWHERE},
	{.name = "healthyThreshold",
	 .type = FIELD_INT32,
	 FIELD_MIN(1),
	 .preset = "1",
	 .text = "Successes in a row that make an endpoint healthy."},
	{.name = "http",
	 .type = FIELD_OBJECT,
	 .fields = http_fields,
	 .rules = policy_http_check_rules,
	 .text = "For HTTP: the request and its answer."},
	ROW_DURATION("initialJitter", "The first check comes after a random part of it."),
	ROW_DURATION("interval", "Time between checks.", .preset = "\"3s\""),
	{.name = "overrides",
	 .type = FIELD_OBJECT,
	 .fields = overrides_fields,
	 .text = "What differs from the endpoint."},
	{.name = "tcp",
	 .type = FIELD_OBJECT,
	 .fields = tcp_fields,
	 .text = "For TCP: what is sent and expected; {} only connects."},
	ROW_DURATION("timeout", "Time for an answer.", .preset = "\"1s\""),
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = types,
	 .text = "HTTP, TCP or GRPC."},
	{.name = "unhealthyThreshold",
	 .type = FIELD_INT32,
	 FIELD_MIN(1),
	 .preset = "3",
	 .text = "Failures in a row that make an endpoint unhealthy."},
	FIELD_END,
};

#define ROW_FAILURES(key, description, ...)                                                        \
	{.name = key, .type = FIELD_INT32, FIELD_MIN(0), .text = description, ##__VA_ARGS__}

static const struct field passive_fields[] = {
	{.name = "alwaysEjectOneEndpoint",
	 .type = FIELD_BOOL,
	 .preset = "false",
	 .text = "The first endpoint may be ejected whatever the percentage."},
	ROW_DURATION("baseEjectionTime", "Time of the first ejection.", .preset = "\"30s\""),
	ROW_FAILURES("consecutive5XxErrors", "Failed connections in a row that eject an endpoint.",
		     .preset = "5"),
	ROW_FAILURES("consecutiveGatewayErrors",
		     "The same, in place of consecutive5XxErrors where it is smaller."),
	ROW_FAILURES("consecutiveLocalOriginFailures",
		     "The same for local failures, when they are counted apart.", .preset = "5"),
	ROW_PERCENT("failurePercentageThreshold", 0, "Share of failures that ejects an endpoint."),
	ROW_DURATION("interval", "Time between looks at the counts.", .preset = "\"3s\""),
	ROW_PERCENT("maxEjectionPercent", 0, "Share of endpoints that may be ejected at a time.",
		    .preset = "10"),
	{.name = "splitExternalLocalOriginErrors",
	 .type = FIELD_BOOL,
	 .preset = "false",
	 .text = "Counts local failures apart."},
	FIELD_END,
};

const struct field policy_health_fields[] = {
	{.name = "active",
	 .type = FIELD_OBJECT,
	 .fields = active_fields,
	 .rules = policy_active_rules,
	 .text = "Endpoints are asked at intervals."},
	ROW_PERCENT("panicThreshold", 0,
		    "Below this share of healthy endpoints all of them get traffic; 0: never."),
	{.name = "passive",
	 .type = FIELD_OBJECT,
	 .fields = passive_fields,
	 .text = "Endpoints are judged by their traffic."},
	FIELD_END,
};
