/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes that are refused as a whole for what they would take away, and those that may. */
#include "engine_fixture.h"

#define TWO "/projects/two/control-plane" OWN
#define API(group, version, kind, name, spec)                                                      \
	"{\"apiVersion\":\"" group "/" version "\",\"kind\":\"" kind                               \
	"\",\"metadata\":{\"name\":\"" name "\"},\"spec\":" spec "}"
#define GATEWAY_OF(name, addresses, listeners)                                                     \
	API("gateway.networking.k8s.io", "v1", "Gateway", name,                                    \
	    "{\"gatewayClassName\":\"spillway\",\"addresses\":[" addresses                         \
	    "],\"listeners\":[" listeners "]}")
#define AT(address)	      "{\"value\":\"" address "\"}"
#define ON(name, number)      "{\"name\":\"" name "\",\"port\":" number ",\"protocol\":\"TCP\"}"
#define HTTP_ON(name, number) "{\"name\":\"" name "\",\"port\":" number ",\"protocol\":\"HTTP\"}"
#define CLASS(controller)                                                                          \
	API("gateway.networking.k8s.io", "v1", "GatewayClass", "spillway",                         \
	    "{\"controllerName\":\"" controller "\"}")
#define TLS_POLICY(ref)                                                                            \
	API("gateway.networking.k8s.io", "v1", "BackendTLSPolicy", "tls",                          \
	    "{\"targetRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":\"Backend\",\"name\":" \
	    "\"web\"}],\"validation\":{\"hostname\":\"a.example\",\"caCertificateRefs\":"          \
	    "[{\"group\":\"\",\"kind\":\"ConfigMap\",\"name\":\"" ref "\"}]}}")

static const char *cause(const struct node *answer)
{
	return node_text_at(node_item(node_at(answer, "details.causes"), 0), "message", "none");
}

static int64_t cause_index(const struct node *answer)
{
	return node_int_at(node_item(node_at(answer, "details.causes"), 0), "index", -5);
}

static void expect_refused(struct fixture *f, const char *path, const char *body, const char *text)
{
	const int64_t version = store_version(f->engine->store);
	const int applies = fake.applies;
	const struct node *answer = must(f, 409, "POST", path, body);

	if (!strstr(cause(answer), text))
		fail_msg("%s", cause(answer));
	assert_string_equal(node_text_at(answer, "reason", ""), "Conflict");
	assert_int_equal(store_version(f->engine->store), version);
	assert_int_equal(fake.applies, applies);
}

static void what_another_project_has_is_refused_with_its_name(void **state)
{
	static const char text[] = "Gateway default/late: 192.0.2.1:80/TCP belongs to a Gateway of "
				   "project default: use another address or port, or end its use "
				   "in project default first";
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	expect_refused(f, TWO "/apply",
		       APPLY(WEB "," GATEWAY_OF("late", AT("192.0.2.1"), ON("a", "80"))), text);
	assert_int_equal(cause_index(must(f, 409, "POST", TWO "/apply",
					  APPLY(WEB "," GATEWAY_OF("late", AT("192.0.2.1"),
								   ON("a", "80"))))),
			 1);
	expect_refused(f, TWO "/apply",
		       "{\"dryRun\":true,\"objects\":[" GATEWAY_OF("late", AT("192.0.2.1"),
								   ON("a", "80")) "]}",
		       text);
	must(f, 200, "POST", TWO "/apply",
	     APPLY(GATEWAY_OF("late", AT("192.0.2.1"), ON("a", "81"))));
}

static void a_class_that_gives_a_gateway_back_cannot_either(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", TWO "/apply",
	     APPLY(CLASS("a.example/other") "," GATEWAY_OF("early", AT("192.0.2.1"),
							   ON("a", "80"))));
	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	expect_refused(f, TWO "/apply",
		       "{\"operation\":\"delete\",\"objects\":[" CLASS("a.example/other") "]}",
		       "of project default");
}

static void an_older_gateway_cannot_take_what_another_project_carries(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	/* it is older, or as old and has the smaller name */
	must(f, 200, "POST", TWO "/apply",
	     APPLY(GATEWAY_OF("early", AT("192.0.2.9"), ON("a", "80"))));
	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	answer = must(
		f, 409, "POST", TWO "/apply",
		APPLY(GATEWAY_OF("early", AT("192.0.2.9") "," AT("192.0.2.1"), ON("a", "80"))));
	assert_string_equal(
		cause(answer),
		"Gateway default/early: 192.0.2.1:80/TCP is carried for a Gateway of "
		"project default, and this Gateway is older, so it would be taken away: "
		"use another address or port, or end its use in project default first");
	assert_int_equal(fake.tables.service_count, 1);
}

static void inside_one_project_the_older_has_it_and_the_other_is_told(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	answer = must(f, 200, "POST", OWN "/apply",
		      APPLY(GATEWAY_OF("late", AT("192.0.2.1"), ON("a", "80"))));
	assert_non_null(
		strstr(node_text_at(node_item(node_member(answer, "warnings"), 0), "message", ""),
		       "192.0.2.1:80/TCP belongs to Gateway default/edge, which is older"));
}

static void a_policy_that_would_end_a_service_is_refused(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	expect_refused(f, OWN "/apply", APPLY(TLS_POLICY("gone")),
		       "service default/web at 192.0.2.1:80/TCP carries traffic and would lose all "
		       "its endpoints: configmap gone not found in namespace default");
	/* in the order in which somebody new applies it, it is a condition */
	must(f, 200, "POST", OWN "/apply",
	     APPLY(TLS_POLICY("gone") "," BACKEND("web", "10.0.0.1", "10.0.0.9")));
}

static void a_listener_that_would_end_its_neighbour_is_refused(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	expect_refused(f, OWN "/apply",
		       APPLY(GATEWAY_OF("edge", "{\"type\":\"IPAddress\",\"value\":\"192.0.2.1\"}",
					ON("http", "80") "," HTTP_ON("web", "80"))),
		       "would lose all its endpoints: All listeners for a given port must use a "
		       "compatible protocol");
	must(f, 200, "POST", OWN "/apply",
	     APPLY(GATEWAY_OF("edge", AT("192.0.2.1"), HTTP_ON("http", "80"))));
}

static void who_changes_a_services_own_objects_may_end_it(void **state)
{
	static const char *const changes[] = {
		BACKEND("web", "224.0.0.1", "224.0.0.2"),
		GATEWAY_OF("edge", AT("192.0.2.7"), ON("http", "80")),
		API("gateway.networking.k8s.io", "v1", "TCPRoute", "web",
		    "{\"parentRefs\":[{\"name\":\"edge\"}],\"rules\":[{\"backendRefs\":[{\"group\":"
		    "\"gateway.envoyproxy.io\",\"kind\":\"Backend\",\"name\":\"gone\"}]}]}"),
		CLASS("a.example/other"),
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
		assert_int_equal(f->engine->now->model->services[0].locality_count, 1);
		must(f, 200, "POST", OWN "/apply", arena_printf(f->arena, APPLY("%s"), changes[i]));
	}
	assert_int_equal(fake.tables.service_count, 0);
}

static void a_class_hands_its_gateways_over_and_back(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	assert_int_equal(fake.tables.service_count, 1);
	must(f, 200, "POST", OWN "/apply", APPLY(CLASS("a.example/other")));
	assert_int_equal(fake.tables.service_count, 0);
	assert_null(node_member(must(f, 200, "GET", GATEWAYS "/edge", NULL), "status"));
	must(f, 200, "POST", OWN "/apply",
	     "{\"operation\":\"delete\",\"objects\":[" CLASS("a.example/other") "]}");
	assert_int_equal(fake.tables.service_count, 1);
	must(f, 200, "POST", OWN "/apply", APPLY(CLASS("spillway.dev/gateway")));
	assert_int_equal(fake.tables.service_count, 1);
	assert_non_null(node_member(must(f, 200, "GET", GATEWAYS "/edge", NULL), "status"));
}

static void a_delete_ends_what_it_says(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	must(f, 200, "POST", OWN "/apply", "{\"operation\":\"delete\",\"objects\":[" WEB "]}");
	assert_int_equal(fake.tables.endpoint_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_another_project_has_is_refused_with_its_name),
		TEST(a_class_that_gives_a_gateway_back_cannot_either),
		TEST(an_older_gateway_cannot_take_what_another_project_carries),
		TEST(inside_one_project_the_older_has_it_and_the_other_is_told),
		TEST(a_policy_that_would_end_a_service_is_refused),
		TEST(a_listener_that_would_end_its_neighbour_is_refused),
		TEST(who_changes_a_services_own_objects_may_end_it),
		TEST(a_class_hands_its_gateways_over_and_back),
		TEST(a_delete_ends_what_it_says),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
