/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy: admissionControl, bandwidthLimit and faultInjection. */
#include "manifest/policy.h"
#include "manifest/rules.h"

static const char *const grpc_codes[] = {"Ok",
					 "Cancelled",
					 "Unknown",
					 "InvalidArgument",
					 "DeadlineExceeded",
					 "NotFound",
					 "AlreadyExists",
					 "PermissionDenied",
					 "ResourceExhausted",
					 "FailedPrecondition",
					 "Aborted",
					 "OutOfRange",
					 "Unimplemented",
					 "Internal",
					 "Unavailable",
					 "DataLoss",
					 "Unauthenticated",
					 NULL};
static const struct field grpc_code_row = {.type = FIELD_STRING, .values = grpc_codes};
static const struct field grpc_success_fields[] = {
	{.name = "statusCodes",
	 .type = FIELD_LIST,
	 .item = &grpc_code_row,
	 .text = "Names of gRPC's statuses."},
	FIELD_END,
};
static const struct field http_success_fields[] = {
	{.name = "statusCodes",
	 .type = FIELD_LIST,
	 .item = &row_http_status,
	 .text = "Statuses of HTTP."},
	FIELD_END,
};
static const struct field success_fields[] = {
	{.name = "grpc",
	 .type = FIELD_OBJECT,
	 .fields = grpc_success_fields,
	 .text = "Of requests of gRPC."},
	{.name = "http",
	 .type = FIELD_OBJECT,
	 .fields = http_success_fields,
	 .text = "Of other requests."},
	FIELD_END,
};
const struct field policy_admission_fields[] = {
	ROW_PERCENT("maxRejectionPercent", 0, "Largest part that is turned away, 80 when absent."),
	{.name = "minRequestRate",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .text = "Requests per second below which none is turned away, 0 when absent."},
	ROW_PERCENT("minSuccessRate", 1,
		    "Part of successes from which on none is turned away, 95 when absent."),
	{.name = "rejectionAggression",
	 .type = FIELD_INT32,
	 FIELD_MIN(1),
	 .text = "How steeply the part grows that is turned away, 1 when absent."},
	ROW_DURATION("samplingWindow", "Time that is looked back, 30s when absent."),
	{.name = "successCriteria",
	 .type = FIELD_OBJECT,
	 .fields = success_fields,
	 .text = "Which answers are successes."},
	FIELD_END,
};

static const char *const bandwidth_units[] = {"Second", "Minute", "Hour", NULL};
static const struct field bandwidth_value_fields[] = {
	{.name = "unit",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = bandwidth_units,
	 .text = "Second, Minute or Hour."},
	ROW_QUANTITY("value", "Bytes in this time.", .required = true),
	FIELD_END,
};
#define ROW_BANDWIDTH                                                                              \
	{.name = "limit",                                                                          \
	 .type = FIELD_OBJECT,                                                                     \
	 .required = true,                                                                         \
	 .fields = bandwidth_value_fields,                                                         \
	 .text = "Bytes in a time."}
static const struct field bandwidth_request_fields[] = {
	ROW_BANDWIDTH,
	FIELD_END,
};
static const struct field trailer_fields[] = {
	{.name = "prefix",
	 .type = FIELD_STRING,
	 .pattern = &pattern_one_line,
	 .text = "What the trailers' names begin with."},
	FIELD_END,
};
static const struct field bandwidth_response_fields[] = {
	ROW_BANDWIDTH,
	{.name = "responseTrailers",
	 .type = FIELD_OBJECT,
	 .fields = trailer_fields,
	 .text = "Trailers that say how long an answer was held up."},
	FIELD_END,
};
const struct field policy_bandwidth_fields[] = {
	{.name = "request",
	 .type = FIELD_OBJECT,
	 .fields = bandwidth_request_fields,
	 .text = "Towards endpoints."},
	{.name = "response",
	 .type = FIELD_OBJECT,
	 .fields = bandwidth_response_fields,
	 .text = "Towards clients."},
	FIELD_END,
};

#define ROW_PART_OF_REQUESTS                                                                       \
	{.name = "percentage",                                                                     \
	 .type = FIELD_NUMBER,                                                                     \
	 .preset = "100",                                                                          \
	 .text = "Percent of the requests that it is done to."}
static const struct field abort_fields[] = {
	{.name = "grpcStatus",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 FIELD_MAX(16),
	 .text = "Status of gRPC that is answered."},
	{.name = "httpStatus",
	 .type = FIELD_INT32,
	 FIELD_MIN(200),
	 FIELD_MAX(600),
	 .text = "Status that is answered."},
	ROW_PART_OF_REQUESTS,
	FIELD_END,
};
static const struct field delay_fields[] = {
	ROW_DURATION("fixedDelay", "How long a request is held up.", .required = true),
	ROW_PART_OF_REQUESTS,
	FIELD_END,
};
const struct field policy_fault_fields[] = {
	{.name = "abort",
	 .type = FIELD_OBJECT,
	 .fields = abort_fields,
	 .rules = policy_abort_rules,
	 .text = "Requests are answered with a failure."},
	{.name = "delay",
	 .type = FIELD_OBJECT,
	 .fields = delay_fields,
	 .text = "Requests are held up."},
	FIELD_END,
};
