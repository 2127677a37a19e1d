/* SPDX-License-Identifier: BSD-2-Clause */
/* Endpoints that only the userspace path could serve: judged and shown, never members. */
#include "manifest_fixture.h"

#define SPEC(name, spec)                                                                           \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {" spec "}\n---\n"
#define CHECKED                                                                                    \
	POLICY("p", ON("Gateway", "edge") ", healthCheck: {active: {type: TCP, tcp: {}}, "         \
					  "passive: {}}")

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

static void each_kind_is_an_instance_of_its_own(void **state)
{
	static const struct {
		const char *spec, *name, *host;
		enum endpoint_kind kind;
		uint16_t port;
	} rows[] = {
		{"endpoints: [{fqdn: {hostname: api.example.com, port: 443}}]",
		 "api.example.com:443", "api.example.com", ENDPOINT_FQDN, 443},
		{"endpoints: [{fqdn: {hostname: api.example.com., port: 443}}]",
		 "api.example.com:443", "api.example.com", ENDPOINT_FQDN, 443},
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

		assert_int_equal(s->locality_count, 1);
		assert_int_equal(s->handoff_count, 1);
		in = s->handoff[0];
		assert_ptr_equal(in, &m->instances[in->index]);
		assert_int_equal(in->mode, SPW_MODE_HANDOFF);
		assert_int_equal(in->kind, rows[i].kind);
		assert_string_equal(in->name, rows[i].name);
		assert_int_equal(in->port, rows[i].port);
		if (rows[i].host)
			assert_string_equal(in->host, rows[i].host);
		else
			assert_null(in->host);
		assert_non_null(in->check);
		assert_null(in->passive);
		assert_int_equal(in->service_count, 0);
		assert_string_equal(in->backend, "default/b");
		assert_string_equal(s->handoff_backends[0]->res.name, "b");
		assert_int_equal(s->handoff_tiers[0], 0);
		expect(object("Backend", "b"), "Programmed", "False EndpointsLeftOut");
	}
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
	assert_int_equal(m->services[0].handoff_count, 5);
	assert_ptr_equal(m->services[0].handoff[0], m->services[0].handoff[2]);
	assert_int_equal(m->services[0].handoff_tiers[4], 1);
	for (size_t i = 0; i < m->instance_count; i++)
		assert_true(m->instances[i].profile != 0);
}

static const struct tls_settings *tls(const char *settings, const char *endpoint)
{
	return with(arena_printf(arena, "tls: {%s}, endpoints: [{%s}]", settings, endpoint))
		->handoff[0]
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
		TEST(each_kind_is_an_instance_of_its_own),
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
