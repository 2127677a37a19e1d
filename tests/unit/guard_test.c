/* SPDX-License-Identifier: BSD-2-Clause */
/* Annotations that limit who opens flows, and the policies' ways to pick: from manifests to the model. */
#include "manifest_fixture.h"

#include "base/network.h"

#define GUARDED(kind, section, notes)                                                              \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: " kind                                    \
	"\nmetadata: {name: r, annotations: {" notes "}}\nspec: {parentRefs: [{name: edge, "       \
	"sectionName: " section "}], rules: [{backendRefs: [" REF("a") "]}]}\n---\n"

#define CONFIGMAP(name, data)                                                                      \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\ndata: {" data "}\n---\n"

#define WORLD EDGE BACKEND("a", "10.0.0.1")

static const struct guard *guard(void)
{
	assert_int_equal(m->service_count, 1);
	return &m->services[0].guard;
}

static bool has(const struct netlist *l, const char *text)
{
	struct spw_addr a;

	assert_non_null(l);
	assert_int_equal(addr_parse(text, &a), 0);
	return netlist_has(l, &a);
}

static const char *route_condition(const char *type)
{
	return condition(object("TCPRoute", "r"), type, NULL);
}

static void a_route_without_them_has_no_limit(void **state)
{
	(void)state;
	given(WORLD ROUTE("r", REF("a")));
	assert_null(guard()->allow);
	assert_null(guard()->deny);
	assert_int_equal(guard()->rate + guard()->source_rate, 0);
	assert_string_equal(route_condition("SourceLists"), "none");
}

static void limits_have_bursts_of_a_second_unless_told(void **state)
{
	(void)state;
	given(WORLD GUARDED("TCPRoute", "web",
			    "spillway.dev/new-flows-per-second: '500', "
			    "spillway.dev/new-flows-per-second-per-source: '10', "
			    "spillway.dev/new-flows-burst-per-source: '40'"));
	assert_int_equal(guard()->rate, 500);
	assert_int_equal(guard()->burst, 500);
	assert_int_equal(guard()->source_rate, 10);
	assert_int_equal(guard()->source_burst, 40);
}

static void a_burst_without_a_limit_is_told(void **state)
{
	(void)state;
	given(WORLD GUARDED("TCPRoute", "web", "spillway.dev/new-flows-burst: '40'"));
	assert_int_equal(guard()->burst, 0);
	assert_string_equal(route_condition("Programmed"),
			    "False FieldsWithoutEffect spillway.dev/new-flows-burst has no effect "
			    "without spillway.dev/new-flows-per-second");
}

static void lists_are_of_the_annotation_and_of_configmaps(void **state)
{
	(void)state;
	given(WORLD CONFIGMAP("one", "a.txt: \"10.1.0.0/16 # office\\n\", b: '2001:db8::/32'")
		      CONFIGMAP("two", "c: 10.2.0.0/16")
			      GUARDED("UDPRoute", "dns",
				      "spillway.dev/allow-sources: '192.0.2.0/24, 192.0.3.1', "
				      "spillway.dev/allow-sources-from: 'one, two', "
				      "spillway.dev/deny-sources-from: two"));
	assert_true(has(guard()->allow, "192.0.2.9"));
	assert_true(has(guard()->allow, "192.0.3.1"));
	assert_true(has(guard()->allow, "10.1.2.3"));
	assert_true(has(guard()->allow, "10.2.2.3"));
	assert_true(has(guard()->allow, "2001:db8::1"));
	assert_false(has(guard()->allow, "10.3.0.0"));
	assert_true(has(guard()->deny, "10.2.2.3"));
	assert_false(has(guard()->deny, "10.1.2.3"));
	assert_int_equal(diags.count, 0);
}

static void an_allowed_list_that_is_gone_admits_nobody_and_says_so(void **state)
{
	(void)state;
	given(WORLD GUARDED("TCPRoute", "web",
			    "spillway.dev/allow-sources-from: gone, "
			    "spillway.dev/deny-sources-from: gone"));
	assert_false(has(guard()->allow, "10.1.2.3"));
	assert_false(has(guard()->deny, "10.1.2.3"));
	assert_string_equal(route_condition("SourceLists"),
			    "False ConfigMapNotFound ConfigMap default/gone of a list of sources "
			    "not found");
	expect_warning("ConfigMap default/gone of a list of sources not found");
}

static void what_is_no_network_is_left_out_and_named(void **state)
{
	(void)state;
	given(WORLD CONFIGMAP("one", "feed: \"10.1.0.0/16\\n10.2.0.0/33\\nweb\\n\"")
		      GUARDED("TCPRoute", "web", "spillway.dev/deny-sources-from: one"));
	assert_true(has(guard()->deny, "10.1.2.3"));
	assert_false(has(guard()->deny, "10.2.0.0"));
	assert_string_equal(route_condition("SourceLists"),
			    "False InvalidNetwork ConfigMap one: data[feed]: line 2: "
			    "\"10.2.0.0/33\" is no network; 2 of that kind are left out");
}

static void one_text_is_read_once(void **state)
{
	static const char route[] =
		"apiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\nmetadata: {name: r, "
		"annotations: {spillway.dev/deny-sources: 10.0.0.0/8}}\nspec: {parentRefs: [{name: "
		"two}], rules: [{backendRefs: [" REF("a") "]}]}\n---\n";

	(void)state;
	given(BACKEND(
		"a",
		"10.0.0.1") "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: "
			    "two}\nspec: {gatewayClassName: x, addresses: [{value: 192.0.2.1}, {value: "
			    "192.0.2.2}], listeners: [{name: a, protocol: TCP, port: 1}, {name: b, "
			    "protocol: TCP, port: 2}]}\n---\n");
	add("default", 100, route);
	resolve();
	assert_int_equal(m->service_count, 4);
	for (size_t i = 1; i < 4; i++)
		assert_ptr_equal(m->services[i].guard.deny, m->services[0].guard.deny);
}

static const struct service *balanced(const char *balancer, const char *kind)
{
	afresh();
	given(arena_printf(arena,
			   WORLD ROUTE("r", REF("a"))
				   ROUTE_OF("UDPRoute", "r", "{name: edge, sectionName: dns}",
					    REF("a")) POLICY("p", "%s, loadBalancer: {%s}"),
			   arena_printf(arena,
					"targetRefs: [{group: gateway.networking.k8s.io, kind: %s, "
					"name: r}]",
					kind),
			   balancer));
	for (size_t i = 0; i < m->service_count; i++) {
		if (m->services[i].policy)
			return &m->services[i];
	}
	return NULL;
}

static const char *balance_condition(void)
{
	return condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL);
}

static void source_ip_is_a_hash_with_a_table_of_its_size(void **state)
{
	const struct service *s =
		balanced("type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 1021}",
			 "TCPRoute");

	(void)state;
	assert_int_equal(s->pick, SPW_PICK_SOURCE);
	assert_int_equal(s->table_size, 1021);
	assert_string_equal(balance_condition(), "none");
	s = balanced("type: ConsistentHash, consistentHash: {type: SourceIP}", "UDPRoute");
	assert_int_equal(s->pick, SPW_PICK_SOURCE);
	assert_int_equal(s->table_size, 65537);
	assert_string_equal(balance_condition(), "none");
}

static void a_table_larger_than_ours_is_cut_and_told(void **state)
{
	const struct service *s = balanced(
		"type: ConsistentHash, consistentHash: {type: SourceIP, tableSize: 5000011}",
		"TCPRoute");

	(void)state;
	assert_int_equal(s->table_size, 65537);
	assert_string_equal(balance_condition(),
			    "False FieldsWithoutEffect in this version these fields have no "
			    "effect: spec.loadBalancer.consistentHash.tableSize: 5000011 (65537 is "
			    "used)");
}

static void hashes_of_requests_are_none_on_layer_4(void **state)
{
	const struct service *s =
		balanced("type: ConsistentHash, consistentHash: {type: Header, header: {name: x}}",
			 "TCPRoute");

	(void)state;
	assert_int_equal(s->pick, SPW_PICK_FLOW);
	assert_string_equal(balance_condition(),
			    "False FieldsWithoutEffect in this version these fields have no "
			    "effect: spec.loadBalancer.consistentHash.header, "
			    "spec.loadBalancer.consistentHash.type: Header");
}

static void least_request_is_for_tcp_that_xdp_carries(void **state)
{
	const struct service *s = balanced("type: LeastRequest", "TCPRoute");

	(void)state;
	assert_int_equal(s->pick, SPW_PICK_LEAST);
	assert_string_equal(balance_condition(), "none");
	s = balanced("type: LeastRequest", "UDPRoute");
	assert_int_equal(s->pick, SPW_PICK_FLOW);
	assert_non_null(strstr(balance_condition(), "spec.loadBalancer.type: LeastRequest counts"));
	s = balanced("type: Random", "TCPRoute");
	assert_int_equal(s->pick, SPW_PICK_FLOW);
	assert_string_equal(balance_condition(), "none");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_route_without_them_has_no_limit),
		TEST(limits_have_bursts_of_a_second_unless_told),
		TEST(a_burst_without_a_limit_is_told),
		TEST(lists_are_of_the_annotation_and_of_configmaps),
		TEST(an_allowed_list_that_is_gone_admits_nobody_and_says_so),
		TEST(what_is_no_network_is_left_out_and_named),
		TEST(one_text_is_read_once),
		TEST(source_ip_is_a_hash_with_a_table_of_its_size),
		TEST(a_table_larger_than_ours_is_cut_and_told),
		TEST(hashes_of_requests_are_none_on_layer_4),
		TEST(least_request_is_for_tcp_that_xdp_carries),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
