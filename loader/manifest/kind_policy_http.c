/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicy: retries, HTTP/2, upgrades, compression and buffers of requests. */
#include "manifest/policy.h"
#include "manifest/rules.h"

const struct field row_http_status = {.type = FIELD_INT32, FIELD_MIN(100), FIELD_MAX(599)};

static const struct field back_off_fields[] = {
	ROW_DURATION("baseInterval", "Time before the first retry."),
	ROW_DURATION("maxInterval", "Longest time between retries, ten times the first one when "
				    "absent."),
	FIELD_END,
};
static const struct field per_retry_fields[] = {
	{.name = "backOff",
	 .type = FIELD_OBJECT,
	 .fields = back_off_fields,
	 .text = "How the time between retries grows."},
	ROW_DURATION("timeout", "Time for an answer to one try."),
	FIELD_END,
};
static const char *const triggers[] = {"5xx",
				       "gateway-error",
				       "reset",
				       "reset-before-request",
				       "connect-failure",
				       "retriable-4xx",
				       "refused-stream",
				       "retriable-status-codes",
				       "cancelled",
				       "deadline-exceeded",
				       "internal",
				       "resource-exhausted",
				       "unavailable",
				       NULL};
static const struct field trigger_row = {.type = FIELD_STRING, .values = triggers};
static const struct field retry_on_fields[] = {
	{.name = "httpStatusCodes",
	 .type = FIELD_LIST,
	 .item = &row_http_status,
	 .text = "Statuses that are tried again, with the trigger retriable-status-codes. HAProxy "
		 "knows 401, 403, 404, 408, 425, 500, 501, 502, 503 and 504."},
	{.name = "triggers",
	 .type = FIELD_LIST,
	 .item = &trigger_row,
	 .text = "What makes a request be tried again: connect-failure, reset, 5xx, gateway-error, "
		 "refused-stream and retriable-status-codes work."},
	FIELD_END,
};
const struct field policy_retry_fields[] = {
	{.name = "numAttemptsPerPriority",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .text = "Tries in one tier before the next one is tried.",
	 .acts = ACTS_NOWHERE},
	{.name = "numRetries",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .preset = "2",
	 .text = "Tries after the first one."},
	{.name = "perRetry",
	 .type = FIELD_OBJECT,
	 .fields = per_retry_fields,
	 .text = "Times of each try.",
	 .acts = ACTS_NOWHERE},
	{.name = "retryOn",
	 .type = FIELD_OBJECT,
	 .fields = retry_on_fields,
	 .text = "What makes a request be tried again."},
	FIELD_END,
};

const struct field policy_retry_budget_fields[] = {
	{.name = "minRetryConcurrency",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .text = "Retries at a time that are allowed in any case, 3 when absent."},
	ROW_FRACTION("percent", "Retries at a time, as a part of the requests at a time.",
		     .required = true),
	FIELD_END,
};

static const struct field keepalive_fields[] = {
	ROW_DURATION("idleInterval", "Silence of a connection before a PING is sent."),
	ROW_DURATION("interval", "Time between PINGs."),
	ROW_PERCENT("intervalJitter", 0, "Random part that is added, 15 when absent."),
	ROW_DURATION("timeout", "Time for the answer to a PING."),
	FIELD_END,
};
const struct field policy_http2_fields[] = {
	{.name = "connectionKeepalive",
	 .type = FIELD_OBJECT,
	 .fields = keepalive_fields,
	 .rules = policy_ping_rules,
	 .text = "PINGs that tell whether a connection is alive."},
	ROW_QUANTITY("initialConnectionWindowSize", "Window of a connection, 1Mi when absent."),
	ROW_QUANTITY("initialStreamWindowSize", "Window of a stream, 64Ki when absent."),
	{.name = "maxConcurrentStreams",
	 .type = FIELD_INT32,
	 FIELD_MIN(1),
	 FIELD_MAX(2147483647),
	 .text = "Streams at a time in a connection, 100 when absent."},
	{.name = "onInvalidMessage",
	 .type = FIELD_STRING,
	 .text = "TerminateConnection or TerminateStream."},
	FIELD_END,
};

static const struct field connect_fields[] = {
	{.name = "terminate",
	 .type = FIELD_BOOL,
	 .text = "What is in the tunnel goes to the endpoint as bytes."},
	FIELD_END,
};
static const struct field upgrade_fields[] = {
	{.name = "connect", .type = FIELD_OBJECT, .fields = connect_fields, .text = "For CONNECT."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .text = "Such as websocket or CONNECT."},
	FIELD_END,
};
const struct field row_policy_upgrade = {
	.type = FIELD_OBJECT, .fields = upgrade_fields, .rules = policy_upgrade_rules};

/* Upstream has no settings in them yet: every field is unknown. */
static const struct field no_fields[] = {FIELD_END};
static const char *const compressors[] = {"Gzip", "Brotli", "Zstd", NULL};
static const struct field compressor_fields[] = {
	{.name = "brotli", .type = FIELD_OBJECT, .fields = no_fields, .text = "For Brotli."},
	{.name = "gzip", .type = FIELD_OBJECT, .fields = no_fields, .text = "For Gzip."},
	ROW_QUANTITY("minContentLength", "Shortest answer that is compressed, 30 when absent."),
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = compressors,
	 .text = "Gzip, Brotli or Zstd."},
	{.name = "zstd", .type = FIELD_OBJECT, .fields = no_fields, .text = "For Zstd."},
	FIELD_END,
};
const struct field row_policy_compressor = {.type = FIELD_OBJECT, .fields = compressor_fields};

const struct field policy_request_buffer_fields[] = {
	ROW_QUANTITY("limit", "Longest request; a longer one is answered 413."),
	FIELD_END,
};
