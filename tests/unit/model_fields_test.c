/* SPDX-License-Identifier: BSD-2-Clause */
/* Fields that nothing acts on, or not on the path that is in use, are named. */
#include "manifest_fixture.h"

#define PROXY_FIELDS                                                                               \
	"tcpKeepalive: {probes: 3}, proxyProtocol: {version: V2}, timeout: {tcp: {connectTimeout: 1s}}"
#define NAMED                                                                                      \
	"on endpoints that XDP forwards to these fields have no effect, they are for connections " \
	"that HAProxy makes: spec.tcpKeepalive, spec.proxyProtocol, "                              \
	"spec.timeout.tcp"
#define SOCKET(name)                                                                               \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name "}\n"  \
	"spec: {endpoints: [{unix: {path: /run/x}}]}\n---\n"

static void fields_of_haproxys_connections_are_named_where_xdp_forwards(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") SOCKET("s") ROUTE("web", REF("s") "," REF("a"))
		      POLICY("p", ON("TCPRoute", "web") "," PROXY_FIELDS));
	expect(object("BackendTrafficPolicy", "p"), "Programmed",
	       "False FieldsWithoutEffect " NAMED);
	assert_int_equal(diags.count, 0); /* the manifest is right */
	afresh();
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
		      POLICY("p", ON("TCPRoute", "web") ", circuitBreaker: {maxConnections: 5}"));
	expect(object("BackendTrafficPolicy", "p"), "Programmed",
	       "connections that HAProxy makes: spec.circuitBreaker");
}

static void where_haproxy_serves_all_endpoints_they_have_their_effect(void **state)
{
	(void)state;
	given(EDGE SOCKET("s") ROUTE("web", REF("s"))
		      POLICY("p", ON("TCPRoute", "web") "," PROXY_FIELDS));
	assert_string_equal(condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL),
			    "none");
	afresh();
	given(EDGE POLICY("p", ON("Gateway", "edge") "," PROXY_FIELDS)); /* in force nowhere */
	assert_string_equal(condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL),
			    "none");
}

static void a_policy_that_is_merged_with_another_is_looked_at_as_well(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
		      POLICY("wide", ON("Gateway", "edge") ", tcpKeepalive: {probes: 3}")
			      POLICY("narrow", ON("TCPRoute", "web") ", mergeType: JSONMerge, "
								     "healthCheck: "
								     "{panicThreshold: 1}"));
	expect(object("BackendTrafficPolicy", "wide"), "Programmed", "spec.tcpKeepalive");
}

static void fields_of_a_gateway_are_named(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	      "spec:\n  gatewayClassName: spillway\n  addresses: [{value: 192.0.2.1}, {type: "
	      "Hostname, value: a.example}]\n  infrastructure: {labels: {a: b}}\n  "
	      "allowedListeners: {namespaces: {from: All}}\n  listeners: [{name: a, protocol: TCP, "
	      "port: 80}]\n");
	expect(object("Gateway", "edge"), "Accepted",
	       "True Accepted The Gateway is accepted, but in this version these fields have no "
	       "effect: spec.infrastructure, spec.allowedListeners, spec.addresses[1]: Hostname");
	expect(object("Gateway", "edge"), "Programmed", "True Programmed");
}

static void options_of_a_tls_policy_are_named(void **state)
{
	(void)state;
	given(BACKEND(
		"a",
		"10.0.0.1") "apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: {name: "
			    "t}\nspec: {options: {g.example/o: x}, targetRefs: [{group: gateway.envoyproxy.io, "
			    "kind: Backend, name: a}], validation: {hostname: a.example, "
			    "wellKnownCACertificates: System}}\n");
	expect(object("BackendTLSPolicy", "t"), "Accepted", "True Accepted");
	expect(object("BackendTLSPolicy", "t"), "Programmed",
	       "False FieldsWithoutEffect in this version these fields have no effect: "
	       "spec.options");
}

static void a_parent_of_a_kind_that_is_not_here_is_named(void **state)
{
	const struct object *o;

	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE_OF(
		"TCPRoute", "web",
		"{kind: ListenerSet, name: more}, {name: edge, sectionName: web}, {group: '', kind: "
		"Service, name: mesh}",
		REF("a")));
	o = object("TCPRoute", "web");
	expect(o, "Accepted", "False NoMatchingParent this version has no ListenerSet");
	assert_string_equal(o->conditions[0].parent_kind, "ListenerSet");
	for (size_t i = 0; i < o->condition_count; i++)
		assert_null(strstr(o->conditions[i].parent, "mesh")); /* another's */
	assert_int_equal(m->service_count, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fields_of_haproxys_connections_are_named_where_xdp_forwards),
		TEST(where_haproxy_serves_all_endpoints_they_have_their_effect),
		TEST(a_policy_that_is_merged_with_another_is_looked_at_as_well),
		TEST(fields_of_a_gateway_are_named),
		TEST(options_of_a_tls_policy_are_named),
		TEST(a_parent_of_a_kind_that_is_not_here_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
