/* SPDX-License-Identifier: BSD-2-Clause */
/* Frontends: which listeners, hosts, rules and matches they have, in which order, and what is said of them. */
#include "manifest_fixture.h"
#include "model/frontend.h"

#define GATEWAY(listeners)                                                                         \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"        \
	"spec: {gatewayClassName: x, addresses: [{value: 192.0.2.1}], listeners: [" listeners      \
	"]}\n---\n"
#define WEB "{name: web, protocol: HTTP, port: 80}"
#define HTTP(name, spec)                                                                           \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: " name        \
	"}\nspec: {parentRefs: [{name: edge}], " spec "}\n---\n"
#define TLS_ROUTE(name, spec)                                                                      \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: {name: " name         \
	"}\nspec: {parentRefs: [{name: edge}], " spec "}\n---\n"
#define SECRET(name, data)                                                                         \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: " name "}\nstringData: {" data "}\n---\n"
#define PAIR SECRET("pair", "tls.crt: CERT, tls.key: KEY")
#define TO_B "rules: [{backendRefs: [" REF("b") "]}]"

/* "LISTENER HOST PATH RULE" of each match in its order, rules by their cluster's name. */
static const char *matches(size_t frontend)
{
	const struct frontend *f = &m->frontends[frontend];
	const char *text = "";

	assert_true(frontend < m->frontend_count);
	for (size_t i = 0; i < f->match_count; i++) {
		const struct l7_match *one = &f->matches[i];

		text = arena_printf(arena, "%s%s %s %s %s\n", text,
				    f->listeners[one->listener].name, one->host ? one->host : "-",
				    node_text_at(one->node, "path.value", "-"),
				    f->rules[one->rule].cluster->name);
	}
	return text;
}

static void a_port_of_layer_7_is_one_service_that_leads_to_the_proxy(void **state)
{
	const struct service *s;

	(void)state;
	given(GATEWAY("{name: a, protocol: HTTP, port: 80, hostname: a.example}, {name: b, "
		      "protocol: HTTP, port: 80}") BACKEND("b", "10.0.0.1") HTTP("r", TO_B));
	assert_int_equal(m->frontend_count, 1);
	assert_int_equal(m->frontends[0].listener_count, 2);
	assert_int_equal(m->service_count, 3);
	s = &m->services[0];
	assert_ptr_equal(m->frontends[0].service, s);
	assert_string_equal(s->name, "default/edge");
	assert_false(s->proxied);
	assert_null(s->route);
	assert_int_equal(s->localities[0].members[0]->kind, ENDPOINT_PROXY);
	assert_int_equal(s->localities[0].members[0]->mode, SPW_MODE_HANDOFF);
	assert_true(s->localities[0].members[0]->steered);
	assert_true(m->services[1].proxied && m->services[2].proxied);
	assert_string_equal(m->services[1].listener, "a");
	assert_string_equal(m->services[2].listener, "b");
}

static void endpoints_of_a_rule_are_the_proxys_whatever_they_are(void **state)
{
	const struct instance *i;

	(void)state;
	given(GATEWAY(WEB) BACKEND("b", "10.0.0.1") HTTP("r", TO_B));
	assert_int_equal(m->services[1].locality_count, 1);
	i = m->services[1].localities[0].members[0];
	assert_int_equal(i->mode, SPW_MODE_HANDOFF);
	assert_true(i->carried);
	assert_false(i->steered);
	assert_true(i->pool->http);
	expect(object("HTTPRoute", "r"), "Accepted", "True Accepted");
	expect(object("Backend", "b"), "Programmed", "none");
}

static void the_most_specific_host_and_the_longest_path_are_asked_first(void **state)
{
	(void)state;
	given(GATEWAY(WEB) BACKEND("b", "10.0.0.1")
		      HTTP("r", "hostnames: [\"*.example\", a.example], rules: ["
				"{matches: [{path: {value: /}}, {path: {value: /longer}}]}, "
				"{name: second, matches: [{path: {type: Exact, value: /e}}, "
				"{path: {type: RegularExpression, value: /x.*}}]}]")
			      HTTP("s", "hostnames: [\"*.b.example\"], " TO_B) HTTP("t", TO_B));
	assert_string_equal(matches(0), "web a.example /e default/r/second\n"
					"web a.example /x.* default/r/second\n"
					"web a.example /longer default/r\n"
					"web a.example / default/r\n"
					"web *.b.example / default/s\n"
					"web *.example /e default/r/second\n"
					"web *.example /x.* default/r/second\n"
					"web *.example /longer default/r\n"
					"web *.example / default/r\n"
					"web - / default/t\n");
}

static void of_equal_paths_the_one_that_asks_for_more_comes_first(void **state)
{
	(void)state;
	given(GATEWAY(WEB) HTTP(
		"r",
		"rules: [{name: plain, matches: [{}]}, {name: one, matches: [{headers: [{name: "
		"a, value: b}]}]}, {name: two, matches: [{headers: [{name: a, value: b}, "
		"{name: c, value: d}]}]}, {name: query, matches: [{queryParams: [{name: q, "
		"value: v}]}]}, {name: get, matches: [{method: GET}]}]") HTTP("s", "rules: [{}]"));
	assert_string_equal(matches(0), "web - / default/r/get\n"
					"web - / default/r/two\n"
					"web - / default/r/one\n"
					"web - / default/r/query\n"
					"web - / default/r\n"
					"web - / default/s\n");
}

static void hosts_are_what_listener_and_route_both_admit(void **state)
{
	static const struct {
		const char *listener, *route, *hosts;
	} rows[] = {
		{"a.example", "[a.example]", "a.example"},
		{"a.example", "[\"*.example\"]", "a.example"},
		{"*.example", "[a.example, b.other]", "a.example"},
		{"*.example", "[\"*.a.example\"]", "*.a.example"},
		{"*.example", "[\"*.example\"]", "*.example"},
		{"*.example", "[example]", NULL},
		{"a.example", "[b.example]", NULL},
		{"*.a.example", "[\"*.example\"]", "*.a.example"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(arena,
				   GATEWAY("{name: web, protocol: HTTP, port: 80, hostname: "
					   "\"%s\"}") BACKEND("b", "10.0.0.1")
					   HTTP("r", "hostnames: %s, " TO_B),
				   rows[i].listener, rows[i].route));
		if (!rows[i].hosts) {
			expect(object("HTTPRoute", "r"), "Accepted",
			       "False NoMatchingListenerHostname There were no hostname "
			       "intersections between the HTTPRoute and this parent ref's "
			       "Listener(s).");
			assert_int_equal(m->frontends[0].match_count, 0);
			continue;
		}
		assert_int_equal(m->frontends[0].match_count, 1);
		assert_string_equal(m->frontends[0].matches[0].host, rows[i].hosts);
	}
}

static void the_share_of_what_cannot_be_used_is_known(void **state)
{
	static const struct {
		const char *refs;
		uint32_t ppm;
	} rows[] = {
		{REF("b"), 0},
		{REF("gone"), 1000000},
		{"", 1000000},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: b, weight: 3}," REF("gone"),
		 250000},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: b, weight: 0}", 1000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(arena,
				   GATEWAY(WEB) BACKEND("b", "10.0.0.1")
					   HTTP("r", "rules: [{backendRefs: [%s]}]"),
				   rows[i].refs));
		assert_int_equal(m->frontends[0].rules[0].invalid_ppm, rows[i].ppm);
	}
}

static const char *refuse(struct arena *a, const char *cert, const char *key)
{
	(void)a;
	(void)key;
	return strcmp(cert, "CERT") == 0 ? NULL : "it is none";
}

static void certificates_are_read_and_bad_ones_are_told_of(void **state)
{
	static const struct {
		const char *refs, *said;
	} rows[] = {
		{"certificateRefs: [{name: pair}]", "True ResolvedRefs"},
		{"certificateRefs: [{name: gone}]",
		 "False InvalidCertificateRef Secret default/gone does not exist."},
		{"certificateRefs: [{name: half}]",
		 "False InvalidCertificateRef Secret default/half must contain valid tls.crt and "
		 "tls.key."},
		{"certificateRefs: [{name: bad}]",
		 "unable to validate certificate in tls.crt: it is none."},
		{"certificateRefs: [{name: pair, namespace: other}]",
		 "False RefNotPermitted Certificate ref to secret other/pair not permitted by any "
		 "ReferenceGrant."},
		{"certificateRefs: [{name: pair, kind: ConfigMap}]",
		 "False InvalidCertificateRef Listener's TLS certificate ref kind must be Secret."},
		{"options: {a: b}", "Listener must have at least 1 TLS certificate ref"},
	};

	(void)state;
	opts.refuse_pair = refuse;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const bool is_good = i == 0;

		afresh();
		given(arena_printf(arena,
				   GATEWAY("{name: s, protocol: HTTPS, port: 443, tls: {%s}}")
					   PAIR SECRET("half", "tls.crt: CERT")
						   SECRET("bad", "tls.crt: OTHER, tls.key: KEY"),
				   rows[i].refs));
		expect(object("Gateway", "edge"), "ResolvedRefs", rows[i].said);
		assert_non_null(strstr(condition(object("Gateway", "edge"), "Programmed", "s"),
				       is_good ? "True" : "False Invalid"));
		assert_int_equal(m->frontend_count, is_good);
		if (is_good)
			assert_string_equal(m->frontends[0].listeners[0].pems[0], "CERT\nKEY");
	}
}

static void names_of_tls_connections_go_the_same_way(void **state)
{
	(void)state;
	given(GATEWAY("{name: pass, protocol: TLS, port: 443, tls: {mode: Passthrough}}, {name: "
		      "end, protocol: TLS, port: 444, tls: {certificateRefs: [{name: pair}]}}")
		      PAIR BACKEND("b", "10.0.0.1")
			      TLS_ROUTE("r", "hostnames: [\"*.example\", a.example], " TO_B)
				      ROUTE_OF("TCPRoute", "t", "{name: edge, sectionName: end}",
					       REF("b")));
	assert_int_equal(m->frontend_count, 2);
	assert_int_equal(m->frontends[0].kind, FRONTEND_PASS);
	assert_int_equal(m->frontends[1].kind, FRONTEND_END);
	assert_string_equal(matches(0), "pass a.example - default/r\npass *.example - default/r\n");
	assert_false(m->frontends[0].rules[0].cluster->localities[0].members[0]->pool->http);
}

static void without_a_proxy_listeners_are_refused_with_the_reason(void **state)
{
	(void)state;
	opts.no_userspace = "HAProxy is not there";
	given(GATEWAY(WEB) BACKEND("b", "10.0.0.1") HTTP("r", TO_B));
	assert_non_null(strstr(condition(object("Gateway", "edge"), "Accepted", "web"),
			       "False UnsupportedProtocol HTTP listeners need the userspace path: "
			       "HAProxy is not there"));
	expect(object("HTTPRoute", "r"), "Accepted", "False NoReadyListeners");
	assert_int_equal(m->service_count, 0);
}

static void fields_that_nothing_does_are_named(void **state)
{
	(void)state;
	given(GATEWAY(WEB) BACKEND("b", "10.0.0.1")
		      HTTP("r", "rules: [{filters: [{type: CORS, cors: {}}, {type: "
				"ResponseHeaderModifier, responseHeaderModifier: {remove: [x]}}], "
				"sessionPersistence: {}}, {filters: [{type: ExtensionRef, "
				"extensionRef: {group: g, kind: K, name: mine}}]}]"));
	expect(object("HTTPRoute", "r"), "Programmed",
	       "False FieldsWithoutEffect in this version these fields have no effect: "
	       "spec.rules[0].filters[0].cors, spec.rules[0].sessionPersistence, "
	       "spec.rules[1].filters[0].extensionRef");
	assert_false(m->frontends[0].rules[0].is_void);
	assert_true(m->frontends[0].rules[1].is_void);
}

static void fields_of_a_policy_that_work_for_requests_are_not_named(void **state)
{
	static const char spec[] =
		"retry: {numRetries: 3, retryOn: {triggers: [5xx, unavailable], "
		"httpStatusCodes: [503, 418]}}, timeout: {http: {requestTimeout: 1s, "
		"maxStreamDuration: 1s}}, loadBalancer: {type: ConsistentHash, consistentHash: "
		"{type: Header, header: {name: x-user}}}";

	(void)state;
	given(arena_printf(arena,
			   GATEWAY(WEB) BACKEND("b", "10.0.0.1") HTTP("r", TO_B)
				   POLICY("p", ON("HTTPRoute", "r") ", %s"),
			   spec));
	expect(object("BackendTrafficPolicy", "p"), "Programmed",
	       "have no effect: spec.timeout.http.maxStreamDuration, "
	       "spec.retry.retryOn.triggers: unavailable, "
	       "spec.retry.retryOn.httpStatusCodes: 418");
	afresh();
	given(arena_printf(arena,
			   EDGE BACKEND("b", "10.0.0.1") ROUTE("r", REF("b"))
				   POLICY("p", ON("TCPRoute", "r") ", %s"),
			   spec));
	expect(object("BackendTrafficPolicy", "p"), "Programmed",
	       "have no effect: spec.retry, spec.timeout.http, "
	       "spec.loadBalancer.consistentHash.header, "
	       "spec.loadBalancer.consistentHash.type: Header");
}

static void a_dynamic_resolver_needs_a_name_that_is_seen(void **state)
{
	static const char dynamic[] =
		"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: d, "
		"annotations: {spillway.dev/private-targets: allow}}\nspec: {type: "
		"DynamicResolver}\n---\n";

	(void)state;
	given(arena_printf(arena,
			   GATEWAY("{name: end, protocol: TLS, port: 443, tls: {certificateRefs: "
				   "[{name: pair}]}}, " WEB) PAIR
			   "%s" TLS_ROUTE("t", "hostnames: [a.example], rules: "
					       "[{backendRefs: [" REF("d") "]}]")
				   HTTP("h", "rules: [{backendRefs: [" REF("d") "]}]"),
			   dynamic));
	expect(object("TLSRoute", "t"), "ResolvedRefs",
	       "False UnsupportedValue Dynamic resolver backend is only supported with TLS "
	       "passthrough listeners");
	expect(object("HTTPRoute", "h"), "ResolvedRefs", "True");
	for (size_t i = 0; i < m->frontend_count; i++) {
		const struct frontend *f = &m->frontends[i];

		assert_int_equal(f->rules[0].is_dynamic, f->kind == FRONTEND_HTTP);
		assert_int_equal(f->rules[0].dynamic_private, f->kind == FRONTEND_HTTP);
	}
}

static void clusters_of_one_route_never_share_a_name(void **state)
{
	(void)state;
	given(GATEWAY(WEB) BACKEND("b", "10.0.0.1")
		      HTTP("r", "rules: [{backendRefs: [" REF(
					"b") "]}, {name: \"2\", matches: [{path: "
					     "{value: /x}}], backendRefs: [" REF(
						     "b") "]}, {matches: [{path: {value: "
							  "/y}}], backendRefs: [" REF("b") "]}]"));
	assert_string_equal(matches(0), "web - /x default/r/2\nweb - /y default/r/#2\n"
					"web - / default/r\n");
}

static void a_slash_at_the_end_of_a_beginning_says_nothing(void **state)
{
	(void)state;
	given(GATEWAY(WEB) BACKEND("b", "10.0.0.1")
		      HTTP("r", "rules: [{matches: [{path: {value: /foo/}}], backendRefs: [" REF(
					"b") "]}, {matches: [{path: {value: /foo}, method: GET}], "
					     "backendRefs: [" REF("b") "]}]"));
	assert_string_equal(matches(0), "web - /foo default/r/1\nweb - /foo/ default/r\n");
}

static void an_endpoint_of_a_rule_that_leads_back_is_left_out(void **state)
{
	(void)state;
	given(GATEWAY(
		WEB) "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: "
		     "{name: b}\nspec: {endpoints: [{ip: {address: 192.0.2.1, port: 80}}]}\n---\n" HTTP(
			     "r", TO_B));
	assert_int_equal(m->services[1].locality_count, 0);
	assert_int_equal(m->services[1].handoff_count, 1);
	assert_false(m->services[1].handoff[0]->carried);
}

static void certificates_of_clients_that_nobody_would_verify_let_nobody_in(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	      "spec: {gatewayClassName: x, addresses: [{value: 192.0.2.1}], tls: {frontend: {default: "
	      "{validation: {caCertificateRefs: [{name: ca, group: \"\", kind: ConfigMap}]}}}}, "
	      "listeners: [{name: tls, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: "
	      "pair}]}}]}\n---\n" PAIR BACKEND("b", "10.0.0.1") HTTP("r", TO_B));
	assert_int_equal(m->frontend_count, 0);
	expect(object("Gateway", "edge"), "ResolvedRefs", "asks for certificates of clients");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_port_of_layer_7_is_one_service_that_leads_to_the_proxy),
		TEST(endpoints_of_a_rule_are_the_proxys_whatever_they_are),
		TEST(the_most_specific_host_and_the_longest_path_are_asked_first),
		TEST(of_equal_paths_the_one_that_asks_for_more_comes_first),
		TEST(hosts_are_what_listener_and_route_both_admit),
		TEST(the_share_of_what_cannot_be_used_is_known),
		TEST(certificates_are_read_and_bad_ones_are_told_of),
		TEST(names_of_tls_connections_go_the_same_way),
		TEST(without_a_proxy_listeners_are_refused_with_the_reason),
		TEST(fields_that_nothing_does_are_named),
		TEST(fields_of_a_policy_that_work_for_requests_are_not_named),
		TEST(a_dynamic_resolver_needs_a_name_that_is_seen),
		TEST(clusters_of_one_route_never_share_a_name),
		TEST(a_slash_at_the_end_of_a_beginning_says_nothing),
		TEST(an_endpoint_of_a_rule_that_leads_back_is_left_out),
		TEST(certificates_of_clients_that_nobody_would_verify_let_nobody_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
