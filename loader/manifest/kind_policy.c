/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BackendTrafficPolicy, gateway.envoyproxy.io/v1alpha1: balancing and health. What only means
 * something for HTTP is accepted whole and not looked into; the checks are in kind_policy_check.c.
 */
#include "manifest/fields.h"
#include "manifest/policy.h"
#include "manifest/rules.h"

#define ROW_COUNT(key, lowest, description, ...)                                                   \
	{.name = key,                                                                              \
	 .type = FIELD_INT64,                                                                      \
	 FIELD_MIN(lowest),                                                                        \
	 FIELD_MAX(4294967295),                                                                    \
	 .text = description,                                                                      \
	 ##__VA_ARGS__}
#define ROW_HTTP(key) {.name = key, .type = FIELD_ANY, .text = "For HTTP; kept, without effect."}

static const struct field target_fields[] = {
	ROW_GROUP("gateway.networking.k8s.io.", .required = true),
	ROW_KIND("Gateway or a kind of route.", .required = true),
	ROW_NAME("Name of the target.", .required = true),
	ROW_SECTION("sectionName", "Listener of a Gateway, or rule of a route."),
	FIELD_END,
};
static const struct field target_row = {.type = FIELD_OBJECT, .fields = target_fields};

static const struct field selector_fields[] = {
	ROW_GROUP("gateway.networking.k8s.io.", .preset = "\"gateway.networking.k8s.io\""),
	ROW_KIND("Kind of the targets.", .required = true),
	{.name = "matchExpressions", .type = FIELD_ANY, .text = "As in a label selector."},
	{.name = "matchLabels", .type = FIELD_MAP, .item = &row_text, .text = "Labels of targets."},
	{.name = "namespaces", .type = FIELD_ANY, .text = "Namespaces of targets."},
	FIELD_END,
};
static const struct field selector_row = {
	.type = FIELD_OBJECT, .fields = selector_fields, .rules = policy_selector_rules};

static const struct field named_fields[] = {
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Its name."},
	FIELD_END,
};
static const struct field named_row = {.type = FIELD_OBJECT, .fields = named_fields};
static const struct field cookie_fields[] = {
	{.name = "attributes", .type = FIELD_MAP, .item = &row_text, .text = "Cookie attributes."},
	{.name = "name", .type = FIELD_STRING, .required = true, .text = "Name of the cookie."},
	ROW_DURATION("ttl", "Lifetime of the cookie."),
	FIELD_END,
};
static const char *const hash_types[] = {"SourceIP", "Header",	    "Headers",
					 "Cookie",   "QueryParams", NULL};
static const struct field hash_fields[] = {
	{.name = "cookie", .type = FIELD_OBJECT, .fields = cookie_fields, .text = "For HTTP."},
	{.name = "header", .type = FIELD_OBJECT, .fields = named_fields, .text = "For HTTP."},
	{.name = "headers", .type = FIELD_LIST, .item = &named_row, .text = "For HTTP."},
	{.name = "queryParams", .type = FIELD_LIST, .item = &named_row, .text = "For HTTP."},
	{.name = "tableSize",
	 .type = FIELD_INT64,
	 FIELD_MIN(2),
	 FIELD_MAX(5000011),
	 .preset = "65537",
	 .text = "Slots of the table, a prime number."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = hash_types,
	 .text = "SourceIP; the others are for HTTP."},
	FIELD_END,
};
static const struct field slow_start_fields[] = {
	ROW_DURATION("window", "Time in which a new endpoint reaches its full share.",
		     .required = true),
	FIELD_END,
};
static const struct field force_fields[] = {
	ROW_COUNT("minEndpointsInZoneThreshold", 0, "Endpoints the own zone needs for it."),
	FIELD_END,
};
static const struct field local_fields[] = {
	{.name = "force", .type = FIELD_OBJECT, .fields = force_fields, .text = "Only own zone."},
	ROW_COUNT("minEndpointsThreshold", 0, "Endpoints that all zones need for it."),
	{.name = "percentageEnabled",
	 .type = FIELD_INT32,
	 FIELD_MIN(0),
	 FIELD_MAX(100),
	 .text = "Share of the traffic that it is used for."},
	FIELD_END,
};
static const struct field zone_weight_fields[] = {
	ROW_COUNT("weight", 0, "Share of the zone.", .required = true),
	{.name = "zone", .type = FIELD_STRING, .required = true, .text = "Name of the zone."},
	FIELD_END,
};
static const struct field zone_weight_row = {.type = FIELD_OBJECT, .fields = zone_weight_fields};
static const struct field zone_fields[] = {
	{.name = "preferLocal",
	 .type = FIELD_OBJECT,
	 .fields = local_fields,
	 .text = "Endpoints of the gateway's own zone first."},
	{.name = "weightedZones",
	 .type = FIELD_LIST,
	 .item = &zone_weight_row,
	 .list_key = "zone",
	 .text = "Shares by zone; zones that are not listed have weight 1."},
	FIELD_END,
};
static const struct field extract_fields[] = {
	{.name = "header", .type = FIELD_STRING, .text = "Header with endpoint addresses."},
	FIELD_END,
};
static const struct field extract_row = {.type = FIELD_OBJECT, .fields = extract_fields};
static const struct field override_fields[] = {
	{.name = "extractFrom",
	 .type = FIELD_LIST,
	 .item = &extract_row,
	 .required = true,
	 FIELD_MIN(1),
	 FIELD_MAX(10),
	 .text = "For HTTP."},
	FIELD_END,
};
static const char *const balancer_types[] = {
	"ConsistentHash",     "LeastRequest",  "Random", "RoundRobin",
	"BackendUtilization", "DynamicModule", NULL};
static const struct field balancer_fields[] = {
	{.name = "backendUtilization", .type = FIELD_ANY, .text = "Without effect on layer 4."},
	{.name = "consistentHash",
	 .type = FIELD_OBJECT,
	 .fields = hash_fields,
	 .rules = policy_hash_rules,
	 .text = "What is hashed, for ConsistentHash."},
	{.name = "dynamicModule", .type = FIELD_ANY, .text = "Without effect on layer 4."},
	{.name = "endpointOverride",
	 .type = FIELD_OBJECT,
	 .fields = override_fields,
	 .text = "For HTTP."},
	{.name = "slowStart",
	 .type = FIELD_OBJECT,
	 .fields = slow_start_fields,
	 .text = "A new endpoint's share grows slowly."},
	{.name = "type",
	 .type = FIELD_STRING,
	 .required = true,
	 .values = balancer_types,
	 .text = "How an endpoint is picked for a new flow."},
	{.name = "zoneAware",
	 .type = FIELD_OBJECT,
	 .fields = zone_fields,
	 .rules = policy_zone_rules,
	 .text = "Zones of endpoints."},
	FIELD_END,
};

static const struct field per_endpoint_fields[] = {
	ROW_COUNT("maxConnections", 0, "Connections to one endpoint.", .preset = "1024"),
	FIELD_END,
};
static const struct field breaker_fields[] = {
	ROW_COUNT("maxConnections", 0, "Connections.", .preset = "1024"),
	ROW_COUNT("maxParallelRequests", 0, "For HTTP.", .preset = "1024"),
	ROW_COUNT("maxParallelRetries", 0, "For HTTP.", .preset = "1024"),
	ROW_COUNT("maxPendingRequests", 0, "Connections that wait.", .preset = "1024"),
	ROW_COUNT("maxRequestsPerConnection", 0, "For HTTP."),
	{.name = "perEndpoint",
	 .type = FIELD_OBJECT,
	 .fields = per_endpoint_fields,
	 .text = "Limits of one endpoint."},
	{.name = "retryBudget", .type = FIELD_ANY, .text = "For HTTP."},
	FIELD_END,
};

static const struct field tcp_timeout_fields[] = {
	ROW_DURATION("connectTimeout", "Time for a connection to be made."),
	FIELD_END,
};
static const struct field http_timeout_fields[] = {
	ROW_DURATION("connectionIdleTimeout", "For HTTP."),
	ROW_DURATION("maxConnectionDuration", "For HTTP."),
	ROW_DURATION("maxStreamDuration", "For HTTP."),
	ROW_DURATION("requestTimeout", "For HTTP."),
	ROW_DURATION("streamIdleTimeout", "For HTTP."),
	FIELD_END,
};
static const struct field timeout_fields[] = {
	{.name = "http", .type = FIELD_OBJECT, .fields = http_timeout_fields, .text = "For HTTP."},
	{.name = "tcp", .type = FIELD_OBJECT, .fields = tcp_timeout_fields, .text = "For TCP."},
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
	ROW_DURATION("idleTime", "Silence before the first probe."),
	ROW_DURATION("interval", "Time between probes."),
	ROW_COUNT("probes", 0, "Probes without an answer that end a connection."),
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
	 .text = "For HTTP."},
	{.name = "predictivePercent", .type = FIELD_INT32, FIELD_MIN(100), .text = "For HTTP."},
	FIELD_END,
};
static const struct field connection_fields[] = {
	{.name = "bufferLimit", .type = FIELD_ANY, .text = "Bytes buffered, such as 32Ki."},
	{.name = "preconnect",
	 .type = FIELD_OBJECT,
	 .fields = preconnect_fields,
	 .text = "Connections made ahead."},
	{.name = "socketBufferLimit", .type = FIELD_ANY, .text = "Bytes of the socket's buffer."},
	FIELD_END,
};

static const char *const merge_types[] = {"StrategicMerge", "JSONMerge", "Replace", NULL};
static const struct field spec_fields[] = {
	ROW_HTTP("admissionControl"),
	ROW_HTTP("bandwidthLimit"),
	{.name = "circuitBreaker",
	 .type = FIELD_OBJECT,
	 .fields = breaker_fields,
	 .text = "Upper bounds."},
	ROW_HTTP("compression"),
	ROW_HTTP("compressor"),
	{.name = "connection",
	 .type = FIELD_OBJECT,
	 .fields = connection_fields,
	 .text = "Connections to endpoints."},
	{.name = "dns",
	 .type = FIELD_OBJECT,
	 .fields = dns_fields,
	 .text = "How host names of endpoints are resolved."},
	ROW_HTTP("faultInjection"),
	{.name = "healthCheck",
	 .type = FIELD_OBJECT,
	 .fields = policy_health_fields,
	 .text = "How it is found out which endpoints are healthy."},
	ROW_HTTP("http2"),
	ROW_HTTP("httpUpgrade"),
	{.name = "loadBalancer",
	 .type = FIELD_OBJECT,
	 .fields = balancer_fields,
	 .rules = policy_balancer_rules,
	 .text = "How an endpoint is picked."},
	{.name = "mergeType",
	 .type = FIELD_STRING,
	 .values = merge_types,
	 .text = "How it goes together with the policy of the Gateway."},
	{.name = "proxyProtocol",
	 .type = FIELD_OBJECT,
	 .fields = proxy_fields,
	 .text = "Tells endpoints the client's address."},
	ROW_HTTP("rateLimit"),
	ROW_HTTP("requestBuffer"),
	ROW_HTTP("responseOverride"),
	ROW_HTTP("retry"),
	{.name = "targetRef",
	 .type = FIELD_OBJECT,
	 .fields = target_fields,
	 .text = "Older spelling of targetRefs with one entry."},
	{.name = "targetRefs",
	 .type = FIELD_LIST,
	 .item = &target_row,
	 .text = "What the policy is for, in its own namespace."},
	{.name = "targetSelectors",
	 .type = FIELD_LIST,
	 .item = &selector_row,
	 .text = "What the policy is for, by labels."},
	{.name = "tcpKeepalive",
	 .type = FIELD_OBJECT,
	 .fields = keepalive_fields,
	 .text = "Probes of silent connections."},
	ROW_HTTP("telemetry"),
	{.name = "timeout", .type = FIELD_OBJECT, .fields = timeout_fields, .text = "Timeouts."},
	{.name = "useClientProtocol", .type = FIELD_BOOL, .text = "For HTTP."},
	FIELD_END,
};

const struct field traffic_policy_fields[] = {
	ROW_ENVELOPE,
	{.name = "spec",
	 .type = FIELD_OBJECT,
	 .fields = spec_fields,
	 .required = true,
	 .rules = policy_spec_rules,
	 .text = "What the policy is for and what it says."},
	{.name = "status",
	 .type = FIELD_OBJECT,
	 .fields = policy_status_fields,
	 .text = "What became of it; set by the daemon, ignored in manifests."},
	FIELD_END,
};
