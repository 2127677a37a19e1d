/* SPDX-License-Identifier: BSD-2-Clause */
/* References of the four kinds of routes: upstream's words, who may refer where, and host names. */
#include "manifest_fixture.h"

#define ALL                                                                                        \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: all}\nspec:\n"  \
	"  gatewayClassName: spillway\n  addresses: [{value: 192.0.2.1}]\n  listeners:\n"          \
	"  - {name: tcp, protocol: TCP, port: 70}\n  - {name: udp, protocol: UDP, port: 71}\n"     \
	"  - {name: http, protocol: HTTP, port: 72}\n"                                             \
	"  - {name: tls, protocol: TLS, port: 73, tls: {mode: Passthrough}}\n---\n"
#define GRANT(kind, to)                                                                            \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\nmetadata: {name: g, "     \
	"namespace: far}\nspec: {from: [{group: gateway.networking.k8s.io, kind: " kind            \
	", namespace: default}], to: [{group: gateway.envoyproxy.io, kind: Backend" to             \
	"}]}\n---\n"
#define FAR                                                                                        \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: a, "          \
	"namespace: far}\nspec: {endpoints: [{ip: {address: 10.0.0.9, port: 80}}]}\n---\n"
#define FAR_REF "{group: gateway.envoyproxy.io, kind: Backend, name: a, namespace: far}"

static const char *const route_kinds[] = {"TCPRoute", "UDPRoute", "TLSRoute", "HTTPRoute"};

/* A route of the kind with the references, its one rule named `one`. */
static const char *route(const char *kind, const char *refs)
{
	return arena_printf(arena,
			    "apiVersion: gateway.networking.k8s.io/v1\nkind: %s\nmetadata: {name: "
			    "r}\nspec: {parentRefs: [{name: all}], %s rules: [{name: one, "
			    "backendRefs: [%s]}]}\n---\n",
			    kind, strcmp(kind, "TLSRoute") == 0 ? "hostnames: [a.example]," : "",
			    refs);
}

static void expect_refs(const char *kind, const char *reason, const char *text)
{
	const char *framed = text;

	if (strcmp(kind, "HTTPRoute") == 0) /* a full stop is not doubled */
		framed = arena_printf(arena, "Failed to process route rule 0 backendRef 0: %s%s",
				      text, text[strlen(text) - 1] == '.' ? "" : ".");
	expect(object(kind, "r"), "ResolvedRefs",
	       arena_printf(arena, "False %s %s", reason, framed));
	expect_warning(framed);
}

static void all_kinds_of_routes_say_what_is_wrong_with_a_reference(void **state)
{
	static const struct {
		const char *ref, *reason, *text;
	} rows[] = {
		{"{group: g.example, kind: Backend, name: a}", "InvalidKind",
		 "Group is invalid, only the core API group (specified by omitting the group field "
		 "or setting it to an empty string), multicluster.x-k8s.io and "
		 "gateway.envoyproxy.io are supported"},
		{"{group: gateway.envoyproxy.io, kind: Pod, name: a}", "InvalidKind",
		 "Kind is invalid, only Service, MCS ServiceImport and Envoy Gateway Backend are "
		 "supported"},
		{FAR_REF, "RefNotPermitted",
		 "Backend ref to Backend far/a not permitted by any ReferenceGrant."},
		{"{group: gateway.envoyproxy.io, kind: Service, name: a}", "PortNotSpecified",
		 "A valid port number corresponding to a port on the Service must be specified"},
		{"{kind: Service, name: a, port: 80}", "BackendNotFound",
		 "Service default/a not found"},
		{"{group: multicluster.x-k8s.io, kind: ServiceImport, name: a, port: 80}",
		 "BackendNotFound", "ServiceImport default/a not found"},
		{REF("gone"), "BackendNotFound", "Backend default/gone not found"},
		{REF("bad"), "InvalidBackendRef",
		 "IP address 127.0.0.1 in the loopback range is "
		 "only supported when using the Host "
		 "infrastructure"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t k = 0; k < 4; k++) {
			afresh();
			given(arena_printf(arena, ALL FAR BACKEND("bad", "127.0.0.1") "%s",
					   route(route_kinds[k], rows[i].ref)));
			expect_refs(route_kinds[k], rows[i].reason, rows[i].text);
		}
	}
}

static void a_reference_of_weight_0_is_looked_at_all_the_same(void **state)
{
	(void)state;
	given(arena_printf(arena, ALL BACKEND("a", "10.0.0.1") "%s",
			   route("TCPRoute", REF("a") ", {group: gateway.envoyproxy.io, kind: "
						      "Backend, name: gone, weight: 0}")));
	expect(object("TCPRoute", "r"), "ResolvedRefs",
	       "False BackendNotFound Backend default/gone not found");
}

static void a_grant_is_for_its_kind_of_route_and_its_name(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		for (size_t g = 0; g < 4; g++) {
			afresh();
			given(arena_printf(arena, ALL FAR GRANT("%s", "") "%s", route_kinds[g],
					   route(route_kinds[k], FAR_REF)));
			expect(object(route_kinds[k], "r"), "ResolvedRefs",
			       g == k ? "True ResolvedRefs" : "False RefNotPermitted");
		}
		afresh();
		given(arena_printf(arena, ALL FAR GRANT("%s", ", name: a") "%s", route_kinds[k],
				   route(route_kinds[k], FAR_REF)));
		expect(object(route_kinds[k], "r"), "ResolvedRefs", "True ResolvedRefs");
		afresh();
		given(arena_printf(arena, ALL FAR GRANT("%s", ", name: b") "%s", route_kinds[k],
				   route(route_kinds[k], FAR_REF)));
		expect(object(route_kinds[k], "r"), "ResolvedRefs", "False RefNotPermitted");
	}
}

static void a_parent_is_chosen_by_section_and_port(void **state)
{
	static const struct {
		const char *parent, *text;
	} rows[] = {
		{"{name: all, sectionName: tcp}", "True Accepted"},
		{"{name: all, port: 70}", "True Accepted"},
		{"{name: all, sectionName: tcp, port: 70}", "True Accepted"},
		{"{name: all, sectionName: tcp, port: 71}",
		 "False NoMatchingParent No listeners match this parent ref"},
		{"{name: all, sectionName: none}",
		 "False NoMatchingParent No listeners match this parent ref"},
		{"{name: all, sectionName: udp}",
		 "False NotAllowedByListeners No listeners included by this parent ref allowed this "
		 "attachment."},
		{"{name: all, namespace: far}", "False NoMatchingParent Gateway far/all not found"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(arena,
				   ALL BACKEND("a", "10.0.0.1")
					   ROUTE_OF("TCPRoute", "r", "%s", REF("a")),
				   rows[i].parent));
		expect(object("TCPRoute", "r"), "Accepted", rows[i].text);
	}
}

#define TWO_HTTP(one, other)                                                                       \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: all}\nspec:\n"  \
	"  gatewayClassName: spillway\n  addresses: [{value: 192.0.2.1}]\n  listeners:\n"          \
	"  - {name: a, protocol: HTTP, port: 80, hostname: " one "}\n"                             \
	"  - {name: b, protocol: HTTP, port: 80, hostname: " other "}\n---\n"

static void host_names_of_listeners_and_routes_must_go_together(void **state)
{
	(void)state;
	given(TWO_HTTP("a.example", "'*.b.example'") BACKEND(
		"a",
		"10.0.0.1") "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\n"
			    "spec: {parentRefs: [{name: all}], hostnames: [c.example], rules: [{backendRefs: "
			    "[" REF("a") "]}]}\n---\n");
	expect(object("HTTPRoute", "r"), "Accepted",
	       "False NoMatchingListenerHostname There were no hostname intersections between the "
	       "HTTPRoute and this parent ref's Listener(s).");
}

static void a_gateway_is_accepted_with_listeners_that_are_not_and_names_them(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g}\nspec: "
	      "{gatewayClassName: c, addresses: [{value: 192.0.2.1}], listeners: [{name: a, "
	      "protocol: TCP, port: 80}, {name: b, protocol: SCTP.example/x, port: 81}, {name: c, "
	      "protocol: TLS, port: 82, tls: {certificateRefs: [{name: gone}]}}]}\n");
	expect(object("Gateway", "g"), "Accepted",
	       "True ListenersNotValid The Gateway is accepted; these of its listeners are not "
	       "valid: b, c");
	expect(object("Gateway", "g"), "Programmed", "True Programmed");
}

/* The most specific: a rule, its route, the listener, the Gateway. */
static void a_policy_on_a_rule_wins_over_all_others(void **state)
{
#define AT(name, on, percent) POLICY(name, on ", healthCheck: {panicThreshold: " percent "}")
#define SECTION(kind, name, section)                                                               \
	"targetRefs: [{group: gateway.networking.k8s.io, kind: " kind ", name: " name              \
	", sectionName: " section "}]"
	static const char *const policies[] = {
		AT("gateway", ON("Gateway", "all"), "1"),
		AT("listener", SECTION("Gateway", "all", "tcp"), "2"),
		AT("route", ON("TCPRoute", "r"), "3"),
		AT("rule", SECTION("TCPRoute", "r", "one"), "4"),
	};
	const char *text = "";

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		text = arena_printf(arena, "%s%s", text, policies[i]);
		afresh();
		given(arena_printf(arena, ALL BACKEND("a", "10.0.0.1") "%s%s",
				   route("TCPRoute", REF("a")), text));
		assert_int_equal(m->services[0].panic_threshold, i + 1);
	}
	expect(object("BackendTrafficPolicy", "route"), "Overridden",
	       "True Overridden This policy is being overridden by other backendTrafficPolicies "
	       "for TCPRoute default/r");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_kinds_of_routes_say_what_is_wrong_with_a_reference),
		TEST(a_reference_of_weight_0_is_looked_at_all_the_same),
		TEST(a_grant_is_for_its_kind_of_route_and_its_name),
		TEST(a_parent_is_chosen_by_section_and_port),
		TEST(host_names_of_listeners_and_routes_must_go_together),
		TEST(a_gateway_is_accepted_with_listeners_that_are_not_and_names_them),
		TEST(a_policy_on_a_rule_wins_over_all_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
