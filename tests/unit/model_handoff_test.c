/* SPDX-License-Identifier: BSD-2-Clause */
/* Endpoints that connections are handed off to, names and their addresses, and who is not carried. */
#include "manifest_fixture.h"

#define SPEC(name, spec)                                                                           \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {" spec "}\n---\n"
#define CHECKED                                                                                    \
	POLICY("p", ON("Gateway", "edge") ", healthCheck: {active: {type: TCP, tcp: {}}, "         \
					  "passive: {}}")

/* What names stand for in these tests. */
static struct spw_addr found[4];
static size_t found_count;

static struct name_addrs look_up(void *ctx, const struct name_wish *w)
{
	(void)ctx;
	(void)w;
	return (struct name_addrs){found, found_count};
}

static void name_stands_for(const char *const *texts)
{
	for (found_count = 0; texts[found_count]; found_count++)
		assert_int_equal(addr_parse(texts[found_count], &found[found_count]), 0);
	opts.resolve = look_up;
}

/* The one service of a route to Backend `b` with that spec, besides `a` of one plain address. */
static const struct service *with(const char *spec)
{
	afresh();
	opts.on_host = true;
	given(arena_printf(arena,
			   EDGE BACKEND("a", "10.0.0.1") SPEC("b", "%s")
				   ROUTE("web", REF("a") "," REF("b")) CHECKED,
			   spec));
	assert_int_equal(m->service_count, 1);
	return &m->services[0];
}

/* The one endpoint of `b`, whether it is carried or not. */
static const struct instance *endpoint_of(const struct service *s)
{
	if (s->handoff_count)
		return s->handoff[0];
	assert_int_equal(s->locality_count, 2);
	return s->localities[1].members[0];
}

static void each_kind_is_a_member_that_is_handed_off(void **state)
{
	static const struct {
		const char *spec, *name, *host;
		enum endpoint_kind kind;
		uint16_t port;
	} rows[] = {
		{"endpoints: [{unix: {path: /run/x.sock}}]", "unix:/run/x.sock", "/run/x.sock",
		 ENDPOINT_UNIX, 0},
		{"endpoints: [{ip: {address: 127.0.0.1, port: 8080}}]", "127.0.0.1:8080", NULL,
		 ENDPOINT_IP, 8080},
		{"tls: {insecureSkipVerify: true}, endpoints: [{ip: {address: \"2001:db8::1\", "
		 "port: 443}}]",
		 "[2001:db8::1]:443", NULL, ENDPOINT_IP, 443},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct service *s = with(rows[i].spec);
		const struct instance *in;

		assert_int_equal(s->locality_count, 2);
		assert_int_equal(s->handoff_count, 0);
		in = s->localities[1].members[0];
		assert_ptr_equal(in, &m->instances[in->index]);
		assert_int_equal(in->mode, SPW_MODE_HANDOFF);
		assert_true(in->carried);
		assert_int_equal(in->kind, rows[i].kind);
		assert_string_equal(in->name, rows[i].name);
		assert_int_equal(in->port, rows[i].port);
		if (rows[i].host)
			assert_string_equal(in->host, rows[i].host);
		else
			assert_null(in->host);
		assert_non_null(in->check);
		assert_non_null(in->passive);
		assert_int_equal(in->pool->connect_timeout_ms, 10000);
		assert_int_equal(in->service_count, 1);
		assert_string_equal(in->backend, "default/b");
		expect(object("Backend", "b"), "Programmed", "none");
	}
}

static void an_address_of_this_host_is_handed_off(void **state)
{
	struct spw_addr own;

	(void)state;
	assert_int_equal(addr_parse("10.0.0.9", &own), 0);
	opts.host_addrs = &own;
	opts.host_addr_count = 1;
	assert_int_equal(endpoint_of(with("endpoints: [{ip: {address: 10.0.0.9, port: 1}}]"))->mode,
			 SPW_MODE_HANDOFF);
	assert_int_equal(endpoint_of(with("endpoints: [{ip: {address: 10.0.0.8, port: 1}}]"))->mode,
			 SPW_MODE_NAT);
}

static void a_name_is_a_member_for_each_of_its_addresses(void **state)
{
	static const char *const texts[] = {"192.0.2.7", "2001:db8::7", NULL};
	const struct service *s;

	(void)state;
	name_stands_for(texts);
	s = with("endpoints: [{fqdn: {hostname: api.example.com., port: 443}}]");
	assert_int_equal(s->handoff_count, 0);
	assert_int_equal(s->localities[1].count, 2); /* a proxy takes either family */
	assert_string_equal(s->localities[1].members[0]->name, "192.0.2.7:443");
	assert_string_equal(s->localities[1].members[1]->name, "[2001:db8::7]:443");
	assert_string_equal(s->localities[1].members[0]->fqdn, "api.example.com");
	assert_string_equal(s->localities[1].members[0]->hostname, "api.example.com");
	assert_int_equal(s->localities[1].members[0]->kind, ENDPOINT_IP);
	assert_int_equal(m->wish_count, 1);
	assert_string_equal(m->wishes[0].host, "api.example.com");
	assert_int_equal(m->wishes[0].family, NAME_IPV4_PREFERRED);
	assert_int_equal(m->wishes[0].refresh_ms, 30000);
	assert_true(m->wishes[0].respect_ttl);
}

static void a_name_without_an_address_is_judged_and_not_carried(void **state)
{
	const struct service *s =
		with("endpoints: [{fqdn: {hostname: api.example.com, port: 443}}]");

	(void)state;
	assert_int_equal(s->locality_count, 1);
	assert_int_equal(s->handoff_count, 1);
	assert_int_equal(s->handoff[0]->kind, ENDPOINT_FQDN);
	assert_false(s->handoff[0]->carried);
	assert_string_equal(s->handoff[0]->host, "api.example.com");
	assert_non_null(s->handoff[0]->check);
	assert_null(s->handoff[0]->passive);
	assert_int_equal(s->handoff[0]->service_count, 0);
	assert_int_equal(m->wish_count, 1);
}

static void a_promoted_name_goes_the_way_of_addresses(void **state)
{
	static const char *const texts[] = {"192.0.2.7", "2001:db8::7", NULL};
	const struct locality *l;

	(void)state;
	name_stands_for(texts);
	given(EDGE
	      "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: b, "
	      "annotations: {spillway.dev/fqdn-path: xdp}}\nspec: {endpoints: [{fqdn: {hostname: "
	      "api.example.com, port: 80}}]}\n---\n" ROUTE("web", REF("b")));
	l = &m->services[0].localities[0];
	assert_int_equal(l->count, 1); /* nat keeps the family, and the VIP is IPv4 */
	assert_int_equal(l->members[0]->mode, SPW_MODE_NAT);
	assert_null(l->members[0]->pool);
}

static void datagrams_to_a_name_go_the_way_of_addresses_and_the_rest_is_said(void **state)
{
	static const char *const texts[] = {"192.0.2.7", NULL};

	(void)state;
	name_stands_for(texts);
	given(EDGE SPEC("b", "endpoints: [{fqdn: {hostname: ns.example.com, port: 53}}]")
		      SPEC("c", "endpoints: [{unix: {path: /run/x}}]")
			      ROUTE_OF("UDPRoute", "dns", "{name: edge, sectionName: dns}",
				       REF("b") "," REF("c")));
	assert_int_equal(m->services[0].locality_count, 1);
	assert_int_equal(m->services[0].localities[0].members[0]->mode, SPW_MODE_NAT);
	expect(object("UDPRoute", "dns"), "Programmed",
	       "unix:/run/x: the userspace path that they need carries TCP only");
}

static void without_a_userspace_path_the_condition_says_so(void **state)
{
	const struct service *s;

	(void)state;
	opts.no_userspace = "HAProxy is not there";
	s = with("endpoints: [{unix: {path: /run/x}}]");
	assert_int_equal(s->locality_count, 1);
	assert_int_equal(s->handoff_count, 1);
	assert_false(s->handoff[0]->carried);
	expect(object("TCPRoute", "web"), "Programmed", "unix:/run/x: HAProxy is not there");
	expect(object("Backend", "b"), "Programmed", "unix:/run/x: HAProxy is not there");
}

static void what_leads_back_to_the_gateway_is_left_out(void **state)
{
	static const char *const texts[] = {"192.0.2.1", "192.0.2.7", NULL};
	static const char why[] = "192.0.2.1:80: a listener of this gateway has that address and "
				  "port: connections would come back";
	const struct service *s;

	(void)state;
	s = with(
		"tls: {insecureSkipVerify: true}, endpoints: [{ip: {address: 192.0.2.1, port: 80}}]");
	assert_int_equal(s->locality_count, 1);
	assert_false(s->handoff[0]->carried);
	expect(object("TCPRoute", "web"), "Programmed", why);
	expect(object("Backend", "b"), "Programmed", why);
	s = with(
		"tls: {insecureSkipVerify: true}, endpoints: [{ip: {address: 192.0.2.1, port: 53}}]");
	assert_int_equal(s->locality_count, 2); /* that listener is UDP */
	name_stands_for(texts);
	s = with("endpoints: [{fqdn: {hostname: api.example.com, port: 80}}]");
	assert_int_equal(s->localities[1].count, 1);
	assert_string_equal(s->localities[1].members[0]->name, "192.0.2.7:80");
	assert_int_equal(s->handoff_count, 1);
	assert_string_equal(s->handoff[0]->name, "192.0.2.1:80");
	assert_false(s->handoff[0]->carried);
}

static void the_policy_says_how_connections_are_made(void **state)
{
	const struct pool_settings *p;

	(void)state;
	given(EDGE SPEC("b", "endpoints: [{unix: {path: /run/x}}]")
		      SPEC("c", "endpoints: [{fqdn: {hostname: a.example.com, port: 1}}]")
			      ROUTE("web", REF("b") "," REF("c")) POLICY(
				      "p", ON("Gateway",
					      "edge") ", timeout: {tcp: {connectTimeout: 250ms}}, "
						      "proxyProtocol: {version: V2}, "
						      "circuitBreaker: {maxConnections: 7, "
						      "maxParallelRequests: 9, "
						      "maxParallelRetries: 1024, "
						      "maxPendingRequests: 0}, "
						      "tcpKeepalive: {probes: 3, idleTime: 10s, "
						      "interval: 5s}, dns: {lookupFamily: IPv6, "
						      "dnsRefreshRate: 5s, respectDnsTtl: false}"));
	p = m->services[0].localities[0].members[0]->pool;
	assert_int_equal(p->connect_timeout_ms, 250);
	assert_int_equal(p->proxy_protocol, 2);
	assert_int_equal(p->max_connections, 7);
	assert_true(p->keepalive);
	assert_int_equal(p->keepalive_probes, 3);
	assert_int_equal(p->keepalive_idle_s, 10);
	assert_int_equal(p->keepalive_interval_s, 5);
	assert_int_equal(m->wishes[0].family, NAME_IPV6);
	assert_int_equal(m->wishes[0].refresh_ms, 5000);
	assert_false(m->wishes[0].respect_ttl);
	expect(object("BackendTrafficPolicy", "p"), "Programmed",
	       "no effect: spec.circuitBreaker.maxParallelRequests, "
	       "spec.circuitBreaker.maxPendingRequests");
}

static void what_no_host_has_is_not_judged(void **state)
{
	(void)state;
	assert_int_equal(with("endpoints: [{ip: {address: 224.0.0.5, port: 1}}]")->handoff_count,
			 0);
	assert_int_equal(with("tls: {insecureSkipVerify: true}, endpoints: [{ip: {address: "
			      "224.0.0.5, port: 1}}]")
				 ->handoff_count,
			 0);
}

static void names_and_paths_are_told_apart_without_a_check(void **state)
{
	(void)state;
	given(EDGE SPEC("b", "endpoints: [{unix: {path: /run/x}}, {unix: {path: /run/z}}, {unix: "
			     "{path: /run/x}}]")
		      SPEC("c", "fallback: true, endpoints: [{fqdn: {hostname: a.example, port: "
				"1}}, {fqdn: {hostname: b.example, port: 1}}]")
			      ROUTE("web", REF("c") "," REF("b")));
	assert_int_equal(m->instance_count, 4);
	assert_int_equal(m->services[0].localities[0].count, 3);
	assert_ptr_equal(m->services[0].localities[0].members[0],
			 m->services[0].localities[0].members[2]);
	assert_int_equal(m->services[0].handoff_tiers[1], 1);
	for (size_t i = 0; i < m->instance_count; i++)
		assert_true(m->instances[i].profile != 0);
}

static const struct tls_settings *tls(const char *settings, const char *endpoint)
{
	return endpoint_of(with(arena_printf(arena, "tls: {%s}, endpoints: [{%s}]", settings,
					     endpoint)))
		->tls;
}

#define AT_IP	"ip: {address: 10.0.0.9, port: 443}"
#define AT_NAME "fqdn: {hostname: api.example.com, port: 443}"
#define SYSTEM	"wellKnownCACertificates: System"

static void the_name_that_is_verified_is_the_endpoints_own_unless_told(void **state)
{
	static const struct {
		const char *settings, *endpoint, *sni;
	} rows[] = {
		{SYSTEM, AT_NAME, "api.example.com"},
		{SYSTEM, "hostname: own.example.com, " AT_NAME, "own.example.com"},
		{SYSTEM, "hostname: own.example.com, " AT_IP, "own.example.com"},
		{SYSTEM ", sni: told.example.com", "hostname: own.example.com, " AT_IP,
		 "told.example.com"},
		{"insecureSkipVerify: true", AT_IP, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct tls_settings *t = tls(rows[i].settings, rows[i].endpoint);

		assert_int_equal(t->verify, rows[i].sni != NULL);
		assert_null(t->ca_pem);
		assert_null(t->names);
		if (rows[i].sni)
			assert_string_equal(t->sni, rows[i].sni);
		else
			assert_null(t->sni);
	}
}

static void the_settings_of_tls_are_read_whole(void **state)
{
	const struct tls_settings *t =
		tls(SYSTEM ", minVersion: \"1.0\", maxVersion: \"1.2\", alpnProtocols: [h2, "
			   "http/1.1], ciphers: [\"[ECDHE-RSA-AES128-GCM-SHA256|"
			   "ECDHE-RSA-CHACHA20-POLY1305]\", AES128-SHA]",
		    AT_NAME);

	(void)state;
	assert_string_equal(t->min_version, "1.0");
	assert_string_equal(t->max_version, "1.2");
	assert_string_equal(t->ciphers, "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
					"AES128-SHA");
	assert_string_equal(t->alpn[0], "h2");
	assert_string_equal(t->alpn[1], "http/1.1");
	assert_null(t->alpn[2]);
}

static void the_settings_of_tls_have_upstreams_defaults(void **state)
{
	const struct tls_settings *t = tls(SYSTEM, AT_NAME);

	(void)state;
	assert_string_equal(t->min_version, "1.2");
	assert_string_equal(t->max_version, "1.3");
	assert_null(t->ciphers);
	assert_null(t->alpn);
	t = tls(SYSTEM ", minVersion: Auto, maxVersion: Auto, alpnProtocols: []", AT_NAME);
	assert_null(t->min_version);
	assert_null(t->max_version);
	assert_non_null(t->alpn);
	assert_null(t->alpn[0]);
}

static void equal_settings_are_one_instance(void **state)
{
	(void)state;
	given(EDGE SPEC("b", "tls: {" SYSTEM "}, endpoints: [{" AT_NAME
			     "}]") SPEC("c", "tls: {" SYSTEM "}, endpoints: [{" AT_NAME "}]")
		      SPEC("d", "tls: {" SYSTEM ", sni: x.example}, endpoints: [{" AT_NAME "}]")
			      ROUTE("web", REF("b") "," REF("c") "," REF("d")));
	assert_int_equal(m->services[0].handoff_count, 3);
	assert_int_equal(m->instance_count, 2);
}

static void h2c_is_no_reason_to_leave_the_packet_path(void **state)
{
	static const char *const rows[][2] = {
		{"[gateway.envoyproxy.io/h2c]", "h2c"},
		{"[gateway.envoyproxy.io/ws, gateway.envoyproxy.io/h2c]", "h2c"},
		{"[gateway.envoyproxy.io/ws]", ""},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct service *s = with(arena_printf(
			arena, "appProtocols: %s, endpoints: [{" AT_IP "}]", rows[i][0]));

		assert_int_equal(s->handoff_count, 0);
		assert_int_equal(s->locality_count, 2);
		assert_int_equal(s->localities[1].members[0]->app,
				 *rows[i][1] ? APP_H2C : APP_HTTP1);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_kind_is_a_member_that_is_handed_off),
		TEST(an_address_of_this_host_is_handed_off),
		TEST(a_name_is_a_member_for_each_of_its_addresses),
		TEST(a_name_without_an_address_is_judged_and_not_carried),
		TEST(a_promoted_name_goes_the_way_of_addresses),
		TEST(datagrams_to_a_name_go_the_way_of_addresses_and_the_rest_is_said),
		TEST(without_a_userspace_path_the_condition_says_so),
		TEST(what_leads_back_to_the_gateway_is_left_out),
		TEST(the_policy_says_how_connections_are_made),
		TEST(what_no_host_has_is_not_judged),
		TEST(names_and_paths_are_told_apart_without_a_check),
		TEST(the_name_that_is_verified_is_the_endpoints_own_unless_told),
		TEST(the_settings_of_tls_are_read_whole),
		TEST(the_settings_of_tls_have_upstreams_defaults),
		TEST(equal_settings_are_one_instance),
		TEST(h2c_is_no_reason_to_leave_the_packet_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
