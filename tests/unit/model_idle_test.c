/* SPDX-License-Identifier: BSD-2-Clause */
/* model/idle: how long flows of a service live without a packet, as its route says. */
#include "manifest_fixture.h"

#include "model/idle.h"

#define NOTED(kind, name, note)                                                                    \
	"apiVersion: gateway.networking.k8s.io/v1\nkind: " kind "\nmetadata: {name: " name         \
	", annotations: {" note "}}\nspec: {parentRefs: [{name: edge}], rules: [{backendRefs: "    \
	"[" REF("a") "]}]}\n---\n"
#define BOTH(note)                                                                                 \
	EDGE BACKEND("a", "10.0.0.1") NOTED("TCPRoute", "web", note)                               \
		NOTED("UDPRoute", "names", note)

static const uint32_t tcp_defaults[SPW_IDLE_MAX] = {30, 7440, 60};
static const uint32_t udp_defaults[SPW_IDLE_MAX] = {30, 180, 30};

static void each_protocol_has_its_defaults(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SPW_IDLE_MAX; i++) {
		assert_int_equal(idle_default_s(IPPROTO_TCP, i), tcp_defaults[i]);
		assert_int_equal(idle_default_s(IPPROTO_UDP, i), udp_defaults[i]);
	}
	assert_true(idle_has(IPPROTO_TCP, SPW_IDLE_CLOSING));
	assert_false(idle_has(IPPROTO_UDP, SPW_IDLE_CLOSING));
	assert_true(idle_has(IPPROTO_UDP, SPW_IDLE_ESTABLISHED));
}

static void a_route_says_how_long_its_flows_live(void **state)
{
	static const struct {
		const char *text;
		uint32_t tcp[SPW_IDLE_MAX], udp[SPW_IDLE_MAX];
	} rows[] = {
		{BOTH(""), {30, 7440, 60}, {30, 180, 30}},
		{BOTH("spillway.dev/idle-timeout-embryonic: 5s"), {5, 7440, 60}, {5, 180, 5}},
		{BOTH("spillway.dev/idle-timeout-established: 1h1s"),
		 {30, 3601, 60},
		 {30, 3601, 30}},
		{BOTH("spillway.dev/idle-timeout-embryonic: 1s, "
		      "spillway.dev/idle-timeout-established: 168h"),
		 {1, 604800, 60},
		 {1, 604800, 1}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		given(rows[i].text);
		assert_int_equal(m->service_count, 2); /* in the order of their ports */
		assert_memory_equal(m->services[0].idle_s, rows[i].udp, sizeof(rows[i].udp));
		assert_memory_equal(m->services[1].idle_s, rows[i].tcp, sizeof(rows[i].tcp));
	}
}

static void a_tcp_route_says_how_long_ports_rest(void **state)
{
	(void)state;
	given(EDGE BACKEND("a", "10.0.0.1")
		      NOTED("TCPRoute", "web", "spillway.dev/idle-timeout-closing: 10m"));
	assert_int_equal(m->service_count, 1);
	assert_int_equal(m->services[0].idle_s[SPW_IDLE_EMBRYONIC], 30);
	assert_int_equal(m->services[0].idle_s[SPW_IDLE_ESTABLISHED], 7440);
	assert_int_equal(m->services[0].idle_s[SPW_IDLE_CLOSING], 600);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_protocol_has_its_defaults),
		TEST(a_route_says_how_long_its_flows_live),
		TEST(a_tcp_route_says_how_long_ports_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
