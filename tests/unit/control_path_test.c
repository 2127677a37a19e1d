/* SPDX-License-Identifier: BSD-2-Clause */
/* control/path_reason: why an endpoint's packets go through XDP or through the userspace path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>

#include "control/path_reason.h"

static const struct service tcp = {.proto = IPPROTO_TCP};
static const struct service udp = {.proto = IPPROTO_UDP};
static const struct service rule = {.proto = IPPROTO_TCP, .proxied = true};
static const struct tls_settings *const tls = (const void *)"only looked whether there is one";

static void check(const struct service *s, struct instance i, const char *want)
{
	AUTO(arena_free) struct arena *a = arena_new();

	assert_string_equal(path_reason(a, s, &i), want);
}

static void packets_go_through_xdp_by_the_mode_and_names_for_a_reason(void **state)
{
	struct instance i = {.kind = ENDPOINT_IP, .mode = SPW_MODE_NAT};

	(void)state;
	check(&tcp, i, "mode nat");
	i.fqdn = "api.example.com";
	check(&tcp, i, "mode nat, host name by annotation");
	check(&udp, i, "mode nat, host name over UDP");
	i.mode = SPW_MODE_GUE;
	check(&tcp, i, "mode gue, host name by annotation");
	i = (struct instance){.kind = ENDPOINT_IP, .mode = SPW_MODE_IPIP};
	check(&tcp, i, "mode ipip");
}

static void whatever_needs_the_userspace_path_is_named(void **state)
{
	struct instance i = {.kind = ENDPOINT_IP, .mode = SPW_MODE_HANDOFF};

	(void)state;
	check(&tcp, i, "address of this host");
	check(&rule, i, "layer 7 listener");
	i.tls = tls;
	check(&tcp, i, "TLS");
	i.fqdn = "api.example.com";
	check(&rule, i, "layer 7 listener, TLS, host name");
	i = (struct instance){.kind = ENDPOINT_UNIX, .mode = SPW_MODE_HANDOFF};
	check(&tcp, i, "Unix socket");
	i.kind = ENDPOINT_FQDN;
	check(&tcp, i, "host name");
	i.kind = ENDPOINT_PROXY;
	check(&tcp, i, "layer 7 listener");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_go_through_xdp_by_the_mode_and_names_for_a_reason),
		cmocka_unit_test(whatever_needs_the_userspace_path_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
