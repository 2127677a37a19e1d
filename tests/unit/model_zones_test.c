/* SPDX-License-Identifier: BSD-2-Clause */
/* zoneAware: localities by zone, what preferLocal is told, and when a service says it is in vain. */
#include "manifest_fixture.h"

/* Three Backends of three endpoints: zones a b - in tier 0 twice, a b - in the fallback. */
#define ZONED_BACKEND(name, n, more)                                                               \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {" more "endpoints: [{zone: a, ip: {address: 10.0." n                            \
	".1, port: 80}}, {zone: b, ip: {address: 10.0." n ".2, port: 80}}, {ip: {address: 10.0." n \
	".3, port: 80}}]}\n---\n"
#define ZONED                                                                                      \
	EDGE ZONED_BACKEND("x", "1", "") ZONED_BACKEND("xx", "2", "")                              \
		ZONED_BACKEND("z", "3", "fallback: true, ")                                        \
			ROUTE("web", REF("x") ", {group: gateway.envoyproxy.io, kind: Backend, "   \
					      "name: xx, weight: 5}, " REF("z"))

/* "TIER/WEIGHT:ZONE ADDR..." of the one service. */
static const char *groups(void)
{
	const char *text = "";

	for (size_t i = 0; i < m->services[0].locality_count; i++) {
		const struct locality *l = &m->services[0].localities[i];

		text = arena_printf(arena, "%s%s%u/%u:%s", text, i ? "; " : "", l->tier, l->weight,
				    l->zone ? l->zone : "(none)");
		for (size_t k = 0; k < l->count; k++) {
			assert_ptr_equal(l->members[k], &m->instances[l->members[k]->index]);
			assert_string_equal(
				l->members[k]->backend,
				arena_printf(arena, "default/%s", l->backends[k]->res.name));
			text = arena_printf(arena, "%s %s", text, address(l->members[k]));
		}
	}
	return text;
}

static const struct service *with(const char *zone, const char *balancer)
{
	opts.zone = zone;
	given(arena_printf(arena, ZONED POLICY("p", "%s, loadBalancer: {%s}"),
			   ON("TCPRoute", "web"), balancer));
	assert_int_equal(m->service_count, 1);
	return &m->services[0];
}

static void weighted_zones_take_the_place_of_the_backend_refs(void **state)
{
	const struct service *s =
		with(NULL, "type: RoundRobin, zoneAware: {weightedZones: [{zone: b, weight: 7}]}");

	(void)state;
	assert_string_equal(groups(), "0/1:a 10.0.1.1:80 10.0.2.1:80; 0/7:b 10.0.1.2:80 "
				      "10.0.2.2:80; 0/1: 10.0.1.3:80 10.0.2.3:80; "
				      "1/1:a 10.0.3.1:80; 1/7:b 10.0.3.2:80; 1/1: 10.0.3.3:80");
	assert_null(s->zone_note);
	assert_null(s->localities[0].backend);
	assert_false(s->prefer_local.enabled);
	assert_string_equal(condition(object("BackendTrafficPolicy", "p"), "Programmed", NULL),
			    "none");
}

static void a_zone_of_weight_zero_is_left_out(void **state)
{
	(void)state;
	(void)with(NULL, "type: Random, zoneAware: {weightedZones: [{zone: a, weight: 0}, {zone: "
			 "\"\", weight: 0}]}");
	assert_string_equal(groups(), "0/1:b 10.0.1.2:80 10.0.2.2:80; 1/1:b 10.0.3.2:80");
	assert_int_equal(m->instances[0].service_count, 0);
	assert_int_equal(m->instances[1].service_count, 1);
}

static void great_weights_of_zones_are_scaled_together(void **state)
{
	(void)state;
	(void)with(NULL, "type: Random, zoneAware: {weightedZones: [{zone: a, weight: 2000000000}, "
			 "{zone: b, weight: 1000000000}]}");
	assert_string_equal(groups(), "0/1000000:a 10.0.1.1:80 10.0.2.1:80; 0/500000:b 10.0.1.2:80 "
				      "10.0.2.2:80; 0/1: 10.0.1.3:80 10.0.2.3:80; "
				      "1/1000000:a 10.0.3.1:80; 1/500000:b 10.0.3.2:80; 1/1: "
				      "10.0.3.3:80");
}

static void the_own_zone_is_preferred_with_upstreams_defaults(void **state)
{
	const struct service *s = with("a", "type: RoundRobin, zoneAware: {preferLocal: {}}");

	(void)state;
	assert_true(s->prefer_local.enabled);
	assert_false(s->prefer_local.force);
	assert_int_equal(s->prefer_local.min_in_zone, 1);
	assert_int_equal(s->prefer_local.min_endpoints, 6);
	assert_int_equal(s->prefer_local.percent, 100);
	assert_string_equal(s->local_zone, "a");
	assert_null(s->zone_note);
	assert_int_equal(s->locality_count, 3);
}

static void all_of_prefer_local_is_read(void **state)
{
	const struct prefer_local *p =
		&with("a", "type: Random, zoneAware: {preferLocal: {force: "
			   "{minEndpointsInZoneThreshold: 2}, minEndpointsThreshold: 3, "
			   "percentageEnabled: 40}}")
			 ->prefer_local;

	(void)state;
	assert_true(p->force);
	assert_int_equal(p->min_in_zone, 2);
	assert_int_equal(p->min_endpoints, 3);
	assert_int_equal(p->percent, 40);
}

#define IN_ZONE(name, zone)                                                                        \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name        \
	"}\nspec: {endpoints: [{zone: " zone ", ip: {address: 10.0.9.9, port: 80}}]}\n---\n"

static void an_endpoint_is_in_the_zone_that_its_own_backend_says(void **state)
{
	const struct locality *l;

	(void)state;
	given(EDGE IN_ZONE("x", "a") IN_ZONE("yy", "b") BACKEND("z", "10.0.9.9")
		      ROUTE("web", REF("x") "," REF("yy") "," REF("z")));
	assert_int_equal(m->instance_count, 2); /* the third has another port */
	l = m->services[0].localities;
	assert_ptr_equal(l[0].members[0], l[1].members[0]);
	assert_string_equal(l[0].zones[0], "a");
	assert_string_equal(l[1].zones[0], "b");
	assert_null(l[2].zones[0]);
	assert_string_equal(m->services[0].zone_note,
			    "endpoints have zones, but no policy with zoneAware is in force");
}

static void zones_are_weighted_as_the_own_backend_says(void **state)
{
	(void)state;
	given(arena_printf(
		arena,
		EDGE IN_ZONE("x", "a") IN_ZONE("yy", "b") ROUTE("web", REF("x") "," REF("yy"))
			POLICY("p", "%s, loadBalancer: {type: Random, zoneAware: "
				    "{weightedZones: [{zone: b, weight: 7}]}}"),
		ON("TCPRoute", "web")));
	assert_int_equal(m->services[0].locality_count, 2);
	assert_int_equal(m->services[0].localities[0].weight, 1);
	assert_int_equal(m->services[0].localities[1].weight, 7);
	assert_string_equal(m->services[0].localities[1].zones[0], "b");
	assert_null(m->services[0].zone_note);
}

static void a_service_says_why_zones_have_no_effect(void **state)
{
	static const struct {
		const char *zone, *balancer, *note;
	} rows[] = {
		{NULL, "type: Random",
		 "endpoints have zones, but no policy with zoneAware is in force"},
		{"a", "type: Random",
		 "endpoints have zones, but no policy with zoneAware is in force"},
		{NULL, "type: Random, zoneAware: {preferLocal: {}}",
		 "preferLocal: this gateway's zone is not known: start spillwayd with --zone"},
		{"c", "type: Random, zoneAware: {preferLocal: {}}",
		 "preferLocal: no endpoint is in the own zone c"},
		{"a", "type: Random, zoneAware: {preferLocal: {minEndpointsThreshold: 7}}",
		 "preferLocal: there are fewer than 7 endpoints (minEndpointsThreshold)"},
		{"a", "type: Random, zoneAware: {preferLocal: {percentageEnabled: 0}}",
		 "preferLocal: percentageEnabled is 0"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct service *s;

		(void)teardown(state);
		(void)setup(state);
		s = with(rows[i].zone, rows[i].balancer);
		assert_string_equal(s->zone_note, rows[i].note);
		assert_int_equal(s->prefer_local.enabled,
				 rows[i].zone && strstr(rows[i].balancer, "preferLocal"));
	}
}

static void zones_that_leave_nobody_or_do_not_differ_are_told(void **state)
{
	static const struct {
		const char *weights, *fallback, *note;
	} rows[] = {
		{"weightedZones: [{zone: a, weight: 0}]", "",
		 "weightedZones: all endpoints are in zones of weight 0, so none gets flows"},
		{"weightedZones: [{zone: a, weight: 2}]", "",
		 "weightedZones: the endpoints of each tier are in one zone"},
		{"preferLocal: {}", "fallback: true, ",
		 "preferLocal: it is for tier 0, where no endpoint is"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		opts.zone = "a";
		given(arena_printf(
			arena,
			EDGE "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
			     "metadata: {name: x}\nspec: {%sendpoints: [{zone: a, ip: {address: "
			     "10.0.0.1, port: 80}}]}\n---\n" ROUTE("web", REF("x"))
				     POLICY("p", "%s, loadBalancer: {type: Random, zoneAware: "
						 "{%s}}"),
			rows[i].fallback, ON("TCPRoute", "web"), rows[i].weights));
		assert_string_equal(m->services[0].zone_note, rows[i].note);
	}
}

static void endpoints_without_zones_need_no_note_unless_a_policy_wants_them(void **state)
{
	static const struct {
		const char *balancer, *note;
	} rows[] = {
		{"type: Random", NULL},
		{"type: Random, zoneAware: {weightedZones: [{zone: a, weight: 2}]}",
		 "weightedZones: no endpoint has a zone"},
		{"type: Random, zoneAware: {preferLocal: {}}",
		 "preferLocal: no endpoint is in the own zone a"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)teardown(state);
		(void)setup(state);
		opts.zone = "a";
		given(arena_printf(arena,
				   EDGE BACKEND("x", "10.0.0.1") ROUTE("web", REF("x"))
					   POLICY("p", "%s, loadBalancer: {%s}"),
				   ON("TCPRoute", "web"), rows[i].balancer));
		if (rows[i].note)
			assert_string_equal(m->services[0].zone_note, rows[i].note);
		else
			assert_null(m->services[0].zone_note);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(weighted_zones_take_the_place_of_the_backend_refs),
		TEST(a_zone_of_weight_zero_is_left_out),
		TEST(great_weights_of_zones_are_scaled_together),
		TEST(the_own_zone_is_preferred_with_upstreams_defaults),
		TEST(all_of_prefer_local_is_read),
		TEST(an_endpoint_is_in_the_zone_that_its_own_backend_says),
		TEST(zones_are_weighted_as_the_own_backend_says),
		TEST(a_service_says_why_zones_have_no_effect),
		TEST(zones_that_leave_nobody_or_do_not_differ_are_told),
		TEST(endpoints_without_zones_need_no_note_unless_a_policy_wants_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
