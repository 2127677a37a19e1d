/* SPDX-License-Identifier: BSD-2-Clause */
/* What judges an instance: passive detection, slow start, and who is judged alike. */
#include "manifest_fixture.h"

#define UDP(name, refs) ROUTE_OF("UDPRoute", name, "{name: edge, sectionName: dns}", refs)

static const struct instance *judged(const char *spec)
{
	afresh();
	given(arena_printf(arena,
			   EDGE BACKEND("a", "10.0.0.1") ROUTE("web", REF("a")) POLICY("p", "%s%s"),
			   ON("TCPRoute", "web"), spec));
	return &m->instances[0];
}

static const struct passive *passive(const char *fields)
{
	return judged(arena_printf(arena, ", healthCheck: {passive: {%s}}", fields))->passive;
}

static void passive_detection_has_upstreams_defaults(void **state)
{
	const struct passive *p = passive("");

	(void)state;
	assert_int_equal(p->interval_ms, 3000);
	assert_int_equal(p->base_ejection_ms, 30000);
	assert_int_equal(p->max_ejection_percent, 10);
	assert_int_equal(p->consecutive, 5);
	assert_int_equal(p->failure_percent, 0);
	assert_false(p->always_eject_one);
	assert_false(p->udp_replies);
	assert_true(m->instances[0].profile != 0);
	assert_int_equal(m->instances[0].proto, IPPROTO_TCP);
	assert_null(m->instances[0].check);
}

static void passive_detection_is_read_whole(void **state)
{
	const struct passive *p =
		passive("interval: 500ms, baseEjectionTime: 1m, maxEjectionPercent: 50, "
			"failurePercentageThreshold: 85, alwaysEjectOneEndpoint: true");

	(void)state;
	assert_int_equal(p->interval_ms, 500);
	assert_int_equal(p->base_ejection_ms, 60000);
	assert_int_equal(p->max_ejection_percent, 50);
	assert_int_equal(p->failure_percent, 85);
	assert_true(p->always_eject_one);
}

static void a_share_of_zero_means_upstreams_ten(void **state)
{
	(void)state;
	assert_int_equal(passive("maxEjectionPercent: 0")->max_ejection_percent, 10);
}

static void failures_in_a_row_are_counted_as_upstream_does_on_layer_4(void **state)
{
	static const struct {
		const char *fields;
		uint32_t consecutive;
	} rows[] = {
		{"consecutive5XxErrors: 7", 7},
		{"consecutive5XxErrors: 0", 0},
		{"consecutive5XxErrors: 7, consecutiveGatewayErrors: 3", 3},
		{"consecutive5XxErrors: 7, consecutiveGatewayErrors: 9", 7},
		{"consecutive5XxErrors: 7, consecutiveGatewayErrors: 0", 7},
		{"consecutive5XxErrors: 0, consecutiveGatewayErrors: 3", 3},
		{"consecutive5XxErrors: 7, consecutiveLocalOriginFailures: 2", 7},
		{"splitExternalLocalOriginErrors: true, consecutive5XxErrors: 7", 5},
		{"splitExternalLocalOriginErrors: true, consecutiveGatewayErrors: 1, "
		 "consecutiveLocalOriginFailures: 2",
		 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(passive(rows[i].fields)->consecutive, rows[i].consecutive);
}

static void a_policy_says_what_passive_detection_counts(void **state)
{
	(void)state;
	(void)passive("");
	expect(object("BackendTrafficPolicy", "p"), "PassiveDetection",
	       "True ConnectionsCounted connections that fail (no answer, refused, unreachable) are "
	       "what consecutive5XxErrors and failurePercentageThreshold count; ejection by success "
	       "rate, which upstream has besides, is absent");
	assert_string_equal(condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL),
			    "none");
	(void)passive("consecutiveGatewayErrors: 2");
	expect(object("BackendTrafficPolicy", "p"), "PassiveDetection", "consecutiveGatewayErrors");
	(void)passive("splitExternalLocalOriginErrors: true");
	expect(object("BackendTrafficPolicy", "p"), "PassiveDetection",
	       "what consecutiveLocalOriginFailures and");
	(void)passive("consecutive5XxErrors: 0, consecutiveGatewayErrors: 2");
	expect(object("BackendTrafficPolicy", "p"), "PassiveDetection",
	       "are what consecutiveGatewayErrors and failurePercentageThreshold count; ejection");
	(void)passive("consecutive5XxErrors: 0");
	expect(object("BackendTrafficPolicy", "p"), "PassiveDetection",
	       "count, but both are switched off: nobody is ejected; ejection by success rate");
	assert_int_equal(diags.count, 0);
}

static void silence_of_udp_counts_where_the_backend_says_so(void **state)
{
	static const char *const words[] = {"optional", "expected"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: "
			     "{name: a, annotations: {spillway.dev/udp-replies: %s}}\nspec: "
			     "{endpoints: [{ip: {address: 10.0.0.1, port: 53}}]}\n---\n" ROUTE(
				     "web", REF("a")) UDP("names", REF("a"))
				     POLICY("p", "%s, healthCheck: {passive: {}}"),
			words[i], ON("Gateway", "edge")));
		assert_int_equal(m->instance_count, 2);
		for (size_t k = 0; k < 2; k++)
			assert_int_equal(m->instances[k].passive->udp_replies,
					 i == 1 && m->instances[k].proto == IPPROTO_UDP);
		assert_true(m->instances[0].proto != m->instances[1].proto);
		assert_true(m->instances[0].profile != m->instances[1].profile);
	}
}

static void slow_start_is_for_two_types_of_balancers(void **state)
{
	static const struct {
		const char *type;
		uint32_t ms;
	} rows[] = {
		{"type: RoundRobin", 30000},
		{"type: LeastRequest", 30000},
		{"type: BackendUtilization, backendUtilization: {}", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct instance *in = judged(arena_printf(
			arena, ", loadBalancer: {%s, slowStart: {window: 30s}}", rows[i].type));

		assert_int_equal(in->slow_start_ms, rows[i].ms);
		assert_int_equal(in->profile != 0, rows[i].ms != 0);
		if (!rows[i].ms)
			expect(object("BackendTrafficPolicy", "p"), "Programmed",
			       "spec.loadBalancer.slowStart");
	}
}

static void the_profile_says_what_judges_and_nothing_else(void **state)
{
	static const char *const specs[] = {
		", healthCheck: {panicThreshold: 3}",
		", healthCheck: {active: {type: TCP, tcp: {}}}",
		", healthCheck: {active: {type: GRPC}}",
		", healthCheck: {active: {type: GRPC, grpc: {service: a}}}",
		", healthCheck: {active: {type: HTTP, http: {path: /}}}",
		", healthCheck: {passive: {}}",
		", healthCheck: {passive: {interval: 4s}}",
		", healthCheck: {passive: {alwaysEjectOneEndpoint: true}}",
		", healthCheck: {active: {type: TCP, tcp: {}}, passive: {}}",
		", loadBalancer: {type: RoundRobin, slowStart: {window: 1s}}",
		", loadBalancer: {type: RoundRobin, slowStart: {window: 2s}}",
	};
	uint64_t profiles[sizeof(specs) / sizeof(specs[0])];

	(void)state;
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		profiles[i] = judged(specs[i])->profile;
		assert_int_equal(judged(specs[i])->profile, profiles[i]);
		for (size_t k = 0; k < i; k++)
			assert_true(profiles[k] != profiles[i]);
	}
	assert_int_equal(profiles[0], 0);
}

/* They are in the maps and in the store of daemons that are updated. */
static void profiles_of_plain_checks_stay_what_they_were(void **state)
{
	(void)state;
	assert_int_equal(judged(", healthCheck: {active: {type: TCP, tcp: {}}}")->profile,
			 0x7a297d22c14d1aa3ull);
	assert_int_equal(
		judged(", healthCheck: {active: {type: HTTP, http: {path: /ok}}}")->profile,
		0xfe45bebefabbda6dull);
}

/* A name of its own counts for who asks with it, and for nobody else. */
static void a_hostname_is_in_the_profile_of_checks_that_use_it(void **state)
{
	static const struct {
		const char *health;
		size_t instances;
	} rows[] = {
		{"passive: {}", 1},
		{"active: {type: TCP, tcp: {}}, passive: {}", 1},
		{"active: {type: HTTP, http: {path: /}}, passive: {}", 2},
		{"active: {type: HTTP, http: {path: /, hostname: own.example}}", 1},
		{"active: {type: GRPC}", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(arena_printf(
			arena,
			EDGE BACKEND("a",
				     "10.0.0.1") "apiVersion: gateway.envoyproxy.io/v1alpha1\n"
						 "kind: Backend\nmetadata: {name: b}\nspec: "
						 "{endpoints: [{hostname: b.example, ip: "
						 "{address: 10.0.0.1, port: 8080}}]}\n---\n" ROUTE(
							 "web", REF("a") "," REF("b"))
							 POLICY("p", "%s, healthCheck: {%s}"),
			ON("TCPRoute", "web"), rows[i].health));
		assert_int_equal(m->instance_count, rows[i].instances);
	}
}

static void an_endpoint_knows_its_services(void **state)
{
	const struct instance *in;

	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") BACKEND("b", "10.0.0.2")
		      ROUTE("web", REF("a") "," REF("b") "," REF("a")) UDP("names", REF("a")));
	assert_int_equal(m->service_count, 2);
	assert_int_equal(m->instance_count, 2);
	for (in = m->instances; strcmp(in->name, "10.0.0.1:8080") != 0; in++)
		;
	assert_int_equal(in->service_count, 2);
	assert_int_equal(in->services[0], 0);
	assert_int_equal(in->services[1], 1);
	in = in == m->instances ? in + 1 : m->instances;
	assert_int_equal(in->service_count, 1);
	assert_int_equal(m->services[in->services[0]].proto, IPPROTO_TCP);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(passive_detection_has_upstreams_defaults),
		TEST(passive_detection_is_read_whole),
		TEST(a_share_of_zero_means_upstreams_ten),
		TEST(failures_in_a_row_are_counted_as_upstream_does_on_layer_4),
		TEST(a_policy_says_what_passive_detection_counts),
		TEST(silence_of_udp_counts_where_the_backend_says_so),
		TEST(slow_start_is_for_two_types_of_balancers),
		TEST(the_profile_says_what_judges_and_nothing_else),
		TEST(profiles_of_plain_checks_stay_what_they_were),
		TEST(a_hostname_is_in_the_profile_of_checks_that_use_it),
		TEST(an_endpoint_knows_its_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
