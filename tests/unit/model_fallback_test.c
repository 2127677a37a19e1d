/* SPDX-License-Identifier: BSD-2-Clause */
/* Tiers and what is left when nobody is: annotations, and fallbacks that cannot take over. */
#include "manifest_fixture.h"

#define NOTED(name, note, addr)                                                                    \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	", annotations: {" note "}}\nspec: {endpoints: [{ip: {address: " addr                      \
	", port: 8080}}]}\n---\n"

static void a_tier_is_what_the_annotation_says(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") FALLBACK("b", "10.0.0.2")
		      NOTED("c", "spillway.dev/tier: \"7\"",
			    "10.0.0.3") NOTED("d", "spillway.dev/tier: \"2\"", "10.0.0.4")
			      ROUTE("web", REF("c") "," REF("d") "," REF("b") "," REF("a")));
	assert_string_equal(services(),
			    "192.0.2.1:80/tcp default/web: 0/1 10.0.0.1:8080 1/1 10.0.0.2:8080 2/1 "
			    "10.0.0.4:8080 7/1 10.0.0.3:8080\n");
}

static void the_annotation_comes_before_fallback(void **state)
{
	(void)state;
	given(EDGE "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: a, "
		   "annotations: {spillway.dev/tier: \"0\"}}\nspec: {fallback: true, endpoints: "
		   "[{ip: {address: 10.0.0.1, port: 80}}]}\n---\n" ROUTE("web", REF("a")));
	assert_string_equal(services(), "192.0.2.1:80/tcp default/web: 0/1 10.0.0.1:80\n");
}

static void a_reset_on_removal_is_any_backends_word(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") NOTED("b", "spillway.dev/on-removal: reset", "10.0.0.1")
		      BACKEND("c", "10.0.0.3") ROUTE("web", REF("a") "," REF("b") "," REF("c")));
	assert_int_equal(m->instance_count, 2);
	assert_true(m->instances[0].reset_on_removal);
	assert_false(m->instances[1].reset_on_removal);
}

static void a_route_says_what_flows_without_an_endpoint_get(void **state)
{
	static const struct {
		const char *notes;
		enum spw_no_endpoint new_flows, live_flows;
	} rows[] = {
		{"", SPW_NO_ENDPOINT_ANSWER, SPW_NO_ENDPOINT_LEAVE},
		{"spillway.dev/no-endpoint: drop", SPW_NO_ENDPOINT_DROP, SPW_NO_ENDPOINT_LEAVE},
		{"spillway.dev/no-endpoint: unreachable, spillway.dev/no-endpoint-established: "
		 "answer",
		 SPW_NO_ENDPOINT_UNREACHABLE, SPW_NO_ENDPOINT_ANSWER},
		{"spillway.dev/no-endpoint: pass, spillway.dev/no-endpoint-established: drop",
		 SPW_NO_ENDPOINT_PASS, SPW_NO_ENDPOINT_DROP},
		{"spillway.dev/no-endpoint-established: pass", SPW_NO_ENDPOINT_ANSWER,
		 SPW_NO_ENDPOINT_PASS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		given(arena_printf(
			arena,
			EDGE BACKEND("a", "10.0.0.1") "apiVersion: gateway.networking.k8s.io/v1\n"
						      "kind: TCPRoute\nmetadata: {name: web, "
						      "annotations: {%s}}\nspec: {parentRefs: "
						      "[{name: edge}], rules: [{backendRefs: "
						      "[" REF("a") "]}]}\n",
			rows[i].notes));
		assert_int_equal(m->services[0].new_flows, rows[i].new_flows);
		assert_int_equal(m->services[0].live_flows, rows[i].live_flows);
	}
}

/* `count` primaries, and `spare` of a fallback. */
static const char *ready(int count, int spare, const char *health)
{
	struct strbuf b = {0};
	const char *text;

	afresh();
	for (int k = 0; k < 2; k++) {
		strbuf_printf(&b,
			      "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
			      "metadata: {name: %c}\nspec:\n  fallback: %s\n  endpoints:\n",
			      'a' + k, k ? "true" : "false");
		for (int i = 0; i < (k ? spare : count); i++)
			strbuf_printf(&b, "  - ip: {address: 10.0.%d.%d, port: 80}\n", k, i + 1);
		strbuf_puts(&b, "---\n");
	}
	text = arena_strdup(arena, b.text);
	strbuf_done(&b);
	given(arena_printf(arena,
			   EDGE "%s" ROUTE("web", REF("a") "," REF("b"))
				   POLICY("p", "%s, healthCheck: {%s}"),
			   text, ON("TCPRoute", "web"), health));
	assert_int_equal(diags.count, 0);
	return condition(object("Backend", "b"), "FallbackReady", NULL);
}

static void a_fallback_needs_a_check_or_enough_ejections(void **state)
{
	static const struct {
		int count, spare;
		const char *health, *reason;
	} rows[] = {
		{2, 1, "panicThreshold: 9", "NoHealthCheck"},
		{2, 1, "active: {type: GRPC}", "none"},
		{2, 1, "active: {type: TCP, tcp: {}}, passive: {maxEjectionPercent: 1}", "none"},
		/* Of fewer than 10 one may go: of two primaries that is half of them. */
		{2, 1, "passive: {}", "none"},
		{3, 1, "passive: {}", "none"},
		{4, 1, "passive: {}", "EjectionCapped"},
		{4, 5, "passive: {}", "EjectionCapped"},
		{1, 20, "passive: {}", "none"},
		{10, 1, "passive: {}", "EjectionCapped"},
		{10, 1, "passive: {maxEjectionPercent: 20}", "EjectionCapped"},
		/* 3 of 13 are 23 %; 7 of 10 primaries cannot carry it. */
		{10, 3, "passive: {maxEjectionPercent: 23}", "EjectionCapped"},
		{10, 3, "passive: {maxEjectionPercent: 24}", "none"},
		{10, 10, "passive: {maxEjectionPercent: 100}", "none"},
		{3, 20, "passive: {maxEjectionPercent: 1}", "EjectionCapped"},
		{3, 20, "passive: {maxEjectionPercent: 1, alwaysEjectOneEndpoint: true}", "none"},
		/* Passive detection with all of its detectors off judges nobody. */
		{2, 1, "passive: {consecutive5XxErrors: 0}", "NoHealthCheck"},
		{2, 1, "passive: {consecutive5XxErrors: 0, consecutiveGatewayErrors: 3}", "none"},
		{4, 4,
		 "passive: {consecutive5XxErrors: 0, failurePercentageThreshold: 85, "
		 "maxEjectionPercent: 100}",
		 "NoHealthCheck"},
		{5, 1,
		 "passive: {consecutive5XxErrors: 0, failurePercentageThreshold: 85, "
		 "maxEjectionPercent: 100}",
		 "none"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *have;

		have = ready(rows[i].count, rows[i].spare, rows[i].health);
		if (!strstr(have, rows[i].reason))
			print_error("row %zu: %s\n", i, have);
		assert_non_null(strstr(have, rows[i].reason));
	}
}

static void a_capped_fallback_is_told_the_numbers(void **state)
{
	const char *have = ready(20, 2, "passive: {}");

	(void)state;
	assert_non_null(strstr(have, "of its 22 it may eject 2 at a time (maxEjectionPercent: 10), "
				     "too few for its 20 primary endpoints to fall below 72 %"));
}

static void later_tiers_are_fallbacks_of_the_first(void **state)
{
	(void)state;
	given(EDGE NOTED("a", "spillway.dev/tier: \"2\"", "10.0.0.1") NOTED(
		"b", "spillway.dev/tier: \"5\"", "10.0.0.2") ROUTE("web", REF("a") "," REF("b")));
	assert_string_equal(condition(object("Backend", "a"), "FallbackReady", NULL), "none");
	expect(object("Backend", "b"), "FallbackReady",
	       "False NoHealthCheck no health check of type TCP, HTTP or GRPC and no passive "
	       "detection that could eject anybody is in force on route default/web");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_tier_is_what_the_annotation_says),
		TEST(the_annotation_comes_before_fallback),
		TEST(a_reset_on_removal_is_any_backends_word),
		TEST(a_route_says_what_flows_without_an_endpoint_get),
		TEST(a_fallback_needs_a_check_or_enough_ejections),
		TEST(a_capped_fallback_is_told_the_numbers),
		TEST(later_tiers_are_fallbacks_of_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
