/* SPDX-License-Identifier: BSD-2-Clause */
/* What a change may ask for besides its objects: pruning, preconditions, and how objects differ. */
#include "engine_fixture.h"

#define LABELLED(kind_version, name, more)                                                         \
	"{\"apiVersion\":\"" kind_version "\",\"metadata\":{\"name\":\"" name                      \
	"\",\"labels\":{\"app\":\"web\"}}," more "}"
#define MAP(name)	   LABELLED("v1", name, "\"kind\":\"ConfigMap\",\"data\":{\"a\":\"b\"}")
#define SECRET(value)	   LABELLED("v1", "key", "\"kind\":\"Secret\",\"stringData\":{" value "}")
#define PRUNE(what, ...)   "{\"prune\":" what ",\"objects\":[" __VA_ARGS__ "]}"
#define WEB_ONLY	   "{\"selector\":{\"matchLabels\":{\"app\":\"web\"}}}"
#define AS(operation, ...) "{\"operation\":\"" operation "\",\"objects\":[" __VA_ARGS__ "]}"
#define MAPS		   "/api/v1/namespaces/default/configmaps"

static const struct node *row(const struct node *answer, const char *list, size_t index)
{
	return node_item(node_member(answer, list), index);
}

static void what_was_applied_and_is_not_given_any_more_goes(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 200, "POST", OWN "/apply", APPLY(MAP("one") "," MAP("two") "," WEB));
	answer = must(f, 200, "POST", OWN "/apply", PRUNE(WEB_ONLY, MAP("one")));
	assert_int_equal(node_count(node_member(answer, "results")), 1);
	assert_int_equal(node_count(node_member(answer, "pruned")), 1);
	assert_string_equal(node_text_at(row(answer, "pruned", 0), "name", ""), "two");
	assert_string_equal(node_text_at(row(answer, "pruned", 0), "outcome", ""), "deleted");
	must(f, 404, "GET", MAPS "/two", NULL);
	must(f, 200, "GET", BACKENDS "/web", NULL); /* has no such label */
	answer = must(f, 200, "POST", OWN "/apply", PRUNE("{}", MAP("one")));
	assert_string_equal(node_text_at(row(answer, "pruned", 0), "name", ""), "web");
}

static void what_apply_did_not_make_stays(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 201, "POST", MAPS, MAP("posted"));
	must(f, 200, "POST", OWN "/apply", AS("create", MAP("created")));
	must(f, 200, "POST", OWN "/apply",
	     "{\"namespace\":\"other\",\"objects\":[" MAP("elsewhere") "]}");
	must(f, 200, "POST", "/projects/p/control-plane" OWN "/apply", APPLY(MAP("apart")));
	must(f, 200, "POST", OWN "/apply",
	     APPLY("{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"GatewayClass\","
		   "\"metadata\":{\"name\":\"c\"},\"spec\":{\"controllerName\":\"a.b/c\"}}"));
	answer = must(f, 200, "POST", OWN "/apply", PRUNE("{}", MAP("one")));
	assert_int_equal(node_count(node_member(answer, "pruned")), 0);
}

static void an_apply_that_changes_nothing_still_makes_it_prunable(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 201, "POST", MAPS, MAP("posted"));
	answer = must(f, 200, "POST", OWN "/apply", APPLY(MAP("posted")));
	assert_string_equal(node_text_at(row(answer, "results", 0), "outcome", ""), "unchanged");
	fixture_close(f);
	fixture_open(f); /* and it is remembered */
	answer = must(f, 200, "POST", OWN "/apply", PRUNE("{}", MAP("one")));
	assert_string_equal(node_text_at(row(answer, "pruned", 0), "name", ""), "posted");
}

static void only_the_kinds_asked_for_are_pruned(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 200, "POST", OWN "/apply", APPLY(MAP("two") "," WEB));
	answer = must(f, 200, "POST", OWN "/apply",
		      PRUNE("{\"kinds\":[{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\","
			    "\"kind\":\"Backend\"}]}",
			    MAP("one")));
	assert_int_equal(node_count(node_member(answer, "pruned")), 1);
	assert_string_equal(node_text_at(row(answer, "pruned", 0), "kind", ""), "Backend");
}

static void a_dry_run_and_a_refused_change_prune_nothing(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 200, "POST", OWN "/apply", APPLY(MAP("two")));
	answer = must(
		f, 200, "POST", OWN "/apply",
		"{\"dryRun\":true,\"prune\":{},\"show\":\"both\",\"objects\":[" MAP("one") "]}");
	assert_string_equal(node_text_at(row(answer, "pruned", 0), "before.data.a", ""), "b");
	assert_null(node_member(row(answer, "pruned", 0), "after"));
	must(f, 422, "POST", OWN "/apply", PRUNE("{}", MAP("Bad_Name")));
	must(f, 200, "GET", MAPS "/two", NULL);
}

static void a_prune_that_is_not_understood_is_refused(void **state)
{
	static const char *const rows[] = {
		"[]",
		"{\"selector\":\"app=web\"}",
		"{\"selector\":{\"matchLabel\":{}}}",
		"{\"selector\":{\"matchLabels\":{\"a\":1}}}",
		"{\"selector\":{\"matchExpressions\":[{\"key\":\"a\",\"operator\":\"Near\"}]}}",
		"{\"selector\":{\"matchExpressions\":[{\"operator\":\"Exists\"}]}}",
		"{\"kinds\":[{\"kind\":\"Pod\"}]}",
		"{\"kinds\":{}}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		must(f, 400, "POST", OWN "/apply",
		     arena_printf(f->arena, PRUNE("%s", MAP("one")), rows[i]));
	must(f, 400, "POST", OWN "/apply",
	     "{\"operation\":\"delete\",\"prune\":{},\"objects\":[" MAP("one") "]}");
	must(f, 400, "POST", OWN "/apply", "{\"show\":\"all\",\"objects\":[" MAP("one") "]}");
}

static void a_create_names_all_that_exist_and_makes_nothing(void **state)
{
	struct fixture *f = *state;
	struct node *answer, *causes;

	must(f, 200, "POST", OWN "/apply", AS("create", MAP("one") "," WEB));
	answer =
		must(f, 409, "POST", OWN "/apply", AS("create", MAP("one") "," MAP("new") "," WEB));
	causes = node_at(answer, "details.causes");
	assert_string_equal(node_text_at(answer, "reason", ""), "AlreadyExists");
	assert_int_equal(node_count(causes), 2);
	assert_int_equal(node_int_at(node_item(causes, 1), "index", -1), 2);
	assert_string_equal(node_text_at(node_item(causes, 1), "message", ""),
			    "backends.gateway.envoyproxy.io \"web\" already exists");
	must(f, 404, "GET", MAPS "/new", NULL);
}

static void an_edit_takes_what_it_has_seen_and_makes_what_is_new(void **state)
{
	static const char object[] = "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":"
				     "{\"name\":\"one\"%s},\"data\":{\"a\":\"%s\"}}";
	struct fixture *f = *state;
	const char *seen;
	struct node *o;

	must(f, 200, "POST", OWN "/apply", APPLY(MAP("one")));
	o = must(f, 200, "GET", MAPS "/one", NULL);
	seen = arena_printf(f->arena, ",\"resourceVersion\":\"%s\"",
			    node_text_at(o, "metadata.resourceVersion", ""));
	must(f, 409, "POST", OWN "/apply",
	     arena_printf(f->arena, AS("edit", "%s"), arena_printf(f->arena, object, "", "c")));
	must(f, 200, "POST", OWN "/apply",
	     arena_printf(f->arena, AS("edit", "%s," MAP("new")),
			  arena_printf(f->arena, object, seen, "c")));
	o = must(f, 409, "POST", OWN "/apply",
		 arena_printf(f->arena, AS("edit", "%s"),
			      arena_printf(f->arena, object, seen, "d")));
	assert_string_equal(node_text_at(o, "reason", ""), "Conflict");
	o = must(f, 200, "GET", MAPS "/one", NULL);
	assert_string_equal(node_text_at(o, "data.a", ""), "c");
}

static void a_dry_run_shows_both_sides(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	const struct node *it;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	answer = must(f, 200, "POST", OWN "/apply",
		      "{\"dryRun\":true,\"show\":\"both\",\"objects\":[" BACKEND(
			      "web", "10.0.0.1", "10.0.0.9") "," MAP("one") "]}");
	it = row(answer, "results", 0);
	assert_int_equal(node_int_at(it, "before.metadata.generation", 0), 1);
	assert_int_equal(node_int_at(it, "after.metadata.generation", 0), 2);
	assert_null(node_at(it, "after.status"));
	assert_string_equal(
		node_text_at(node_item(node_at(it, "after.spec.endpoints"), 1), "ip.address", ""),
		"10.0.0.9");
	it = row(answer, "results", 1);
	assert_null(node_member(it, "before"));
	assert_non_null(node_member(it, "after"));
}

static void of_a_secret_it_is_seen_what_differs_and_no_value(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	const struct node *it;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(SECRET("\"a\":\"same\",\"b\":\"old\",\"gone\":\"x\"")));
	answer = must(f, 200, "POST", OWN "/apply",
		      "{\"dryRun\":true,\"show\":\"both\",\"objects\":[" SECRET(
			      "\"a\":\"same\",\"b\":\"new\",\"more\":\"y\"") "]}");
	it = row(answer, "results", 0);
	assert_string_equal(node_text_at(it, "before.data.a", ""), "***");
	assert_string_equal(node_text_at(it, "after.data.a", ""), "***");
	assert_string_equal(node_text_at(it, "before.data.b", ""), "*** (before)");
	assert_string_equal(node_text_at(it, "after.data.b", ""), "*** (after)");
	assert_string_equal(node_text_at(it, "before.data.gone", ""), "***");
	assert_string_equal(node_text_at(it, "after.data.more", ""), "***");
	answer = must(f, 200, "POST", OWN "/apply",
		      "{\"show\":\"after\",\"objects\":[" SECRET("\"a\":\"same\"") "]}");
	assert_string_equal(node_text_at(row(answer, "results", 0), "after.data.a", ""),
			    "*** 4 bytes ***");
	assert_null(node_member(row(answer, "results", 0), "before"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_applied_and_is_not_given_any_more_goes),
		TEST(what_apply_did_not_make_stays),
		TEST(an_apply_that_changes_nothing_still_makes_it_prunable),
		TEST(only_the_kinds_asked_for_are_pruned),
		TEST(a_dry_run_and_a_refused_change_prune_nothing),
		TEST(a_prune_that_is_not_understood_is_refused),
		TEST(a_create_names_all_that_exist_and_makes_nothing),
		TEST(an_edit_takes_what_it_has_seen_and_makes_what_is_new),
		TEST(a_dry_run_shows_both_sides),
		TEST(of_a_secret_it_is_seen_what_differs_and_no_value),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
