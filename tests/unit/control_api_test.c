/* SPDX-License-Identifier: BSD-2-Clause */
/* The API's paths and answers: Kubernetes' shapes, status, endpoints and the operator's word. */
#include <arpa/inet.h>

#include "control/operator.h"

#include "engine_fixture.h"

/* The endpoint's row of the first service that has it. */
static struct node *endpoint_row(struct fixture *f, const char *address)
{
	struct node *services =
		node_member(must(f, 200, "GET", OWN "/endpoints", NULL), "services");
	struct node *list, *row;

	for (size_t i = 0; i < node_count(services); i++) {
		list = node_member(node_item(services, i), "endpoints");
		for (size_t k = 0; k < node_count(list); k++) {
			row = node_item(list, k);
			if (strcmp(node_text_at(row, "address", ""), address) == 0)
				return row;
		}
	}
	return NULL;
}

static void apply_all(struct fixture *f)
{
	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
}

static void unknown_paths_methods_and_kinds_are_refused(void **state)
{
	static const struct {
		int code;
		const char *method, *path, *reason;
	} rows[] = {
		{404, "GET", "/", "NotFound"},
		{404, "GET", "/nope", "NotFound"},
		{404, "GET", OWN "/apply/", "NotFound"},
		{404, "GET", "/apis/gateway.envoyproxy.io/v1alpha1/nopes", "NotFound"},
		{404, "GET", "/apis/gateway.envoyproxy.io/v9/backends", "NotFound"},
		{404, "GET", "/projects//control-plane/version", "NotFound"},
		{404, "GET", "/projects/a/version", "NotFound"},
		{404, "GET", "/projects/A_b/control-plane/version", "NotFound"},
		{404, "GET", "/projects/-a/control-plane/version", "NotFound"},
		{405, "PATCH", BACKENDS "/web", "MethodNotAllowed"},
		{405, "GET", OWN "/endpoints/state", "MethodNotAllowed"},
		{405, "POST", "/version", "MethodNotAllowed"},
	};
	struct fixture *f = *state;
	struct node *answer;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = must(f, rows[i].code, rows[i].method, rows[i].path, "{}");
		assert_string_equal(node_text_at(answer, "kind", ""), "Status");
		assert_string_equal(node_text_at(answer, "reason", ""), rows[i].reason);
		assert_int_equal(node_int_at(answer, "code", 0), rows[i].code);
	}
}

static void version_and_health_answer(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 200, "GET", "/version", NULL);

	assert_string_equal(node_text_at(answer, "gitVersion", ""), "v" SPILLWAY_VERSION);
	assert_string_equal(node_text_at(answer, "major", ""), "0");
	must(f, 200, "GET", "/healthz", NULL);
	assert_string_equal(must(f, 200, "GET", "/projects/p/control-plane/readyz", NULL)->text,
			    "ok");
}

static void objects_come_and_go_by_kubernetes_paths(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 201, "POST", BACKENDS, WEB);

	assert_string_equal(node_text_at(answer, "metadata.namespace", ""), "default");
	assert_string_equal(node_text_at(answer, "spec.type", ""), "Endpoints");
	answer = must(f, 409, "POST", BACKENDS, WEB);
	assert_string_equal(node_text_at(answer, "reason", ""), "AlreadyExists");
	assert_string_equal(node_text_at(answer, "message", ""),
			    "backends.gateway.envoyproxy.io \"web\" already exists");
	must(f, 200, "PUT", BACKENDS "/web", BACKEND("web", "10.0.0.1", "10.0.0.3"));
	must(f, 201, "PUT", BACKENDS "/two", BACKEND("two", "10.0.0.1", "10.0.0.3"));
	answer = must(f, 200, "DELETE", BACKENDS "/web", NULL);
	assert_string_equal(node_text_at(answer, "status", ""), "Success");
	answer = must(f, 404, "GET", BACKENDS "/web", NULL);
	assert_string_equal(node_text_at(answer, "message", ""),
			    "backends.gateway.envoyproxy.io \"web\" not found");
	must(f, 404, "DELETE", BACKENDS "/web", NULL);
}

static void a_put_with_an_old_version_is_a_conflict(void **state)
{
	struct fixture *f = *state;
	struct node *o;
	char *text;

	must(f, 201, "POST", BACKENDS, WEB);
	o = must(f, 200, "GET", BACKENDS "/web", NULL);
	text = node_to_json(o, 0);
	must(f, 200, "PUT", BACKENDS "/web", text);
	must(f, 200, "PUT", BACKENDS "/web", BACKEND("web", "10.0.0.1", "10.0.0.3"));
	o = must(f, 409, "PUT", BACKENDS "/web", text);
	assert_string_equal(node_text_at(o, "reason", ""), "Conflict");
	free(text);
}

static void an_object_must_be_what_its_path_says(void **state)
{
	struct fixture *f = *state;

	must(f, 400, "POST", BACKENDS, GATEWAY);
	must(f, 400, "PUT", BACKENDS "/other", WEB);
	must(f, 400, "POST", "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/a/backends",
	     "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\",\"metadata\":{"
	     "\"name\":\"x\",\"namespace\":\"b\"},\"spec\":{}}");
	must(f, 400, "POST", BACKENDS, "not json");
	must(f, 400, "POST", BACKENDS, "[1]");
	must(f, 422, "POST", BACKENDS, BACKEND("x", "10.0.0.256", "10.0.0.1"));
}

/* What they would store is refused when the daemon reads it again. */
static void names_of_namespaces_are_checked_before_anything_is_stored(void **state)
{
	static const char *const bodies[] = {
		"{\"namespace\":\"Bad NS\",\"objects\":[" WEB "]}",
		"{\"namespace\":\"a.b\",\"objects\":[" WEB "]}",
		"{\"namespace\":\"\",\"objects\":[" WEB "]}",
		"{\"namespace\":7,\"objects\":[" WEB "]}",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		must(f, 400, "POST", OWN "/apply", bodies[i]);
	must(f, 404, "POST", "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/a.b/backends", WEB);
	assert_int_equal(f->engine->now->model->object_count, 0);
}

static void a_dry_run_that_is_not_understood_changes_nothing(void **state)
{
	struct fixture *f = *state;

	must(f, 400, "POST", OWN "/apply", "{\"dryRun\":\"true\",\"objects\":[" WEB "]}");
	must(f, 400, "POST", OWN "/apply", "{\"operation\":7,\"objects\":[" WEB "]}");
	must(f, 400, "POST", OWN "/apply", "{\"operation\":\"x\",\"objects\":[" WEB "]}");
	assert_int_equal(f->engine->now->model->object_count, 0);
}

static void a_list_holds_one_namespace_or_all(void **state)
{
	struct fixture *f = *state;
	struct node *list;

	must(f, 201, "POST", BACKENDS, WEB);
	must(f, 201, "POST", BACKENDS, BACKEND("api", "10.0.0.7", "10.0.0.8"));
	must(f, 201, "POST", "/apis/gateway.envoyproxy.io/v1alpha1/namespaces/two/backends", WEB);
	list = must(f, 200, "GET", BACKENDS, NULL);
	assert_string_equal(node_text_at(list, "kind", ""), "BackendList");
	assert_string_equal(node_text_at(list, "metadata.resourceVersion", ""), "3");
	assert_int_equal(node_count(node_member(list, "items")), 2);
	assert_string_equal(
		node_text_at(node_item(node_member(list, "items"), 0), "metadata.name", ""), "api");
	list = must(f, 200, "GET", "/apis/gateway.envoyproxy.io/v1alpha1/backends", NULL);
	assert_int_equal(node_count(node_member(list, "items")), 3);
}

static const struct node *condition(const struct node *list, const char *type)
{
	for (size_t i = 0; i < node_count(list); i++) {
		if (strcmp(node_text_at(node_item(list, i), "type", ""), type) == 0)
			return node_item(list, i);
	}
	return NULL;
}

static void status_has_the_gateway_apis_shape(void **state)
{
	struct fixture *f = *state;
	const struct node *c, *parent, *listener;
	struct node *o;

	apply_all(f);
	o = must(f, 200, "GET", BACKENDS "/web", NULL);
	c = condition(node_at(o, "status.conditions"), "Accepted");
	assert_string_equal(node_text_at(c, "status", ""), "True");
	assert_int_equal(node_int_at(c, "observedGeneration", 0), 1);
	assert_int_equal(strlen(node_text_at(c, "lastTransitionTime", "")), 20);

	o = must(f, 200, "GET", GATEWAYS "/edge", NULL);
	assert_non_null(condition(node_at(o, "status.conditions"), "Accepted"));
	listener = node_item(node_at(o, "status.listeners"), 0);
	assert_string_equal(node_text_at(listener, "name", ""), "http");
	assert_int_equal(node_int_at(listener, "attachedRoutes", 0), 1);
	assert_non_null(condition(node_member(listener, "conditions"), "Accepted"));
	assert_string_equal(node_text_at(node_item(node_at(o, "status.addresses"), 0), "value", ""),
			    "192.0.2.1");

	o = must(f, 200, "GET",
		 "/apis/gateway.networking.k8s.io/v1alpha2/namespaces/default/tcproutes/web", NULL);
	parent = node_item(node_at(o, "status.parents"), 0);
	assert_int_equal(node_count(node_at(o, "status.parents")), 1);
	assert_string_equal(node_text_at(parent, "parentRef.name", ""), "edge");
	assert_string_equal(node_text_at(parent, "parentRef.namespace", ""), "default");
	c = condition(node_member(parent, "conditions"), "Accepted");
	assert_string_equal(node_text_at(c, "status", ""), "True");
}

static void a_condition_keeps_its_time_until_its_status_changes(void **state)
{
	struct fixture *f = *state;
	const struct generation *g;
	struct object_key key = {.project = "default",
				 .kind = &kinds[KIND_BACKEND],
				 .namespace = "default",
				 .name = "web"};
	const struct object *o;

	apply_all(f);
	g = f->engine->now;
	o = generation_find(g, &key);
	o->conditions[0].since_s = 1000;
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("api", "10.0.0.7", "10.0.0.8")));
	g = f->engine->now;
	assert_int_equal(generation_find(g, &key)->conditions[0].since_s, 1000);
}

static void endpoints_out_of_reach_show_in_their_backends_status(void **state)
{
	struct fixture *f = *state;
	const struct node *c;
	struct node *answer;

	apply_all(f);
	answer = must(f, 200, "GET", BACKENDS "/web", NULL);
	assert_null(condition(node_at(answer, "status.conditions"), "Programmed"));
	fake.obstacle = "this host has no route to it";
	answer = must(f, 200, "GET", BACKENDS "/web", NULL);
	c = condition(node_at(answer, "status.conditions"), "Programmed");
	assert_string_equal(node_text_at(c, "status", ""), "False");
	assert_string_equal(node_text_at(c, "reason", ""), "EndpointsOutOfReach");
	assert_string_equal(
		node_text_at(c, "message", ""),
		"endpoint 10.0.0.1:8080: this host has no route to it (and 1 more of its "
		"endpoints)");
	answer = must(f, 200, "GET", OWN "/status", NULL);
	assert_int_equal(node_count(node_member(answer, "problems")), 1);
	assert_non_null(strstr(node_item(node_member(answer, "problems"), 0)->text,
			       "Backend default/web: Programmed=False (EndpointsOutOfReach): "));
}

static void what_is_no_utf8_is_not_repeated(void **state)
{
	struct fixture *f = *state;
	struct node *answer = must(f, 400, "GET", BACKENDS "/\xd3\x01", NULL);

	assert_string_equal(node_text_at(answer, "message", ""),
			    "the path or the query is no UTF-8");
	must(f, 400, "GET", OWN "/flows?endpoint=\xff", NULL);
	must(f, 404, "GET", BACKENDS "/\xc3\xa4", NULL);
}

static void the_status_says_how_full_the_maps_are(void **state)
{
	struct fixture *f = *state;
	const struct node *maps;

	apply_all(f);
	maps = node_member(must(f, 200, "GET", OWN "/status", NULL), "maps");
	assert_int_equal(node_int_at(maps, "services.count", -1), 1);
	assert_int_equal(node_int_at(maps, "services.max", -1), 16);
	assert_int_equal(node_int_at(maps, "endpoints.count", -1), 2);
	assert_int_equal(node_int_at(maps, "endpoints.max", -1), 63);
	assert_int_equal(node_int_at(maps, "slots.count", -1) % 32, 0);
	assert_true(node_int_at(maps, "slots.count", -1) >= 64);
	assert_int_equal(node_int_at(maps, "slots.max", -1), 4096 * 32);
}

static void an_address_that_cannot_be_claimed_shows_in_the_gateways_status(void **state)
{
	struct fixture *f = *state;
	const struct node *c;

	apply_all(f);
	fake.vip_problem = "192.0.2.1: another host answers for it";
	c = condition(node_at(must(f, 200, "GET", GATEWAYS "/edge", NULL), "status.conditions"),
		      "Programmed");
	assert_string_equal(node_text_at(c, "status", ""), "False");
	assert_string_equal(node_text_at(c, "reason", ""), "AddressNotUsable");
	assert_string_equal(node_text_at(c, "message", ""), fake.vip_problem);
}

static void endpoints_show_shares_states_and_counters(void **state)
{
	struct fixture *f = *state;
	struct node *services, *s, *row;

	apply_all(f);
	fake.stats[fake_endpoint("10.0.0.1:8080")->id] = (struct spw_endpoint_stats){
		.flows_opened = 10, .flows_closed = 7, .packets_in = 5, .bytes_in = 500};
	services = node_member(must(f, 200, "GET", OWN "/endpoints", NULL), "services");
	assert_int_equal(node_count(services), 1);
	s = node_item(services, 0);
	assert_string_equal(node_text_at(s, "name", ""), "default/web");
	assert_string_equal(node_text_at(s, "gateway", ""), "default/edge");
	assert_string_equal(node_text_at(s, "listener", ""), "http");
	assert_string_equal(node_text_at(s, "route", ""), "TCPRoute");
	assert_string_equal(node_text_at(s, "vip", ""), "192.0.2.1");
	assert_int_equal(node_int_at(s, "port", 0), 80);
	assert_int_equal(node_int_at(node_item(node_member(s, "tiers"), 0), "healthy", 0), 2);
	assert_int_equal(node_int_at(node_item(node_member(s, "tiers"), 0), "loadPercent", 0), 100);
	assert_int_equal(node_int_at(node_item(node_member(s, "tiers"), 0), "availablePercent", 0),
			 100);
	assert_string_equal(node_text_at(s, "noEndpoint.new", ""), "answer");
	assert_string_equal(node_text_at(s, "noEndpoint.established", ""), "leave");
	assert_int_equal(node_int_at(s, "idleTimeoutSeconds.embryonic", 0), 30);
	assert_int_equal(node_int_at(s, "idleTimeoutSeconds.established", 0), 7440);
	assert_int_equal(node_int_at(s, "idleTimeoutSeconds.closing", 0), 60);
	assert_false(node_bool_at(s, "empty", true));
	assert_int_equal(node_int_at(s, "table.size", 0), 251);
	assert_int_equal(strlen(node_text_at(s, "table.digest", "")), 16);
	assert_true(node_member(s, "zone")->type == NODE_NULL);
	row = endpoint_row(f, "10.0.0.1:8080");
	assert_string_equal(node_text_at(row, "backend", ""), "default/web");
	assert_string_equal(node_text_at(row, "state", ""), "up");
	assert_string_equal(node_text_at(row, "admin", ""), "auto");
	assert_string_equal(node_text_at(row, "kind", ""), "ip");
	assert_string_equal(node_text_at(row, "path", ""), "xdp");
	assert_string_equal(node_text_at(row, "pathReason", ""), "mode nat");
	assert_true(node_bool_at(row, "carried", false));
	assert_false(node_bool_at(row, "passive", true));
	assert_int_equal(node_int_at(row, "rampPercent", 0), 100);
	assert_int_equal(node_int_at(row, "ejections", -1), 0);
	assert_int_equal(node_int_at(row, "ejectedSecondsLeft", -1), 0);
	assert_int_equal(node_int_at(row, "activeFlows", 0), 3);
	assert_int_equal(node_int_at(row, "totalFlows", 0), 10);
	assert_int_equal(node_int_at(row, "bytesIn", 0), 500);
	assert_true(node_member(row, "problem")->type == NODE_NULL);
}

static void metrics_have_counters_flows_and_endpoints(void **state)
{
	static const char *const lines[] = {
		"# TYPE spillway_events_total counter\n",
		"spillway_events_total{name=\"drop_no_endpoint\",kind=\"drop\"} 10\n",
		"spillway_endpoint_up{backend=\"default/web\",endpoint=\"10.0.0.1:8080\",fqdn=\"\","
		"path=\"xdp\",number=\"1\"} 1\n",
		"spillway_endpoint_flows_active{backend=\"default/web\",endpoint=\"10.0.0.1:8080\","
		"fqdn=\"\",path=\"xdp\",number=\"1\"} 3\n",
		"spillway_tables_in_force 1\n",
	};
	struct fixture *f = *state;
	const char *text;

	apply_all(f);
	fake.stats[fake_endpoint("10.0.0.1:8080")->id] =
		(struct spw_endpoint_stats){.flows_opened = 10, .flows_closed = 7};
	text = must(f, 200, "GET", "/metrics", NULL)->text;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(strstr(text, lines[i]));
}

static void what_is_not_seen_of_direct_return_is_null_and_no_metric(void **state)
{
	static const char *const keys[] = {"activeFlows", "totalFlows", "packetsOut", "bytesOut"};
	struct fixture *f = *state;
	const char *text;
	struct node *row;

	must(f, 200, "POST", OWN "/apply",
	     APPLY(DIRECT("web", "l2", "10.0.0.1", "10.0.0.2") "," GATEWAY "," ROUTE));
	fake.stats[fake_endpoint("10.0.0.1:80")->id] =
		(struct spw_endpoint_stats){.flows_opened = 3, .packets_in = 7};
	row = endpoint_row(f, "10.0.0.1:80");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(node_member(row, keys[i])->type, NODE_NULL);
	assert_int_equal(node_int_at(row, "packetsIn", 0), 7);
	assert_string_equal(node_text_at(row, "pathReason", ""), "mode l2");
	text = must(f, 200, "GET", "/metrics", NULL)->text;
	assert_null(strstr(text, "spillway_endpoint_flows_active{"));
	assert_null(strstr(text, "spillway_endpoint_packets_out_total{"));
	assert_non_null(strstr(text, "spillway_endpoint_packets_in_total{backend=\"default/web\","
				     "endpoint=\"10.0.0.1:80\""));
}

static void endpoints_can_be_asked_of_one_service(void **state)
{
	static const struct {
		const char *query;
		size_t count;
	} rows[] = {
		{"", 1},
		{"?service=web", 1},
		{"?service=web&namespace=default", 1},
		{"?service=default/web", 1},
		{"?service=web&namespace=two", 0},
		{"?service=nope", 0},
		{"?namespace=two", 0},
		{"?namespace=default", 1},
	};
	struct fixture *f = *state;
	struct node *answer;

	apply_all(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = must(f, 200, "GET",
			      arena_printf(f->arena, OWN "/endpoints%s", rows[i].query), NULL);
		assert_int_equal(node_count(node_member(answer, "services")), rows[i].count);
	}
}

static void the_operators_word_is_in_the_maps_when_the_answer_comes(void **state)
{
	static const struct {
		const char *word, *state;
		enum spw_admin admin;
		bool pickable;
	} rows[] = {
		{"down", "down", SPW_ADMIN_DOWN, false},
		{"drain", "draining", SPW_ADMIN_DRAIN, false},
		{"up", "up", SPW_ADMIN_UP, true},
		{"auto", "up", SPW_ADMIN_AUTO, true},
	};
	struct fixture *f = *state;
	const char *from = "auto";
	struct node *row;

	apply_all(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		row = must(f, 200, "POST", OWN "/endpoints/state",
			   arena_printf(f->arena,
					"{\"address\":\"10.0.0.1:8080\",\"state\":\"%s\"}",
					rows[i].word));
		row = node_item(node_member(row, "endpoints"), 0);
		assert_string_equal(node_text_at(row, "from", ""), from);
		assert_string_equal(node_text_at(row, "to", ""), rows[i].word);
		assert_int_equal(fake.admin[fake_endpoint("10.0.0.1:8080")->id], rows[i].admin);
		assert_int_equal(fake_endpoint("10.0.0.1:8080")->pickable, rows[i].pickable);
		row = endpoint_row(f, "10.0.0.1:8080");
		assert_string_equal(node_text_at(row, "state", ""), rows[i].state);
		assert_string_equal(node_text_at(row, "admin", ""), rows[i].word);
		from = rows[i].word;
	}
}

/* A full disk, a lost file: the server that must go out goes out. */
static void a_word_is_in_force_even_when_the_store_fails(void **state)
{
	struct fixture *f = *state;
	const char *path = arena_printf(f->arena, "%s/state/spillway.db", f->dir);
	const char *away = arena_printf(f->arena, "%s/away.db", f->dir);
	struct node *answer;

	apply_all(f);
	assert_int_equal(rename(path, away), 0);
	answer = must(f, 503, "POST", OWN "/endpoints/state",
		      "{\"address\":\"10.0.0.1:8080\",\"state\":\"down\"}");
	assert_non_null(strstr(node_text_at(answer, "message", ""), "in force, but"));
	assert_int_equal(fake.admin[fake_endpoint("10.0.0.1:8080")->id], SPW_ADMIN_DOWN);
	assert_false(fake_endpoint("10.0.0.1:8080")->pickable);
	operator_keep_again(f->engine);
	assert_true(fake.by_hand[fake_endpoint("10.0.0.1:8080")->id]);
	assert_int_equal(rename(away, path), 0);
	operator_keep_again(f->engine);
	assert_false(fake.by_hand[fake_endpoint("10.0.0.1:8080")->id]);
	fixture_close(f);
	fixture_open(f);
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.1:8080"), "admin", ""), "down");
}

/* What the maps hold when the store answers, be it late, wrongly or never. */
static void a_word_is_in_the_packet_path_before_the_store_has_it(void **state)
{
	struct fixture *f = *state;
	const char *path = arena_printf(f->arena, "%s/state/spillway.db", f->dir);
	const char *away = arena_printf(f->arena, "%s/away.db", f->dir);
	uint32_t id;

	apply_all(f);
	id = fake_endpoint("10.0.0.1:8080")->id;
	must(f, 200, "POST", OWN "/endpoints/state",
	     "{\"address\":\"10.0.0.1:8080\",\"state\":\"drain\"}");
	assert_int_equal(fake.unkept, 1);
	assert_false(fake.by_hand[id]);
	assert_int_equal(rename(path, away), 0);
	must(f, 503, "POST", OWN "/endpoints/state",
	     "{\"address\":\"10.0.0.1:8080\",\"state\":\"down\"}");
	assert_int_equal(rename(away, path), 0);
	fixture_close(f); /* a crash before the store had it looks like this to the next one */
	assert_true(fake.by_hand[id]);
	assert_int_equal(fake.admin[id], SPW_ADMIN_DOWN);
	fixture_open(f);
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.1:8080"), "admin", ""), "down");
	assert_false(fake.by_hand[id]);
}

static void a_word_without_port_means_all_ports(void **state)
{
	struct fixture *f = *state;
	struct node *list;

	must(f, 200, "POST", OWN "/apply",
	     APPLY("{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
		   "\"metadata\":{\"name\":\"web\"},\"spec\":{\"endpoints\":["
		   "{\"ip\":{\"address\":\"10.0.0.1\",\"port\":81}},"
		   "{\"ip\":{\"address\":\"10.0.0.1\",\"port\":80}},"
		   "{\"ip\":{\"address\":\"10.0.0.2\",\"port\":80}}]}}," GATEWAY "," ROUTE));
	list = node_member(must(f, 200, "POST", OWN "/endpoints/state",
				"{\"address\":\"10.0.0.1\",\"state\":\"down\"}"),
			   "endpoints");
	assert_int_equal(node_count(list), 2);
	assert_string_equal(node_text_at(node_item(list, 0), "address", ""), "10.0.0.1:80");
	assert_string_equal(node_text_at(node_item(list, 1), "address", ""), "10.0.0.1:81");
	assert_true(fake_endpoint("10.0.0.2:80")->pickable);
}

static void a_word_for_nobody_is_refused(void **state)
{
	static const struct {
		int code;
		const char *body;
	} rows[] = {
		{404, "{\"address\":\"10.9.9.9:80\",\"state\":\"down\"}"},
		{404, "{\"address\":\"10.0.0.1:81\",\"state\":\"down\"}"},
		{400, "{\"address\":\"10.0.0.1:8080\",\"state\":\"sideways\"}"},
		{400, "{\"address\":\"web\",\"state\":\"down\"}"},
		{400, "{}"},
		{400, ""},
	};
	struct fixture *f = *state;

	apply_all(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		must(f, rows[i].code, "POST", OWN "/endpoints/state", rows[i].body);
	assert_true(fake_endpoint("10.0.0.1:8080")->pickable);
}

static void a_word_waits_for_its_endpoint(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	must(f, 200, "POST", OWN "/endpoints/state",
	     "{\"address\":\"10.0.0.1:8080\",\"state\":\"down\"}");
	must(f, 200, "DELETE", BACKENDS "/web", NULL);
	assert_null(fake_endpoint("10.0.0.1:8080"));
	must(f, 201, "POST", BACKENDS, WEB);
	assert_false(fake_endpoint("10.0.0.1:8080")->pickable);
	assert_int_equal(fake.admin[fake_endpoint("10.0.0.1:8080")->id], SPW_ADMIN_DOWN);
}

static void set_by_hand(const char *address, enum spw_admin admin)
{
	fake.admin[fake_endpoint(address)->id] = admin;
	fake.by_hand[fake_endpoint(address)->id] = true;
}

static void a_word_set_without_a_daemon_wins_over_the_stores(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	must(f, 200, "POST", OWN "/endpoints/state",
	     "{\"address\":\"10.0.0.1:8080\",\"state\":\"down\"}");
	fixture_close(f);
	set_by_hand("10.0.0.1:8080", SPW_ADMIN_AUTO);
	set_by_hand("10.0.0.2:8080", SPW_ADMIN_DRAIN);
	fixture_open(f);
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.1:8080"), "admin", ""), "auto");
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.2:8080"), "admin", ""), "drain");
	assert_true(fake_endpoint("10.0.0.1:8080")->pickable);
	assert_false(fake_endpoint("10.0.0.2:8080")->pickable);
	assert_false(fake.by_hand[fake_endpoint("10.0.0.1:8080")->id]);
	assert_false(fake.by_hand[fake_endpoint("10.0.0.2:8080")->id]);
	fixture_close(f); /* and the store has them */
	fixture_open(f);
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.1:8080"), "admin", ""), "auto");
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.2:8080"), "admin", ""), "drain");
}

static void a_word_in_the_maps_that_nobody_wrote_by_hand_yields_to_the_store(void **state)
{
	struct fixture *f = *state;

	apply_all(f);
	fixture_close(f);
	fake.admin[fake_endpoint("10.0.0.2:8080")->id] = SPW_ADMIN_DRAIN;
	fixture_open(f);
	assert_string_equal(node_text_at(endpoint_row(f, "10.0.0.2:8080"), "admin", ""), "auto");
	assert_int_equal(fake.admin[fake_endpoint("10.0.0.2:8080")->id], SPW_ADMIN_AUTO);
	assert_true(fake_endpoint("10.0.0.2:8080")->pickable);
}

static void stats_list_every_counter_in_order(void **state)
{
	struct fixture *f = *state;
	struct node *list = node_member(must(f, 200, "GET", OWN "/stats", NULL), "counters");

	assert_int_equal(node_count(list), SPW_STAT_MAX);
	for (size_t i = 0; i < SPW_STAT_MAX; i++)
		assert_int_equal(node_int_at(node_item(list, i), "value", -1), i);
	assert_string_equal(node_text_at(node_item(list, SPW_DROP_TTL), "name", ""), "drop_ttl");
	assert_string_equal(node_text_at(node_item(list, SPW_DROP_TTL), "kind", ""), "drop");
}

static void stats_of_a_service_are_shown_when_it_has_limits(void **state)
{
	static const char limited[] =
		"{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","
		"\"metadata\":{\"name\":\"web\",\"annotations\":{"
		"\"spillway.dev/new-flows-per-second\":\"10\"}},\"spec\":{\"parentRefs\":[{"
		"\"name\":\"edge\"}],\"rules\":[{\"backendRefs\":[{\"group\":"
		"\"gateway.envoyproxy.io\",\"kind\":\"Backend\",\"name\":\"web\"}]}]}}";
	struct fixture *f = *state;
	const struct node *list, *row;

	(void)must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	list = node_member(must(f, 200, "GET", OWN "/stats", NULL), "services");
	assert_int_equal(node_count(list), 0);
	(void)must(f, 200, "POST", OWN "/apply",
		   arena_printf(f->arena, "{\"objects\":[%s]}", limited));
	list = node_member(must(f, 200, "GET", OWN "/stats", NULL), "services");
	assert_int_equal(node_count(list), 1);
	row = node_item(list, 0);
	assert_string_equal(node_text_at(row, "address", ""), "192.0.2.1:80");
	assert_string_equal(node_text_at(row, "protocol", ""), "TCP");
	assert_int_equal(node_int_at(row, "denied", 0), 1);
	assert_int_equal(node_int_at(row, "notAllowed", 0), 2);
	assert_int_equal(node_int_at(row, "limited", 0), 3);
	assert_int_equal(node_int_at(row, "sourceLimited", 0), 4);
}

static struct flow_row flow(const char *client, const char *endpoint, uint32_t bits)
{
	struct flow_row row = {.state = bits, .age_ms = 2500, .idle_ms = 400, .source_port = 1024};
	uint16_t port;

	assert_int_equal(addr_parse_port(client, &row.key.saddr, &port), 0);
	row.key.sport = htons(port);
	row.key.dport = htons(80);
	row.key.proto = IPPROTO_TCP;
	assert_int_equal(addr_parse("192.0.2.1", &row.key.daddr), 0);
	assert_int_equal(addr_parse("10.0.0.254", &row.source), 0);
	assert_int_equal(addr_parse_port(endpoint, &row.endpoint, &row.endpoint_port), 0);
	return row;
}

static void flows_are_listed_filtered_and_cut(void **state)
{
	struct fixture *f = *state;
	struct node *answer, *row;

	fake.flows[0] = flow("203.0.113.5:40000", "10.0.0.1:80", SPW_FLOW_ESTABLISHED);
	fake.flows[1] = flow("[2001:db8::5]:40000", "[2001:db8::1]:80", 0);
	fake.flows[2] = flow("203.0.113.5:40001", "10.0.0.1:81",
			     SPW_FLOW_ESTABLISHED | SPW_FLOW_FIN_CLIENT);
	fake.flows[3] = flow("203.0.113.5:40002", "[100::1]:443", SPW_FLOW_ESTABLISHED);
	fake.flows[3].source_port = 0; /* handed off */
	fake.flow_count = 4;
	answer = must(f, 200, "GET", OWN "/flows", NULL);
	assert_int_equal(node_int_at(answer, "count", 0), 4);
	row = node_item(node_member(answer, "flows"), 3);
	assert_true(node_member(row, "source")->type == NODE_NULL);
	assert_string_equal(node_text_at(row, "endpoint", ""), "[100::1]:443");
	row = node_item(node_member(answer, "flows"), 0);
	assert_string_equal(node_text_at(row, "client", ""), "203.0.113.5:40000");
	assert_string_equal(node_text_at(row, "vip", ""), "192.0.2.1:80");
	assert_string_equal(node_text_at(row, "source", ""), "10.0.0.254:1024");
	assert_string_equal(node_text_at(row, "endpoint", ""), "10.0.0.1:80");
	assert_string_equal(node_text_at(row, "state", ""), "established");
	assert_int_equal(node_int_at(row, "ageSeconds", 0), 2);
	row = node_item(node_member(answer, "flows"), 1);
	assert_string_equal(node_text_at(row, "state", ""), "embryonic");
	row = node_item(node_member(answer, "flows"), 2);
	assert_string_equal(node_text_at(row, "state", ""), "closing");
	answer = must(f, 200, "GET", OWN "/flows?endpoint=10.0.0.1", NULL);
	assert_int_equal(node_int_at(answer, "count", 0), 2);
	answer = must(f, 200, "GET", OWN "/flows?endpoint=10.0.0.1:81", NULL);
	assert_int_equal(node_int_at(answer, "count", 0), 1);
	answer = must(f, 200, "GET", OWN "/flows?limit=2", NULL);
	assert_int_equal(node_int_at(answer, "count", 0), 2);
	assert_true(node_bool_at(answer, "truncated", false));
	must(f, 400, "GET", OWN "/flows?limit=-1", NULL);
	must(f, 400, "GET", OWN "/flows?endpoint=nobody", NULL);
	answer = must(f, 200, "GET", OWN "/flows/count", NULL);
	assert_int_equal(node_int_at(answer, "max", 0), 4096);
}

static void the_status_counts_what_is_there(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	apply_all(f);
	answer = must(f, 200, "GET", OWN "/status", NULL);
	assert_int_equal(node_int_at(answer, "pid", 0), getpid());
	assert_int_equal(node_int_at(answer, "resources.Backend", 0), 1);
	assert_int_equal(node_int_at(answer, "services", 0), 1);
	assert_int_equal(node_int_at(answer, "endpoints", 0), 2);
	assert_int_equal(node_int_at(answer, "health.up", 0), 2);
	assert_int_equal(node_int_at(answer, "health.down", -1), 0);
	assert_true(node_member(answer, "zone")->type == NODE_NULL);
	assert_string_equal(node_text_at(answer, "resourceVersion", ""), "3");
	assert_string_equal(node_text_at(node_item(node_member(answer, "vips"), 0), "address", ""),
			    "192.0.2.1");
	assert_string_equal(
		node_text_at(node_item(node_member(answer, "interfaces"), 0), "mode", ""),
		"native");
}

static void the_status_names_resources_that_do_not_do_what_they_say(void **state)
{
	struct fixture *f = *state;
	struct node *answer;
	const char *text;

	(void)must(f, 200, "POST", OWN "/apply", APPLY(GATEWAY "," ROUTE));
	answer = must(f, 200, "GET", OWN "/status", NULL);
	assert_int_equal(node_count(node_member(answer, "problems")), 1);
	text = node_item(node_member(answer, "problems"), 0)->text;
	assert_non_null(strstr(text, "TCPRoute default/web: ResolvedRefs=False (BackendNotFound)"));
	(void)must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	answer = must(f, 200, "GET", OWN "/status", NULL);
	assert_int_equal(node_count(node_member(answer, "problems")), 0);
}

static void an_apply_warns_of_others_only_what_it_brought_about(void **state)
{
	struct fixture *f = *state;
	struct node *answer;

	answer = must(f, 200, "POST", OWN "/apply", APPLY(GATEWAY "," ROUTE));
	assert_int_equal(node_count(node_member(answer, "warnings")), 1);
	assert_int_equal(node_int_at(node_item(node_member(answer, "warnings"), 0), "index", -7),
			 1);
	answer =
		must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("other", "10.0.0.8", "10.0.0.9")));
	assert_int_equal(node_count(node_member(answer, "warnings")), 0);
	(void)must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	(void)must(f, 200, "DELETE", BACKENDS "/web", NULL);
	(void)must(f, 200, "POST", OWN "/apply", APPLY(WEB));
	answer = must(f, 200, "POST", OWN "/apply",
		      "{\"operation\":\"delete\",\"objects\":[" WEB "]}");
	assert_int_equal(node_count(node_member(answer, "warnings")), 1);
	assert_int_equal(node_int_at(node_item(node_member(answer, "warnings"), 0), "index", -7),
			 -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_paths_methods_and_kinds_are_refused),
		TEST(version_and_health_answer),
		TEST(objects_come_and_go_by_kubernetes_paths),
		TEST(a_put_with_an_old_version_is_a_conflict),
		TEST(an_object_must_be_what_its_path_says),
		TEST(names_of_namespaces_are_checked_before_anything_is_stored),
		TEST(a_dry_run_that_is_not_understood_changes_nothing),
		TEST(a_list_holds_one_namespace_or_all),
		TEST(status_has_the_gateway_apis_shape),
		TEST(a_condition_keeps_its_time_until_its_status_changes),
		TEST(endpoints_out_of_reach_show_in_their_backends_status),
		TEST(what_is_no_utf8_is_not_repeated),
		TEST(the_status_says_how_full_the_maps_are),
		TEST(an_address_that_cannot_be_claimed_shows_in_the_gateways_status),
		TEST(endpoints_show_shares_states_and_counters),
		TEST(metrics_have_counters_flows_and_endpoints),
		TEST(what_is_not_seen_of_direct_return_is_null_and_no_metric),
		TEST(endpoints_can_be_asked_of_one_service),
		TEST(the_operators_word_is_in_the_maps_when_the_answer_comes),
		TEST(a_word_is_in_force_even_when_the_store_fails),
		TEST(a_word_is_in_the_packet_path_before_the_store_has_it),
		TEST(a_word_without_port_means_all_ports),
		TEST(a_word_for_nobody_is_refused),
		TEST(a_word_waits_for_its_endpoint),
		TEST(a_word_set_without_a_daemon_wins_over_the_stores),
		TEST(a_word_in_the_maps_that_nobody_wrote_by_hand_yields_to_the_store),
		TEST(stats_list_every_counter_in_order),
		TEST(stats_of_a_service_are_shown_when_it_has_limits),
		TEST(flows_are_listed_filtered_and_cut),
		TEST(the_status_counts_what_is_there),
		TEST(the_status_names_resources_that_do_not_do_what_they_say),
		TEST(an_apply_warns_of_others_only_what_it_brought_about),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
