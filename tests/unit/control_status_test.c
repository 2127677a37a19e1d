/* SPDX-License-Identifier: BSD-2-Clause */
/* The shape of `status`: whom conditions are about, and since when they hold. */
#include "engine_fixture.h"

#define OBJECT(group, version, kind, name, spec)                                                   \
	"{\"apiVersion\":\"" group "/" version "\",\"kind\":\"" kind                               \
	"\",\"metadata\":{\"name\":\"" name "\"},\"spec\":" spec "}"
#define POLICY(name, kind, target, rest)                                                           \
	OBJECT("gateway.envoyproxy.io", "v1alpha1", "BackendTrafficPolicy", name,                  \
	       "{\"targetRefs\":[{\"group\":\"gateway.networking.k8s.io\",\"kind\":\"" kind        \
	       "\",\"name\":\"" target "\"" rest "}]}")
#define TLS_POLICY                                                                                 \
	OBJECT("gateway.networking.k8s.io", "v1", "BackendTLSPolicy", "tls",                       \
	       "{\"targetRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":\"Backend\","       \
	       "\"name\":\"web\"}],\"validation\":{\"hostname\":\"a.example\","                    \
	       "\"wellKnownCACertificates\":\"System\"}}")
#define TCPROUTE(name, parent)                                                                     \
	OBJECT("gateway.networking.k8s.io", "v1", "TCPRoute", name,                                \
	       "{\"parentRefs\":[{\"name\":\"edge\"" parent                                        \
	       "}],\"rules\":[{\"backendRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":"    \
	       "\"Backend\",\"name\":\"web\"}]}]}")
#define EG  "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/default/"
#define GWA "/apis/gateway.networking.k8s.io/v1/namespaces/default/"

static const struct node *named(const struct node *list, const char *type)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "type", ""), type) == 0)
			return node_item(list, i);
	}
	return NULL;
}

/* "KIND NAMESPACE/NAME[/SECTION]" of the policy's ancestors. */
static const char *ancestors(struct fixture *f, const char *path)
{
	const struct node *o = must(f, 200, "GET", path, NULL);
	const struct node *list = node_at(o, "status.ancestors");
	const char *text = "";

	for (size_t i = 0; i < node_count(list); i++) {
		const struct node *n = node_item(list, i);
		const char *section = node_text_at(n, "ancestorRef.sectionName", NULL);

		assert_string_equal(node_text_at(n, "controllerName", ""), "spillway.dev/gateway");
		assert_non_null(named(node_member(n, "conditions"), "Accepted"));
		text = arena_printf(f->arena, "%s%s%s %s/%s%s%s", text, *text ? ", " : "",
				    node_text_at(n, "ancestorRef.kind", ""),
				    node_text_at(n, "ancestorRef.namespace", ""),
				    node_text_at(n, "ancestorRef.name", ""), section ? "/" : "",
				    section ? section : "");
	}
	assert_null(node_at(o, "status.conditions"));
	return text;
}

static void a_policys_ancestors_are_gateways(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," GATEWAY "," TCPROUTE("web", ",\"sectionName\":\"http\"") "," POLICY(
		     "g", "Gateway", "edge",
		     "") "," POLICY("l", "Gateway", "edge",
				    ",\"sectionName\":\"http\"") "," POLICY("r", "TCPRoute", "web",
									    "")));
	assert_string_equal(ancestors(f, EG "backendtrafficpolicies/g"), "Gateway default/edge");
	assert_string_equal(ancestors(f, EG "backendtrafficpolicies/l"),
			    "Gateway default/edge/http");
	assert_string_equal(ancestors(f, EG "backendtrafficpolicies/r"),
			    "Gateway default/edge/http");
}

static void a_policy_without_a_gateway_has_its_targets(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," POLICY("r", "TCPRoute", "web", "") "," TLS_POLICY));
	assert_string_equal(ancestors(f, EG "backendtrafficpolicies/r"), "TCPRoute default/web");
	assert_string_equal(ancestors(f, GWA "backendtlspolicies/tls"), "Backend default/web");
	must(f, 200, "POST", OWN "/apply", APPLY(GATEWAY "," TCPROUTE("web", "")));
	assert_string_equal(ancestors(f, GWA "backendtlspolicies/tls"), "Gateway default/edge");
}

static void a_policy_as_it_is_shown_can_be_applied(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	char *text;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," GATEWAY "," TCPROUTE("web", "") "," TLS_POLICY));
	text = node_to_json(must(f, 200, "GET", GWA "backendtlspolicies/tls", NULL), 0);
	answer = must(f, 200, "POST", OWN "/apply", arena_printf(f->arena, APPLY("%s"), text));
	free(text);
	assert_string_equal(
		node_text_at(node_item(node_member(answer, "results"), 0), "outcome", ""),
		"unchanged");
}

static void a_parent_is_named_as_the_route_names_it(void **state)
{
	struct fixture *f = *state;
	const struct node *parent, *o;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," GATEWAY "," TCPROUTE("web", ",\"port\":80,\"sectionName\":\"http\"")));
	o = must(f, 200, "GET", GWA "tcproutes/web", NULL);
	parent = node_item(node_at(o, "status.parents"), 0);
	assert_int_equal(node_int_at(parent, "parentRef.port", 0), 80);
	assert_string_equal(node_text_at(parent, "parentRef.sectionName", ""), "http");
	assert_string_equal(node_text_at(parent, "controllerName", ""), "spillway.dev/gateway");
}

static const struct node *listener(struct fixture *f, size_t index)
{
	return node_item(node_at(must(f, 200, "GET", GATEWAYS "/edge", NULL), "status.listeners"),
			 index);
}

static void all_accepted_routes_of_a_listener_count(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," GATEWAY "," TCPROUTE("web", "") "," TCPROUTE("late", "")));
	assert_int_equal(node_int_at(listener(f, 0), "attachedRoutes", 0), 2);
}

static void kinds_that_a_listener_cannot_take_are_no_supported_ones(void **state)
{
	struct fixture *f = *state;
	const struct node *l, *c;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(OBJECT("gateway.networking.k8s.io", "v1", "Gateway", "edge",
			  "{\"gatewayClassName\":\"c\",\"addresses\":[{\"value\":\"192.0.2.1\"}],"
			  "\"listeners\":[{\"name\":\"a\",\"port\":80,\"protocol\":\"TCP\","
			  "\"allowedRoutes\":{\"kinds\":[{\"kind\":\"UDPRoute\"}]}},{\"name\":"
			  "\"b\",\"port\":81,\"protocol\":\"TCP\"},{\"name\":\"c\",\"port\":81,"
			  "\"protocol\":\"HTTP\"}]}")));
	l = listener(f, 0);
	assert_int_equal(node_count(node_member(l, "supportedKinds")), 0);
	c = named(node_member(l, "conditions"), "ResolvedRefs");
	assert_string_equal(node_text_at(c, "reason", ""), "InvalidRouteKinds");
	c = named(node_member(listener(f, 1), "conditions"), "Conflicted");
	assert_string_equal(node_text_at(c, "status", ""), "True");
	assert_string_equal(node_text_at(c, "reason", ""), "ProtocolConflict");
	assert_int_equal(node_count(node_member(listener(f, 1), "supportedKinds")), 1);
}

static int64_t since(struct fixture *f, enum kind_id kind, const char *name)
{
	const struct object_key key = {
		.project = "default", .kind = &kinds[kind], .namespace = "default", .name = name};
	const struct generation *g = f->engine->now;

	return generation_find(g, &key)->conditions[0].since_s;
}

/* All conditions of now, as if they had come long ago. */
static void age(struct fixture *f)
{
	struct generation *g = f->engine->now;

	for (size_t i = 0; i < g->model->object_count; i++) {
		for (size_t c = 0; c < g->model->objects[i].condition_count; c++)
			g->model->objects[i].conditions[c].since_s = 1000;
		g->redated[i] = true;
	}
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("api", "10.0.0.7", "10.0.0.8")));
}

static void conditions_keep_their_time_over_a_restart(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," TCPROUTE("web", "")));
	age(f);
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(since(f, KIND_BACKEND, "web"), 1000);
	assert_int_equal(since(f, KIND_TCPROUTE, "web"), 1000);
	assert_int_equal(since(f, KIND_GATEWAY, "edge"), 1000);
	assert_true(since(f, KIND_BACKEND, "api") > 1000);
	for (size_t i = 0; i < f->engine->now->model->object_count; i++)
		assert_false(f->engine->now->redated[i]);
}

static void a_status_that_changes_has_a_new_time(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," TCPROUTE("web", "")));
	age(f);
	/* Accepted of the Backend: True, then False */
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.1", "1:2")));
	assert_true(since(f, KIND_BACKEND, "web") > 1000);
	assert_int_equal(since(f, KIND_GATEWAY, "edge"), 1000);
	fixture_close(f);
	fixture_open(f);
	assert_true(since(f, KIND_BACKEND, "web") > 1000);
}

static void a_resource_that_is_made_anew_begins_anew(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	age(f);
	must(f, 200, "DELETE", BACKENDS "/web", NULL);
	fixture_close(f);
	fixture_open(f);
	must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	assert_true(since(f, KIND_BACKEND, "web") > 1000);
	fixture_close(f);
	fixture_open(f);
	assert_true(since(f, KIND_BACKEND, "web") > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_policys_ancestors_are_gateways),
		TEST(a_policy_without_a_gateway_has_its_targets),
		TEST(a_policy_as_it_is_shown_can_be_applied),
		TEST(a_parent_is_named_as_the_route_names_it),
		TEST(all_accepted_routes_of_a_listener_count),
		TEST(conditions_keep_their_time_over_a_restart),
		TEST(a_status_that_changes_has_a_new_time),
		TEST(a_resource_that_is_made_anew_begins_anew),
		TEST(kinds_that_a_listener_cannot_take_are_no_supported_ones),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
