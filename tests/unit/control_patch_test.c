/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes of single Backends in an engine that runs: what a patched generation hands on and what it makes anew. */
#include "engine_fixture.h"

#define GATEWAYS_COUNT 6
#define BACKENDS_COUNT 12
#define CHANGES	       200
#define RESTARTS_EACH  20

static unsigned int pick(unsigned int below)
{
	static uint64_t seed = 7;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(seed >> 33) % below;
}

static const char *backend_text(struct arena *a, unsigned int n)
{
	const char *list = "";

	for (unsigned int i = pick(4) + 1; i; i--)
		list = arena_printf(a, "%s%s{\"ip\":{\"address\":\"10.0.0.%u\",\"port\":%u}%s}",
				    list, list[0] ? "," : "", pick(20) + 1, 8080 + pick(2),
				    pick(3) ? "" : ",\"zone\":\"z\"");
	return arena_printf(
		a,
		"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
		"\"metadata\":{\"name\":\"b%u\"},\"spec\":{\"fallback\":%s,"
		"\"endpoints\":[%s]}}",
		n, pick(3) ? "false" : "true", list);
}

static const char *gateway_text(struct arena *a, unsigned int n)
{
	return arena_printf(a,
			    "{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"Gateway\","
			    "\"metadata\":{\"name\":\"g%u\"},\"spec\":{\"gatewayClassName\":\"c\","
			    "\"addresses\":[{\"value\":\"192.0.2.%u\"}],\"listeners\":[{\"name\":"
			    "\"l\",\"port\":80,\"protocol\":\"TCP\"}]}}",
			    n, n + 1);
}

static const char *route_text(struct arena *a, unsigned int n)
{
	static const char ref[] =
		"{\"group\":\"gateway.envoyproxy.io\",\"kind\":\"Backend\",\"name\":\"b%u\"}";
	const char *one = arena_printf(a, ref, 2 * n), *two = arena_printf(a, ref, 2 * n + 1);

	return arena_printf(
		a,
		"{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","
		"\"metadata\":{\"name\":\"r%u\"},\"spec\":{\"parentRefs\":[{\"name\":\"g%u\"}],"
		"\"rules\":[{\"backendRefs\":[%s,%s]}]}}",
		n, n, one, two);
}

static void apply_text(struct fixture *f, const char *objects)
{
	must(f, 200, "POST", OWN "/apply", arena_printf(f->arena, APPLY("%s"), objects));
}

static void apply_world(struct fixture *f)
{
	struct arena *a = f->arena;
	const char *all = backend_text(a, 0);

	for (unsigned int n = 1; n < BACKENDS_COUNT; n++)
		all = arena_printf(a, "%s,%s", all, backend_text(a, n));
	for (unsigned int n = 0; n < GATEWAYS_COUNT; n++)
		all = arena_printf(a, "%s,%s,%s", all, gateway_text(a, n), route_text(a, n));
	apply_text(f, all);
}

static bool is_patched(const struct fixture *f)
{
	return f->engine->now->held_count > 0;
}

/* All that the API tells of Backends, routes and Gateways. */
static const char *told(struct fixture *f)
{
	static const char *const paths[] = {
		"/apis/gateway.envoyproxy.io/v1alpha1/backends",
		"/apis/gateway.networking.k8s.io/v1alpha2/tcproutes",
		"/apis/gateway.networking.k8s.io/v1/gateways",
	};
	const char *all = "";

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *text = node_to_json(must(f, 200, "GET", paths[i], NULL), 0);

		all = arena_printf(f->arena, "%s%s\n", all, text);
		free(text);
	}
	return all;
}

static void set_some_word(struct fixture *f)
{
	static const char *const words[] = {"down", "drain", "auto", "up"};
	const struct generation *g = f->engine->now;
	const struct instance *i =
		&g->model->instances[pick((unsigned int)g->model->instance_count)];

	must(f, 200, "POST", OWN "/endpoints/state",
	     arena_printf(f->arena, "{\"address\":\"%s\",\"state\":\"%s\"}", i->name,
			  words[pick(4)]));
}

/* The instances are in order, and each has what its address stands for. */
static void check_entries(const struct generation *g, const struct engine *e)
{
	for (size_t i = 0; i < g->model->instance_count; i++) {
		const struct instance *in = g->by_address[i];

		assert_true(i == 0 || instance_compare(g->by_address[i - 1], in) <= 0);
		assert_int_equal(g->entries[in->index].admin,
				 admins_get(&e->admins, &in->addr, in->port));
	}
	assert_int_equal(g->by_address_count, g->model->instance_count);
}

static void check_counts(const struct generation *g)
{
	for (size_t i = 0; i < g->model->service_count; i++) {
		uint32_t healthy = 0;

		for (size_t n = 0; n < g->model->instance_count; n++) {
			const struct instance *in = &g->model->instances[n];

			for (size_t s = 0; s < in->service_count; s++)
				healthy += in->services[s] == i &&
					   health_is_healthy(&g->entries[in->index]);
		}
		assert_int_equal(g->healthy[i], healthy);
	}
}

/* After a restart everything is resolved as a whole, from the store; the maps need no write then. */
static void check_restart(struct fixture *f)
{
	const char *before = told(f);
	const int applies = fake.applies;

	fixture_close(f);
	fixture_open(f);
	assert_string_equal(told(f), before);
	assert_int_equal(fake.applies, applies);
}

static void a_restart_finds_what_patches_made(void **state)
{
	struct fixture *f = *state;
	size_t patches = 0;

	apply_world(f);
	assert_false(is_patched(f));
	for (unsigned int i = 1; i <= CHANGES; i++) {
		const struct generation *before = f->engine->now;

		apply_text(f, backend_text(f->arena, pick(BACKENDS_COUNT)));
		patches += f->engine->now != before && is_patched(f);
		check_entries(f->engine->now, f->engine);
		check_counts(f->engine->now);
		if (pick(2))
			set_some_word(f);
		if (i % RESTARTS_EACH == 0)
			check_restart(f);
	}
	assert_true(patches > CHANGES / 2);
}

static void a_change_of_a_kind_that_others_depend_on_is_resolved_as_a_whole(void **state)
{
	struct fixture *f = *state;

	apply_world(f);
	apply_text(f, backend_text(f->arena, 1));
	assert_true(is_patched(f));
	apply_text(f, gateway_text(f->arena, GATEWAYS_COUNT));
	assert_false(is_patched(f));
	apply_text(f, backend_text(f->arena, BACKENDS_COUNT));
	assert_false(is_patched(f));
}

static void a_refused_or_tried_change_leaves_the_patched_generation(void **state)
{
	struct fixture *f = *state;
	const struct generation *now;
	const char *before;

	apply_world(f);
	apply_text(f, backend_text(f->arena, 1));
	now = f->engine->now;
	before = told(f);
	must(f, 200, "POST", OWN "/apply",
	     arena_printf(f->arena, "{\"dryRun\":true,\"objects\":[%s]}",
			  backend_text(f->arena, 2)));
	must(f, 422, "POST", OWN "/apply",
	     APPLY("{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
		   "\"metadata\":{\"name\":\"b2\"},\"spec\":{\"endpoints\":[{\"ip\":{\"address\":"
		   "\"nonsense\",\"port\":80}}]}}"));
	assert_ptr_equal(f->engine->now, now);
	assert_string_equal(told(f), before);
	check_restart(f);
}

static void patches_are_not_held_for_ever(void **state)
{
	struct fixture *f = *state;
	size_t whole = 0;

	apply_world(f);
	for (unsigned int i = 0; i < CHANGES; i++) {
		apply_text(f, backend_text(f->arena, i % BACKENDS_COUNT));
		whole += !is_patched(f);
	}
	assert_true(whole > 1);
}

#define NAMED_BACKEND(name, endpoints)                                                             \
	"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","                 \
	"\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"endpoints\":[" endpoints "]}}"
#define SHARED "{\"ip\":{\"address\":\"10.0.9.1\",\"port\":8080}"
#define OTHER  "{\"ip\":{\"address\":\"10.0.9.2\",\"port\":8080}}"

static const char *one_route_text(struct arena *a, unsigned int n, const char *backend)
{
	return arena_printf(
		a,
		"{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","
		"\"metadata\":{\"name\":\"r%u\"},\"spec\":{\"parentRefs\":[{\"name\":\"g%u\"}],"
		"\"rules\":[{\"backendRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":"
		"\"Backend\",\"name\":\"%s\"}]}]}}",
		n, n, backend);
}

static const char *policy_text(struct arena *a, unsigned int n, unsigned int interval_s)
{
	return arena_printf(a,
			    "{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":"
			    "\"BackendTrafficPolicy\",\"metadata\":{\"name\":\"p%u\"},\"spec\":{"
			    "\"targetRefs\":[{\"group\":\"gateway.networking.k8s.io\",\"kind\":"
			    "\"TCPRoute\",\"name\":\"r%u\"}],\"healthCheck\":{\"active\":{\"type\":"
			    "\"TCP\",\"tcp\":{},\"interval\":\"%us\"}}}}",
			    n, n, interval_s);
}

/* A shared endpoint takes its host name from the Backend that was heard first; it must not outlive it. */
static void a_host_name_goes_with_the_backend_that_said_it(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->arena;
	const struct model *m;

	apply_text(f, arena_printf(
			      a, "%s,%s,%s,%s,%s,%s", gateway_text(a, 0), gateway_text(a, 1),
			      one_route_text(a, 0, "named"), one_route_text(a, 1, "plain"),
			      NAMED_BACKEND("named", SHARED ",\"hostname\":\"a.example\"}," OTHER),
			      NAMED_BACKEND("plain", SHARED "}")));
	apply_text(f, NAMED_BACKEND("named", OTHER));
	m = f->engine->now->model;
	for (size_t i = 0; i < m->instance_count; i++)
		assert_null(m->instances[i].hostname);
}

static void compare_numbers_with_maps(struct fixture *f)
{
	const struct model *m = f->engine->now->model;

	for (size_t i = 0; i < m->instance_count; i++) {
		const uint32_t id = engine_endpoint_id(f->engine, &m->instances[i]);
		const struct table_endpoint *row = NULL;

		for (size_t n = 0; n < f->engine->have.endpoint_count; n++) {
			if (f->engine->have.endpoints[n].id == id)
				row = &f->engine->have.endpoints[n];
		}
		if (!row)
			fail_msg("%s: number %u is in no table", m->instances[i].name, id);
		assert_int_equal(row->profile, m->instances[i].profile);
	}
}

static void a_dry_run_leaves_the_numbers_of_endpoints(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->arena;

	apply_text(f, arena_printf(a, "%s,%s,%s,%s,%s", gateway_text(a, 0), gateway_text(a, 1),
				   one_route_text(a, 0, "plain"), one_route_text(a, 1, "plain"),
				   NAMED_BACKEND("plain", SHARED "}," OTHER)));
	compare_numbers_with_maps(f);
	for (unsigned int i = 1; i < 8; i++) {
		must(f, 200, "POST", OWN "/apply",
		     arena_printf(a, "{\"dryRun\":true,\"objects\":[%s,%s]}", policy_text(a, 0, i),
				  policy_text(a, 1, i + 10)));
		compare_numbers_with_maps(f);
	}
}

/* Its open flows know it by that number: under another it would be removed, and put in anew. */
static void a_dry_run_before_a_change_removes_no_endpoint(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->arena;
	uint32_t before[2] = {0};

	apply_text(f, arena_printf(a, "%s,%s,%s,%s,%s,%s", gateway_text(a, 0), gateway_text(a, 1),
				   one_route_text(a, 0, "plain"), one_route_text(a, 1, "plain"),
				   NAMED_BACKEND("plain", SHARED "}," OTHER),
				   NAMED_BACKEND("aside", OTHER)));
	assert_int_equal(f->engine->have.endpoint_count, 2);
	for (size_t i = 0; i < 2; i++)
		before[i] = f->engine->have.endpoints[i].id;
	for (unsigned int i = 1; i < 8; i++)
		must(f, 200, "POST", OWN "/apply",
		     arena_printf(a, "{\"dryRun\":true,\"objects\":[%s,%s]}", policy_text(a, 0, i),
				  policy_text(a, 1, i + 10)));
	apply_text(f, NAMED_BACKEND("aside", SHARED "}"));
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(f->engine->have.endpoints[i].id, before[i]);
}

static void a_dry_run_takes_no_numbers(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->arena;
	uint32_t taken;

	apply_text(f, arena_printf(a, "%s,%s,%s", gateway_text(a, 0), one_route_text(a, 0, "plain"),
				   NAMED_BACKEND("plain", SHARED "}")));
	taken = ids_endpoints_taken(f->engine->ids);
	must(f, 200, "POST", OWN "/apply",
	     arena_printf(a, "{\"dryRun\":true,\"objects\":[%s]}",
			  NAMED_BACKEND("plain", SHARED "}," OTHER)));
	assert_int_equal(ids_endpoints_taken(f->engine->ids), taken);
}

static const char *listed_route_text(struct arena *a, unsigned int n)
{
	return arena_printf(
		a,
		"{\"apiVersion\":\"gateway.networking.k8s.io/v1alpha2\",\"kind\":\"TCPRoute\","
		"\"metadata\":{\"name\":\"r%u\",\"annotations\":{"
		"\"spillway.dev/deny-sources-from\":\"gone\"}},\"spec\":{\"parentRefs\":[{\"name\":\"g%u\"}],"
		"\"rules\":[{\"backendRefs\":[{\"group\":\"gateway.envoyproxy.io\",\"kind\":"
		"\"Backend\",\"name\":\"b%u\"}]}]}}",
		n, n, n);
}

/* Routes share a list of sources, and the warning about it; a Backend of the second brings none about. */
static void a_change_of_a_backend_warns_of_no_list_of_sources(void **state)
{
	struct fixture *f = *state;
	struct arena *a = f->arena;
	struct node *answer;

	apply_text(f, arena_printf(a, "%s,%s,%s,%s,%s,%s", gateway_text(a, 0), gateway_text(a, 1),
				   listed_route_text(a, 0), listed_route_text(a, 1),
				   NAMED_BACKEND("b0", OTHER), NAMED_BACKEND("b1", OTHER)));
	answer = must(f, 200, "POST", OWN "/apply",
		      arena_printf(a, APPLY("%s"), NAMED_BACKEND("b1", SHARED "}")));
	assert_true(is_patched(f));
	assert_int_equal(node_count(node_member(answer, "warnings")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_restart_finds_what_patches_made),
		TEST(a_change_of_a_kind_that_others_depend_on_is_resolved_as_a_whole),
		TEST(a_refused_or_tried_change_leaves_the_patched_generation),
		TEST(patches_are_not_held_for_ever),
		TEST(a_dry_run_leaves_the_numbers_of_endpoints),
		TEST(a_dry_run_before_a_change_removes_no_endpoint),
		TEST(a_dry_run_takes_no_numbers),
		TEST(a_change_of_a_backend_warns_of_no_list_of_sources),
		TEST(a_host_name_goes_with_the_backend_that_said_it),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
