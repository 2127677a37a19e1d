/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicies: which is in force, the checks they ask for, who is judged alike. */
#include "manifest_fixture.h"

static const struct check *check_of(const char *active)
{
	given(arena_printf(arena,
			   EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
				   POLICY("p", "%s, healthCheck: {active: %s}"),
			   ON("TCPRoute", "web"), active));
	return m->instances[0].check;
}

static void a_tcp_check_has_upstreams_defaults(void **state)
{
	const struct check *c = check_of("{type: TCP, tcp: {}}");

	(void)state;
	assert_non_null(c);
	assert_int_equal(c->type, CHECK_TCP);
	assert_int_equal(c->timeout_ms, 1000);
	assert_int_equal(c->interval_ms, 3000);
	assert_int_equal(c->jitter_ms, 0);
	assert_int_equal(c->unhealthy_threshold, 3);
	assert_int_equal(c->healthy_threshold, 1);
	assert_int_equal(c->port, 0);
	assert_null(c->send.bytes);
	assert_true(m->instances[0].profile != 0);
	expect(object("BackendTrafficPolicy", "p"), "Accepted",
	       "True Accepted Policy has been accepted.");
}

static void an_http_check_is_read_whole(void **state)
{
	const struct check *c = check_of(
		"{type: HTTP, timeout: 1500ms, interval: 1m30s, initialJitter: 2s, "
		"unhealthyThreshold: 5, healthyThreshold: 2, overrides: {port: 9000}, http: {path: "
		"/ok, hostname: h.example, method: POST, expectedStatuses: [200, 204], "
		"retriableStatuses: [503], requestBody: {type: Binary, binary: aGVsbG8=}, "
		"expectedResponse: {type: Text, text: fine}}}");

	(void)state;
	assert_int_equal(c->timeout_ms, 1500);
	assert_int_equal(c->interval_ms, 90000);
	assert_int_equal(c->jitter_ms, 2000);
	assert_int_equal(c->unhealthy_threshold, 5);
	assert_int_equal(c->healthy_threshold, 2);
	assert_int_equal(c->port, 9000);
	assert_string_equal(c->http_path, "/ok");
	assert_string_equal(c->http_hostname, "h.example");
	assert_string_equal(c->http_method, "POST");
	assert_int_equal(c->expected_count, 2);
	assert_int_equal(c->expected[1], 204);
	assert_int_equal(c->retriable[0], 503);
	assert_int_equal(c->request_body.len, 5);
	assert_memory_equal(c->request_body.bytes, "hello", 5);
	assert_int_equal(c->expected_body.len, 4);
	assert_memory_equal(c->expected_body.bytes, "fine", 4);
}

static void an_http_check_expects_200_unless_told(void **state)
{
	const struct check *c = check_of("{type: HTTP, http: {path: /, method: get}}");

	(void)state;
	assert_int_equal(c->expected_count, 1);
	assert_int_equal(c->expected[0], 200);
	assert_string_equal(c->http_method, "GET"); /* upper-cased, as upstream */
	assert_null(c->http_hostname);
}

static void a_duration_of_zero_counts_as_none(void **state)
{
	const struct check *c = check_of("{type: TCP, tcp: {}, interval: 0s, timeout: 0ms}");

	(void)state;
	assert_int_equal(c->interval_ms, 3000);
	assert_int_equal(c->timeout_ms, 1000);
}

static void a_grpc_check_names_its_service(void **state)
{
	const struct check *c = check_of("{type: GRPC, grpc: {service: shop.Cart}}");

	(void)state;
	assert_int_equal(c->type, CHECK_GRPC);
	assert_string_equal(c->grpc_service, "shop.Cart");
	assert_true(m->instances[0].profile != 0);
	assert_string_equal(condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL),
			    "none");
}

static void a_grpc_check_asks_for_the_whole_server_unless_told(void **state)
{
	(void)state;
	assert_string_equal(check_of("{type: GRPC}")->grpc_service, "");
}

static void the_most_specific_policy_is_in_force(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
		      ROUTE_OF("UDPRoute", "names", "{name: edge}", REF("a")) POLICY(
			      "wide", ON("Gateway", "edge") ", healthCheck: {panicThreshold: 10}")
			      POLICY("narrow", ON("TCPRoute", "web") ", healthCheck: "
								     "{panicThreshold: 20}"));
	assert_int_equal(m->service_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(m->services[i].panic_threshold,
				 m->services[i].proto == IPPROTO_TCP ? 20 : 10);
	expect(object("BackendTrafficPolicy", "wide"), "Overridden",
	       "True Overridden This policy is being overridden by other backendTrafficPolicies "
	       "for TCPRoute default/web");
	assert_string_equal(condition(object("BackendTrafficPolicy", "narrow"), "Overridden", NULL),
			    "none");
}

static void a_policy_may_choose_a_listener(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
		      ROUTE_OF("UDPRoute", "names", "{name: edge}", REF("a"))
			      POLICY("p", "targetRef: {group: gateway.networking.k8s.io, kind: "
					  "Gateway, name: edge, sectionName: dns}, healthCheck: "
					  "{panicThreshold: 0}"));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(m->services[i].panic_threshold,
				 m->services[i].proto == IPPROTO_UDP ? 0 : 50);
}

static void two_policies_on_one_target_and_the_older_has_it(void **state)
{
	(void)state;
	add("default", 9, EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")));
	add("default", 5,
	    POLICY("young", ON("TCPRoute", "web") ", healthCheck: {panicThreshold: 1}"));
	add("default", 4,
	    POLICY("old", ON("TCPRoute", "web") ", healthCheck: {panicThreshold: 2}"));
	resolve();
	assert_int_equal(m->services[0].panic_threshold, 2);
	expect(object("BackendTrafficPolicy", "young"), "Accepted",
	       "False Conflicted Unable to target TCPRoute web, another BackendTrafficPolicy has "
	       "already attached to it");
	expect_warning("Unable to target TCPRoute web");
}

static void fields_without_effect_are_named(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")) POLICY(
		"p", ON("TCPRoute", "web") ", loadBalancer: {type: LeastRequest, slowStart: "
					   "{window: 30s}, zoneAware: {preferLocal: {}}, "
					   "endpointOverride: {extractFrom: [{header: x}]}}, "
					   "rateLimit: {type: Local}, healthCheck: {passive: {}, "
					   "active: {type: TCP, tcp: {}, healthCheckLog: {}}}"));
	expect(object("BackendTrafficPolicy", "p"), "Accepted", "True");
	assert_string_equal(
		condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL),
		"False FieldsWithoutEffect in this version these fields have no effect: "
		"spec.loadBalancer.endpointOverride, spec.rateLimit, "
		"spec.healthCheck.active.healthCheckLog");
	assert_int_equal(diags.count, 0);
}

static void a_table_size_that_is_not_prime_is_refused(void **state)
{
	(void)state;
	given(POLICY("p", ON("TCPRoute", "web") ", loadBalancer: {type: ConsistentHash, "
						"consistentHash: {type: SourceIP, tableSize: "
						"1024}}"));
	expect(object("BackendTrafficPolicy", "p"), "Accepted",
	       "LoadBalancer: ConsistentHash: invalid TableSize value 1024.");
	expect_warning("invalid TableSize value 1024.");
}

static void udp_is_checked_on_a_port_of_its_own(void **state)
{
	static const struct {
		const char *active;
		bool checked;
	} rows[] = {
		{"{type: TCP, tcp: {}}", false},
		{"{type: TCP, tcp: {}, overrides: {port: 9}}", true},
		{"{type: HTTP, http: {path: /}, overrides: {port: 9}}", true},
		{"{type: GRPC}", false},
		{"{type: GRPC, overrides: {port: 9}}", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(arena,
				   EDGE BACKEND("a", "10.0.0.1")
					   ROUTE_OF("UDPRoute", "names", "{name: edge}", REF("a"))
						   POLICY("p", "%s, healthCheck: {active: %s}"),
				   ON("UDPRoute", "names"), rows[i].active));
		assert_int_equal(m->instances[0].check != NULL, rows[i].checked);
		expect(object("BackendTrafficPolicy", "p"), "Programmed",
		       rows[i].checked ? "none" : "overrides.port");
	}
}

static void services_under_equal_policies_share_the_instance(void **state)
{
	static const char *const second[] = {"{type: TCP, tcp: {}}",
					     "{type: TCP, tcp: {send: {type: "
					     "Text, text: hi}}}"};

	for (size_t i = 0; i < 2; i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE BACKEND("a", "10.0.0.1") ROUTE(
				"web",
				REF("a")) "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: "
					  "two}\nspec: {gatewayClassName: x, addresses: [{value: 192.0.2.2}], "
					  "listeners: [{name: web, protocol: TCP, port: 80}]}\n---\n" ROUTE_OF(
						  "TCPRoute", "more", "{name: two}",
						  REF("a")) POLICY("p",
								   ON("TCPRoute",
								      "web") ", healthCheck: {active: {type: "
									     "TCP, tcp: {}}}")
						  POLICY("q",
							 ON("TCPRoute",
							    "more") ", healthCheck: {active: %s}"),
			second[i]));
		assert_int_equal(m->service_count, 2);
		assert_int_equal(m->instance_count, i + 1);
		assert_ptr_equal(m->services[1].localities[0].members[0], &m->instances[i]);
	}
}

static void a_policy_may_choose_by_labels(void **state)
{
	static const struct {
		const char *selector;
		bool matches;
	} rows[] = {
		{"matchLabels: {app: web}", true},
		{"matchLabels: {app: web, more: x}", false},
		{"matchExpressions: [{key: app, operator: In, values: [a, web]}]", true},
		{"matchExpressions: [{key: app, operator: NotIn, values: [web]}]", false},
		{"matchExpressions: [{key: app, operator: Exists}]", true},
		{"matchExpressions: [{key: app, operator: DoesNotExist}]", false},
		{"matchExpressions: [{key: app, operator: Above, values: [web]}]", false},
		{"matchLabels: {app: web}, matchExpressions: [{key: z, operator: Exists}]", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE BACKEND(
				"a",
				"10.0.0.1") "apiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\n"
					    "metadata: {name: web, labels: {app: web}}\nspec: {parentRefs: [{name: "
					    "edge}], rules: [{backendRefs: [" REF("a") "]}]}\n---\n" POLICY(
						    "p",
						    "targetSelectors: [{kind: TCPRoute, %s}], healthCheck: "
						    "{panicThreshold: 9}"),
			rows[i].selector));
		assert_int_equal(m->services[0].panic_threshold, rows[i].matches ? 9 : 50);
		expect(object("BackendTrafficPolicy", "p"), "Accepted",
		       rows[i].matches ? "True" : "False TargetNotFound no TCPRoute in namespace");
	}
}

static void the_same_target_twice_is_no_conflict(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
		      POLICY("p", "targetRefs: [{group: gateway.networking.k8s.io, kind: TCPRoute, "
				  "name: web}, {group: gateway.networking.k8s.io, kind: TCPRoute, "
				  "name: web}]"));
	expect(object("BackendTrafficPolicy", "p"), "Accepted", "True");
}

static void a_section_that_is_not_there_is_named(void **state)
{
	(void)state;
	given(EDGE POLICY("p", "targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: "
			       "edge, sectionName: nope}"));
	expect(object("BackendTrafficPolicy", "p"), "Accepted",
	       "False TargetNotFound Gateway default/edge has no section nope");
	assert_int_equal(diags.count, 0);
}

static void of_many_failed_targets_eight_are_named(void **state)
{
	struct strbuf b = {0};
	const char *text;

	(void)state;
	strbuf_puts(&b, "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\n"
			"metadata: {name: many}\nspec:\n  targetRefs:\n");
	for (int i = 1; i <= 20; i++)
		strbuf_printf(&b,
			      "  - {group: gateway.networking.k8s.io, kind: TCPRoute, name: r%d}\n",
			      i);
	given(b.text);
	strbuf_done(&b);
	text = condition(object("BackendTrafficPolicy", "many"), "Accepted", NULL);
	assert_non_null(strstr(text, "TCPRoute default/r8 not found; and 12 more"));
	assert_null(strstr(text, "r9"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_tcp_check_has_upstreams_defaults),
		TEST(an_http_check_is_read_whole),
		TEST(an_http_check_expects_200_unless_told),
		TEST(a_duration_of_zero_counts_as_none),
		TEST(a_grpc_check_names_its_service),
		TEST(a_grpc_check_asks_for_the_whole_server_unless_told),
		TEST(the_most_specific_policy_is_in_force),
		TEST(a_policy_may_choose_a_listener),
		TEST(two_policies_on_one_target_and_the_older_has_it),
		TEST(fields_without_effect_are_named),
		TEST(a_table_size_that_is_not_prime_is_refused),
		TEST(udp_is_checked_on_a_port_of_its_own),
		TEST(services_under_equal_policies_share_the_instance),
		TEST(a_policy_may_choose_by_labels),
		TEST(the_same_target_twice_is_no_conflict),
		TEST(a_section_that_is_not_there_is_named),
		TEST(of_many_failed_targets_eight_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
