/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of resources: what is stored, what reaches the maps, and that a refused one does neither. */
#include "engine_fixture.h"

#define SCALE "10.0.0.3"

static const char *outcome(const struct node *answer, size_t index)
{
	return node_text_at(node_item(node_member(answer, "results"), index), "outcome", "none");
}

static int64_t version(struct fixture *f)
{
	return store_version(f->engine->store);
}

static const char *stored_address(struct fixture *f)
{
	struct node *o = must(f, 200, "GET", BACKENDS "/web", NULL);
	struct node *endpoints = node_at(o, "spec.endpoints");

	return node_text_at(node_item(endpoints, 0), "ip.address", "none");
}

static void an_apply_creates_and_reaches_the_maps(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));

	for (size_t i = 0; i < 3; i++)
		assert_string_equal(outcome(answer, i), "created");
	assert_string_equal(node_text_at(node_item(node_member(answer, "results"), 0), "kind", ""),
			    "Backend");
	assert_int_equal(fake.tables.service_count, 1);
	assert_int_equal(fake.tables.endpoint_count, 2);
	assert_true(fake_endpoint("10.0.0.1:8080")->pickable);
	assert_int_equal(fake.vip_count, 1);
	assert_int_equal(version(f), 3);
}

static void the_same_again_is_unchanged_and_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct node *answer, *before, *after;
	int applies;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	before = must(f, 200, "GET", BACKENDS "/web", NULL);
	applies = fake.applies;
	answer = must(f, 200, "POST", OWN "/apply", APPLY(ROUTE "," WEB "," GATEWAY));
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(outcome(answer, i), "unchanged");
	after = must(f, 200, "GET", BACKENDS "/web", NULL);
	assert_string_equal(node_text_at(before, "metadata.resourceVersion", "a"),
			    node_text_at(after, "metadata.resourceVersion", "b"));
	assert_int_equal(fake.applies, applies);
	assert_int_equal(version(f), 3);
}

static void the_generation_is_raised_by_the_spec_alone(void **state)
{
	static const struct {
		const char *object, *outcome, *version;
		int64_t generation;
	} rows[] = {
		{WEB, "created", "1", 1},
		{"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
		 "\"metadata\":{\"name\":\"web\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"endpoints\":["
		 "{\"ip\":{\"address\":\"10.0.0.1\",\"port\":8080}},"
		 "{\"ip\":{\"address\":\"10.0.0.2\",\"port\":8080}}]}}",
		 "configured", "2", 1},
		{BACKEND("web", "10.0.0.1", SCALE), "configured", "3", 2},
		{BACKEND("web", "10.0.0.1", SCALE), "unchanged", "3", 2},
	};
	struct fixture *f = *state;
	struct node *answer, *o;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = must(f, 200, "POST", OWN "/apply",
			      arena_printf(f->arena, APPLY("%s"), rows[i].object));
		assert_string_equal(outcome(answer, 0), rows[i].outcome);
		o = must(f, 200, "GET", BACKENDS "/web", NULL);
		assert_string_equal(node_text_at(o, "metadata.resourceVersion", ""),
				    rows[i].version);
		assert_int_equal(node_int_at(o, "metadata.generation", 0), rows[i].generation);
		assert_int_equal(strlen(node_text_at(o, "metadata.uid", "")), 36);
	}
	assert_null(node_at(must(f, 200, "GET", BACKENDS "/web", NULL), "metadata.labels"));
}

static void what_the_server_owns_is_not_taken_from_a_request(void **state)
{
	struct fixture *f = *state;
	struct node *o, *body;
	char *text;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	o = must(f, 200, "GET", BACKENDS "/web", NULL);
	text = node_to_json(o, 0); /* with uid, versions and status */
	body = must(f, 200, "POST", OWN "/apply", arena_printf(f->arena, APPLY("%s"), text));
	assert_string_equal(outcome(body, 0), "unchanged");
	free(text);
}

static void one_mistake_refuses_the_whole_request_and_all_are_named(void **state)
{
	struct fixture *f = *state;
	struct node *answer, *causes;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	answer = must(f, 422, "POST", OWN "/apply",
		      APPLY(BACKEND("web", "10.9.9.9", "10.0.0.2") "," BACKEND(
			      "bad", "10.0.0.300", "10.0.0.2") ",{\"kind\":\"Nope\"}"));
	assert_string_equal(node_text_at(answer, "reason", ""), "Invalid");
	causes = node_at(answer, "details.causes");
	assert_true(node_count(causes) >= 2);
	assert_int_equal(node_int_at(node_item(causes, 0), "index", -5), 1);
	assert_int_equal(node_int_at(node_item(causes, node_count(causes) - 1), "index", -5), 2);
	assert_string_equal(stored_address(f), "10.0.0.1");
	assert_int_equal(version(f), 1);
}

static void the_same_object_twice_in_one_request_is_refused(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 422, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," WEB));
	struct node *causes = node_at(answer, "details.causes");

	assert_int_equal(node_count(causes), 1);
	assert_non_null(strstr(node_text_at(node_item(causes, 0), "message", ""), "given twice"));
	assert_int_equal(version(f), 0);
}

static void a_dry_run_answers_alike_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	int applies;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	applies = fake.applies;
	answer =
		must(f, 200, "POST", OWN "/apply",
		     "{\"dryRun\":true,\"objects\":[" BACKEND("web", "10.9.9.9", SCALE) "," BACKEND(
			     "new", "10.0.0.1", SCALE) "," ROUTE "]}");
	assert_string_equal(outcome(answer, 0), "configured");
	assert_string_equal(outcome(answer, 1), "created");
	assert_string_equal(outcome(answer, 2), "unchanged");
	assert_string_equal(stored_address(f), "10.0.0.1");
	assert_int_equal(version(f), 3);
	assert_int_equal(fake.applies, applies);
	assert_int_equal(engine_rebuild(f->engine), 0);
	assert_int_equal(fake.applies, applies); /* the numbers are as they were, too */
}

static void a_deletion_takes_objects_out_of_store_and_maps(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	answer =
		must(f, 200, "POST", OWN "/apply",
		     "{\"operation\":\"delete\",\"objects\":["
		     "{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","
		     "\"metadata\":{\"name\":\"web\"}},"
		     "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
		     "\"metadata\":{\"name\":\"nope\"}}]}");
	assert_string_equal(outcome(answer, 0), "deleted");
	assert_string_equal(outcome(answer, 1), "notfound");
	assert_int_equal(fake.tables.service_count, 0);
	assert_int_equal(version(f), 4);
	must(f, 200, "GET", BACKENDS "/web", NULL);
}

static const struct node *tree_of(struct fixture *f, const char *name)
{
	const struct object_key key = {"default", kind_find("Backend"), "default", name};
	const struct object *o = generation_find(f->engine->now, &key);

	return o ? o->res.root : NULL;
}

static void what_did_not_change_is_shared_by_generations(void **state)
{
	struct fixture *f = *state;
	const struct generation *before;
	const struct node *web, *two;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," BACKEND("two", "10.0.0.8", "10.0.0.9") "," GATEWAY "," ROUTE));
	before = f->engine->now;
	web = tree_of(f, "web");
	two = tree_of(f, "two");
	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," BACKEND("two", "10.0.0.8", "10.0.0.7")));
	assert_ptr_not_equal(f->engine->now, before);
	assert_ptr_equal(tree_of(f, "web"), web);
	assert_ptr_not_equal(tree_of(f, "two"), two);
	assert_null(tree_of(f, "web")->loc.file); /* marks of the request are gone */
	assert_null(tree_of(f, "two")->loc.file);
	before = f->engine->now;
	must(f, 200, "POST", OWN "/apply",
	     APPLY(WEB "," BACKEND("two", "10.0.0.8", "10.0.0.7") "," GATEWAY));
	assert_ptr_equal(f->engine->now, before); /* there was nothing to make */
}

static void an_apply_without_a_change_warns_again(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	for (int i = 0; i < 2; i++) { /* the route's Backend is not there */
		answer = must(f, 200, "POST", OWN "/apply", APPLY(GATEWAY "," ROUTE));
		assert_int_equal(node_count(node_member(answer, "warnings")), 1);
		answer = node_item(node_member(answer, "warnings"), 0);
		assert_int_equal(node_int_at(answer, "index", -1), 1);
	}
}

static void what_does_not_fit_is_refused_before_it_is_stored(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	const char *text;

	fake.meta.slot_lines = 0;
	answer = must(f, 507, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	text = node_text_at(answer, "message", "");
	assert_non_null(strstr(text, "nothing was changed"));
	assert_int_equal(version(f), 0);
	assert_int_equal(fake.applies, 0);
	fake.meta.slot_lines = 4096;
	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	assert_int_equal(fake.tables.service_count, 1);
}

static void when_the_maps_fail_it_is_said_kept_and_tried_again(void **state)
{
	struct fixture *f = *state;
	struct node *answer, *problems;

	fake.apply_error = -EIO;
	answer = must(f, 503, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	assert_non_null(
		strstr(node_text_at(answer, "message", ""), "map slots: cannot be written"));
	assert_string_equal(stored_address(f), "10.0.0.1");
	problems = node_member(must(f, 200, "GET", OWN "/status", NULL), "problems");
	assert_int_equal(node_count(problems), 1);
	fake.apply_error = 0;
	for (int i = 0; i < 500 && !fake.tables.service_count; i++) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(10000);
	}
	assert_int_equal(fake.tables.service_count, 1);
	problems = node_member(must(f, 200, "GET", OWN "/status", NULL), "problems");
	assert_int_equal(node_count(problems), 0);
}

static void a_restart_with_nothing_changed_takes_no_step(void **state)
{
	struct fixture *f = *state;
	struct node *before, *after;
	int applies;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	must(f, 200, "POST", OWN "/endpoints/state",
	     "{\"address\":\"10.0.0.2:8080\",\"state\":\"drain\"}");
	before = must(f, 200, "GET", BACKENDS "/web", NULL);
	applies = fake.applies;
	fixture_close(f);
	fixture_open(f);
	assert_int_equal(fake.applies, applies);
	after = must(f, 200, "GET", BACKENDS "/web", NULL);
	assert_true(node_equal(node_member(before, "metadata"), node_member(after, "metadata")));
	assert_true(node_equal(node_member(before, "spec"), node_member(after, "spec")));
	assert_int_equal(fake.admin[fake_endpoint("10.0.0.2:8080")->id], SPW_ADMIN_DRAIN);
	assert_int_equal(
		admins_get(&f->engine->admins, &fake_endpoint("10.0.0.2:8080")->addr, 8080),
		SPW_ADMIN_DRAIN);
}

static void a_start_on_empty_maps_fills_them(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	fixture_close(f);
	fake_reset();
	fixture_open(f);
	assert_int_equal(fake.tables.service_count, 1);
	assert_int_equal(fake.tables.endpoint_count, 2);
}

/* Another --state-dir, or a lost one: the services in the maps must not go down for it. */
static void a_new_store_beside_maps_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	const char *state_dir = arena_printf(f->arena, "%s/other", f->dir);
	const struct engine_options opts = {
		.haproxy = "/nonexistent",
		.state_dir = state_dir,
		.dataplane = {.run_dir = arena_printf(f->arena, "%s/run", f->dir)},
	};
	struct engine *other = NULL;
	const char *why = NULL;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	fixture_close(f);
	assert_int_equal(uv_loop_init(&f->loop), 0);
	assert_int_equal(engine_open(f->arena, &f->loop, &opts, &other, &why), -EEXIST);
	assert_non_null(strstr(why, state_dir));
	assert_non_null(strstr(why, "--detach"));
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(fake.tables.service_count, 1);
	fixture_open(f);
	assert_int_equal(fake.tables.service_count, 1);
}

static void a_stored_row_that_is_refused_today_is_told_and_can_be_replaced(void **state)
{
	struct fixture *f = *state;
	struct store_change c = {
		.key = {.project = "default",
			.group = "gateway.envoyproxy.io",
			.kind = "Backend",
			.namespace = "default",
			.name = "web",
			.body = "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":"
				"\"Backend\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"old\":1}}"},
	};
	struct node *problems, *answer;

	assert_int_equal(store_commit(f->engine->store, f->arena, &c, 1), 0);
	fixture_close(f);
	fixture_open(f);
	problems = node_member(must(f, 200, "GET", OWN "/status", NULL), "problems");
	assert_int_equal(node_count(problems), 1);
	assert_non_null(strstr(node_item(problems, 0)->text, "Backend default/web"));
	answer = must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	assert_string_equal(outcome(answer, 0), "configured");
	problems = node_member(must(f, 200, "GET", OWN "/status", NULL), "problems");
	assert_int_equal(node_count(problems), 0);
}

static void projects_do_not_see_each_other(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", "/projects/blue/control-plane" OWN "/apply", APPLY(WEB));
	must(f, 404, "GET", BACKENDS "/web", NULL);
	must(f, 200, "GET", "/projects/blue/control-plane" BACKENDS "/web", NULL);
	must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	must(f, 200, "DELETE", "/projects/blue/control-plane" BACKENDS "/web", NULL);
	must(f, 200, "GET", BACKENDS "/web", NULL);
}

static void a_gateway_without_addresses_follows_the_hosts(void **state)
{
	struct fixture *f = *state;
	const char *gateway =
		"{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"Gateway\","
		"\"metadata\":{\"name\":\"edge\"},\"spec\":{\"gatewayClassName\":"
		"\"spillway\",\"listeners\":[{\"name\":\"http\",\"port\":80,"
		"\"protocol\":\"TCP\"}]}}";

	fake.host_count = 1;
	assert_int_equal(addr_parse("198.51.100.1", &fake.host[0]), 0);
	must(f, 200, "POST", OWN "/apply",
	     arena_printf(f->arena, APPLY("%s,%s,%s"), WEB, gateway, ROUTE));
	assert_int_equal(fake.vip_count, 1);
	assert_true(addr_equal(&fake.vips[0], &fake.host[0]));
	assert_int_equal(addr_parse("198.51.100.7", &fake.host[0]), 0);
	for (int i = 0; i < 800 && !addr_equal(&fake.vips[0], &fake.host[0]); i++) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(10000);
	}
	assert_true(addr_equal(&fake.tables.services[0].vip, &fake.host[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_apply_creates_and_reaches_the_maps),
		TEST(the_same_again_is_unchanged_and_writes_nothing),
		TEST(the_generation_is_raised_by_the_spec_alone),
		TEST(what_the_server_owns_is_not_taken_from_a_request),
		TEST(one_mistake_refuses_the_whole_request_and_all_are_named),
		TEST(the_same_object_twice_in_one_request_is_refused),
		TEST(a_dry_run_answers_alike_and_changes_nothing),
		TEST(a_deletion_takes_objects_out_of_store_and_maps),
		TEST(what_did_not_change_is_shared_by_generations),
		TEST(an_apply_without_a_change_warns_again),
		TEST(what_does_not_fit_is_refused_before_it_is_stored),
		TEST(when_the_maps_fail_it_is_said_kept_and_tried_again),
		TEST(a_restart_with_nothing_changed_takes_no_step),
		TEST(a_start_on_empty_maps_fills_them),
		TEST(a_new_store_beside_maps_in_use_is_refused),
		TEST(a_stored_row_that_is_refused_today_is_told_and_can_be_replaced),
		TEST(projects_do_not_see_each_other),
		TEST(a_gateway_without_addresses_follows_the_hosts),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
