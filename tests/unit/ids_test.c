/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers stay with what they were given to, and rest before they mean something else. */
#include "tables/ids.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "model_fixture.h"

static struct fixture f;
static struct ids *ids;
static const char *why;

static int setup(void **state)
{
	(void)state;
	fixture_init(&f);
	fixture_room(&f, 32, 8);
	ids = ids_new(&(struct ids_limits){8, 3});
	return ids ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	ids_free(ids);
	fixture_done(&f);
	return 0;
}

static void endpoints(uint32_t first, uint32_t count)
{
	f.model.instance_count = 0;
	for (uint32_t i = 0; i < count; i++)
		(void)fixture_instance(&f, first + i, 80);
}

static uint32_t id(size_t i)
{
	return ids_endpoint(ids, &f.model.instances[i]);
}

static bool yes(void *ctx, uint32_t number)
{
	(void)number;
	++*(int *)ctx;
	return true;
}

static bool no(void *ctx, uint32_t number)
{
	(void)number;
	++*(int *)ctx;
	return false;
}

static void numbers_start_at_one_and_stay(void **state)
{
	(void)state;
	endpoints(1, 3);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(id(i), i + 1);
	endpoints(2, 4); /* 1 has gone, 4 and 5 are new */
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 2);
	assert_int_equal(id(1), 3);
	assert_int_equal(id(2), 4); /* not 1: it rests */
	assert_int_equal(id(3), 5);
}

static void what_comes_back_gets_its_number_again(void **state)
{
	(void)state;
	endpoints(1, 2);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	endpoints(2, 1);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	endpoints(1, 2);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 1);
	assert_int_equal(id(1), 2);
}

static void a_number_is_free_when_no_flow_has_it(void **state)
{
	int asked = 0;

	(void)state;
	endpoints(1, 7);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	endpoints(2, 7); /* one new, 7 numbers all in use or resting */
	assert_int_equal(ids_assign(ids, &f.model, &why), -ENOSPC);
	assert_non_null(strstr(why, "--max-endpoints"));
	endpoints(2, 6);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	ids_release(ids, no, &asked);
	assert_int_equal(asked, 1);
	endpoints(2, 7);
	assert_int_equal(ids_assign(ids, &f.model, &why), -ENOSPC);
	ids_release(ids, yes, &asked);
	assert_int_equal(asked, 2);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(6), 1);
}

static void a_refused_assignment_changes_nothing(void **state)
{
	(void)state;
	endpoints(1, 2);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	endpoints(3, 8);
	assert_int_equal(ids_assign(ids, &f.model, &why), -ENOSPC);
	endpoints(1, 2);
	assert_int_equal(id(0), 1);
	assert_int_equal(id(1), 2);
	endpoints(3, 5);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0); /* 1 and 2 were not given out */
	assert_int_equal(id(0), 3);
}

static void an_edited_policy_keeps_the_number(void **state)
{
	(void)state;
	endpoints(1, 2);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	f.model.instances[0].profile = 77;
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 1);
	assert_int_equal(id(1), 2);
}

static void another_policy_beside_it_does_not_take_the_number(void **state)
{
	(void)state;
	endpoints(1, 1);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	(void)fixture_instance(&f, 1, 80); /* the same address, judged by another policy */
	f.model.instances[0].profile = 9;
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 2);
	assert_int_equal(id(1), 1);
}

static void services_rest_one_release(void **state)
{
	int asked = 0;

	(void)state;
	(void)fixture_service(&f, 1, 80);
	(void)fixture_service(&f, 2, 80);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(ids_service(ids, &f.model.services[0]), 0);
	assert_int_equal(ids_service(ids, &f.model.services[1]), 1);
	f.model.service_count = 0;
	(void)fixture_service(&f, 2, 80);
	(void)fixture_service(&f, 3, 80);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(ids_service(ids, &f.model.services[0]), 1);
	assert_int_equal(ids_service(ids, &f.model.services[1]), 2);
	(void)fixture_service(&f, 4, 80);
	assert_int_equal(ids_assign(ids, &f.model, &why), -ENOSPC);
	assert_non_null(strstr(why, "--max-services"));
	ids_release(ids, yes, &asked);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(ids_service(ids, &f.model.services[2]), 0);
}

static void what_is_not_carried_has_no_number(void **state)
{
	(void)state;
	endpoints(1, 9); /* nine into seven numbers */
	f.model.instances[0].carried = f.model.instances[3].carried = false;
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), SPW_ENDPOINT_NONE);
	assert_int_equal(id(1), 1);
	assert_int_equal(id(2), 2);
	assert_int_equal(id(3), SPW_ENDPOINT_NONE);
	assert_int_equal(id(4), 3);
	assert_int_equal(id(8), 7);
}

static void numbers_are_taken_over_from_the_maps(void **state)
{
	struct table_endpoint e[2] = {
		{.id = 5, .addr = fixture_addr(1), .port = 80, .mode = SPW_MODE_NAT},
		{.id = 6, .addr = fixture_addr(9), .port = 80, .mode = SPW_MODE_NAT},
	};
	struct table_service s = {.id = 2, .vip = fixture_addr(0x00ff0001), .port = 80, .proto = 6};
	const struct tables have = {
		.endpoints = e, .endpoint_count = 2, .services = &s, .service_count = 1};

	(void)state;
	ids_seed(ids, &have);
	endpoints(1, 2);
	(void)fixture_service(&f, 1, 80);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 5);
	assert_int_equal(id(1), 1);
	assert_int_equal(ids_service(ids, &f.model.services[0]), 2);
}

static void a_removed_endpoint_of_the_maps_comes_back_to_its_number(void **state)
{
	struct table_endpoint e[2] = {{.id = 5}, {.id = 6, .mode = SPW_MODE_NAT}};
	struct tables have = {.endpoints = e, .endpoint_count = 1};

	(void)state;
	endpoints(1, 1);
	for (size_t i = 0; i < 2; i++) {
		e[i].addr = f.model.instances[0].addr;
		e[i].port = f.model.instances[0].port;
		e[i].profile = f.model.instances[0].profile;
	}
	ids_seed(ids, &have);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 5);
	assert_int_equal(teardown(state), 0);
	assert_int_equal(setup(state), 0);
	endpoints(1, 1);
	have.endpoint_count = 2; /* it is back already */
	ids_seed(ids, &have);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_equal(id(0), 6);
}

/* Its flag says what its mode was: the same address in another mode is another endpoint. */
static void a_removed_endpoint_keeps_its_number_from_one_of_another_mode(void **state)
{
	struct table_endpoint e = {.id = 5, .flags = SPW_ENDPOINT_HANDOFF};
	struct tables have = {.endpoints = &e, .endpoint_count = 1};

	(void)state;
	endpoints(1, 1);
	e.addr = f.model.instances[0].addr;
	e.port = f.model.instances[0].port;
	e.profile = f.model.instances[0].profile;
	ids_seed(ids, &have);
	assert_int_equal(ids_assign(ids, &f.model, &why), 0);
	assert_int_not_equal(id(0), 5);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(numbers_start_at_one_and_stay),
		TEST(what_comes_back_gets_its_number_again),
		TEST(a_number_is_free_when_no_flow_has_it),
		TEST(a_refused_assignment_changes_nothing),
		TEST(an_edited_policy_keeps_the_number),
		TEST(another_policy_beside_it_does_not_take_the_number),
		TEST(services_rest_one_release),
		TEST(what_is_not_carried_has_no_number),
		TEST(numbers_are_taken_over_from_the_maps),
		TEST(a_removed_endpoint_of_the_maps_comes_back_to_its_number),
		TEST(a_removed_endpoint_keeps_its_number_from_one_of_another_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
