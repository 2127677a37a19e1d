/* SPDX-License-Identifier: BSD-2-Clause */
/* From manifests to services: who is attached to what, and what is said about it. */
#include "base/clock.h"
#include "manifest_fixture.h"

static void a_route_joins_gateway_and_backends(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") FALLBACK("b", "10.0.0.2")
		      ROUTE("web", REF("b") ", {group: gateway.envoyproxy.io, kind: Backend, name: "
					    "a, weight: 7}"));
	assert_string_equal(services(),
			    "192.0.2.1:80/tcp default/web: 0/7 10.0.0.1:8080 1/1 10.0.0.2:8080\n");
	expect(object("Backend", "a"), "Accepted", "True Accepted The Backend was accepted");
	expect(object("Gateway", "edge"), "Accepted", "True Accepted");
	expect(object("Gateway", "edge"), "Programmed", "True Programmed");
	expect(object("TCPRoute", "web"), "Accepted", "True Accepted Route is accepted");
	expect(object("TCPRoute", "web"), "ResolvedRefs",
	       "True ResolvedRefs Resolved all the Object references for the Route");
	assert_true(object("TCPRoute", "web")->accepted);
	assert_int_equal(m->vip_count, 1);
	assert_int_equal(m->services[0].panic_threshold, 50);
	assert_string_equal(model_condition(object("TCPRoute", "web"), "Accepted")->parent,
			    "default/edge");
	assert_int_equal(diags.count, 0);
}

static void a_fallback_without_a_check_is_pointed_out(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") FALLBACK("b", "10.0.0.2")
		      ROUTE("web", REF("a") "," REF("b")));
	expect(object("Backend", "b"), "FallbackReady", "False NoHealthCheck");
	assert_string_equal(condition(object("Backend", "a"), "FallbackReady", NULL), "none");
	assert_int_equal(diags.count, 0);
}

static void only_fallbacks_need_no_check(void **state)
{
	(void)state;
	given(EDGE FALLBACK("b", "10.0.0.2") ROUTE("web", REF("b")));
	assert_string_equal(condition(object("Backend", "b"), "FallbackReady", NULL), "none");
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 1/1 10.0.0.2:8080\n");
}

static void a_gateway_without_addresses_takes_the_hosts(void **state)
{
	struct spw_addr host[2];

	(void)state;
	assert_int_equal(addr_parse("198.51.100.7", &host[0]), 0);
	assert_int_equal(addr_parse("2001:db8::7", &host[1]), 0);
	opts.host_addrs = host;
	opts.host_addr_count = 2;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	      "spec: {gatewayClassName: x, listeners: [{name: web, protocol: TCP, port: 80}]}\n---\n" BACKEND(
		      "a", "10.0.0.1") BACKEND("b", "2001:db8::b")
		      ROUTE("web", REF("a") "," REF("b")));
	assert_string_equal(services(),
			    "198.51.100.7:80/tcp default/web: 0/1 10.0.0.1:8080\n"
			    "[2001:db8::7]:80/tcp default/web: 0/1 [2001:db8::b]:8080\n");
	assert_string_equal(condition(object("TCPRoute", "web"), "Programmed", NULL), "none");
}

static void without_any_address_it_is_not_programmed(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	      "spec: {gatewayClassName: x, listeners: [{name: web, protocol: TCP, port: 80}]}\n---\n" BACKEND(
		      "a", "10.0.0.1") ROUTE("web", REF("a")));
	expect(object("Gateway", "edge"), "Programmed", "False AddressNotAssigned");
	assert_int_equal(m->service_count, 0);
	assert_int_equal(diags.count, 0);
}

static void endpoints_of_the_other_family_are_named(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") BACKEND("b", "2001:db8::b")
		      ROUTE("web", REF("a") "," REF("b")));
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 0/1 10.0.0.1:8080\n");
	expect(object("TCPRoute", "web"), "Programmed",
	       "False EndpointsLeftOut [2001:db8::b]:8080: the Gateway has no IPv6 address");
}

static void references_that_do_not_resolve_are_left_out_and_their_share_named(void **state)
{
	static const struct {
		const char *ref, *reason, *message;
	} rows[] = {
		{"{group: gateway.envoyproxy.io, kind: Backend, name: nope, weight: 3}",
		 "BackendNotFound", "Backend default/nope not found (left out: its weight 3 of 4"},
		{"{group: example.com, kind: Backend, name: a}", "InvalidKind",
		 "Group is invalid, only the core API group (specified by omitting the group field "
		 "or setting it to an empty string), multicluster.x-k8s.io and "
		 "gateway.envoyproxy.io are supported"},
		{"{group: gateway.envoyproxy.io, kind: Upstream, name: a}", "InvalidKind",
		 "Kind is invalid, only Service, MCS ServiceImport and Envoy Gateway Backend are "
		 "supported"},
		{"{name: a, port: 80}", "BackendNotFound", "Service default/a not found"},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: a, namespace: other}",
		 "RefNotPermitted",
		 "Backend ref to Backend other/a not permitted by any ReferenceGrant."},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: loop}", "InvalidBackendRef",
		 "IP address 127.0.0.1 in the loopback range is only supported when using the Host "
		 "infrastructure"},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: odd}", "InvalidBackendTLS",
		 "CACertificate must be specified when InsecureSkipVerify is false"},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: dyn}", "UnsupportedValue",
		 "Backend default/dyn is of type DynamicResolver: a TCPRoute carries no name"},
		{"{group: gateway.envoyproxy.io, kind: Backend, name: nope, weight: 0}",
		 "BackendNotFound", "Backend default/nope not found"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE BACKEND("a", "10.0.0.1") BACKEND(
				"loop",
				"127.0.0.1") "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
					     "metadata: {name: dyn}\nspec: {type: DynamicResolver}\n---\n"
					     "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
					     "metadata: {name: odd}\nspec: {tls: {wellKnownCACertificates: "
					     "acme.example/x}, endpoints: [{ip: {address: 10.0.0.3, port: "
					     "1}}]}\n---\n" ROUTE("web", REF("a") ", %s"),
			rows[i].ref));
		expect(object("TCPRoute", "web"), "ResolvedRefs",
		       arena_printf(arena, "False %s %s", rows[i].reason, rows[i].message));
		expect_warning(arena_printf(arena, "TCPRoute default/web: %.26s", rows[i].message));
		assert_string_equal(services(),
				    "192.0.2.1:80/tcp default/web: 0/1 10.0.0.1:8080\n");
	}
}

static void a_route_without_a_usable_reference_refuses_its_flows(void **state)
{
	(void)state;
	given(EDGE ROUTE("web", REF("nope")));
	expect(object("TCPRoute", "web"), "ResolvedRefs",
	       "no backendRef is left, so new flows are refused");
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web:\n");
}

static void a_refused_backend_says_why(void **state)
{
	(void)state;
	given(BACKEND("loop", "127.0.0.1"));
	expect(object("Backend", "loop"), "Accepted",
	       "False Invalid The Backend was not accepted: IP address 127.0.0.1 in the loopback "
	       "range");
	assert_false(object("Backend", "loop")->accepted);
	expect_warning("The Backend was not accepted: IP address 127.0.0.1");
}

static void a_grant_opens_another_namespace(void **state)
{
	static const char *const grants[][2] = {
		{"TCPRoute, namespace: default}], to: [{group: gateway.envoyproxy.io, kind: Backend}",
		 "True"},
		{"TCPRoute, namespace: default}], to: [{group: gateway.envoyproxy.io, kind: Backend, "
		 "name: a}",
		 "True"},
		{"TCPRoute, namespace: default}], to: [{group: gateway.envoyproxy.io, kind: Backend, "
		 "name: z}",
		 "False RefNotPermitted"},
		{"UDPRoute, namespace: default}], to: [{group: gateway.envoyproxy.io, kind: Backend}",
		 "False RefNotPermitted"},
		{"TCPRoute, namespace: apps}], to: [{group: gateway.envoyproxy.io, kind: Backend}",
		 "False RefNotPermitted"},
	};

	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE
			"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
			"metadata: {name: a, namespace: vaults}\n"
			"spec: {endpoints: [{ip: {address: 10.0.0.1, port: 80}}]}\n---\n"
			"apiVersion: gateway.networking.k8s.io/v1\nkind: ReferenceGrant\n"
			"metadata: {name: g, namespace: vaults}\n"
			"spec: {from: [{group: gateway.networking.k8s.io, kind: %s]}\n---\n" ROUTE(
				"web", "{group: gateway.envoyproxy.io, kind: Backend, name: a, "
				       "namespace: vaults}"),
			grants[i][0]));
		expect(object("TCPRoute", "web"), "ResolvedRefs", grants[i][1]);
		assert_int_equal(m->services[0].locality_count, strcmp(grants[i][1], "True") == 0);
	}
}

static void what_needs_another_path_is_left_out_with_its_name(void **state)
{
	static const char *const rows[][2] = {
		{"spec: {endpoints: [{unix: {path: \"@x\"}}]}",
		 "unix:@x: HAProxy fills the names of abstract sockets"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE BACKEND(
				"a",
				"10.0.0.1") "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
					    "metadata:\n  name: b\n%s\n---\n" ROUTE(
						    "web", REF("a") "," REF("b")),
			rows[i][0]));
		expect(object("Backend", "b"), "Accepted", "True");
		expect(object("Backend", "b"), "Programmed", rows[i][1]);
		expect(object("TCPRoute", "web"), "Programmed",
		       arena_printf(arena, "False EndpointsLeftOut Backend default/b: %s",
				    rows[i][1]));
		assert_string_equal(services(),
				    "192.0.2.1:80/tcp default/web: 0/1 10.0.0.1:8080\n");
		assert_int_equal(diags.count, 0);
	}
}

static void on_the_host_loopback_is_handed_off(void **state)
{
	(void)state;
	opts.on_host = true;
	given(EDGE BACKEND("loop", "127.0.0.1") ROUTE("web", REF("loop")));
	expect(object("Backend", "loop"), "Accepted", "True");
	expect(object("Backend", "loop"), "Programmed", "none");
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 0/1 127.0.0.1:8080\n");
}

static void the_oldest_route_feeds_the_listener(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") BACKEND("b", "10.0.0.2") ROUTE("young", REF("b")));
	add("default", 0, ROUTE("old", REF("a")));
	resolve();
	assert_string_equal(services(), "192.0.2.1:80/tcp default/old: 0/1 10.0.0.1:8080\n");
	expect(object("TCPRoute", "young"), "Accepted",
	       "True Accepted Route is accepted, but listener web is fed by TCPRoute default/old");
	assert_false(object("TCPRoute", "young")->accepted);
	assert_true(object("TCPRoute", "old")->accepted);
	assert_int_equal(diags.count, 0);
}

static void a_parent_ref_chooses_its_listeners(void **state)
{
	static const struct {
		const char *kind, *parent, *services, *accepted;
	} rows[] = {
		{"TCPRoute", "{name: edge}", "192.0.2.1:80/tcp default/x: 0/1 10.0.0.1:8080\n",
		 "True"},
		{"UDPRoute", "{name: edge}", "192.0.2.1:53/udp default/x: 0/1 10.0.0.1:8080\n",
		 "True"},
		{"TCPRoute", "{name: edge, port: 80}",
		 "192.0.2.1:80/tcp default/x: 0/1 10.0.0.1:8080\n", "True"},
		{"TCPRoute", "{name: edge, port: 81}", "",
		 "False NoMatchingParent No listeners match this parent ref"},
		{"TCPRoute", "{name: edge, sectionName: nope}", "",
		 "False NoMatchingParent No listeners match this parent ref"},
		{"TCPRoute", "{name: edge, sectionName: dns}", "",
		 "False NotAllowedByListeners No listeners included by this parent ref allowed "
		 "this attachment."},
		{"UDPRoute", "{name: edge, sectionName: web}", "", "False NotAllowedByListeners"},
		{"TCPRoute", "{name: other}", "",
		 "False NoMatchingParent Gateway default/other not found"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena, EDGE BACKEND("a", "10.0.0.1") ROUTE_OF("%s", "x", "%s", REF("a")),
			rows[i].kind, rows[i].parent));
		assert_string_equal(services(), rows[i].services);
		expect(object(rows[i].kind, "x"), "Accepted", rows[i].accepted);
	}
}

static void namespaces_of_routes_are_as_the_listener_allows(void **state)
{
	static const struct {
		const char *allowed;
		size_t services;
	} rows[] = {
		{"{}", 0},
		{"{namespaces: {from: Same}}", 0},
		{"{namespaces: {from: All}}", 1},
		{"{namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}", 0},
		{"{namespaces: {from: All}, kinds: [{kind: TCPRoute}]}", 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
			"metadata: {name: edge}\nspec: {gatewayClassName: x, addresses: [{value: "
			"192.0.2.1}], listeners: [{name: web, protocol: TCP, port: 80, "
			"allowedRoutes: %s}]}\n---\n"
			"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
			"metadata: {name: a, namespace: apps}\n"
			"spec: {endpoints: [{ip: {address: 10.0.0.1, port: 80}}]}\n---\n"
			"apiVersion: gateway.networking.k8s.io/v1\nkind: TCPRoute\n"
			"metadata: {name: x, namespace: apps}\nspec: {parentRefs: [{name: edge, "
			"namespace: default}], rules: [{backendRefs: [" REF("a") "]}]}\n",
			rows[i].allowed));
		assert_int_equal(m->service_count, rows[i].services);
		expect(object("TCPRoute", "x"), "Accepted",
		       rows[i].services ? "True" : "False NotAllowedByListeners");
		if (strstr(rows[i].allowed, "selector"))
			expect(object("TCPRoute", "x"), "Accepted", "selector matches none");
	}
}

static void contradicting_listeners_are_refused(void **state)
{
	static const struct {
		const char *listeners, *section, *accepted, *warning;
	} rows[] = {
		{"{name: a, protocol: TCP, port: 80}, {name: b, protocol: HTTP, port: 80}", "a",
		 "False ProtocolConflict All listeners for a given port must use a compatible "
		 "protocol, conflicting listeners: default/edge/a, default/edge/b",
		 "conflicting listeners: default/edge/a, default/edge/b"},
		{"{name: a, protocol: SCTP, port: 80}", "a",
		 "False UnsupportedProtocol Protocol SCTP is unsupported, must be HTTP, HTTPS, TCP "
		 "or UDP.",
		 "Protocol SCTP is unsupported"},
		{"{name: a, protocol: HTTP, port: 80}", "a", "True", NULL},
		{"{name: a, protocol: TLS, port: 1, tls: {mode: Passthrough}}, {name: b, "
		 "protocol: HTTPS, port: 1, tls: {options: {a: b}}}",
		 "b",
		 "False ProtocolConflict All listeners for a given port must be of one protocol "
		 "and TLS mode, conflicting listeners: default/edge/a, default/edge/b",
		 "must be of one protocol and TLS mode"},
		{"{name: a, protocol: TCP, port: 53}, {name: b, protocol: UDP, port: 53}", "b",
		 "True", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *have;

		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(arena,
				   "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n"
				   "metadata: {name: edge}\nspec: {gatewayClassName: x, addresses: "
				   "[{value: 192.0.2.1}], listeners: [%s]}\n",
				   rows[i].listeners));
		have = condition(object("Gateway", "edge"), "Accepted", rows[i].section);
		assert_non_null(strstr(have, rows[i].accepted));
		if (rows[i].warning)
			expect_warning(rows[i].warning);
		else
			assert_int_equal(diags.count, 0);
	}
}

static void an_address_of_another_type_is_refused(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	      "spec: {gatewayClassName: x, addresses: [{type: NamedAddress, value: x}], "
	      "listeners: [{name: a, protocol: TCP, port: 1}]}\n");
	expect(object("Gateway", "edge"), "Accepted",
	       "False UnsupportedAddress Gateway has an address with an unsupported type: "
	       "NamedAddress");
	expect_warning("unsupported type: NamedAddress");
}

static void the_older_gateway_keeps_the_port(void **state)
{
	const struct object *mine, *theirs;

	(void)state;
	add("red", 5, EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")));
	add("blue", 1, EDGE BACKEND("a", "10.0.0.2") ROUTE("web", REF("a")));
	resolve();
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 0/1 10.0.0.2:8080\n");
	assert_string_equal(m->services[0].project, "blue");
	mine = &m->objects[0];
	theirs = &m->objects[3];
	assert_non_null(
		strstr(condition(mine, "Programmed", "web"),
		       "False AddressInUse 192.0.2.1:80/TCP belongs to a Gateway of another "
		       "project, which is older"));
	assert_non_null(strstr(condition(theirs, "Programmed", "web"), "True"));
	expect_warning("192.0.2.1:80/TCP belongs to a Gateway of another project");
}

static void a_refused_gateway_claims_no_address(void **state)
{
	(void)state;
	add("red", 1,
	    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	    "spec: {gatewayClassName: x, addresses: [{value: 192.0.2.1}, {type: NamedAddress, value: "
	    "a}], listeners: [{name: web, protocol: TCP, port: 80}]}\n");
	add("blue", 2, EDGE BACKEND("a", "10.0.0.2") ROUTE("web", REF("a")));
	resolve();
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 0/1 10.0.0.2:8080\n");
}

static void a_host_name_as_address_is_accepted_and_gives_none(void **state)
{
	(void)state;
	given("apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
	      "spec: {gatewayClassName: x, addresses: [{type: Hostname, value: a.example}], "
	      "listeners: [{name: web, protocol: TCP, port: 80}]}\n");
	resolve();
	expect(object("Gateway", "edge"), "Accepted", "True Accepted The Gateway is accepted");
	expect(object("Gateway", "edge"), "Programmed",
	       "False AddressNotAssigned No addresses have been assigned to the Gateway");
}

static void projects_do_not_see_each_other(void **state)
{
	(void)state;
	add("red", 1, EDGE ROUTE("web", REF("a")));
	add("blue", 1, BACKEND("a", "10.0.0.2"));
	resolve();
	expect(object("TCPRoute", "web"), "ResolvedRefs",
	       "False BackendNotFound Backend default/a not found");
}

static void duplicate_endpoints_stay_two_members(void **state)
{
	(void)state;
	given(EDGE "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: "
		   "a}\nspec: {endpoints: [{ip: {address: 10.0.0.1, port: 80}}, {ip: {address: "
		   "10.0.0.1, port: 80}}]}\n---\n" ROUTE("web", REF("a") "," REF("a")));
	assert_int_equal(m->instance_count, 1);
	assert_int_equal(m->services[0].locality_count, 2);
	assert_int_equal(m->services[0].localities[0].count, 2);
}

/* Everything about everything, in an order that does not depend on the input's. */
static const char *digest(void)
{
	struct strbuf b = {0};
	char *text;
	const char *copy;

	strbuf_puts(&b, services());
	for (size_t i = 0; i < m->instance_count; i++)
		strbuf_printf(&b, "%zu %s %llx\n", i, address(&m->instances[i]),
			      (unsigned long long)m->instances[i].profile);
	for (const char *const *name = (const char *const[]){"edge", "two", "a", "b", "c", "p", "q",
							     "web", "more", "names", NULL};
	     *name; name++) {
		for (size_t i = 0; i < m->object_count; i++) {
			const struct object *o = &m->objects[i];

			if (strcmp(o->res.name, *name) != 0)
				continue;
			for (size_t n = 0; n < o->condition_count; n++)
				strbuf_printf(
					&b, "%s %s %d %s %s %s %s\n", *name, o->conditions[n].type,
					o->conditions[n].status, o->conditions[n].reason,
					o->conditions[n].message,
					o->conditions[n].parent ? o->conditions[n].parent : "-",
					o->conditions[n].section ? o->conditions[n].section : "-");
		}
	}
	text = strbuf_take(&b);
	copy = arena_strdup(arena, text);
	free(text);
	return copy;
}

static void the_order_of_the_objects_does_not_matter(void **state)
{
	const char *first;

	(void)state;
	add("default", 0,
	    EDGE BACKEND("a", "10.0.0.1") BACKEND("b", "10.0.0.2") FALLBACK("c", "10.0.0.3") ROUTE(
		    "web", REF("a") "," REF("b") "," REF("c") "," REF("nope")) ROUTE("more",
										     REF("b"))
		    ROUTE_OF("UDPRoute", "names", "{name: edge}", REF("c")) POLICY(
			    "p", ON("Gateway", "edge") ", healthCheck: {active: {type: TCP, "
						       "tcp: {}}}")
			    POLICY("q",
				   ON("TCPRoute",
				      "web") ", healthCheck: "
					     "{panicThreshold: 3}") "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: two}\n"
								    "spec: {gatewayClassName: x, addresses: [{value: 192.0.2.1}], listeners: [{name: web, "
								    "protocol: TCP, port: 80}]}\n---\n");
	for (size_t i = 0; i < object_count; i++)
		objects[i].created_s = 0;
	resolve();
	first = digest();
	assert_non_null(strstr(first, "AddressInUse"));
	srand(3);
	for (int round = 0; round < 50; round++) {
		for (size_t i = object_count - 1; i > 0; i--) {
			const size_t k = (size_t)rand() % (i + 1);
			const struct object swap = objects[i];

			objects[i] = objects[k];
			objects[k] = swap;
		}
		resolve();
		assert_string_equal(digest(), first);
	}
}

static void addresses_of_no_host_are_left_out(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") BACKEND("b", "224.0.0.5")
		      ROUTE("web", REF("a") "," REF("b")));
	expect(object("Backend", "b"), "Programmed",
	       "endpoints left out: 224.0.0.5:8080: no host has such an address");
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 0/1 10.0.0.1:8080\n");
}

static void long_lists_of_names_are_cut(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
			"metadata: {name: a}\nspec:\n  endpoints:\n");
	for (int i = 0; i < 20; i++)
		strbuf_printf(&b, "  - ip: {address: 224.0.0.%d, port: 1}\n", i);
	given(b.text);
	strbuf_done(&b);
	expect(object("Backend", "a"), "Programmed",
	       "224.0.0.6:1, 224.0.0.7:1 and 12 more: no host");
}

/* A few thousand of everything; generous, for sanitizers on a loaded machine. */
static void thousands_of_routes_resolve_quickly(void **state)
{
	enum { MANY = 3000 };
	struct object *many = arena_array(arena, 4 * MANY, sizeof(*many));
	uint64_t start;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		object_count = 0;
		add("default", i,
		    arena_printf(
			    arena,
			    "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: "
			    "{name: g%d}\nspec: {gatewayClassName: x, addresses: [{value: "
			    "10.9.%d.%d}], listeners: [{name: web, protocol: TCP, port: "
			    "80}]}\n---\n" BACKEND("b%d", "10.0.0.1")
				    ROUTE_OF("TCPRoute", "r%d", "{name: g%d}", REF("b%d"))
					    POLICY("p%d", ON("Gateway", "g%d")),
			    i, i / 256, i % 256, i, i, i, i, i, i));
		memcpy(&many[4 * i], objects, 4 * sizeof(*many));
	}
	start = clock_ms();
	m = model_resolve(arena, many, 4 * MANY, &opts, &diags);
	print_message("  %d routes: %llu ms with sanitizers\n", MANY,
		      (unsigned long long)(clock_ms() - start));
	assert_int_equal(m->service_count, MANY);
	assert_int_equal(m->instance_count, 1);
	assert_int_equal(m->services[7].policy->res.kind->id, KIND_BACKENDTRAFFICPOLICY);
	assert_true(clock_ms() - start < 5000);
}

static void nothing_at_all_is_a_model_too(void **state)
{
	(void)state;
	resolve();
	assert_int_equal(m->service_count, 0);
	assert_int_equal(m->instance_count, 0);
	assert_int_equal(m->vip_count, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_route_joins_gateway_and_backends),
		TEST(a_fallback_without_a_check_is_pointed_out),
		TEST(only_fallbacks_need_no_check),
		TEST(a_gateway_without_addresses_takes_the_hosts),
		TEST(without_any_address_it_is_not_programmed),
		TEST(endpoints_of_the_other_family_are_named),
		TEST(references_that_do_not_resolve_are_left_out_and_their_share_named),
		TEST(a_route_without_a_usable_reference_refuses_its_flows),
		TEST(a_refused_backend_says_why),
		TEST(a_grant_opens_another_namespace),
		TEST(what_needs_another_path_is_left_out_with_its_name),
		TEST(on_the_host_loopback_is_handed_off),
		TEST(the_oldest_route_feeds_the_listener),
		TEST(a_parent_ref_chooses_its_listeners),
		TEST(namespaces_of_routes_are_as_the_listener_allows),
		TEST(contradicting_listeners_are_refused),
		TEST(an_address_of_another_type_is_refused),
		TEST(the_older_gateway_keeps_the_port),
		TEST(a_refused_gateway_claims_no_address),
		TEST(a_host_name_as_address_is_accepted_and_gives_none),
		TEST(projects_do_not_see_each_other),
		TEST(duplicate_endpoints_stay_two_members),
		TEST(the_order_of_the_objects_does_not_matter),
		TEST(addresses_of_no_host_are_left_out),
		TEST(long_lists_of_names_are_cut),
		TEST(thousands_of_routes_resolve_quickly),
		TEST(nothing_at_all_is_a_model_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
