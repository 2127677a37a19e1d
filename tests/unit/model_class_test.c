/* SPDX-License-Identifier: BSD-2-Clause */
/* GatewayClasses: whose Gateways are ours. */
#include "manifest_fixture.h"

#define CLASS(name, controller)                                                                    \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: " name     \
	"}\nspec: {controllerName: " controller "}\n---\n"
#define OTHER CLASS("spillway", "a.example/other")

static void a_gateway_needs_no_class_and_may_have_ours(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")));
	assert_int_equal(m->service_count, 1);
	afresh();
	given(CLASS("spillway", "spillway.dev/gateway") EDGE BACKEND("a", "10.0.0.1")
		      ROUTE("web", REF("a")));
	assert_int_equal(m->service_count, 1);
	expect(object("GatewayClass", "spillway"), "Accepted", "True Accepted Valid GatewayClass");
}

static void a_gateway_of_another_controller_is_left_alone_with_its_routes(void **state)
{
	(void)state;
	given(OTHER EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a") "," REF("b"))
		      POLICY("p", ON("Gateway", "edge") ", tcpKeepalive: {probes: 3}"));
	assert_int_equal(m->service_count, 0);
	assert_int_equal(object("GatewayClass", "spillway")->condition_count, 0);
	assert_int_equal(object("Gateway", "edge")->condition_count, 0);
	assert_int_equal(object("TCPRoute", "web")->condition_count, 0);
	assert_int_equal(object("BackendTrafficPolicy", "p")->condition_count, 0);
	assert_true(object("BackendTrafficPolicy", "p")->foreign);
}

static void a_route_of_both_has_the_conditions_of_our_parent_alone(void **state)
{
	(void)state;
	given(CLASS("theirs", "a.example/other") EDGE
	      "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: far}\n"
	      "spec: {gatewayClassName: theirs, addresses: [{value: 192.0.2.1}], listeners: [{name: "
	      "web, protocol: TCP, port: 80}]}\n---\n" BACKEND("a", "10.0.0.1") ROUTE_OF(
		      "TCPRoute", "web", "{name: far}, {name: edge, sectionName: web}", REF("a"))
		      POLICY("p", "targetRefs: [{group: gateway.networking.k8s.io, "
				  "kind: Gateway, name: far}, {group: "
				  "gateway.networking.k8s.io, kind: TCPRoute, "
				  "name: web}]"));
	assert_int_equal(m->service_count, 1); /* the address is nobody else's here */
	for (size_t i = 0; i < object("TCPRoute", "web")->condition_count; i++)
		assert_string_equal(object("TCPRoute", "web")->conditions[i].parent,
				    "default/edge");
	expect(object("BackendTrafficPolicy", "p"), "Accepted", "True Accepted");
}

static void a_class_of_another_project_or_name_says_nothing(void **state)
{
	(void)state;
	add("other", 1, OTHER);
	add("default", 1,
	    CLASS("else", "a.example/other") EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")));
	resolve();
	assert_int_equal(m->service_count, 1);
	expect(object("Gateway", "edge"), "Programmed", "True Programmed");
}

static void parameters_of_a_class_are_named(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: "
	      "c}\nspec: {controllerName: spillway.dev/gateway, parametersRef: {group: g.example, "
	      "kind: Proxy, name: p}}\n");
	expect(object("GatewayClass", "c"), "Accepted",
	       "True Accepted Valid GatewayClass, but spec.parametersRef has no effect");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_gateway_needs_no_class_and_may_have_ours),
		TEST(a_gateway_of_another_controller_is_left_alone_with_its_routes),
		TEST(a_route_of_both_has_the_conditions_of_our_parent_alone),
		TEST(a_class_of_another_project_or_name_says_nothing),
		TEST(parameters_of_a_class_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
