/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rate limits, other answers, telemetry and load balancers of a BackendTrafficPolicy: each limit and
 * rule on both sides, in upstream's words.
 */
#include "base/strbuf.h"
#include "policy_fixture.h"

#define NEEDS_ONE                                                                                  \
	"at least one of headers, methods, path, sourceCIDR or queryParams must be specified"
#define RULE(r)	  "rateLimit: {global: {rules: [{limit: {requests: 1, unit: Hour}, " r "}]}}"
#define LIMIT(l)  "rateLimit: {global: {rules: [{limit: {" l "}}]}}"
#define CLIENT(c) RULE("clientSelectors: [{" c "}]")

static void clients_are_selected_by_what_they_send(void **state)
{
	static const struct row rows[] = {
		{CLIENT("headers: [{name: a, value: b}]"), ""},
		{CLIENT("headers: [{name: a, type: Distinct}]"), ""},
		{CLIENT("headers: [{name: \"\"}]"), "at least 1 chars long"},
		{CLIENT("headers: [{value: b}]"), "headers[0].name: Required value"},
		{CLIENT("headers: [{name: a, type: Prefix}]"),
		 "\"Exact\", \"RegularExpression\", \"Distinct\""},
		{CLIENT("methods: [{value: GET}]"), ""},
		{CLIENT("methods: [{value: get}]"), "Unsupported value: \"get\""},
		{CLIENT("methods: [{}]"), "methods[0].value: Required value"},
		{CLIENT("path: {value: /a}"), ""},
		{CLIENT("path: {}"), ""}, /* the default is / */
		{CLIENT("path: {type: Prefix}"), "Unsupported value"},
		{CLIENT("queryParams: [{name: a}]"), ""},
		{CLIENT("sourceCIDR: {value: 192.0.2.0/24, invert: true}"), ""},
		{CLIENT("sourceCIDR: {type: Distinct, value: 0.0.0.0/0}"), ""},
		{CLIENT("sourceCIDR: {}"), "sourceCIDR.value: Required value"},
		{CLIENT("sourceCIDR: {value: \"\"}"), "at least 1 chars long"},
		{CLIENT(""),
		 "spec.rateLimit.global.rules[0].clientSelectors[0]: Invalid value: " NEEDS_ONE},
	};

	EXPECT(rows);
}

static void rate_limits_have_limits(void **state)
{
	static const struct row rows[] = {
		{LIMIT("requests: 0, unit: Second"), ""},
		{LIMIT("requests: 4294967295, unit: Week"), ""},
		{LIMIT("requests: 4294967296, unit: Year"),
		 "should be less than or equal to 4294967295"},
		{LIMIT("requests: -1, unit: Year"), "should be greater than or equal to 0"},
		{LIMIT("requests: 1, unit: Fortnight"), "Unsupported value: \"Fortnight\""},
		{LIMIT("requests: 1"), "limit.unit: Required value"},
		{LIMIT("unit: Hour"), "limit.requests: Required value"},
		{LIMIT("requests: 1, unit: Hour, fromMetadata: {namespace: ns, key: k}"), ""},
		{LIMIT("requests: 1, unit: Hour, fromMetadata: {namespace: \"\", key: k}"),
		 "at least 1 chars long"},
		{"rateLimit: {global: {}}", "spec.rateLimit.global.rules: Required value"},
		{"rateLimit: {local: {}}", ""},
		{"rateLimit: {type: Local}", ""},
		{"rateLimit: {type: local}", "Unsupported value: \"local\""},
		{"rateLimit: {local: {rules: [{limit: {requests: 1, unit: Hour}, cost: {request: "
		 "{from: Number, number: 2}}}]}}",
		 ""},
		{"rateLimit: {local: {rules: [{limit: {requests: 1, unit: Hour}, cost: {response: "
		 "{from: Number, number: 2}}}]}}",
		 "spec.rateLimit.local.rules: Invalid value: response cost is not supported for "
		 "Local Rate Limits"},
		{"rateLimit: {local: {rules: [{limit: {requests: 1, unit: Hour, fromMetadata: "
		 "{namespace: ns, key: k}}}]}}",
		 "limit fromMetadata is not supported for Local Rate Limits"},
		{RULE("cost: {response: {from: Metadata, metadata: {namespace: ns, key: k}}}"), ""},
		{RULE("cost: {request: {from: Number, number: 0}}"), ""},
		{RULE("cost: {request: {from: Number, number: 1, metadata: {namespace: ns, key: "
		      "k}}}"),
		 "spec.rateLimit.global.rules[0].cost.request: Invalid value: only one of number or "
		 "metadata can be specified"},
		{RULE("cost: {request: {}}"), "cost.request.from: Required value"},
		{RULE("shared: true, shadowMode: true, xRateLimitHeaders: \"Off\""), ""},
		{RULE("xRateLimitHeaders: off"), "must be of type string: \"boolean\""},
		{RULE("xRateLimitHeaders: DraftVersion04"), "\"Off\", \"DraftVersion03\""},
	};

	EXPECT(rows);
}

/* `count` times the item in a list, between two texts. */
static const char *many(struct arena *a, const char *before, const char *item, size_t count,
			const char *after)
{
	struct strbuf b = {0};
	const char *out;

	strbuf_puts(&b, before);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&b, "%s%s", i ? ", " : "", item);
	strbuf_puts(&b, after);
	out = arena_strdup(a, b.text);
	strbuf_done(&b);
	return out;
}

static void lists_have_upper_bounds(void **state)
{
	static const struct {
		const char *before, *item, *after;
		size_t most;
	} rows[] = {
		{"rateLimit: {global: {rules: [", "{limit: {requests: 1, unit: Hour}}", "]}}", 256},
		{"rateLimit: {local: {rules: [", "{limit: {requests: 1, unit: Hour}}", "]}}", 16},
		{"rateLimit: {local: {rules: [{limit: {requests: 1, unit: Hour}, clientSelectors: [",
		 "{path: {}}", "]}]}}", 8},
		{"rateLimit: {local: {rules: [{limit: {requests: 1, unit: Hour}, clientSelectors: "
		 "[{headers: [",
		 "{name: a}", "]}]}]}}", 128},
		{"rateLimit: {local: {rules: [{limit: {requests: 1, unit: Hour}, clientSelectors: "
		 "[{queryParams: [",
		 "{name: a}", "]}]}]}}", 16},
		{"responseOverride: [{redirect: {}, match: {statusCodes: [", "{value: 500}", "]}}]",
		 50},
		{"responseOverride: [{redirect: {}, match: {responseHeaders: [",
		 "{name: a, value: {value: b}}", "]}}]", 16},
		{"loadBalancer: {type: Random, endpointOverride: {extractFrom: [", "{header: a}",
		 "]}}", 10},
		{"healthCheck: {active: {type: TCP, tcp: {}, healthCheckLog: {sinks: [",
		 "{type: File, file: {path: /x}}", "]}}}", 1},
	};
	struct arena *a = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *fits =
			many(a, rows[i].before, rows[i].item, rows[i].most, rows[i].after);
		const char *more =
			many(a, rows[i].before, rows[i].item, rows[i].most + 1, rows[i].after);
		const struct row both[] = {
			{fits, ""},
			{more, arena_printf(a, "Too many: %zu: must have at most %zu items",
					    rows[i].most + 1, rows[i].most)},
		};

		EXPECT(both);
	}
}

#define ANSWER(r) "responseOverride: [{" r "}]"
#define ON_500	  "match: {statusCodes: [{value: 500}]}, "
#define MATCH(m)  ANSWER("response: {}, match: {" m "}")

static void answers_are_matched_by_status_and_headers(void **state)
{
	static const struct row rows[] = {
		{MATCH("statusCodes: [{value: 500}]"), ""},
		{MATCH("statusCodes: [{type: Value, value: 500}]"), ""},
		{MATCH("statusCodes: [{}]"),
		 "spec.responseOverride[0].match.statusCodes[0]: Invalid "
		 "value: value must be set for type Value"},
		{MATCH("statusCodes: [{type: Range, range: {start: 500, end: 501}}]"), ""},
		{MATCH("statusCodes: [{type: Range, range: {start: 500, end: 500}}]"),
		 "end must be greater than start"},
		{MATCH("statusCodes: [{type: Range, value: 1}]"),
		 "range must be set for type Range"},
		{MATCH("statusCodes: [{type: Range, range: {start: 1}}]"),
		 "range.end: Required value"},
		{MATCH("statusCodes: []"), "should have at least 1 items"},
		{MATCH("responseHeaders: [{name: a, value: {value: b}}]"), ""},
		{MATCH("responseHeaders: [{name: a, value: {type: Suffix, value: b}}]"), ""},
		{MATCH("responseHeaders: [{name: a, value: {type: Ends, value: b}}]"),
		 "\"Exact\", \"Prefix\", \"Suffix\", \"RegularExpression\""},
		{MATCH("responseHeaders: [{name: \"a b\", value: {value: b}}]"), MATCHES},
		{MATCH("responseHeaders: [{name: a, value: {value: \"\"}}]"), "at least 1 chars"},
		{MATCH("responseHeaders: []"), "should have at least 1 items"},
		{MATCH(""), "spec.responseOverride[0].match: Invalid value: at least one of "
			    "statusCodes or responseHeaders must be specified"},
		{ANSWER("response: {}"), "match: Required value"},
	};

	EXPECT(rows);
}

static void other_answers_are_responses_or_redirects(void **state)
{
	static const char one[] = "exactly one of response or redirect must be specified";
	const struct row rows[] = {
		{ANSWER(ON_500 "response: {statusCode: 200, contentType: a/b}, source: Local"), ""},
		{ANSWER(ON_500 "redirect: {statusCode: 301}"), ""},
		{ANSWER(ON_500 "redirect: {statusCode: 303}"),
		 "supported values: \"301\", \"302\""},
		{ANSWER(ON_500 "redirect: {}, response: {}"), one},
		{ANSWER("match: {statusCodes: [{value: 500}]}"), one},
		{ANSWER(ON_500 "response: {}, source: Upstream"),
		 "\"All\", \"Local\", \"Backend\""},
		{ANSWER(ON_500 "redirect: {path: {type: ReplaceFullPath, replaceFullPath: /x}}"),
		 ""},
		{ANSWER(ON_500 "redirect: {path: {type: ReplaceFullPath}}"),
		 "replaceFullPath must be specified when type is set to 'ReplaceFullPath'"},
		{ANSWER(ON_500 "redirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: "
			       "/x}}"),
		 "redirect.path: Invalid value: only ReplaceFullPath is supported for path.type"},
		{ANSWER(ON_500 "redirect: {path: {type: ReplacePrefixMatch, replaceFullPath: /x}}"),
		 "type must be 'ReplaceFullPath' when replaceFullPath is set"},
		{ANSWER(ON_500 "redirect: {path: {type: ReplacePrefixMatch}}"),
		 "replacePrefixMatch must be specified when type is set to 'ReplacePrefixMatch'"},
		{ANSWER(ON_500 "redirect: {path: {type: ReplaceFullPath, replaceFullPath: /, "
			       "replacePrefixMatch: /}}"),
		 "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set"},
		{ANSWER(ON_500 "redirect: {scheme: https, hostname: a.example, port: 70000}"), ""},
		{ANSWER(ON_500 "redirect: {scheme: ftp}"), "\"http\", \"https\""},
		{ANSWER(ON_500 "redirect: {hostname: \"*.example\"}"), MATCHES},
		{ANSWER(ON_500 "response: {body: {inline: text}}"), ""},
		{ANSWER(ON_500 "response: {body: {}}"), "inline must be set for type Inline"},
		{ANSWER(ON_500 "response: {body: {type: ValueRef, valueRef: {group: \"\", kind: "
			       "ConfigMap, name: c}}}"),
		 ""},
		{ANSWER(ON_500 "response: {body: {type: ValueRef}}"),
		 "valueRef must be set for type ValueRef"},
		{ANSWER(ON_500 "response: {body: {type: ValueRef, valueRef: {group: \"\", kind: "
			       "Secret, name: c}}}"),
		 "only ConfigMap is supported for ValueRef"},
		{ANSWER(ON_500 "response: {header: {set: [{name: a, value: b}], remove: []}}"), ""},
		{ANSWER(ON_500 "response: {header: {remove: [a]}}"),
		 "Remove is not supported for header in CustomResponse"},
	};

	EXPECT(rows);
}

static void telemetry_has_fractions_and_tags(void **state)
{
#define TRACE(t) "telemetry: {tracing: {" t "}}"
	static const char most[] = "numerator must be less than or equal to denominator";
	const struct row rows[] = {
		{"telemetry: {metrics: {routeStatName: \"%ROUTE_NAME%\"}}", ""},
		{TRACE("samplingFraction: {numerator: 5, denominator: 5}"), ""},
		{TRACE("samplingFraction: {numerator: 6, denominator: 5}"), most},
		{TRACE("clientSamplingFraction: {numerator: 101}"), most},
		{TRACE("overallSamplingFraction: {}"), "numerator: Required value"},
		{TRACE("spanName: {client: a, server: b}"), ""},
		{TRACE("spanName: {client: a}"), "spanName.server: Required value"},
		{TRACE("tags: {a: b}"), ""},
		{TRACE("tags: {a: 1}"), "must be of type string: \"integer\""},
		{TRACE("customTags: {a: {literal: {value: b}}}"), ""},
		{TRACE("customTags: {a: {type: Environment, environment: {name: A, defaultValue: "
		       "b}}}"),
		 ""},
		{TRACE("customTags: {a: {type: Cookie}}"), "Unsupported value: \"Cookie\""},
		{TRACE("customTags: {a: {requestHeader: {}}}"),
		 "customTags.a.requestHeader.name: Required value"},
		{TRACE("samplingRate: 1"), "unknown field \"spec.telemetry.tracing.samplingRate\""},
	};

	EXPECT(rows);
}

#define USED(u)	  "loadBalancer: {type: BackendUtilization, backendUtilization: {" u "}}"
#define MODULE(m) "loadBalancer: {type: DynamicModule, dynamicModule: {" m "}}"

static void balancers_have_settings_of_their_own(void **state)
{
	static const struct row rows[] = {
		{USED("blackoutPeriod: 10s, weightUpdatePeriod: 1s, weightExpirationPeriod: 3m"),
		 ""},
		{USED("errorUtilizationPenaltyPercent: 0, metricNamesForComputingUtilization: [a]"),
		 ""},
		{USED("errorUtilizationPenaltyPercent: -1"),
		 "should be greater than or equal to 0"},
		{USED("outOfBand: {port: 1, reportingPeriod: 1ms, authority: a}"), ""},
		{USED("outOfBand: {port: 65535}"), ""},
		{USED("outOfBand: {port: 0}"), "should be greater than or equal to 1"},
		{USED("outOfBand: {port: 65536}"), "should be less than or equal to 65535"},
		{USED("outOfBand: {authority: \"\"}"), "at least 1 chars long"},
		{USED("outOfBand: {authority: \"a\\nb\"}"), MATCHES "^[^\\x00\\n\\r]*$'"},
		{USED("outOfBand: {reportingPeriod: 0s}"),
		 "spec.loadBalancer.backendUtilization.outOfBand.reportingPeriod: Invalid value: "
		 "\"0s\": reportingPeriod must be greater than 0"},
		{"loadBalancer: {type: BackendUtilization}",
		 "If LoadBalancer type is BackendUtilization, backendUtilization field needs to be "
		 "set."},
		{"loadBalancer: {type: Random, backendUtilization: {}}",
		 "If LoadBalancer type is BackendUtilization"},
		{"loadBalancer: {type: BackendUtilization, backendUtilization: {}, zoneAware: "
		 "{weightedZones: [{zone: a, weight: 1}]}}",
		 ""},
		{"loadBalancer: {type: BackendUtilization, backendUtilization: {}, zoneAware: "
		 "{preferLocal: {}}}",
		 "Only WeightedZones can be used with BackendUtilization."},
		{MODULE("name: a.b-c, lbPolicyName: p, config: [1, {x: ~}]"), ""},
		{MODULE("name: a.b-, lbPolicyName: p"), MATCHES},
		{MODULE("name: A, lbPolicyName: p"), MATCHES},
		{MODULE("name: a"), "dynamicModule.lbPolicyName: Required value"},
		{MODULE("name: a, lbPolicyName: \"\""), "at least 1 chars long"},
		{"loadBalancer: {type: DynamicModule}",
		 "If LoadBalancer type is DynamicModule, dynamicModule field needs to be set."},
		{"loadBalancer: {type: DynamicModule, dynamicModule: {name: a, lbPolicyName: p}, "
		 "zoneAware: {}}",
		 "ZoneAware routing is not supported for DynamicModule load balancers."},
		{"loadBalancer: {type: DynamicModule, dynamicModule: {name: a, lbPolicyName: p}, "
		 "endpointOverride: {extractFrom: [{}]}}",
		 "EndpointOverride is not supported for DynamicModule load balancers."},
		{"loadBalancer: {type: DynamicModule, dynamicModule: {name: a, lbPolicyName: p}, "
		 "slowStart: {window: 1s}}",
		 "Currently SlowStart is only supported for RoundRobin, LeastRequest, and "
		 "BackendUtilization load balancers."},
		{"loadBalancer: {type: Random, endpointOverride: {extractFrom: []}}",
		 "should have at least 1 items"},
		{"loadBalancer: {type: Random, zoneAware: {weightedZones: [{zone: a, weight: "
		 "2147483647}]}}",
		 ""},
		{"loadBalancer: {type: Random, zoneAware: {weightedZones: [{zone: a, weight: "
		 "2147483648}]}}",
		 "format int32"},
	};

	EXPECT(rows);
}

#define LOG(l) "healthCheck: {active: {type: TCP, tcp: {}, healthCheckLog: {" l "}}}"

static void checks_may_be_written_down(void **state)
{
	static const struct row rows[] = {
		{LOG(""), ""},
		{LOG("matches: [Failure, Success]"), ""},
		{LOG("matches: [FailureSeriesStart, HealthyTransition]"), ""},
		{LOG("matches: []"), ""},
		{LOG("matches: [Failure]"),
		 "healthCheckLog.matches: Invalid value: a failure type and a success type must both "
		 "be specified together"},
		{LOG("matches: [Success]"), "must both be specified together"},
		{LOG("matches: [Failure, Success, Failure]"), "Duplicate value: \"Failure\""},
		{LOG("matches: [failure]"), "Unsupported value: \"failure\""},
		{LOG("sinks: [{type: File, file: {path: /dev/stdout}}]"), ""},
		{LOG("sinks: [{type: File}]"),
		 "sinks[0]: Invalid value: If ProxyHealthCheckLogSink "
		 "type is File, file field needs to be set."},
		{LOG("sinks: [{type: File, file: {path: \"\"}}]"), "at least 1 chars long"},
		{LOG("sinks: [{file: {path: /x}}]"), "sinks[0].type: Required value"},
		/* Upstream compares methods in capitals. */
		{"healthCheck: {active: {type: HTTP, http: {path: /, method: post, requestBody: "
		 "{type: Text, text: a}}}}",
		 ""},
		{"healthCheck: {active: {type: HTTP, http: {path: /, method: gets, requestBody: "
		 "{type: Text, text: a}}}}",
		 "The requestBody field can only be set when method is POST or PUT."},
		{"healthCheck: {active: {type: HTTP, http: {path: /, hostname: a.example}}}", ""},
		{"healthCheck: {active: {type: HTTP, http: {path: /, hostname: \"*.example\"}}}",
		 MATCHES},
	};

	EXPECT(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(clients_are_selected_by_what_they_send),
		TEST(rate_limits_have_limits),
		TEST(lists_have_upper_bounds),
		TEST(answers_are_matched_by_status_and_headers),
		TEST(other_answers_are_responses_or_redirects),
		TEST(telemetry_has_fractions_and_tags),
		TEST(balancers_have_settings_of_their_own),
		TEST(checks_may_be_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
