/* SPDX-License-Identifier: BSD-2-Clause */
/* Certificates by reference, BackendTLSPolicies over spec.tls, and routes of layer 7. */
#include "manifest_fixture.h"

#define SPEC(name, spec)                                                                           \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name "}\n"  \
	"spec: {" spec "}\n---\n"
#define CONFIG(name, data)                                                                         \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " name "}\ndata: {" data "}\n---\n"
#define SECRET(name, data)                                                                         \
	"apiVersion: v1\nkind: Secret\nmetadata: {name: " name "}\nstringData: {" data "}\n---\n"
#define TLS_POLICY_ON(name, section, validation)                                                   \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\n"                       \
	"metadata: {name: " name "}\nspec: {targetRefs: [{group: gateway.envoyproxy.io, kind: "    \
	"Backend, name: b" section "}], validation: {hostname: policy.example, " validation        \
	"}}\n---\n"
#define TLS_POLICY(name, validation) TLS_POLICY_ON(name, "", validation)

#define AT	       "endpoints: [{ip: {address: 10.0.0.9, port: 443}}]"
#define SYSTEM	       "wellKnownCACertificates: System"
#define CA(kind, name) "caCertificateRefs: [{group: '', kind: " kind ", name: " name "}]"

/* Of the endpoints in turn, whether they are carried or not. */
static const struct tls_settings *settings(size_t index)
{
	const struct service *s = &m->services[0];

	assert_int_equal(m->service_count, 1);
	for (size_t i = 0; i < s->locality_count; i++) {
		if (index < s->localities[i].count)
			return s->localities[i].members[index]->tls;
		index -= s->localities[i].count;
	}
	assert_true(index < s->handoff_count);
	return s->handoff[index]->tls;
}

/* A route to the Backend `b` among these. */
static void given_route(const char *text)
{
	afresh();
	given(arena_printf(arena, EDGE "%s" ROUTE("web", REF("b")), text));
}

static void authorities_come_from_configmaps_and_secrets(void **state)
{
	static const struct {
		const char *text, *pem;
	} rows[] = {
		{CONFIG("ca", "ca.crt: A, tls.crt: B")
			 SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"),
		 "A"},
		{CONFIG("ca", "x: A, tls.crt: B")
			 SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"),
		 "B"},
		{CONFIG("ca", "x: C") SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"), "C"},
		{SECRET("ca", "ca.crt: D") SPEC("b", AT ", tls: {" CA("Secret", "ca") "}"), "D"},
		{CONFIG("ca", "x: A") SECRET("cb", "x: B")
			 SPEC("b", AT ", tls: {caCertificateRefs: [{group: '', kind: ConfigMap, "
				      "name: ca}, {group: '', kind: Secret, name: cb}]}"),
		 "A\nB"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		given_route(rows[i].text);
		assert_int_equal(diags.count, 0);
		assert_string_equal(settings(0)->ca_pem, rows[i].pem);
		assert_true(settings(0)->verify);
		expect(object("Backend", "b"), "ResolvedRefs", "True ResolvedRefs");
	}
}

static void references_that_lead_nowhere_are_told_at_the_route(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"),
		 "configmap ca not found in namespace default"},
		{CONFIG("ca", "x: A, y: B") SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"),
		 "no ca found in configmap ca"},
		{SPEC("b", AT ", tls: {" CA("Secret", "ca") "}"),
		 "secret ca not found in namespace default"},
		{SECRET("ca", "") SPEC("b", AT ", tls: {" CA("Secret", "ca") "}"),
		 "no ca found in secret ca"},
		{"apiVersion: v1\nkind: Secret\ntype: gateway.envoyproxy.io/sds\nmetadata: {name: "
		 "ca}\ndata: {url: YQ==}\n---\n" SPEC("b", AT ", tls: {" CA("Secret", "ca") "}"),
		 "SDS Secret reference is not enabled in EnvoyGateway configuration"},
		{SPEC("b", AT ", tls: {" CA("ClusterTrustBundle", "ca") "}"),
		 "cluster trust bundle ca not found"},
		{SPEC("b", AT ", tls: {" CA("Pod", "ca") "}"),
		 "Unsupported reference kind, supported kinds are ConfigMap, Secret, and "
		 "ClusterTrustBundle in caCertificateRefs"},
		{CONFIG("ca", "ca.crt: ''") SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"),
		 "no valid CA certificate found in referenced resources"},
		{SPEC("b", AT ", tls: {" SYSTEM ", clientCertificateRef: {name: own}}"),
		 "failed to locate TLS secret for client auth: default/own specified in Backend "
		 "default/b"},
		{SECRET("own", "tls.crt: A")
			 SPEC("b", AT ", tls: {" SYSTEM ", clientCertificateRef: {name: own}}"),
		 "secret default/own for client auth lacks tls.crt or tls.key"},
		{SPEC("b", AT ", tls: {wellKnownCACertificates: a.example/b}"),
		 "CACertificate must be specified when InsecureSkipVerify is false"},
		{TLS_POLICY("p", CA("ConfigMap", "ca")) SPEC("b", AT),
		 "configmap ca not found in namespace default"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		given_route(rows[i].text);
		expect(object("TCPRoute", "web"), "ResolvedRefs",
		       arena_printf(arena, "False InvalidBackendTLS %s", rows[i].said));
		expect_warning(rows[i].said);
		assert_int_equal(diags.count, 1);
		expect(object("Backend", "b"), "Accepted", "True Accepted");
		expect(object("Backend", "b"), "ResolvedRefs", "False InvalidBackendTLS");
		assert_int_equal(m->instance_count, 0);
	}
}

static void a_reference_to_what_was_refused_is_no_further_mistake(void **state)
{
	static const struct refused_key refused = {"ConfigMap", "default", "ca"};

	(void)state;
	opts.refused = &refused;
	opts.refused_count = 1;
	given_route(SPEC("b", AT ", tls: {" CA("ConfigMap", "ca") "}"));
	assert_int_equal(diags.count, 0);
	expect(object("TCPRoute", "web"), "ResolvedRefs", "configmap ca not found");
}

static void a_client_certificate_is_its_backends_else_its_gateways(void **state)
{
	static const char own[] = SECRET("own", "tls.crt: A, tls.key: K");
	static const char gateway[] =
		"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
		"spec:\n  gatewayClassName: spillway\n  addresses: [{value: 192.0.2.1}]\n"
		"  tls: {backend: {clientCertificateRef: {name: wide}}}\n"
		"  listeners: [{name: web, protocol: TCP, port: 80}]\n---\n";

	(void)state;
	given_route(arena_printf(
		arena, "%s" SPEC("b", AT ", tls: {" SYSTEM ", clientCertificateRef: {name: own}}"),
		own));
	assert_string_equal(settings(0)->cert_pem, "A");
	assert_string_equal(settings(0)->key_pem, "K");
	afresh();
	given(arena_printf(
		arena,
		"%s%s" SECRET("wide", "tls.crt: W, tls.key: L") SPEC("b", AT ", tls: {" SYSTEM "}")
			SPEC("c", AT ", tls: {" SYSTEM ", clientCertificateRef: {name: own}}")
				ROUTE("web", REF("b") "," REF("c")),
		gateway, own));
	assert_int_equal(diags.count, 0);
	assert_string_equal(settings(0)->cert_pem, "W");
	assert_string_equal(settings(0)->key_pem, "L");
	assert_string_equal(settings(1)->cert_pem, "A");
	afresh();
	given(arena_printf(arena, "%s" SPEC("b", AT ", tls: {" SYSTEM "}") ROUTE("web", REF("b")),
			   gateway));
	assert_null(settings(0)->cert_pem);
	expect(object("Gateway", "edge"), "ResolvedRefs",
	       "False InvalidClientCertificateRef Failed to locate TLS secret for client auth: "
	       "default/wide specified in Gateway default/edge.");
	expect_warning("Gateway default/edge: Failed to locate TLS secret");
}

static void a_policy_goes_over_the_tls_of_its_backend(void **state)
{
	const struct tls_settings *t;

	(void)state;
	given_route(TLS_POLICY("p", SYSTEM) SPEC("b", AT));
	t = settings(0);
	assert_true(t->verify);
	assert_string_equal(t->sni, "policy.example");
	assert_null(t->ca_pem);
	assert_null(t->names);
	expect(object("BackendTLSPolicy", "p"), "Accepted",
	       "True Accepted Policy has been accepted.");
	expect(object("BackendTLSPolicy", "p"), "ResolvedRefs",
	       "True ResolvedRefs Resolved all the Object references.");

	given_route(CONFIG("ca", "ca.crt: P") TLS_POLICY(
		"p", CA("ConfigMap", "ca") ", subjectAltNames: [{type: "
					   "Hostname, hostname: a.example}, {type: URI, uri: "
					   "'spiffe://a/b'}]")
			    SPEC("b", AT ", tls: {" SYSTEM ", sni: own.example, "
					 "minVersion: '1.3'}"));
	t = settings(0);
	assert_string_equal(t->sni, "policy.example");
	assert_string_equal(t->ca_pem, "P");
	assert_string_equal(t->names[0], "a.example");
	assert_string_equal(t->names[1], "spiffe://a/b");
	assert_null(t->names[2]);
	assert_string_equal(t->min_version, "1.3");

	/* The Backend's own references are not even looked at. */
	given_route(TLS_POLICY("p", SYSTEM) SPEC("b", AT ", tls: {" CA("ConfigMap", "gone") "}"));
	assert_int_equal(diags.count, 0);
	assert_null(settings(0)->ca_pem);
}

static void a_policy_ends_skipping_of_verification_and_the_condition_says_so(void **state)
{
	(void)state;
	given_route(TLS_POLICY("p", SYSTEM) SPEC("b", AT ", tls: {insecureSkipVerify: true}"));
	assert_true(settings(0)->verify);
	expect(object("Backend", "b"), "Accepted",
	       "True Accepted The Backend was accepted, but insecureSkipVerify has no effect on "
	       "endpoints that BackendTLSPolicy default/p covers: they are verified");
	assert_int_equal(diags.count, 0);
}

static void a_section_is_a_port_and_wins_over_the_whole_backend(void **state)
{
	(void)state;
	given_route(TLS_POLICY("p", SYSTEM) CONFIG("ca", "ca.crt: Q")
			    TLS_POLICY_ON("q", ", sectionName: '8443'", CA("ConfigMap", "ca"))
				    SPEC("b", "tls: {sni: x.example}, endpoints: [{ip: {address: "
					      "10.0.0.9, port: 443}}, {ip: {address: 10.0.0.9, "
					      "port: 8443}}]"));
	assert_int_equal(diags.count, 0);
	assert_null(settings(0)->ca_pem);
	assert_string_equal(settings(1)->ca_pem, "Q");

	/* A port that nothing covers leaves the Backend without authorities. */
	given_route(TLS_POLICY_ON("q", ", sectionName: '8443'", SYSTEM)
			    SPEC("b", "tls: {sni: x.example}, endpoints: [{ip: {address: 10.0.0.9, "
				      "port: 443}}, {ip: {address: 10.0.0.9, port: 8443}}]"));
	expect(object("Backend", "b"), "Accepted",
	       "must specify either CACertificateRefs or WellKnownCACertificates when "
	       "InsecureSkipVerify is unset or false");

	/* Endpoints of other ports are not over TLS at all. */
	given_route(TLS_POLICY_ON("q", ", sectionName: '8443'", SYSTEM)
			    SPEC("b", "endpoints: [{ip: {address: 10.0.0.9, port: 443}}, {ip: "
				      "{address: 10.0.0.9, port: 8443}}]"));
	assert_int_equal(m->services[0].handoff_count, 0);
	assert_int_equal(m->services[0].localities[0].count, 2);
	assert_int_equal(m->services[0].localities[0].members[0]->mode, SPW_MODE_NAT);
	assert_int_equal(m->services[0].localities[0].members[1]->mode, SPW_MODE_HANDOFF);
}

static void of_two_policies_on_one_target_the_older_has_it(void **state)
{
	(void)state;
	given_route(TLS_POLICY("z", SYSTEM) CONFIG("ca", "ca.crt: Q")
			    TLS_POLICY("a", CA("ConfigMap", "ca")) SPEC("b", AT));
	assert_null(settings(0)->ca_pem);
	expect(object("BackendTLSPolicy", "z"), "Accepted", "True");
	expect(object("BackendTLSPolicy", "a"), "Accepted",
	       "False Conflicted Policy conflicts with BackendTLSPolicy default/z.");
	expect_warning("BackendTLSPolicy default/a: Policy conflicts with");
}

static void what_a_policy_lacks_is_in_its_conditions(void **state)
{
	(void)state;
	given(TLS_POLICY("p", CA("ConfigMap", "ca")));
	expect(object("BackendTLSPolicy", "p"), "Accepted",
	       "False NoValidCACertificate Configmap ca not found in namespace default.");
	expect(object("BackendTLSPolicy", "p"), "ResolvedRefs",
	       "False InvalidCACertificateRef Configmap ca not found in namespace default.");
	afresh();
	given(TLS_POLICY("p", CA("Pod", "ca")));
	expect(object("BackendTLSPolicy", "p"), "ResolvedRefs", "False InvalidKind Unsupported");
	afresh();
	given(TLS_POLICY("p", SYSTEM));
	expect(object("BackendTLSPolicy", "p"), "Accepted",
	       "False TargetNotFound Backend default/b not found");
	afresh();
	given(TLS_POLICY("p", "wellKnownCACertificates: a.example/b"));
	expect(object("BackendTLSPolicy", "p"), "Accepted", "False Invalid CACertificate must be");
	assert_int_equal(diags.count, 0);
}

#define LAYER_7                                                                                            \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: l7}\n"                  \
	"spec:\n  gatewayClassName: spillway\n  addresses: [{value: 192.0.2.1}]\n  listeners:\n"           \
	"  - {name: http, protocol: HTTP, port: 80}\n"                                                     \
	"  - {name: https, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: c}]}}\n"             \
	"  - {name: passed, protocol: TLS, port: 8443, tls: {mode: Passthrough}}\n"                        \
	"  - {name: ended, protocol: TLS, port: 9443, tls: {certificateRefs: [{name: c}]}}\n---\n" SECRET( \
		"c", "tls.crt: c, tls.key: k")

static void routes_attach_by_the_protocol_of_the_listener(void **state)
{
	static const struct {
		const char *kind, *section;
		bool fits;
	} rows[] = {
		{"HTTPRoute", "http", true},	{"HTTPRoute", "https", true},
		{"HTTPRoute", "passed", false}, {"TLSRoute", "passed", true},
		{"TLSRoute", "ended", true},	{"TLSRoute", "https", false},
		{"TCPRoute", "ended", true},	{"TCPRoute", "passed", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(
			arena,
			LAYER_7 BACKEND(
				"b",
				"10.0.0.1") "apiVersion: gateway.networking.k8s.io/v1\nkind: %s\nmetadata: {name: r}\n"
					    "spec: {parentRefs: [{name: l7, sectionName: %s}]%s, rules: [{backendRefs: "
					    "[" REF("b") "]}]}\n",
			rows[i].kind, rows[i].section,
			strcmp(rows[i].kind, "TLSRoute") == 0 ? ", hostnames: [a.example]" : ""));
		expect(object(rows[i].kind, "r"), "Accepted",
		       rows[i].fits ? "True Accepted" : "False NotAllowedByListeners");
		expect(object(rows[i].kind, "r"), "ResolvedRefs", "True ResolvedRefs");
		assert_int_equal(diags.count, rows[i].fits ? 0 : 1);
	}
}

#define HTTP(rules)                                                                                \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r}\n"         \
	"spec: {parentRefs: [{name: l7}], rules: [" rules "]}\n---\n"
#define DYNAMIC                                                                                    \
	SPEC("d", "type: DynamicResolver")                                                         \
	SPEC("t", "type: DynamicResolver, tls: {" CA("ConfigMap", "ca") "}")

static void an_httproutes_messages_say_which_rule_and_which_reference(void **state)
{
	static const struct {
		const char *rules, *said;
	} rows[] = {
		{"{}, {backendRefs: [" REF("b") "," REF("gone") "]}",
		 "False BackendNotFound Failed to process route rule 1 backendRef 1: Backend "
		 "default/gone not found."},
		{"{backendRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: b, namespace: "
		 "x}]}",
		 "False RefNotPermitted Failed to process route rule 0 backendRef 0: Backend ref "
		 "to Backend x/b not permitted by any ReferenceGrant."},
		{"{backendRefs: [" REF("d") "," REF("b") "]}",
		 "False InvalidBackendRef Failed to process route rule 0: dynamic resolver is not "
		 "supported for multiple backendRefs."},
		{"{backendRefs: [" REF("d") "]}", "True ResolvedRefs"},
		{"{backendRefs: [" REF("t") "]}",
		 "False InvalidBackendTLS Failed to process route rule 0 backendRef 0: configmap ca "
		 "not found in namespace default."},
		{"{backendRefs: [" REF("gone") "]}, {backendRefs: [" REF("nor") "]}",
		 "rule 0 backendRef 0: Backend default/gone not found.; Failed to process route "
		 "rule 1 backendRef 0: Backend default/nor not found."},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(arena, LAYER_7 BACKEND("b", "10.0.0.1") DYNAMIC "%s",
				   arena_printf(arena, HTTP("%s"), rows[i].rules)));
		expect(object("HTTPRoute", "r"), "ResolvedRefs", rows[i].said);
		assert_int_equal(diags.count > 0, rows[i].said[0] != 'T');
	}
}

static void a_tlsroutes_share_goes_to_the_others_as_a_tcproutes(void **state)
{
	(void)state;
	given(LAYER_7 BACKEND("b", "10.0.0.1") DYNAMIC
	      "apiVersion: gateway.networking.k8s.io/v1\nkind: TLSRoute\nmetadata: "
	      "{name: r}\nspec: {parentRefs: [{name: l7}], hostnames: [a.example], "
	      "rules: [{backendRefs: [" REF("b") "," REF("gone") "," REF("d") "]}]}\n");
	expect(object("TLSRoute", "r"), "ResolvedRefs",
	       "False BackendNotFound Backend default/gone not found (left out: its weight 1 of 3 "
	       "goes to the other backendRefs); dynamic resolver is not supported for multiple "
	       "backendRefs (left out");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(authorities_come_from_configmaps_and_secrets),
		TEST(references_that_lead_nowhere_are_told_at_the_route),
		TEST(a_reference_to_what_was_refused_is_no_further_mistake),
		TEST(a_client_certificate_is_its_backends_else_its_gateways),
		TEST(a_policy_goes_over_the_tls_of_its_backend),
		TEST(a_policy_ends_skipping_of_verification_and_the_condition_says_so),
		TEST(a_section_is_a_port_and_wins_over_the_whole_backend),
		TEST(of_two_policies_on_one_target_the_older_has_it),
		TEST(what_a_policy_lacks_is_in_its_conditions),
		TEST(routes_attach_by_the_protocol_of_the_listener),
		TEST(an_httproutes_messages_say_which_rule_and_which_reference),
		TEST(a_tlsroutes_share_goes_to_the_others_as_a_tcproutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
