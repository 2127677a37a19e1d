/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BackendTrafficPolicy, gateway.envoyproxy.io/v1alpha1: what it is for, and connections. Its other
 * parts are in kind_policy_PART.c: balance, check (health), http, limit, rate, answer, telemetry.
 */
#include "manifest/policy.h"
#include "manifest/rules.h"

static const struct field target_fields[] = {
	ROW_GROUP("gateway.networking.k8s.io.", .required = true),
	ROW_KIND("Gateway or a kind of route.", .required = true),
	ROW_NAME("Name of the target.", .required = true),
	ROW_SECTION("sectionName", "Listener of a Gateway, or rule of a route."),
	FIELD_END,
};
static const struct field target_row = {.type = FIELD_OBJECT, .fields = target_fields};

static const char *const namespace_sets[] = {"Same", "All", "Selector", NULL};
static const struct field selector_namespaces_fields[] = {
	{.name = "from",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = namespace_sets,
	 .preset = "\"Same\"",
	 .text = "Same as the policy's, All, or Selector."},
	{.name = "selector",
	 .type = FIELD_OBJECT,
	 .fields = label_selector_fields,
	 .text = "Labels of the namespaces, for Selector."},
	FIELD_END,
};
static const struct field selector_fields[] = {
	ROW_GROUP("gateway.networking.k8s.io.", .preset = "\"gateway.networking.k8s.io\""),
	ROW_KIND("Kind of the targets.", .required = true),
	{.name = "matchExpressions",
	 .type = FIELD_LIST,
	 .item = &row_requirement,
	 .text = "Requirements on the targets' labels that all must hold."},
	{.name = "matchLabels",
	 .type = FIELD_MAP,
	 .item = &row_text,
	 .text = "Labels that targets must have, with these values."},
	{.name = "namespaces",
	 .type = FIELD_OBJECT,
	 .fields = selector_namespaces_fields,
	 .rules = policy_namespaces_rules,
	 .text = "Namespaces of targets; those of others than the policy's need a ReferenceGrant "
		 "there."},
	FIELD_END,
};
static const struct field selector_row = {
	.type = FIELD_OBJECT, .fields = selector_fields, .rules = policy_selector_rules};

static const struct field per_endpoint_fields[] = {
	ROW_COUNT("maxConnections", 0, "Connections to one endpoint at a time; more are closed.",
		  .preset = "1024"),
	FIELD_END,
};
static const struct field breaker_fields[] = {
	ROW_COUNT("maxConnections", 0, "Connections at a time, for each endpoint; more are closed.",
		  .preset = "1024"),
	ROW_COUNT("maxParallelRequests", 0, "Requests at a time.", .preset = "1024",
		  .acts = ACTS_NOWHERE),
	ROW_COUNT("maxParallelRetries", 0, "Retries at a time.", .preset = "1024",
		  .acts = ACTS_NOWHERE),
	ROW_COUNT("maxPendingRequests", 0, "Connections and requests that wait.", .preset = "1024",
		  .acts = ACTS_NOWHERE),
	ROW_COUNT("maxRequestsPerConnection", 0,
		  "Requests over one connection to an endpoint; no limit when absent.",
		  .acts = ACTS_NOWHERE),
	{.name = "perEndpoint",
	 .type = FIELD_OBJECT,
	 .fields = per_endpoint_fields,
	 .text = "Limits of one endpoint; the smaller limit holds."},
	{.name = "retryBudget",
	 .type = FIELD_OBJECT,
	 .fields = policy_retry_budget_fields,
	 .text = "Retries as a share of the requests, in place of maxParallelRetries.",
	 .acts = ACTS_NOWHERE},
	FIELD_END,
};

static const struct field tcp_timeout_fields[] = {
	ROW_DURATION("connectTimeout",
		     "Time for a connection to an endpoint to be made, 10s when absent."),
	FIELD_END,
};
static const struct field http_timeout_fields[] = {
	ROW_DURATION("connectionIdleTimeout", "How long a connection without requests is kept.",
		     .acts = ACTS_NOWHERE),
	ROW_DURATION("maxConnectionDuration", "How long a connection may last.",
		     .acts = ACTS_NOWHERE),
	ROW_DURATION("maxStreamDuration", "How long a stream may last; 0s: no limit.",
		     .acts = ACTS_NOWHERE),
	ROW_DURATION("requestTimeout",
		     "How long an endpoint may be silent over a request, for rules without "
		     "timeouts."),
	ROW_DURATION("streamIdleTimeout", "How long a stream may be silent.", .acts = ACTS_NOWHERE),
	FIELD_END,
};
static const struct field timeout_fields[] = {
	{.name = "http",
	 .type = FIELD_OBJECT,
	 .fields = http_timeout_fields,
	 .text = "Times of requests.",
	 .acts = ACTS_HTTP},
	{.name = "tcp",
	 .type = FIELD_OBJECT,
	 .fields = tcp_timeout_fields,
	 .text = "Times of connections."},
	FIELD_END,
};

static const char *const proxy_versions[] = {"V1", "V2", NULL};
static const struct field proxy_fields[] = {
	{.name = "version",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = proxy_versions,
	 .text = "Version of the PROXY protocol."},
	FIELD_END,
};
static const struct field keepalive_fields[] = {
	ROW_DURATION("idleTime", "Silence before the first probe, in whole seconds."),
	ROW_DURATION("interval", "Time between probes, in whole seconds."),
	{.name = "probes",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 .text = "Probes without an answer that end a connection."},
	FIELD_END,
};
static const char *const families[] = {"IPv4",		"IPv6",	       "IPv4Preferred",
				       "IPv6Preferred", "IPv4AndIPv6", NULL};
static const struct field dns_fields[] = {
	ROW_DURATION("dnsRefreshRate", "Time between look-ups."),
	{.name = "lookupFamily",
	 .type = FIELD_STRING,
	 .values = families,
	 .text = "Address families that are asked for."},
	{.name = "respectDnsTtl",
	 .type = FIELD_BOOL,
	 .text = "Looks up again when the answer has expired."},
	FIELD_END,
};
static const struct field preconnect_fields[] = {
	{.name = "perEndpointPercent",
	 .type = FIELD_INT32,
	 FIELD_MIN(100),
	 FIELD_MAX(300),
	 .text = "Connections to an endpoint, in percent of those that its requests need."},
	{.name = "predictivePercent",
	 .type = FIELD_INT32,
	 FIELD_MIN(100),
	 .text = "The same of all endpoints, for the one that is picked next."},
	FIELD_END,
};
static const struct field connection_fields[] = {
	ROW_QUANTITY("bufferLimit", "Bytes buffered of a connection, such as 32Ki."),
	{.name = "preconnect",
	 .type = FIELD_OBJECT,
	 .fields = preconnect_fields,
	 .text = "Connections made ahead."},
	ROW_QUANTITY("socketBufferLimit", "Bytes that the kernel buffers of a socket."),
	FIELD_END,
};

#define ROW_PART(key, rows, description, ...)                                                      \
	{.name = key, .type = FIELD_OBJECT, .fields = (rows), .text = description, ##__VA_ARGS__}
#define ROW_LIST(key, row, description, ...)                                                       \
	{.name = key, .type = FIELD_LIST, .item = &(row), .text = description, ##__VA_ARGS__}

static const struct field spec_fields[] = {
	ROW_PART("admissionControl", policy_admission_fields,
		 "Turns requests away when too many fail.", .rules = policy_admission_rules,
		 .acts = ACTS_NOWHERE),
	ROW_PART("bandwidthLimit", policy_bandwidth_fields, "Bytes in a time.",
		 .rules = policy_bandwidth_rules, .acts = ACTS_NOWHERE),
	ROW_PART("circuitBreaker", breaker_fields, "Upper bounds.", .acts = ACTS_USERSPACE),
	ROW_LIST("compression", row_policy_compressor, "Older spelling of compressor.",
		 .acts = ACTS_NOWHERE),
	ROW_LIST("compressor", row_policy_compressor, "How answers are compressed.",
		 .acts = ACTS_NOWHERE),
	ROW_PART("connection", connection_fields, "Connections to endpoints.",
		 .acts = ACTS_NOWHERE),
	ROW_PART("dns", dns_fields, "How host names of endpoints are resolved."),
	ROW_PART("faultInjection", policy_fault_fields, "Delays and aborts requests on purpose.",
		 .rules = policy_fault_rules, .acts = ACTS_NOWHERE),
	ROW_PART("healthCheck", policy_health_fields,
		 "How it is found out which endpoints are healthy."),
	ROW_PART("http2", policy_http2_fields, "HTTP/2 towards endpoints.", .acts = ACTS_NOWHERE),
	ROW_LIST("httpUpgrade", row_policy_upgrade, "Upgrades that are allowed.",
		 .acts = ACTS_NOWHERE),
	ROW_PART("loadBalancer", policy_balancer_fields, "How an endpoint is picked.",
		 .rules = policy_balancer_rules),
	{.name = "mergeType",
	 .type = FIELD_STRING,
	 .rules = policy_merge_rules,
	 .text = "StrategicMerge or JSONMerge: it is laid over the policy of the listener, else of "
		 "the Gateway. Without it, the most specific policy holds alone."},
	ROW_PART("proxyProtocol", proxy_fields, "Tells endpoints the client's address.",
		 .acts = ACTS_USERSPACE),
	ROW_PART("rateLimit", policy_rate_fields, "Requests in a time.", .acts = ACTS_NOWHERE),
	ROW_PART("requestBuffer", policy_request_buffer_fields,
		 "Requests are read whole before they are sent on.", .acts = ACTS_NOWHERE),
	ROW_LIST("responseOverride", row_policy_answer, "Other answers in place of some.",
		 .acts = ACTS_NOWHERE),
	ROW_PART("retry", policy_retry_fields, "Which failed requests are sent again.",
		 .acts = ACTS_HTTP),
	{.name = "routingType",
	 .type = FIELD_STRING,
	 .text = "Service or Endpoint, for backendRefs that are Services.",
	 .acts = ACTS_NOWHERE},
	ROW_PART("targetRef", target_fields, "Older spelling of targetRefs with one entry."),
	ROW_LIST("targetRefs", target_row, "What the policy is for, in its own namespace."),
	ROW_LIST("targetSelectors", selector_row, "What the policy is for, by labels."),
	ROW_PART("tcpKeepalive", keepalive_fields, "Probes of silent connections.",
		 .acts = ACTS_USERSPACE),
	ROW_PART("telemetry", policy_telemetry_fields, "Traces and statistics.",
		 .acts = ACTS_NOWHERE),
	ROW_PART("timeout", timeout_fields, "Timeouts.", .acts = ACTS_USERSPACE),
	{.name = "useClientProtocol",
	 .type = FIELD_BOOL,
	 .text = "Endpoints get requests in the HTTP version of the client.",
	 .acts = ACTS_NOWHERE},
	FIELD_END,
};

const struct field traffic_policy_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .rules = policy_spec_rules,
	 .text = "What the policy is for and what it says.",
	 .acts = ACTS_BOTH},
	ROW_STATUS(policy_status_fields),
	FIELD_END,
};
