/* SPDX-License-Identifier: BSD-2-Clause */
/* Backends of direct return: their mode, what their condition says, and ports that no packet can have. */
#include "manifest_fixture.h"

#define DIRECT(mode, port)                                                                         \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: a, "          \
	"annotations: {spillway.dev/forwarding: " mode "}}\n"                                      \
	"spec: {endpoints: [{ip: {address: 10.0.0.1, port: " port "}}]}\n---\n"

static const char *text_of(const char *type)
{
	const struct condition *c = model_condition(object("Backend", "a"), type);

	return c ? c->message : "";
}

static void the_condition_says_what_servers_need(void **state)
{
	static const struct {
		const char *text;
		enum spw_mode mode;
		uint16_t gue_port;
		const char *says;
	} rows[] = {
		{EDGE DIRECT("l2", "80") ROUTE("web", REF("a")), SPW_MODE_L2, 0,
		 "mode l2: endpoints answer clients themselves, so each has to be on a link"},
		{EDGE DIRECT("ipip", "80") ROUTE("web", REF("a")), SPW_MODE_IPIP, 5555,
		 "take packets out of IP in IP"},
		{EDGE DIRECT("gue", "80") ROUTE("web", REF("a")), SPW_MODE_GUE, 0,
		 "(UDP port 6080)"},
		{EDGE DIRECT("gue", "80") ROUTE("web", REF("a")), SPW_MODE_GUE, 5555,
		 "(UDP port 5555)"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		opts.gue_port = rows[i].gue_port;
		given(rows[i].text);
		assert_int_equal(m->service_count, 1);
		assert_int_equal(m->services[0].localities[0].members[0]->mode, rows[i].mode);
		assert_non_null(strstr(text_of("DirectReturn"), rows[i].says));
	}
	afresh();
	given(EDGE DIRECT("nat", "80") ROUTE("web", REF("a")));
	assert_null(model_condition(object("Backend", "a"), "DirectReturn"));
}

static void an_endpoint_of_another_port_is_left_out(void **state)
{
	(void)state;
	given(EDGE DIRECT("ipip", "8080") ROUTE("web", REF("a")));
	assert_string_equal(
		text_of("Programmed"),
		"endpoints left out: 10.0.0.1:8080: packets of mode ipip keep the port of "
		"the listener, and theirs is another");
	afresh();
	given(EDGE DIRECT("nat", "8080") ROUTE("web", REF("a")));
	assert_null(model_condition(object("Backend", "a"), "Programmed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_condition_says_what_servers_need, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_endpoint_of_another_port_is_left_out, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
