/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of BackendTrafficPolicy's table, and rows that several of them are made of. */
#ifndef SPILLWAY_MANIFEST_POLICY_H
#define SPILLWAY_MANIFEST_POLICY_H

#include "manifest/fields.h"

#define ROW_COUNT(key, lowest, description, ...)                                                   \
	{.name = key,                                                                              \
	 .type = FIELD_INT64,                                                                      \
	 FIELD_MIN(lowest),                                                                        \
	 FIELD_MAX(4294967295),                                                                    \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_QUANTITY(key, description, ...)                                                        \
	{.name = key, .type = FIELD_QUANTITY, .text = description, ##__VA_ARGS__}
#define ROW_PERCENT(key, lowest, description, ...)                                                 \
	{.name = key,                                                                              \
	 .type = FIELD_INT32,                                                                      \
	 FIELD_MIN(lowest),                                                                        \
	 FIELD_MAX(100),                                                                           \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}

/* Upstream's status of HTTP: an integer of no size. */
extern const struct field row_http_status;
#define ROW_FRACTION(key, description, ...)                                                        \
	{.name = key,                                                                              \
	 .type = FIELD_OBJECT,                                                                     \
	 .fields = fraction_fields,                                                                \
	 .rules = http_fraction_rules,                                                             \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}

extern const struct field policy_health_fields[];	  /* spec.healthCheck */
extern const struct field policy_balancer_fields[];	  /* spec.loadBalancer */
extern const struct field policy_admission_fields[];	  /* spec.admissionControl */
extern const struct field policy_bandwidth_fields[];	  /* spec.bandwidthLimit */
extern const struct field policy_fault_fields[];	  /* spec.faultInjection */
extern const struct field policy_rate_fields[];		  /* spec.rateLimit */
extern const struct field policy_telemetry_fields[];	  /* spec.telemetry */
extern const struct field policy_http2_fields[];	  /* spec.http2 */
extern const struct field policy_retry_fields[];	  /* spec.retry */
extern const struct field policy_retry_budget_fields[];	  /* spec.circuitBreaker.retryBudget */
extern const struct field policy_request_buffer_fields[]; /* spec.requestBuffer */
extern const struct field row_policy_compressor;	  /* item of spec.compressor */
extern const struct field row_policy_upgrade;		  /* item of spec.httpUpgrade */
extern const struct field row_policy_answer;		  /* item of spec.responseOverride */

#endif
