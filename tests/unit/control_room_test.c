/* SPDX-License-Identifier: BSD-2-Clause */
/* What does not fit is refused whole, with numbers and the remedy, in a dry run too. */
#include "engine_fixture.h"

#define DRY "{\"dryRun\":true,\"objects\":[%s]}"

/* "FORMAT,FORMAT,...", each # a number, from `first` on. */
static const char *list_of(struct fixture *f, const char *format, unsigned int first,
			   unsigned int count)
{
	const char *text = "";

	for (unsigned int i = first; i < first + count; i++) {
		text = *text ? arena_printf(f->arena, "%s,", text) : text;
		for (const char *p = format; *p; p++)
			text = *p == '#' ? arena_printf(f->arena, "%s%u", text, i)
					 : arena_printf(f->arena, "%s%c", text, *p);
	}
	return text;
}

static const char *backend(struct fixture *f, unsigned int endpoints)
{
	return arena_printf(
		f->arena,
		"{\"apiVersion\":\"gateway.envoyproxy.io/v1alpha1\",\"kind\":\"Backend\","
		"\"metadata\":{\"name\":\"web\"},\"spec\":{\"endpoints\":[%s]}}",
		list_of(f, "{\"ip\":{\"address\":\"10.0.0.#\",\"port\":80}}", 1, endpoints));
}

static const char *gateway(struct fixture *f, unsigned int listeners)
{
	return arena_printf(
		f->arena,
		"{\"apiVersion\":\"gateway.networking.k8s.io/v1\",\"kind\":\"Gateway\","
		"\"metadata\":{\"name\":\"edge\"},\"spec\":{\"gatewayClassName\":\"c\","
		"\"addresses\":[{\"value\":\"192.0.2.1\"},{\"value\":\"192.0.2.2\"}],"
		"\"listeners\":[%s]}}",
		list_of(f, "{\"protocol\":\"TCP\",\"port\":#,\"name\":\"l#\"}", 1, listeners));
}

static void expect_refused(struct fixture *f, const char *objects, const char *what)
{
	const char *const bodies[] = {
		arena_printf(f->arena, DRY, objects),
		arena_printf(f->arena, APPLY("%s"), objects),
	};
	const int64_t version = store_version(f->engine->store);
	const int applies = fake.applies;

	for (size_t i = 0; i < 2; i++) {
		const struct node *answer = must(f, 507, "POST", OWN "/apply", bodies[i]);

		if (!strstr(node_text_at(answer, "message", ""), what))
			fail_msg("%s", node_text_at(answer, "message", ""));
		assert_non_null(
			strstr(node_text_at(answer, "message", ""), "; nothing was changed"));
	}
	assert_int_equal(store_version(f->engine->store), version);
	assert_int_equal(fake.applies, applies);
	assert_int_equal(fake.tables.service_count, 1);
	assert_int_equal(fake.tables.endpoint_count, 2);
}

static void more_endpoints_than_numbers_are_refused(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	expect_refused(f, backend(f, 80),
		       "80 endpoints do not fit: there are 63 numbers, 0 of them still in use by "
		       "flows: raise --max-endpoints, which takes effect after spillwayd --detach");
	/* and what was carried goes on being changed */
	must(f, 200, "POST", OWN "/apply", APPLY(BACKEND("web", "10.0.0.1", "10.0.0.9")));
	assert_true(fake_endpoint("10.0.0.9:8080")->pickable);
}

static void more_services_than_numbers_are_refused(void **state)
{
	struct fixture *f = *state;

	must(f, 200, "POST", OWN "/apply", APPLY(WEB "," GATEWAY "," ROUTE));
	expect_refused(f, gateway(f, 10),
		       "20 services do not fit: there are 16 numbers, 0 of them still in use by "
		       "flows: raise --max-services, which takes effect after spillwayd --detach");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(more_endpoints_than_numbers_are_refused),
		TEST(more_services_than_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, leave_network, NULL);
}
