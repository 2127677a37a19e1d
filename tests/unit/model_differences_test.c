/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the model differs from upstream on purpose, by docs/manifests.md: both sides of what no other
 * test is about.
 */
#include "manifest_fixture.h"

#define SPEC(name, spec)                                                                           \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {" spec "}\n---\n"

static void a_refused_backend_has_the_condition_of_the_contract(void **state)
{
	(void)state;
	given(EDGE BACKEND("good", "10.0.0.1") BACKEND("bad", "127.0.0.1")
		      ROUTE("web", REF("good")));
	expect(object("Backend", "good"), "Accepted", "True Accepted The Backend was accepted");
	expect(object("Backend", "bad"), "Accepted",
	       "False Invalid The Backend was not accepted: IP address 127.0.0.1 in the loopback range");
	assert_string_equal(condition(object("Backend", "bad"), "Invalid", NULL), "none");
}

static void loopback_needs_the_word_that_this_is_the_host(void **state)
{
	(void)state;
	opts.on_host = true;
	given(EDGE BACKEND("b", "127.0.0.1") ROUTE("web", REF("b")));
	expect(object("Backend", "b"), "Accepted", "True Accepted");
	assert_int_equal(m->services[0].localities[0].members[0]->mode, SPW_MODE_HANDOFF);
}

static void a_route_may_send_to_a_unix_socket(void **state)
{
	(void)state;
	given(EDGE SPEC("b", "endpoints: [{unix: {path: /run/x}}]") ROUTE("web", REF("b")));
	expect(object("TCPRoute", "web"), "ResolvedRefs", "True ResolvedRefs");
	assert_int_equal(m->services[0].locality_count, 1);
	afresh();
	given(EDGE SPEC("b", "endpoints: [{unix: {path: /run/x}}]")
		      ROUTE_OF("UDPRoute", "dns", "{name: edge, sectionName: dns}", REF("b")));
	expect(object("UDPRoute", "dns"), "Programmed", "False EndpointsLeftOut");
}

static void a_fallback_on_the_other_path_stays_a_fallback(void **state)
{
	const struct service *s;

	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1")
		      SPEC("b", "fallback: true, endpoints: [{unix: {path: /run/x}}]")
			      ROUTE("web", REF("a") "," REF("b")));
	s = &m->services[0];
	assert_int_equal(s->locality_count, 2);
	assert_int_equal(s->localities[0].tier, 0);
	assert_int_equal(s->localities[0].members[0]->mode, SPW_MODE_NAT);
	assert_int_equal(s->localities[1].tier, 1);
	assert_int_equal(s->localities[1].members[0]->mode, SPW_MODE_HANDOFF);
}

static void a_dynamic_resolver_is_refused_where_no_name_comes(void **state)
{
	static const struct {
		const char *kind, *section;
	} rows[] = {{"TCPRoute", "web"}, {"UDPRoute", "dns"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		afresh();
		given(arena_printf(arena,
				   EDGE SPEC("d", "type: DynamicResolver") ROUTE_OF(
					   "%s", "r", "{name: edge, sectionName: %s}", REF("d")),
				   rows[i].kind, rows[i].section));
		expect(object(rows[i].kind, "r"), "ResolvedRefs",
		       arena_printf(arena,
				    "False UnsupportedValue Backend default/d is of type "
				    "DynamicResolver: a %s carries no name that could be resolved",
				    rows[i].kind));
	}
}

static void balancers_of_layer_4_are_the_hash_or_are_named(void **state)
{
	static const struct {
		const char *type, *said;
	} rows[] = {
		{"RoundRobin", "none"},
		{"Random", "none"},
		{"LeastRequest", "none"},
		{"BackendUtilization, backendUtilization: {}",
		 "spec.loadBalancer.type: BackendUtilization"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(arena,
				   EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a"))
					   POLICY("p", "%s, loadBalancer: {type: %s}"),
				   ON("TCPRoute", "web"), rows[i].type));
		expect(object("BackendTrafficPolicy", "p"), "Programmed", rows[i].said);
	}
}

static void a_service_is_no_backend_here(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", "{name: a, port: 80}," REF("a")));
	expect(object("TCPRoute", "web"), "ResolvedRefs",
	       "False BackendNotFound Service default/a not found");
	assert_int_equal(m->services[0].locality_count, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refused_backend_has_the_condition_of_the_contract),
		TEST(loopback_needs_the_word_that_this_is_the_host),
		TEST(a_route_may_send_to_a_unix_socket),
		TEST(a_fallback_on_the_other_path_stays_a_fallback),
		TEST(a_dynamic_resolver_is_refused_where_no_name_comes),
		TEST(balancers_of_layer_4_are_the_hash_or_are_named),
		TEST(a_service_is_no_backend_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
