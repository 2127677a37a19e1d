/* SPDX-License-Identifier: BSD-2-Clause */
/* From a model to HAProxy's words: server lines, sections, files and the map. */
#include "handoff/plan.h"

#include "handoff/render.h"
#include "manifest_fixture.h"

#define SPEC(name, spec)                                                                           \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {" spec "}\n---\n"

static struct ids *ids;
static struct plan plan;
static struct plan_options plan_opts = {.dir = "/run/p"};

static void plan_for(const char *text)
{
	const struct ids_limits limits = {1024, 64};
	const char *why = NULL;

	opts.on_host = true;
	given(text);
	ids_free(ids);
	ids = ids_new(&limits);
	assert_int_equal(ids_assign(ids, m, &why), 0);
	plan_make(arena, m, ids, &plan_opts, &plan);
}

static int teardown_all(void **state)
{
	ids_free(TAKE(ids));
	return teardown(state);
}

static const struct plan_server *one(const char *spec, const char *policy)
{
	afresh();
	plan_for(arena_printf(arena, EDGE SPEC("b", "%s") ROUTE("web", REF("b")) "%s", spec,
			      policy));
	assert_int_equal(plan.server_count, 1);
	return &plan.servers[0];
}

static void an_endpoint_is_a_server_with_its_address(void **state)
{
	(void)state;
	assert_string_equal(one("endpoints: [{unix: {path: /run/x}}]", "")->address, "unix@/run/x");
	assert_string_equal(one("endpoints: [{ip: {address: 127.0.0.1, port: 80}}]", "")->address,
			    "127.0.0.1:80");
	assert_string_equal(one("endpoints: [{ip: {address: \"::1\", port: 80}}]", "")->address,
			    "[::1]:80");
	assert_string_equal(plan.servers[0].params, "");
	afresh();
	plan_for(EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")));
	assert_int_equal(plan.server_count, 0); /* the packet path's own */
}

static void for_local_clients_plain_endpoints_are_servers_too(void **state)
{
	(void)state;
	plan_opts.local_most = 1;
	plan_for(EDGE BACKEND("a", "10.0.0.1") BACKEND("b", "10.0.0.2") BACKEND("d", "10.0.0.3")
			 ROUTE("web", REF("a") "," REF("b")) ROUTE_OF(
				 "UDPRoute", "dns", "{name: edge, sectionName: dns}", REF("d")));
	plan_opts.local_most = 0;
	assert_int_equal(plan.server_count, 1);
	assert_int_equal(plan.left_out, 1); /* UDP needs none */
	assert_string_equal(plan.servers[0].params, "");
}

static void tls_is_said_in_the_server_line(void **state)
{
	static const struct {
		const char *tls, *params;
	} rows[] = {
		{"insecureSkipVerify: true",
		 " ssl verify none ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3"},
		{"wellKnownCACertificates: System, sni: a.example",
		 " ssl verify required ca-file @system-ca verifyhost a.example sni str(a.example) "
		 "ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.3"},
		{"insecureSkipVerify: true, minVersion: \"1.0\", maxVersion: \"1.2\", ciphers: "
		 "[AES128-SHA], alpnProtocols: [h2, http/1.1]",
		 " ssl verify none ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.2 ciphers "
		 "AES128-SHA:@SECLEVEL=0 alpn h2,http/1.1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
			one(arena_printf(arena,
					 "tls: {%s}, endpoints: [{ip: {address: 10.0.0.9, port: "
					 "443}}]",
					 rows[i].tls),
			    "")
				->params,
			rows[i].params);
}

static void the_policy_is_said_in_the_line_and_in_the_section(void **state)
{
	const struct plan_server *s = one(
		"endpoints: [{unix: {path: /run/x}}]",
		POLICY("p", ON("Gateway", "edge") ", proxyProtocol: {version: V1}, "
						  "circuitBreaker: {maxConnections: 7}, timeout: "
						  "{tcp: {connectTimeout: 3s}}"));

	(void)state;
	assert_string_equal(s->params, " send-proxy maxconn 7");
	assert_int_equal(plan.pool_count, 1);
	assert_int_equal(plan.pools[0].settings.connect_timeout_ms, 3000);
	assert_string_equal(s->pool, plan.pools[0].name);
}

static void what_differs_in_anything_has_another_identity(void **state)
{
	const uint64_t first = one("endpoints: [{unix: {path: /run/x}}]", "")->identity;

	(void)state;
	assert_true(one("endpoints: [{unix: {path: /run/x}}]", "")->identity == first);
	assert_true(one("endpoints: [{unix: {path: /run/y}}]", "")->identity != first);
	assert_true(one("endpoints: [{unix: {path: /run/x}}]",
			POLICY("p", ON("Gateway", "edge") ", proxyProtocol: {version: V1}"))
			    ->identity != first);
}

static void the_configuration_names_the_lines_of_its_servers(void **state)
{
	struct render_server servers[] = {
		{.slot = 1, .number = 41, .pool = "pool-a", .address = "unix@/run/x", .params = ""},
		{.slot = 0,
		 .number = 42,
		 .pool = "pool-b",
		 .address = "10.0.0.1:80",
		 .params = " ssl"},
	};
	const struct plan_pool pools[] = {
		{"pool-a", {.connect_timeout_ms = 5, .idle_s = 60}},
		{"pool-b",
		 {.connect_timeout_ms = 6, .idle_s = 60, .keepalive = true, .keepalive_probes = 3}},
	};
	struct render_input in = {
		.dir = "/run/p",
		.process = 9,
		.max_connections = 100,
		.slot_count = 2,
		.first_fd = 3,
		.has_v6 = true,
		.pools = pools,
		.pool_count = 2,
		.servers = servers,
		.server_count = 2,
	};
	struct strbuf b = {0}, map = {0};
	const char *line;

	(void)state;
	render_config(&b, &in);
	render_map(&map, &in);
	assert_string_equal(map.text, "p1 pool-a/s41\np0 pool-b/s42\n");
	for (size_t i = 0; i < 2; i++) {
		line = b.text;
		for (size_t n = 1; n < servers[i].line; n++)
			line = strchr(line, '\n') + 1;
		assert_int_equal(strncmp(line,
					 i ? "\tserver s42 10.0.0.1:80 weight 0 ssl\n"
					   : "\tserver s41 unix@/run/x weight 0\n",
					 30),
				 0);
	}
	assert_non_null(
		strstr(b.text, "\tbind fd@3 name p0\n\tbind fd@4 name p0\n\tbind fd@5 name p1\n"));
	assert_non_null(strstr(b.text, "\toption srvtcpka\n\tsrvtcpka-cnt 3\n"));
	assert_non_null(strstr(b.text, "stats socket /run/p/admin-9.sock mode 600 level admin\n"));
	strbuf_done(&b);
	strbuf_done(&map);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown_all)
	const struct CMUnitTest tests[] = {
		TEST(an_endpoint_is_a_server_with_its_address),
		TEST(for_local_clients_plain_endpoints_are_servers_too),
		TEST(tls_is_said_in_the_server_line),
		TEST(the_policy_is_said_in_the_line_and_in_the_section),
		TEST(what_differs_in_anything_has_another_identity),
		TEST(the_configuration_names_the_lines_of_its_servers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
