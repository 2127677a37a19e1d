/* SPDX-License-Identifier: BSD-2-Clause */
/* Server ids of QUIC: from Backends to services, and what is said of those that lead nowhere. */
#include "manifest_fixture.h"

#include "manifest/quic_ids.h"

#define QUIC(name, ids, endpoints)                                                                 \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: " name ", "   \
	"annotations: {spillway.dev/quic-server-ids: '" ids "'}}\n"                                \
	"spec: {endpoints: [" endpoints "]}\n---\n"

#define AT(addr) "{ip: {address: " addr ", port: 53}}"
/* Six endpoints whose addresses end alike. */
#define SEVENS(n)                                                                                  \
	AT("10." n ".1.7")                                                                         \
	", " AT("10." n ".2.7") ", " AT("10." n ".3.7") ", " AT("10." n ".4.7") ", " AT(           \
		"10." n ".5.7") ", " AT("10." n ".6.7")
#define UDP(refs) ROUTE_OF("UDPRoute", "dns", "{name: edge, sectionName: dns}", refs)

static const struct quic_map *map(void)
{
	assert_int_equal(m->service_count, 1);
	return &m->services[0].quic;
}

/* The endpoint that has this id in the service, or "nobody". */
static const char *whose(uint8_t config, const char *id)
{
	const struct quic_map *q = map();

	for (size_t i = 0; i < q->count; i++) {
		const union spw_quic_key *k = &q->ids[i].key;

		if (k->b[0] == config &&
		    strcmp(quic_ids_text(arena, &k->b[1], q->id_len[config]), id) == 0)
			return m->instances[q->ids[i].instance].name;
	}
	return "nobody";
}

static const char *condition_of(const char *backend)
{
	return condition(object("Backend", backend), "QuicServerIds", NULL);
}

static void a_service_over_udp_has_the_ids_of_its_backends(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "0: address/2 3: address/4", AT("10.0.0.1") ", " AT("10.0.0.2"))
		      QUIC("b", "10.0.0.3:53=ffff", AT("10.0.0.3")) UDP(REF("a") ", " REF("b")));
	assert_int_equal(map()->count, 5);
	assert_int_equal(map()->id_len[0], 2);
	assert_int_equal(map()->id_len[3], 4);
	assert_int_equal(map()->id_len[1], 0);
	assert_string_equal(whose(0, "0001"), "10.0.0.1:53");
	assert_string_equal(whose(0, "0002"), "10.0.0.2:53");
	assert_string_equal(whose(0, "ffff"), "10.0.0.3:53");
	assert_string_equal(whose(3, "0a000002"), "10.0.0.2:53");
	assert_string_equal(whose(3, "0a000003"), "nobody");
	assert_int_equal(diags.count, 0);
	assert_string_equal(
		condition_of("a"),
		"True ServersEncodeIds each server has to put its id into the QUIC connection IDs "
		"that it issues, in plaintext as QUIC-LB has it, of configuration 0 (2 octets), 3 "
		"(4 octets) (docs/quic.md); 1 of 262140 connection IDs that are not made so would "
		"be taken for one of another server's: longer ids make that rarer");
}

static void a_backend_without_ids_says_nothing_of_them(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1") UDP(REF("a")));
	assert_int_equal(map()->count, 0);
	assert_string_equal(condition_of("a"), "none");
}

static void long_ids_are_mistaken_by_nobody(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "address/4", AT("10.0.0.1")) UDP(REF("a")));
	assert_null(strstr(condition_of("a"), "taken for"));
}

static void an_id_of_two_endpoints_leads_to_neither(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "address/1", AT("10.0.1.7") ", " AT("10.0.0.1")) QUIC(
		"b", "address/1", AT("10.0.2.7") ", " AT("10.0.3.7")) UDP(REF("a") ", " REF("b")));
	assert_int_equal(map()->count, 1);
	assert_string_equal(whose(0, "01"), "10.0.0.1:53");
	assert_string_equal(
		condition_of("a"),
		"False DuplicateServerId on route default/dns 10.0.1.7:53 and 10.0.2.7:53 have the "
		"same id 07 in configuration 0: it leads to neither, give each its own");
	expect(object("Backend", "b"), "QuicServerIds",
	       "10.0.2.7:53 and 10.0.3.7:53 have the same id 07");
	expect_warning("10.0.1.7:53 and 10.0.2.7:53 have the same id 07");
}

static void of_many_shared_ids_the_first_ones_are_told(void **state)
{
	const char *text, *more;

	(void)state;
	given(EDGE QUIC("a", "address/1", SEVENS("1") ", " SEVENS("2")) UDP(REF("a")));
	assert_int_equal(map()->count, 0);
	text = condition_of("a");
	more = strstr(text, "; and more of the kind");
	assert_non_null(more);
	assert_string_equal(more, "; and more of the kind");
	assert_non_null(strstr(text, "10.2.2.7:53 and 10.2.3.7:53"));
	assert_null(strstr(text, "10.2.4.7"));
}

static void an_endpoint_that_is_there_twice_is_one(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "address/1", AT("10.0.0.1") ", " AT("10.0.0.1"))
		      QUIC("b", "address/1", AT("10.0.0.1")) UDP(REF("a") ", " REF("b")));
	assert_int_equal(map()->count, 1);
	assert_string_equal(whose(0, "01"), "10.0.0.1:53");
	assert_int_equal(diags.count, 0);
}

static void a_configuration_has_one_length_on_a_route(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "address/2", AT("10.0.0.1")) QUIC(
		"b", "0: address/3 1: address/3", AT("10.0.0.2")) UDP(REF("a") ", " REF("b")));
	assert_int_equal(map()->count, 2);
	assert_string_equal(whose(0, "0001"), "10.0.0.1:53");
	assert_string_equal(whose(1, "000002"), "10.0.0.2:53");
	assert_non_null(strstr(condition_of("a"), "True"));
	assert_string_equal(
		condition_of("b"),
		"False LengthsDiffer configuration 0: its ids have 3 octets, and those of Backend "
		"default/a, which is on route default/dns too, have 2: they have no effect there, "
		"give them another configuration");
}

static void endpoints_and_ids_that_have_no_partner_are_told(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "10.0.0.1:53=01, 10.0.0.9:53=02, 10.0.0.2:54=03",
			AT("10.0.0.1") ", " AT("10.0.0.2")) UDP(REF("a")));
	assert_string_equal(whose(0, "01"), "10.0.0.1:53");
	assert_int_equal(map()->count, 1);
	assert_string_equal(condition_of("a"),
			    "False ServerIdMissing configuration 0 has no id for 10.0.0.2:53: name "
			    "it with one; configuration 0 names 10.0.0.2:54, 10.0.0.9:53: no "
			    "endpoint of this Backend");
	afresh();
	given(EDGE QUIC("a", "address/5", AT("10.0.0.1")) UDP(REF("a")));
	assert_string_equal(condition_of("a"),
			    "False ServerIdMissing configuration 0 has no id for 10.0.0.1:53: name "
			    "it with one, or take fewer octets of addresses");
}

static void over_tcp_they_have_no_effect_and_that_is_said(void **state)
{
	(void)state;
	given(EDGE QUIC("a", "address/2", AT("10.0.0.1")) ROUTE("web", REF("a")));
	assert_int_equal(map()->count, 0);
	assert_string_equal(
		condition_of("a"),
		"False FieldsWithoutEffect spillway.dev/quic-server-ids has no effect "
		"without a UDPRoute to this Backend: TCP and the userspace path have no "
		"connection IDs");
	afresh();
	given(EDGE QUIC("a", "address/2", AT("10.0.0.1")) ROUTE("web", REF("a")) UDP(REF("a")));
	assert_int_equal(m->service_count, 2);
	assert_non_null(strstr(condition_of("a"), "True"));
	afresh();
	given(EDGE QUIC("a", "address/2", AT("10.0.0.1")));
	assert_non_null(strstr(condition_of("a"), "True"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_service_over_udp_has_the_ids_of_its_backends,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_backend_without_ids_says_nothing_of_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(long_ids_are_mistaken_by_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(an_id_of_two_endpoints_leads_to_neither, setup,
						teardown),
		cmocka_unit_test_setup_teardown(of_many_shared_ids_the_first_ones_are_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_endpoint_that_is_there_twice_is_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_configuration_has_one_length_on_a_route, setup,
						teardown),
		cmocka_unit_test_setup_teardown(endpoints_and_ids_that_have_no_partner_are_told,
						setup, teardown),
		cmocka_unit_test_setup_teardown(over_tcp_they_have_no_effect_and_that_is_said,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
