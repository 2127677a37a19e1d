/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicies with a mergeType, and selectors that look beyond their namespace. */
#include "manifest_fixture.h"

#define WIDE(spec) POLICY("wide", ON("Gateway", "edge") "," spec)
#define WEB	   EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
#define BY(type)   ON("TCPRoute", "web") ", mergeType: " type ","
#define TCP_CHECK  "healthCheck: {active: {type: TCP, tcp: {}, interval: 9s}, panicThreshold: 7}"
#define GRANT(to)                                                                                   \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: g, "      \
	"namespace: default}\nspec: {from: [{group: gateway.envoyproxy.io, kind: "                  \
	"BackendTrafficPolicy, namespace: ops}], to: [{group: gateway.networking.k8s.io, kind: " to \
	"}]}\n---\n"
#define OF_OPS(spec)                                                                                \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: BackendTrafficPolicy\nmetadata: {name: " \
	"p, namespace: ops}\nspec: {healthCheck: {panicThreshold: 3}, targetSelectors: [{kind: "    \
	"TCPRoute, matchExpressions: [{key: k, operator: DoesNotExist}]" spec "}]}\n---\n"

static const struct object *policy(const char *name)
{
	return object("BackendTrafficPolicy", name);
}

static void without_a_merge_type_the_narrow_policy_stands_alone(void **state)
{
	(void)state;
	given(WEB WIDE(TCP_CHECK)
		      POLICY("narrow", ON("TCPRoute", "web") ", tcpKeepalive: {probes: 3}"));
	assert_int_equal(m->services[0].panic_threshold, 50);
	assert_null(m->instances[0].check);
	expect(policy("wide"), "Overridden", "for TCPRoute default/web");
}

static void a_merged_policy_has_what_the_gateways_says_besides(void **state)
{
	static const char *const types[] = {"StrategicMerge", "JSONMerge"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		afresh();
		given(arena_printf(arena,
				   WEB WIDE(TCP_CHECK) POLICY(
					   "narrow", BY("%s") "healthCheck: {panicThreshold: 20}"),
				   types[i]));
		assert_int_equal(m->services[0].panic_threshold, 20);
		assert_int_equal(m->instances[0].check->interval_ms, 9000);
		expect(policy("narrow"), "Merged", "True Merged Merged with policy default/wide");
		expect(policy("wide"), "Merged",
		       "True Merged This policy is being merged by other backendTrafficPolicies "
		       "for TCPRoute default/web");
		assert_string_equal(condition(policy("wide"), "Overridden", NULL), "none");
		assert_string_equal(condition(policy("narrow"), "Programmed", NULL), "none");
		assert_string_equal(m->services[0].policy->res.name, "narrow");
	}
}

static void lists_are_replaced(void **state)
{
	(void)state;
	given(WEB WIDE(
		"healthCheck: {active: {type: HTTP, http: {path: /a, expectedStatuses: [200, "
		"201]}}}") POLICY("narrow", BY("StrategicMerge") "healthCheck: {active: "
								 "{type: HTTP, http: {path: "
								 "/b, expectedStatuses: "
								 "[204]}}}"));
	assert_int_equal(m->instances[0].check->expected_count, 1);
	assert_int_equal(m->instances[0].check->expected[0], 204);
	assert_string_equal(m->instances[0].check->http_path, "/b");
}

static void the_listeners_policy_is_nearer_than_the_gateways(void **state)
{
	(void)state;
	given(WEB WIDE(TCP_CHECK)
		      POLICY("listener", "targetRefs: [{group: gateway.networking.k8s.io, kind: "
					 "Gateway, name: edge, sectionName: web}], healthCheck: "
					 "{panicThreshold: 11}")
			      POLICY("narrow", BY("JSONMerge") "tcpKeepalive: {probes: 3}"));
	assert_int_equal(m->services[0].panic_threshold, 11);
	assert_null(m->instances[0].check);
	expect(policy("narrow"), "Merged", "Merged with policy default/listener");
	expect(policy("wide"), "Overridden", "for TCPRoute default/web");
}

static void with_nothing_to_merge_with_it_stands_alone(void **state)
{
	(void)state;
	given(WEB POLICY("narrow", BY("JSONMerge") "healthCheck: {panicThreshold: 20}"));
	assert_int_equal(m->services[0].panic_threshold, 20);
	assert_string_equal(condition(policy("narrow"), "Merged", NULL), "none");
}

static void a_selector_sees_its_own_namespace_unless_told(void **state)
{
	(void)state;
	given(WEB GRANT("TCPRoute") OF_OPS(""));
	assert_int_equal(m->services[0].panic_threshold, 50);
	expect(policy("p"), "Accepted", "False TargetNotFound no TCPRoute in namespace ops");
	afresh();
	given(WEB GRANT("TCPRoute") OF_OPS(", namespaces: {from: All}"));
	assert_int_equal(m->services[0].panic_threshold, 3);
	expect(policy("p"), "Accepted", "True Accepted");
}

static void targets_of_other_namespaces_need_a_grant(void **state)
{
	(void)state;
	given(WEB GRANT("UDPRoute") OF_OPS(", namespaces: {from: All}"));
	assert_int_equal(m->services[0].panic_threshold, 50);
	expect(policy("p"), "Accepted", "one of another namespace needs a ReferenceGrant there");
	afresh();
	given(WEB GRANT("TCPRoute") OF_OPS(", namespaces: {from: Selector, selector: {matchLabels: "
					   "{a: b}}}"));
	expect(policy("p"), "Accepted", "namespaces have no labels here");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(without_a_merge_type_the_narrow_policy_stands_alone),
		TEST(a_merged_policy_has_what_the_gateways_says_besides),
		TEST(lists_are_replaced),
		TEST(the_listeners_policy_is_nearer_than_the_gateways),
		TEST(with_nothing_to_merge_with_it_stands_alone),
		TEST(a_selector_sees_its_own_namespace_unless_told),
		TEST(targets_of_other_namespaces_need_a_grant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
