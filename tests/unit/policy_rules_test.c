/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only requests have of a BackendTrafficPolicy, and what its parts say of each other: each limit
 * and rule on both sides, in upstream's words.
 */
#include "policy_fixture.h"

#define ALL "must validate all the schemas (allOf)"

static void quantities_are_whole_numbers_with_a_unit(void **state)
{
	static const struct row rows[] = {
		{"connection: {bufferLimit: 32Ki}", ""},
		{"connection: {bufferLimit: 32768}", ""},
		{"connection: {bufferLimit: \"32768\"}", ""},
		{"connection: {bufferLimit: 0}", ""}, /* patterns are for texts */
		{"connection: {bufferLimit: 20k, socketBufferLimit: 1Ei}", ""},
		{"connection: {bufferLimit: 1m}",
		 "spec.connection.bufferLimit: Invalid value: \"1m\": "
		 "spec.connection.bufferLimit" MATCHES "^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$'"},
		{"connection: {bufferLimit: 1m}",
		 "<nil>: Invalid value: \"\": \"spec.connection.bufferLimit\" " ALL "\n"},
		{"connection: {bufferLimit: 1.5Gi}", MATCHES "^[1-9]+"},
		{"connection: {bufferLimit: \"0\"}", MATCHES "^[1-9]+"},
		{"connection: {bufferLimit: 1K}", MATCHES "^(\\+|-)?(([0-9]+"},
		{"connection: {bufferLimit: 1K}", ALL ". None validated"},
		{"connection: {bufferLimit: \"1e3\"}", MATCHES "^[1-9]+"},
		{"connection: {bufferLimit: \"\"}", MATCHES "^(\\+|-)?"},
		{"connection: {socketBufferLimit: 1.5}", "must be of type integer: \"number\""},
		{"connection: {socketBufferLimit: true}",
		 "spec.connection.socketBufferLimit: Invalid value: \"boolean\": "
		 "spec.connection.socketBufferLimit in body must be of type integer: \"boolean\""},
		{"connection: {socketBufferLimit: [1]}",
		 "\"spec.connection.socketBufferLimit\" must validate at least one schema (anyOf)"},
		{"requestBuffer: {limit: 10Mi}", ""},
		{"requestBuffer: {limit: 10Mb}", MATCHES},
		{"http2: {initialStreamWindowSize: 64Ki, initialConnectionWindowSize: 1Mi}", ""},
		{"http2: {initialStreamWindowSize: 64 Ki}", MATCHES},
		{"compressor: [{type: Gzip, minContentLength: 100}]", ""},
		{"compressor: [{type: Gzip, minContentLength: -1x}]", MATCHES},
	};

	EXPECT(rows);
}

static void targets_decide_what_a_policy_may_say(void **state)
{
#define SELECT(kind) "targetSelectors: [{kind: " kind ", matchLabels: {a: b}}]"
#define ON(kind)     "targetRefs: [{group: gateway.networking.k8s.io, kind: " kind ", name: r}]"
	static const char merge[] = "mergeType can only be used with xRoute targets";
	static const char admit[] = "admissionControl can only be used with HTTPRoute, GRPCRoute, "
				    "Gateway, or ListenerSet targets";
	const struct row rows[] = {
		{ON("TCPRoute") ", mergeType: StrategicMerge", ""},
		{ON("Gateway") ", mergeType: StrategicMerge", merge},
		{SELECT("UDPRoute") ", mergeType: JSONMerge", ""},
		{SELECT("Gateway") ", mergeType: JSONMerge", merge},
		{"mergeType: Replace",
		 "spec.mergeType: Invalid value: \"Replace\": Replace is not a "
		 "valid MergeType for BackendTrafficPolicySpec"},
		{ON("Gateway") ", admissionControl: {}", ""},
		{ON("ListenerSet") ", admissionControl: {}", ""},
		{ON("GRPCRoute") ", admissionControl: {}", ""},
		{ON("TCPRoute") ", admissionControl: {}", admit},
		{SELECT("HTTPRoute") ", admissionControl: {}", ""},
		{SELECT("TLSRoute") ", admissionControl: {}", admit},
	};

	EXPECT(rows);
}

static void selectors_name_labels_and_namespaces(void **state)
{
#define SELECTOR(s) "targetSelectors: [{kind: TCPRoute, " s "}]"
	static const struct row rows[] = {
		{SELECTOR("matchExpressions: [{key: a, operator: In, values: [b]}]"), ""},
		{SELECTOR("matchExpressions: [{key: a}]"),
		 "matchExpressions[0].operator: Required value"},
		{SELECTOR("matchExpressions: [{operator: Exists}]"),
		 "matchExpressions[0].key: Required value"},
		{SELECTOR("matchExpressions: {}"), "must be of type array: \"object\""},
		{SELECTOR("namespaces: {}"), ""},
		{SELECTOR("namespaces: {from: All}"), ""},
		{SELECTOR("namespaces: {from: None}"),
		 "Unsupported value: \"None\": supported values: \"Same\", \"All\", \"Selector\""},
		{SELECTOR("namespaces: {from: Selector, selector: {matchLabels: {a: b}}}"), ""},
		{SELECTOR("namespaces: {from: Selector}"),
		 "spec.targetSelectors[0].namespaces: Invalid value: selector must be specified "
		 "when from is Selector"},
		{SELECTOR("namespaces: {with: x}"),
		 "unknown field \"spec.targetSelectors[0].namespaces.with\""},
	};

	EXPECT(rows);
}

static void parts_that_exclude_each_other_are_refused(void **state)
{
	static const struct row rows[] = {
		{"compression: [{type: Gzip}]", ""},
		{"compression: [{type: Gzip}], compressor: []",
		 "spec: Invalid value: either compression or compressor can be set, not both"},
		{"requestBuffer: {limit: 1}, httpUpgrade: []", ""},
		{"requestBuffer: {limit: 1}, httpUpgrade: [{type: websocket}]",
		 "requestBuffer cannot be used together with httpUpgrade"},
		{"connection: {preconnect: {perEndpointPercent: 100}}", ""},
		{"connection: {preconnect: {perEndpointPercent: 99}}",
		 "should be greater than or equal to 100"},
		{"connection: {preconnect: {perEndpointPercent: 300}}", ""},
		{"connection: {preconnect: {perEndpointPercent: 301}}",
		 "should be less than or equal to 300"},
		{"connection: {preconnect: {predictivePercent: 100}}, loadBalancer: {type: Random}",
		 ""},
		{"connection: {preconnect: {predictivePercent: 99}}, loadBalancer: {type: Random}",
		 "should be greater than or equal to 100"},
		{"connection: {preconnect: {predictivePercent: 100}}",
		 "spec: Invalid value: predictivePercent in preconnect policy only works with "
		 "RoundRobin or Random load balancers"},
		{"connection: {preconnect: {predictivePercent: 100}}, loadBalancer: {type: "
		 "LeastRequest}",
		 "predictivePercent in preconnect policy"},
		{"loadBalancer: {type: Random, zoneAware: {preferLocal: {}, weightedZones: []}}",
		 "spec.loadBalancer: Invalid value: ZoneAware PreferLocal and WeightedZones cannot "
		 "be specified together."},
	};

	EXPECT(rows);
}

static void admission_and_bandwidth_have_limits(void **state)
{
#define ADMIT(a) "admissionControl: {" a "}"
	static const struct row rows[] = {
		{ADMIT("minSuccessRate: 1, maxRejectionPercent: 0"), ""},
		{ADMIT("minSuccessRate: 100, maxRejectionPercent: 100"), ""},
		{ADMIT("minSuccessRate: 0"), "should be greater than or equal to 1"},
		{ADMIT("minSuccessRate: 0"), "minSuccessRate must be between 1 and 100"},
		{ADMIT("minSuccessRate: 101"), "minSuccessRate must be between 1 and 100"},
		{ADMIT("maxRejectionPercent: -1"), "maxRejectionPercent must be between 0 and 100"},
		{ADMIT("maxRejectionPercent: 101"), "should be less than or equal to 100"},
		{ADMIT("minRequestRate: 0, rejectionAggression: 1"), ""},
		{ADMIT("minRequestRate: -1"), "should be greater than or equal to 0"},
		{ADMIT("rejectionAggression: 0"), "should be greater than or equal to 1"},
		{ADMIT("samplingWindow: 1s"), ""},
		{ADMIT("samplingWindow: 999ms"),
		 "spec.admissionControl: Invalid value: samplingWindow must be at least 1s"},
		{ADMIT("samplingWindow: 1d"), MATCHES},
		{ADMIT("successCriteria: {http: {statusCodes: [100, 599]}}"), ""},
		{ADMIT("successCriteria: {http: {statusCodes: [99]}}"), "equal to 100"},
		{ADMIT("successCriteria: {http: {statusCodes: [600]}}"), "equal to 599"},
		{ADMIT("successCriteria: {grpc: {statusCodes: [Ok, Unauthenticated]}}"), ""},
		{ADMIT("successCriteria: {grpc: {statusCodes: [OK]}}"),
		 "Unsupported value: \"OK\""},
		{ADMIT("enabled: true"), "unknown field \"spec.admissionControl.enabled\""},
		{"bandwidthLimit: {request: {limit: {value: 1Mi, unit: Second}}}", ""},
		{"bandwidthLimit: {response: {limit: {value: 1, unit: Hour}, responseTrailers: "
		 "{prefix: x-eg}}}",
		 ""},
		{"bandwidthLimit: {}",
		 "spec.bandwidthLimit: Invalid value: at least one of request "
		 "or response must be specified"},
		{"bandwidthLimit: {request: {}}", "request.limit: Required value"},
		{"bandwidthLimit: {request: {limit: {value: 1}}}", "limit.unit: Required value"},
		{"bandwidthLimit: {request: {limit: {unit: Hour}}}", "limit.value: Required value"},
		{"bandwidthLimit: {request: {limit: {value: 1, unit: Day}}}", "Unsupported value"},
		{"bandwidthLimit: {response: {limit: {value: 1, unit: Hour}, responseTrailers: "
		 "{prefix: \"a\\nb\"}}}",
		 MATCHES "^[^\\r\\n\\x00]*$'"},
	};

	EXPECT(rows);
}

static void faults_are_delays_and_aborts(void **state)
{
#define FAULT(f) "faultInjection: {" f "}"
	static const struct row rows[] = {
		{FAULT("delay: {fixedDelay: 1s}"), ""},
		{FAULT("abort: {httpStatus: 200}"), ""},
		{FAULT("abort: {httpStatus: 600, percentage: 0.0001}"), ""},
		{FAULT("abort: {httpStatus: 199}"), "should be greater than or equal to 200"},
		{FAULT("abort: {httpStatus: 601}"), "should be less than or equal to 600"},
		{FAULT("abort: {grpcStatus: 0}"), ""},
		{FAULT("abort: {grpcStatus: 16, percentage: 50}"), ""},
		{FAULT("abort: {grpcStatus: 17}"), "should be less than or equal to 16"},
		{FAULT("abort: {grpcStatus: -1}"), "should be greater than or equal to 0"},
		{FAULT("abort: {grpcStatus: 1, httpStatus: 500}"),
		 "spec.faultInjection.abort: Invalid value: httpStatus and grpcStatus cannot be "
		 "simultaneously defined."},
		{FAULT("abort: {}"), "httpStatus and grpcStatus are set at least one."},
		{FAULT(""), "spec.faultInjection: Invalid value: Delay and abort faults are set at "
			    "least one."},
		{FAULT("delay: {percentage: 1}"), "fixedDelay: Required value"},
		{FAULT("delay: {fixedDelay: 1s, percentage: \"1\"}"),
		 "must be of type number: \"string\""},
	};

	EXPECT(rows);
}

static void http2_and_upgrades_follow_their_rules(void **state)
{
#define PING(p) "http2: {connectionKeepalive: {" p "}}"
	static const struct row rows[] = {
		{"http2: {maxConcurrentStreams: 1}", ""},
		{"http2: {maxConcurrentStreams: 2147483647}", ""},
		{"http2: {maxConcurrentStreams: 0}", "should be greater than or equal to 1"},
		{"http2: {maxConcurrentStreams: 2147483648}", "format int32"},
		{"http2: {onInvalidMessage: TerminateStream}", ""},
		{PING("interval: 2s, timeout: 1999ms, idleInterval: 1s, intervalJitter: 100"), ""},
		{PING("interval: 2s, timeout: 2s"),
		 "spec.http2.connectionKeepalive: Invalid value: timeout must be less than interval"},
		{PING("timeout: 2s"), ""},
		{PING("intervalJitter: 101"), "should be less than or equal to 100"},
		{"httpUpgrade: [{type: websocket}, {type: CONNECT, connect: {terminate: true}}]",
		 ""},
		{"httpUpgrade: [{type: websocket, connect: {}}]",
		 "spec.httpUpgrade[0]: Invalid value: The connect configuration is only allowed when "
		 "the type is CONNECT."},
		{"httpUpgrade: [{}]", "spec.httpUpgrade[0].type: Required value"},
		{"compressor: [{type: Brotli, brotli: {}}]", ""},
		{"compressor: [{type: Brotli, brotli: {quality: 1}}]",
		 "unknown field \"spec.compressor[0].brotli.quality\""},
		{"compressor: [{type: gzip}]", "supported values: \"Gzip\", \"Brotli\", \"Zstd\""},
		{"compressor: [{}]", "spec.compressor[0].type: Required value"},
	};

	EXPECT(rows);
}

static void retries_have_limits(void **state)
{
#define RETRY(r)  "retry: {" r "}"
#define BUDGET(b) "circuitBreaker: {retryBudget: {" b "}}"
	static const struct row rows[] = {
		{RETRY("numRetries: 0, numAttemptsPerPriority: 1"), ""},
		{RETRY("numRetries: -1"), "should be greater than or equal to 0"},
		{RETRY("retryOn: {triggers: [5xx, unavailable], httpStatusCodes: [100, 599]}"), ""},
		{RETRY("retryOn: {triggers: [500]}"), "must be of type string: \"integer\""},
		{RETRY("retryOn: {triggers: [never]}"), "Unsupported value: \"never\""},
		{RETRY("retryOn: {httpStatusCodes: [99]}"), "equal to 100"},
		{RETRY("retryOn: {httpStatusCodes: [600]}"), "equal to 599"},
		{RETRY("perRetry: {timeout: 1s, backOff: {baseInterval: 1s, maxInterval: 2s}}"),
		 ""},
		{RETRY("perRetry: {timeout: 1.5s}"), MATCHES},
		{BUDGET("percent: {numerator: 20}"), ""},
		{BUDGET("percent: {numerator: 100}, minRetryConcurrency: 3"), ""},
		{BUDGET("percent: {numerator: 101}"),
		 "spec.circuitBreaker.retryBudget.percent: Invalid value: numerator must be less than "
		 "or equal to denominator"},
		{BUDGET("percent: {numerator: -1}"), "should be greater than or equal to 0"},
		{BUDGET("percent: {numerator: 0, denominator: 0}"),
		 "should be greater than or equal to 1"},
		{BUDGET("percent: {}"), "percent.numerator: Required value"},
		{BUDGET(""), "retryBudget.percent: Required value"},
	};

	EXPECT(rows);
}

static void numbers_without_a_sign_stay_above_zero(void **state)
{
	static const char *const specs[] = {
		"tcpKeepalive: {probes: %d}",
		"healthCheck: {passive: {consecutive5XxErrors: %d}}",
		"healthCheck: {passive: {consecutiveGatewayErrors: %d}}",
		"healthCheck: {passive: {consecutiveLocalOriginFailures: %d}}",
		"retry: {numAttemptsPerPriority: %d}",
		"circuitBreaker: {retryBudget: {percent: {numerator: 1}, minRetryConcurrency: %d}}",
		"loadBalancer: {type: Random, zoneAware: {weightedZones: [{zone: a, weight: %d}]}}",
		"loadBalancer: {type: Random, zoneAware: {preferLocal: {minEndpointsThreshold: "
		"%d}}}",
		"loadBalancer: {type: Random, zoneAware: {preferLocal: {force: "
		"{minEndpointsInZoneThreshold: %d}}}}",
	};
	struct arena *a = *state;

	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		const char *mark = strstr(specs[i], "%d");
		const int before = (int)(mark - specs[i]);
		const struct row rows[] = {
			{arena_printf(a, "%.*s0%s", before, specs[i], mark + 2), ""},
			{arena_printf(a, "%.*s-1%s", before, specs[i], mark + 2),
			 "Invalid value: -1: "},
		};

		EXPECT(rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(quantities_are_whole_numbers_with_a_unit),
		TEST(targets_decide_what_a_policy_may_say),
		TEST(selectors_name_labels_and_namespaces),
		TEST(parts_that_exclude_each_other_are_refused),
		TEST(admission_and_bandwidth_have_limits),
		TEST(faults_are_delays_and_aborts),
		TEST(http2_and_upgrades_follow_their_rules),
		TEST(retries_have_limits),
		TEST(numbers_without_a_sign_stay_above_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
