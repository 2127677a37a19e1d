/* SPDX-License-Identifier: BSD-2-Clause */
/* HTTPRoute, TLSRoute, BackendTLSPolicy and GatewayClass: a spec, and what is said to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "manifest/manifest.h"

static int setup(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

/* All messages behind `The KIND "x" is invalid: `, in order of place. */
static const char *check(struct arena *a, const char *kind, const char *spec, struct resources *rs)
{
	const char *prefix = arena_printf(a, "The %s \"x\" is invalid: ", kind), *out = "";
	const char *text = arena_printf(a,
					"apiVersion: gateway.networking.k8s.io/v1\nkind: %s\n"
					"metadata: {name: x}\nspec: {%s}\n",
					kind, spec);
	struct diags d;

	*rs = (struct resources){0};
	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, NULL, text, strlen(text), NULL, rs), 0);
	for (size_t i = 0; i < d.count; i++) {
		const char *message = d.items[i].text;

		if (strncmp(message, prefix, strlen(prefix)) == 0)
			message += strlen(prefix);
		out = arena_printf(a, "%s%s\n", out, message);
	}
	return out;
}

struct row {
	const char *spec;
	const char *part; /* of what is said; "": nothing is */
};

static void expect(struct arena *a, const char *kind, const struct row *rows, size_t count)
{
	struct resources rs;

	for (size_t i = 0; i < count; i++) {
		const char *said = check(a, kind, rows[i].spec, &rs);

		if (rows[i].part[0] ? !strstr(said, rows[i].part) : said[0])
			fail_msg("%s {%s}\nexpected: %s\nsaid: %s", kind, rows[i].spec,
				 rows[i].part, said);
	}
}

#define EXPECT(kind, rows) expect(*state, kind, rows, sizeof(rows) / sizeof((rows)[0]))
#define PLAIN		   " when type one of ['Exact', 'PathPrefix']"
#define PATH(type, value)  "rules: [{matches: [{path: {type: " type ", value: \"" value "\"}}]}]"

static void paths_of_an_httproute_follow_their_rules(void **state)
{
	static const struct row rows[] = {
		{PATH("Exact", "/a/b%20c/@x"), ""},
		{PATH("PathPrefix", "/"), ""},
		{PATH("RegularExpression", "a//[b]+"), ""},
		{PATH("Exact", "a"), "rules[0].matches[0].path: Invalid value: value must be an "
				     "absolute path and start with '/'" PLAIN},
		{PATH("Exact", "/a//b"), "must not contain '//'" PLAIN},
		{PATH("Exact", "/a/./b"), "must not contain '/./'" PLAIN},
		{PATH("PathPrefix", "/a/../b"), "must not contain '/../'" PLAIN},
		{PATH("Exact", "/a%2fb"), "must not contain '%2f'" PLAIN},
		{PATH("Exact", "/a%2Fb"), "must not contain '%2F'" PLAIN},
		{PATH("Exact", "/a#b"), "must not contain '#'" PLAIN},
		{PATH("Exact", "/a/.."), "must not end with '/..'" PLAIN},
		{PATH("Exact", "/a/."), "must not end with '/.'" PLAIN},
		{PATH("Exact", "/a%2"), "must only contain valid characters (matching "},
		{PATH("Exact", "/a b"), "for types ['Exact', 'PathPrefix']"},
		{PATH("Prefix", "/"), "path.type: Unsupported value: \"Prefix\": supported values: "
				      "\"Exact\", \"PathPrefix\", \"RegularExpression\""},
	};

	EXPECT("HTTPRoute", rows);
}

#define BACKEND "{group: gateway.envoyproxy.io, kind: Backend, name: b}"
#define RULE(r) "rules: [{" r "}]"

static void matches_and_rules_of_an_httproute_have_limits(void **state)
{
	static const struct row rows[] = {
		{"hostnames: [a.example, '*.b.example']", ""},
		{"hostnames: ['a.*.example']", "spec.hostnames[0] in body should match"},
		{"rules: []", "spec.rules in body should have at least 1 items"},
		{RULE("backendRefs: []"), ""},
		{RULE("backendRefs: [" BACKEND "], name: a, retry: {attempts: 2}, "
		      "sessionPersistence: {type: Cookie}"),
		 ""},
		{RULE("backendRefs: [{name: b}]"), "Must have port for Service reference"},
		{"rules: [{name: a}, {name: a}]", "spec.rules: Invalid value: Rule name must be "
						  "unique within the route"},
		{RULE("matches: [{method: GET, headers: [{name: X-A, value: b}], queryParams: "
		      "[{name: q, type: RegularExpression, value: .*}]}]"),
		 ""},
		{RULE("matches: [{method: get}]"), "method: Unsupported value: \"get\""},
		{RULE("matches: [{headers: [{name: 'a b', value: c}]}]"),
		 "headers[0].name in body should match '^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$'"},
		{RULE("matches: [{headers: [{name: a}]}]"), "headers[0].value: Required value"},
		{RULE("matches: [{headers: [{name: a, value: b}, {name: a, value: c}]}]"),
		 "headers[1]: Duplicate value: {\"name\":\"a\"}"},
		{RULE("timeouts: {request: 1s, backendRequest: 1s}"), ""},
		{RULE("timeouts: {request: 0s, backendRequest: 1h}"), ""},
		{RULE("timeouts: {request: 1s, backendRequest: 2s}"),
		 "timeouts: Invalid value: backendRequest timeout cannot be longer than request "
		 "timeout"},
		{RULE("timeouts: {request: 10}"), "must be of type string"},
		{"rules: [{matches: [{}], mirror: x}]", "unknown field \"spec.rules[0].mirror\""},
	};

	EXPECT("HTTPRoute", rows);
}

static void an_httproute_has_at_most_128_matches(void **state)
{
	const char *rule = "{matches: [", *all = "rules: [";
	struct resources rs;

	for (int i = 0; i < 43; i++)
		rule = arena_printf(*state, "%s{},", rule);
	for (int i = 0; i < 2; i++)
		all = arena_printf(*state, "%s%s]}, ", all, rule);
	assert_string_equal(
		check(*state, "HTTPRoute", arena_printf(*state, "%s%s]}]", all, rule), &rs),
		"spec.rules: Invalid value: While 16 rules and 64 matches per rule are "
		"allowed, the total number of matches across all rules in a route must "
		"be less than 128\n");
	assert_string_equal(check(*state, "HTTPRoute", arena_printf(*state, "%s{}]", all), &rs),
			    "");
}

static void defaults_make_an_httproute_complete(void **state)
{
	struct resources rs;
	char *text;

	assert_string_equal(
		check(*state, "HTTPRoute", "rules: [{backendRefs: [" BACKEND "]}]", &rs), "");
	text = node_to_json(node_member(rs.items[0].root, "spec"), 0);
	assert_non_null(strstr(text, "\"weight\":1"));
	assert_non_null(
		strstr(text, "\"matches\":[{\"path\":{\"type\":\"PathPrefix\",\"value\":\"/\"}}]"));
	free(text);
	assert_string_equal(check(*state, "HTTPRoute", "", &rs), "");
	text = node_to_json(node_member(rs.items[0].root, "spec"), 0);
	assert_string_equal(text, "{\"rules\":[{\"matches\":[{\"path\":{\"type\":\"PathPrefix\","
				  "\"value\":\"/\"}}]}]}");
	free(text);
}

#define FILTERS(f) RULE("filters: [" f "]")
#define REPLACE	   "path: {type: ReplacePrefixMatch, replacePrefixMatch: /x}"

static void filters_of_an_httproute_follow_their_rules(void **state)
{
	static const struct row rows[] = {
		{FILTERS("{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, "
			 "value: b}], remove: [c, d]}}"),
		 ""},
		{FILTERS("{type: RequestHeaderModifier, requestHeaderModifier: {remove: [c, c]}}"),
		 "remove[1]: Duplicate value: \"c\""},
		{FILTERS("{type: RequestHeaderModifier}"),
		 "filter.requestHeaderModifier must be specified for RequestHeaderModifier "
		 "filter.type"},
		{FILTERS("{type: CORS, cors: {}, urlRewrite: {}}"),
		 "filter.urlRewrite must be nil if the filter.type is not URLRewrite"},
		{FILTERS("{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: "
			 "301}}"),
		 ""},
		{FILTERS("{type: RequestRedirect, requestRedirect: {statusCode: 305}}"),
		 "statusCode: Unsupported value: 305: supported values: \"301\", \"302\", \"303\", "
		 "\"307\", \"308\""},
		{FILTERS("{type: RequestRedirect, requestRedirect: {}}, {type: URLRewrite, "
			 "urlRewrite: {}}"),
		 "May specify either httpRouteFilterRequestRedirect or "
		 "httpRouteFilterRequestRewrite, but not both"},
		{FILTERS("{type: CORS, cors: {}}, {type: CORS, cors: {}}"),
		 "CORS filter cannot be repeated"},
		{FILTERS("{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath}}}"),
		 "replaceFullPath must be specified when type is set to 'ReplaceFullPath'"},
		{FILTERS("{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, "
			 "replaceFullPath: /, replacePrefixMatch: /}}}"),
		 "type must be 'ReplacePrefixMatch' when replacePrefixMatch is set"},
		{FILTERS("{type: URLRewrite, urlRewrite: {" REPLACE "}}"), ""},
		{RULE("matches: [{path: {type: Exact, value: /}}], filters: [{type: URLRewrite, "
		      "urlRewrite: {" REPLACE "}}]"),
		 "When using URLRewrite filter with path.replacePrefixMatch, exactly one "
		 "PathPrefix match must be specified"},
		{RULE("matches: [{}, {}], backendRefs: [{group: a, name: b, filters: [{type: "
		      "URLRewrite, urlRewrite: {" REPLACE "}}]}]"),
		 "Within backendRefs, When using URLRewrite filter with path.replacePrefixMatch"},
		{RULE("backendRefs: [" BACKEND "], filters: [{type: RequestRedirect, "
		      "requestRedirect: {}}]"),
		 "spec.rules[0]: Invalid value: RequestRedirect filter must not be used together "
		 "with backendRefs"},
	};

	EXPECT("HTTPRoute", rows);
}

static void mirrors_and_cors_of_an_httproute_follow_their_rules(void **state)
{
	static const struct row rows[] = {
		{FILTERS("{type: RequestMirror, requestMirror: {backendRef: " BACKEND
			 ", fraction: {numerator: 1}}}"),
		 ""},
		{FILTERS("{type: RequestMirror, requestMirror: {backendRef: {name: b}}}"),
		 "requestMirror.backendRef: Invalid value: Must have port for Service reference"},
		{FILTERS("{type: RequestMirror, requestMirror: {backendRef: " BACKEND
			 ", percent: 1, fraction: {numerator: 101}}}"),
		 "Only one of percent or fraction may be specified in HTTPRequestMirrorFilter"},
		{FILTERS("{type: RequestMirror, requestMirror: {backendRef: " BACKEND
			 ", fraction: {numerator: 101}}}"),
		 "numerator must be less than or equal to denominator"},
		{FILTERS("{type: CORS, cors: {allowOrigins: ['https://a.example', "
			 "'http://*.b.example:8080'], allowMethods: ['*']}}"),
		 ""},
		{FILTERS("{type: CORS, cors: {allowOrigins: ['*', 'https://a.example']}}"),
		 "AllowOrigins cannot contain '*' alongside other origins"},
		{FILTERS("{type: CORS, cors: {allowOrigins: [a.example]}}"),
		 "cors.allowOrigins[0] in body should match"},
		{FILTERS("{type: CORS, cors: {allowOrigins: ['https://a.example:port']}}"),
		 "cors.allowOrigins[0] in body should match"},
		{FILTERS("{type: CORS, cors: {maxAge: 0}}"), "greater than or equal to 1"},
		{FILTERS("{type: ExtensionRef, extensionRef: {group: a.example, kind: F, name: f}}"),
		 ""},
		{FILTERS("{type: ExternalAuth}"), "type: Unsupported value: \"ExternalAuth\""},
	};

	EXPECT("HTTPRoute", rows);
}

#define TO "rules: [{backendRefs: [" BACKEND "]}]"

static void a_tlsroute_has_host_names(void **state)
{
	static const struct row rows[] = {
		{"hostnames: [a.example, '*.b.example'], " TO, ""},
		{TO, "spec.hostnames: Required value"},
		{"hostnames: [], " TO, "spec.hostnames in body should have at least 1 items"},
		{"hostnames: [192.0.2.1], " TO, "Hostnames cannot contain an IP"},
		{"hostnames: ['2001:db8::1'], " TO, "Hostnames cannot contain an IP"},
		{"hostnames: [A.example], " TO, "Hostnames must be valid based on RFC-1123"},
		{"hostnames: ['a.*.example'], " TO,
		 "Wildcards on hostnames must be the first label"},
		{"hostnames: [a.example], rules: []", "should have at least 1 items"},
	};

	EXPECT("TLSRoute", rows);
}

#define AT     "targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b}]"
#define V(...) AT ", validation: {hostname: a.example, " __VA_ARGS__ "}"

static void a_tls_policy_says_whom_to_trust_for_which_name(void **state)
{
	static const struct row rows[] = {
		{V("wellKnownCACertificates: System"), ""},
		{V("caCertificateRefs: [{group: '', kind: ConfigMap, name: a}]"), ""},
		{V("options: {}"), "unknown field \"spec.validation.options\""},
		{V("caCertificateRefs: []"),
		 "spec.validation: Invalid value: must specify either CACertificateRefs or "
		 "WellKnownCACertificates"},
		{V("wellKnownCACertificates: System, caCertificateRefs: [{group: '', kind: "
		   "ConfigMap, name: a}]"),
		 "must not contain both CACertificateRefs and WellKnownCACertificates"},
		{AT ", validation: {hostname: '*.a', wellKnownCACertificates: System}",
		 "spec.validation.hostname in body should match"},
		{AT, "spec.validation: Required value"},
		{"targetRefs: [], validation: {hostname: a, wellKnownCACertificates: System}",
		 "spec.targetRefs in body should have at least 1 items"},
		{"targetRefs: [{group: a, kind: B, name: c}, {group: a, kind: B, name: c, "
		 "sectionName: d}], validation: {hostname: a, wellKnownCACertificates: System}",
		 "sectionName must be specified when targetRefs includes 2 or more references to "
		 "the same target"},
		{"targetRefs: [{group: a, kind: B, name: c, sectionName: d}, {group: a, kind: B, "
		 "name: c, sectionName: d}], validation: {hostname: a, wellKnownCACertificates: "
		 "System}",
		 "sectionName must be unique when targetRefs includes 2 or more references to the "
		 "same target"},
		{V("wellKnownCACertificates: System, subjectAltNames: [{type: Hostname, hostname: "
		   "'*.a.example'}, {type: URI, uri: 'spiffe://a/b'}]"),
		 ""},
		{V("wellKnownCACertificates: System, subjectAltNames: [{type: URI}]"),
		 "SubjectAltName element must contain URI, if Type is set to URI"},
		{V("wellKnownCACertificates: System, subjectAltNames: [{type: URI, uri: 'a:b'}]"),
		 "subjectAltNames[0].uri in body should match"},
		{V("wellKnownCACertificates: System, subjectAltNames: [{type: URI, uri: "
		   "'a://b', hostname: a}]"),
		 "SubjectAltName element must not contain Hostname, if Type is not set to "
		 "Hostname"},
	};

	EXPECT("BackendTLSPolicy", rows);
}

static void a_gateway_class_is_in_no_namespace(void **state)
{
	static const struct row rows[] = {
		{"controllerName: a.example/b/c, description: words", ""},
		{"controllerName: a.example",
		 "spec.controllerName in body should match '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-"
		 "9]([-a-z0-9]*[a-z0-9])?)*\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$'"},
		{"description: x", "spec.controllerName: Required value"},
	};
	struct resources rs;

	EXPECT("GatewayClass", rows);
	(void)check(*state, "GatewayClass", rows[0].spec, &rs);
	assert_string_equal(rs.items[0].namespace, "");
	assert_null(node_at(rs.items[0].root, "metadata.namespace"));
}

static void the_core_group_has_no_name(void **state)
{
	assert_int_equal(kind_lookup("v1", "Secret")->id, KIND_SECRET);
	assert_null(kind_lookup("core/v1", "Secret"));
	assert_null(kind_lookup("v2", "Secret"));
	assert_null(kind_lookup("v1", "Backend"));
	assert_int_equal(kind_find("cm")->id, KIND_CONFIGMAP);
	assert_int_equal(kind_find("secrets")->id, KIND_SECRET);
	assert_int_equal(kind_find("btlspolicy")->id, KIND_BACKENDTLSPOLICY);
	assert_int_equal(kind_find("gc")->id, KIND_GATEWAYCLASS);
	assert_int_equal(kind_lookup("gateway.networking.k8s.io/v1alpha3", "TLSRoute")->id,
			 KIND_TLSROUTE);
	assert_string_equal(kind_api_version(*state, &kinds[KIND_SECRET], NULL), "v1");
	assert_string_equal(kind_resource(*state, &kinds[KIND_SECRET]), "secrets");
	assert_string_equal(kind_api_version(*state, &kinds[KIND_TLSROUTE], "v1alpha2"),
			    "gateway.networking.k8s.io/v1alpha2");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(paths_of_an_httproute_follow_their_rules),
		TEST(matches_and_rules_of_an_httproute_have_limits),
		TEST(an_httproute_has_at_most_128_matches),
		TEST(defaults_make_an_httproute_complete),
		TEST(filters_of_an_httproute_follow_their_rules),
		TEST(mirrors_and_cors_of_an_httproute_follow_their_rules),
		TEST(a_tlsroute_has_host_names),
		TEST(a_tls_policy_says_whom_to_trust_for_which_name),
		TEST(a_gateway_class_is_in_no_namespace),
		TEST(the_core_group_has_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
