/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: the tiers' arithmetic in a line, what is said of endpoints and when nobody is left. */
#include "ctl_fixture.h"

#include "ctl/services.h"
#include "ctl/sums.h"

#define TEXT_MAX 4096

#define TIER(t, healthy, total, load, panic)                                                       \
	"{\"tier\":" #t ",\"healthy\":" #healthy ",\"total\":" #total ",\"loadPercent\":" #load    \
	",\"panic\":" #panic "}"
#define TIERS(list) "{\"tiers\":[" list "]}"

static void a_tier_line_shows_its_arithmetic(void **state)
{
	static const struct {
		const char *service;
		size_t index;
		const char *line;
	} rows[] = {
		{TIERS(TIER(0, 5, 10, 70, false) "," TIER(1, 5, 5, 30, false)), 0,
		 "tier 0: 5/10 up × 1.4 = 70 %; tier 1 takes 30 %"},
		{TIERS(TIER(0, 2, 3, 93, false) "," TIER(1, 2, 2, 7, false)), 1,
		 "tier 1: 2/2 up × 1.4 = 100 %, takes 7 %"},
		{TIERS(TIER(0, 3, 3, 100, false) "," TIER(1, 0, 0, 0, false)), 0,
		 "tier 0: 3/3 up × 1.4 = 100 %"},
		{TIERS(TIER(0, 0, 3, 0, false) "," TIER(1, 2, 2, 100, false)), 0,
		 "tier 0: 0/3 up × 1.4 = 0 %; tier 1 takes 100 %"},
		{TIERS(TIER(0, 0, 3, 0, true) "," TIER(1, 1, 2, 100, false)), 0,
		 "tier 0: 0/3 up × 1.4 = 0 %; tier 1 takes 100 %"},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(tier_text(a, json(a, rows[i].service), rows[i].index),
				    rows[i].line);
	assert_null(tier_text(a, json(a, TIERS(TIER(0, 0, 0, 0, false))), 0));
	assert_null(tier_text(a, json(a, "{}"), 0));
}

static void tiers_without_endpoints_are_passed_over(void **state)
{
	static const char service[] = TIERS(TIER(0, 1, 5, 28, false) "," TIER(
		1, 0, 0, 0, false) "," TIER(2, 2, 5, 56, false) "," TIER(7, 1, 1, 16, false));
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	assert_string_equal(tier_text(a, json(a, service), 0),
			    "tier 0: 1/5 up × 1.4 = 28 %; tier 2 takes 56 %");
	assert_null(tier_text(a, json(a, service), 1));
	assert_string_equal(tier_text(a, json(a, service), 2),
			    "tier 2: 2/5 up × 1.4 = 56 %; tier 7 takes 16 %");
	assert_string_equal(tier_text(a, json(a, service), 3),
			    "tier 7: 1/1 up × 1.4 = 100 %, takes 16 %");
}

#define ROW(tier, admin, carried)                                                                  \
	"{\"tier\":" #tier ",\"admin\":\"" admin "\",\"carried\":" #carried "}"

static void panic_says_how_many_get_traffic(void **state)
{
	static const struct {
		const char *service, *line;
	} rows[] = {
		{TIERS(TIER(0, 1, 5, 100, true)),
		 "tier 0: 1/5 up × 1.4 = 28 %: panic, all 5 get traffic"},
		{TIERS(TIER(0, 1, 5, 50, true) "," TIER(1, 1, 5, 50, true)),
		 "tier 0: 1/5 up × 1.4 = 28 %, takes 50 %: panic, all 5 get traffic; tier 1 takes "
		 "50 %"},
		{"{\"tiers\":[" TIER(0, 1, 5, 100, true) "],\"endpoints\":[" ROW(
			 0, "down",
			 true) "," ROW(0, "drain",
				       true) "," ROW(0, "up",
						     true) "," ROW(1, "down",
								   true) "," ROW(0, "down",
										 false) "]}",
		 "tier 0: 1/5 up × 1.4 = 28 %: panic, 3 of 5 get traffic, not those set down or "
		 "draining"},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(tier_text(a, json(a, rows[i].service), 0), rows[i].line);
}

static void the_daemons_own_availability_is_shown(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const struct node *service =
		json(a, "{\"tiers\":[{\"tier\":0,\"healthy\":1,\"total\":3,\"loadPercent\":46,"
			"\"availablePercent\":46}]}");

	(void)state;
	assert_string_equal(tier_text(a, service, 0), "tier 0: 1/3 up × 1.4 = 46 %");
}

static void every_fate_of_flows_has_its_words(void **state)
{
	static const struct {
		const char *service, *text;
	} rows[] = {
		{"{\"protocol\":\"TCP\"}",
		 "new flows get a TCP RST, established ones keep their endpoint"},
		{"{\"protocol\":\"UDP\",\"noEndpoint\":{\"new\":\"answer\",\"established\":\"answer\"}}",
		 "new flows get ICMP port unreachable, established ones get ICMP port unreachable"},
		{"{\"protocol\":\"TCP\",\"noEndpoint\":{\"new\":\"unreachable\",\"established\":"
		 "\"drop\"}}",
		 "new flows get ICMP unreachable, established ones are dropped"},
		{"{\"protocol\":\"TCP\",\"noEndpoint\":{\"new\":\"pass\",\"established\":\"pass\"}}",
		 "new flows go to this host itself, established ones go to this host itself"},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(nobody_text(a, json(a, rows[i].service)), rows[i].text);
}

static void lines_of(const char *service, enum sums_detail detail, char *out)
{
	AUTO(arena_free) struct arena *a = arena_new();
	FILE *f = fmemopen(out, TEXT_MAX, "w");

	assert_non_null(f);
	sums_print(a, json(a, service), detail, "- ", f);
	assert_int_equal(fclose(f), 0);
}

static void what_goes_without_saying_is_said_on_request(void **state)
{
	static const char service[] = "{\"protocol\":\"TCP\",\"empty\":false,\"zone\":\"east\","
				      "\"zoneNote\":null,\"endpoints\":[{\"sharePercent\":100}]}";
	char out[TEXT_MAX] = "";

	(void)state;
	lines_of(service, SUMS_SHORT, out);
	assert_string_equal(out, "");
	lines_of(service, SUMS_ALL, out);
	assert_string_equal(out, "- this gateway's zone: east\n"
				 "- once no endpoint is left: new flows get a TCP RST, established "
				 "ones keep their endpoint\n");
}

static void idle_times_are_said_on_request(void **state)
{
	static const char tcp[] = "{\"protocol\":\"TCP\",\"endpoints\":[{\"sharePercent\":100}],"
				  "\"idleTimeoutSeconds\":{\"embryonic\":30,\"established\":7440,"
				  "\"closing\":60}}";
	static const char udp[] =
		"{\"protocol\":\"UDP\",\"endpoints\":[{\"sharePercent\":100}],"
		"\"idleTimeoutSeconds\":{\"embryonic\":1,\"established\":604801}}";
	char out[TEXT_MAX] = "";

	(void)state;
	lines_of(tcp, SUMS_SHORT, out);
	assert_string_equal(out, "");
	lines_of(tcp, SUMS_ALL, out);
	assert_non_null(strstr(out, "- idle flows end after: 30s embryonic, 2h4m established, "
				    "1m closing\n"));
	lines_of(udp, SUMS_ALL, out);
	assert_non_null(strstr(out, "- idle flows end after: 1s embryonic, 168h1s established\n"));
}

static void a_service_nobody_serves_says_why(void **state)
{
	static const struct {
		const char *service, *begin;
	} rows[] = {
		{"{\"empty\":true,\"endpoints\":[]}", "- no endpoints: new flows"},
		{"{\"empty\":true,\"endpoints\":[{\"carried\":false}]}",
		 "- no endpoint that the packet path carries: new flows"},
		{"{\"empty\":true,\"endpoints\":[{\"sharePercent\":0}]}",
		 "- no endpoint may be picked: new flows"},
		{"{\"endpoints\":[{\"sharePercent\":0}]}",
		 "- no endpoint may be picked: new flows"},
		{"{\"zoneNote\":\"no --zone\",\"endpoints\":[{\"sharePercent\":12.5}]}",
		 "- zones: no --zone\n"},
	};
	char out[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(out, 0, sizeof(out));
		lines_of(rows[i].service, SUMS_SHORT, out);
		assert_memory_equal(out, rows[i].begin, strlen(rows[i].begin));
	}
}

static void an_endpoint_is_told_in_a_few_words(void **state)
{
	static const struct {
		const char *endpoint, *state, *share, *reason;
	} rows[] = {
		{"{\"state\":\"up\",\"sharePercent\":46.5,\"reason\":\"status 200\"}", "up",
		 "46.5%", "status 200"},
		{"{\"state\":\"starting\",\"rampPercent\":40,\"sharePercent\":7}", "starting 40%",
		 "7%", ""},
		{"{\"state\":\"ejected\",\"ejectedSecondsLeft\":150,\"sharePercent\":0,\"reason\":"
		 "\"5 SYNs unanswered\"}",
		 "ejected 2m30s", "0%", "5 SYNs unanswered"},
		{"{\"state\":\"down\",\"rampPercent\":40,\"ejectedSecondsLeft\":9,\"sharePercent\":0,"
		 "\"reason\":\"timeout\",\"problem\":\"no route\"}",
		 "down", "0%", "timeout; no route"},
		{"{\"state\":\"up\",\"sharePercent\":50,\"reason\":\"status 200\",\"problem\":\"no route\"}",
		 "up", "50%", "no route"},
		{"{\"state\":\"up\",\"carried\":false,\"reason\":\"\"}", "up", "-", "not carried"},
		{"{\"state\":\"down\",\"carried\":false,\"reason\":\"timeout\"}", "down", "-",
		 "not carried; timeout"},
	};
	AUTO(arena_free) struct arena *a = arena_new();
	const struct node *e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e = json(a, rows[i].endpoint);
		assert_string_equal(endpoint_state(a, e), rows[i].state);
		assert_string_equal(endpoint_share(a, e), rows[i].share);
		assert_string_equal(endpoint_reason(a, e), rows[i].reason);
	}
}

static void a_services_address_is_unambiguous(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	assert_string_equal(
		service_address(
			a, json(a, "{\"vip\":\"192.0.2.1\",\"port\":80,\"protocol\":\"TCP\"}")),
		"192.0.2.1:80/TCP");
	assert_string_equal(
		service_address(
			a, json(a, "{\"vip\":\"2001:db8::1\",\"port\":53,\"protocol\":\"UDP\"}")),
		"[2001:db8::1]:53/UDP");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tier_line_shows_its_arithmetic),
		cmocka_unit_test(tiers_without_endpoints_are_passed_over),
		cmocka_unit_test(panic_says_how_many_get_traffic),
		cmocka_unit_test(the_daemons_own_availability_is_shown),
		cmocka_unit_test(every_fate_of_flows_has_its_words),
		cmocka_unit_test(what_goes_without_saying_is_said_on_request),
		cmocka_unit_test(idle_times_are_said_on_request),
		cmocka_unit_test(a_service_nobody_serves_says_why),
		cmocka_unit_test(an_endpoint_is_told_in_a_few_words),
		cmocka_unit_test(a_services_address_is_unambiguous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
