/* SPDX-License-Identifier: BSD-2-Clause */
/* Secrets over the API: kept whole, compared whole, never shown; and resources without a namespace. */
#include "engine_fixture.h"

#define SECRETS "/api/v1/namespaces/default/secrets"
#define CLASSES "/apis/gateway.networking.k8s.io/v1/gatewayclasses"
#define SECRET(data)                                                                                \
	"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"own\",\"annotations\"" \
	":{\"kubectl.kubernetes.io/last-applied-configuration\":\"{hunter2}\"}},\"stringData\":{"   \
	"\"a\":\"" data "\"}}"
#define CLASS(name)                                                                                \
	"{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"GatewayClass\",\"metadata\":" \
	"{\"name\":\"c\"},\"spec\":{\"controllerName\":\"" name "\"}}"

static const char *outcome(const struct node *answer)
{
	return node_text_at(node_item(node_member(answer, "results"), 0), "outcome", "none");
}

static const struct object *stored(struct fixture *f)
{
	const struct object_key key = {.project = "default",
				       .kind = &kinds[KIND_SECRET],
				       .namespace = "default",
				       .name = "own"};

	return generation_find(f->engine->now, &key);
}

static void expect_hidden(const struct node *answer)
{
	char *text = node_to_json(answer, 0);

	assert_null(strstr(text, "hunter2"));
	assert_null(strstr(text, "aHVudGVyMg"));
	free(text);
}

static void no_answer_has_a_secrets_values(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 201, "POST", SECRETS, SECRET("hunter2"));

	expect_hidden(answer);
	assert_string_equal(node_text_at(answer, "data.a", ""), "*** 7 bytes ***");
	assert_null(node_member(answer, "stringData"));
	expect_hidden(must(f, 200, "GET", SECRETS "/own", NULL));
	answer = must(f, 200, "GET", SECRETS, NULL);
	expect_hidden(answer);
	assert_string_equal(node_text_at(answer, "kind", ""), "SecretList");
	assert_string_equal(node_text_at(answer, "apiVersion", ""), "v1");
	expect_hidden(must(f, 200, "GET", "/api/v1/secrets", NULL));
	expect_hidden(must(f, 200, "PUT", SECRETS "/own", SECRET("hunter2")));
	expect_hidden(must(f, 200, "POST", OWN "/apply", APPLY(SECRET("hunter2"))));
	assert_string_equal(node_text_at(stored(f)->res.root, "data.a", ""), "aHVudGVyMg==");
	fixture_close(f);
	fixture_open(f);
	assert_string_equal(node_text_at(stored(f)->res.root, "data.a", ""), "aHVudGVyMg==");
}

static void unchanged_is_said_of_the_values_themselves(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	char *shown;

	must(f, 200, "POST", OWN "/apply", APPLY(SECRET("hunter2")));
	assert_string_equal(outcome(must(f, 200, "POST", OWN "/apply", APPLY(SECRET("hunter2")))),
			    "unchanged");
	assert_string_equal(outcome(must(f, 200, "POST", OWN "/apply", APPLY(SECRET("hunter3")))),
			    "configured");
	answer = must(f, 200, "GET", SECRETS "/own", NULL);
	assert_string_equal(node_text_at(answer, "data.a", ""), "*** 7 bytes ***");
	shown = node_to_json(answer, 0);
	answer = must(f, 422, "PUT", SECRETS "/own", shown);
	free(shown);
	assert_int_equal(node_count(node_at(answer, "details.causes")), 2);
	assert_string_equal(node_text_at(stored(f)->res.root, "data.a", ""), "aHVudGVyMw==");
}

static void an_immutable_secret_stays_as_it_is(void **state)
{
	static const char marked[] =
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"own\"},"
		"\"immutable\":true,\"data\":{\"a\":\"Zm9v\"}}";
	static const char changed[] =
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"own\"},"
		"\"immutable\":true,\"data\":{\"a\":\"YmFy\"}}";
	static const char typed[] =
		"{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"own\"},"
		"\"immutable\":true,\"type\":\"b\",\"data\":{\"a\":\"Zm9v\"}}";
	struct fixture *f = *state;
	struct node *answer;

	must(f, 201, "POST", SECRETS, marked);
	must(f, 200, "PUT", SECRETS "/own", marked);
	answer = must(f, 422, "PUT", SECRETS "/own", changed);
	assert_string_equal(node_text_at(answer, "message", ""),
			    "The Secret \"own\" is invalid: data: Forbidden: field is immutable "
			    "when `immutable` is set");
	answer = must(f, 422, "PUT", SECRETS "/own", typed);
	assert_string_equal(node_text_at(answer, "message", ""),
			    "The Secret \"own\" is invalid: type: Invalid value: \"b\": field is "
			    "immutable");
	must(f, 200, "DELETE", SECRETS "/own", NULL);
	must(f, 201, "POST", SECRETS, changed);
}

static void a_gateway_class_has_paths_without_a_namespace(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 201, "POST", CLASSES, CLASS("spillway.dev/gateway"));

	assert_null(node_at(answer, "metadata.namespace"));
	answer = must(f, 200, "GET", CLASSES "/c", NULL);
	assert_string_equal(
		node_text_at(node_item(node_at(answer, "status.conditions"), 0), "type", ""),
		"Accepted");
	assert_int_equal(node_count(node_member(must(f, 200, "GET", CLASSES, NULL), "items")), 1);
	must(f, 404, "GET", "/apis/gateway.networking.k8s.io/v1/namespaces/a/gatewayclasses", NULL);
	must(f, 404, "POST", "/apis/gateway.networking.k8s.io/v1/httproutes", "{}");
	must(f, 404, "GET", "/apis/gateway.envoyproxy.io/v1alpha1/backends/web", NULL);
	answer = must(f, 422, "PUT", CLASSES "/c", CLASS("a.example/c"));
	assert_string_equal(
		node_text_at(answer, "message", ""),
		"The GatewayClass \"c\" is invalid: spec.controllerName: Invalid value: "
		"\"a.example/c\": Value is immutable");
	assert_string_equal(
		outcome(must(f, 200, "POST", OWN "/apply", APPLY(CLASS("spillway.dev/gateway")))),
		"unchanged");
	must(f, 200, "POST", OWN "/apply",
	     "{\"operation\":\"delete\",\"objects\":[" CLASS("spillway.dev/gateway") "]}");
	must(f, 404, "GET", CLASSES "/c", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_answer_has_a_secrets_values),
		TEST(unchanged_is_said_of_the_values_themselves),
		TEST(an_immutable_secret_stays_as_it_is),
		TEST(a_gateway_class_has_paths_without_a_namespace),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
