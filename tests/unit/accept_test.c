/* SPDX-License-Identifier: BSD-2-Clause */
/* What upstream's controller says to a Backend that its schema lets pass, and where. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "model/accept.h"

enum { COVERED = 1, ON_HOST = 2 };

#define HOST_ONLY " in the loopback range is only supported when using the Host infrastructure"
#define SEGMENTS  " should be a domain with at least two segments separated by dots"
#define MUST_HAVE_CA                                                                               \
	"must specify either CACertificateRefs or WellKnownCACertificates when "                   \
	"InsecureSkipVerify is unset or false"

static const struct {
	const char *spec;
	int flags;
	const char *why; /* NULL: accepted */
	int column;	 /* of the place, in the line of spec */
} rows[] = {
	{"{}", 0, NULL, 0},
	{"{endpoints: [{fqdn: {hostname: a.b, port: 1}}]}", 0, NULL, 0},
	{"{endpoints: [{fqdn: {hostname: a.b., port: 1}}]}", 0, NULL, 0},
	{"{endpoints: [{fqdn: {hostname: depot, port: 1}}]}", 0, "hostname depot" SEGMENTS, 38},
	{"{endpoints: [{fqdn: {hostname: depot., port: 1}}]}", 0, "hostname depot" SEGMENTS, 38},
	{"{endpoints: [{fqdn: {hostname: depot, port: 1}}]}", ON_HOST, NULL, 0},
	{"{endpoints: [{fqdn: {hostname: 192.0.2.4, port: 1}}]}", 0,
	 "hostname 192.0.2.4 is an IP address", 38},
	{"{endpoints: [{fqdn: {hostname: 192.0.2.4., port: 1}}]}", ON_HOST,
	 "hostname 192.0.2.4 is an IP address", 38},
	{"{endpoints: [{fqdn: {hostname: 010.0.2.4, port: 1}}]}", 0, NULL, 0},
	{"{endpoints: [{hostname: local, unix: {path: /x}}]}", 0, "hostname local" SEGMENTS, 31},
	{"{endpoints: [{hostname: 10.0.0.1, ip: {address: 127.0.0.1, port: 1}}]}", 0,
	 "hostname 10.0.0.1 is an IP address", 31},
	{"{endpoints: [{ip: {address: 127.1.2.3, port: 1}}]}", 0, "IP address 127.1.2.3" HOST_ONLY,
	 35},
	{"{endpoints: [{ip: {address: 127.1.2.3, port: 1}}]}", ON_HOST, NULL, 0},
	{"{endpoints: [{ip: {address: '::1', port: 1}}]}", 0, "IP address ::1" HOST_ONLY, 35},
	{"{endpoints: [{ip: {address: '0:0:0:0:0:ffff:7f00:1', port: 1}}]}", 0,
	 "IP address 0:0:0:0:0:ffff:7f00:1" HOST_ONLY, 35},
	{"{endpoints: [{ip: {address: '::ffff:127.0.0.1', port: 1}}]}", 0,
	 "IP address ::ffff:127.0.0.1" HOST_ONLY, 35},
	{"{endpoints: [{ip: {address: 010.0.0.1, port: 1}}]}", ON_HOST,
	 "IP address 010.0.0.1 is invalid", 35},
	{"{endpoints: [{ip: {address: '1:2', port: 1}}]}", 0, "IP address 1:2 is invalid", 35},
	{"{endpoints: [{ip: {address: 192.0.2.1, port: 1}}, {ip: {address: 127.0.0.1, port: 1}}]}",
	 0, "IP address 127.0.0.1" HOST_ONLY, 72},
	{"{tls: {}}", 0, MUST_HAVE_CA, 8},
	{"{tls: {}}", COVERED, NULL, 0},
	{"{tls: {caCertificateRefs: []}}", 0, MUST_HAVE_CA, 8},
	{"{tls: {insecureSkipVerify: true}}", 0, NULL, 0},
	{"{tls: {wellKnownCACertificates: a.b/c}}", 0, NULL, 0},
	{"{tls: {caCertificateRefs: [{group: '', kind: Secret, name: x}]}}", 0, NULL, 0},
	{"{tls: {insecureSkipVerify: true, clientCertificateRef: {name: c, namespace: ns}}}", 0,
	 NULL, 0},
	{"{tls: {insecureSkipVerify: true, clientCertificateRef: {name: c, namespace: o}}}", 0,
	 "clientCertificateRef Secret is not located in the same namespace as Backend. Secret "
	 "namespace: o does not match Backend namespace: ns",
	 83},
	{"{tls: {sni: x}, endpoints: [{ip: {address: 127.0.0.1, port: 1}}]}", 0, MUST_HAVE_CA, 8},
};

static void a_backend_is_accepted_or_refused_in_these_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena *a = arena_new();
		struct resources rs = {0};
		struct diags d;
		struct refusals no;
		const char *text, *why;
		int column;

		diags_init(&d, a);
		text = arena_printf(a,
				    "{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: Backend, "
				    "metadata: {name: x, namespace: ns},\nspec: %s}",
				    rows[i].spec);
		assert_int_equal(manifest_read_text(a, &d, "f", text, strlen(text), NULL, &rs), 0);
		if (rs.count != 1)
			fail_msg("%s: %s", rows[i].spec, d.items[0].text);
		no = accept_backend(a, &rs.items[0], rows[i].flags & ON_HOST,
				    rows[i].flags & COVERED);
		why = no.count ? no.items[0].why : NULL;
		column = no.count ? no.items[0].where.column : 0;
		if (!why != !rows[i].why || (why && strcmp(why, rows[i].why) != 0) ||
		    column != rows[i].column)
			fail_msg("%s: %s at column %d", rows[i].spec, why ? why : "accepted",
				 column);
		arena_free(a);
	}
}

static void all_mistakes_of_a_backend_are_found(void **state)
{
	static const char text[] =
		"{apiVersion: gateway.envoyproxy.io/v1alpha1, kind: Backend, metadata: {name: x},\n"
		"spec: {tls: {}, endpoints: [\n"
		"{hostname: depot, ip: {address: 127.0.0.1, port: 1}},\n"
		"{ip: {address: 192.0.2.1, port: 1}},\n"
		"{hostname: 192.0.2.9, ip: {address: 010.0.0.1, port: 1}}]}}";
	static const int lines[] = {2, 3, 3, 5, 5};
	struct arena *a = arena_new();
	struct resources rs = {0};
	struct refusals no;
	struct diags d;

	(void)state;
	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, "f", text, strlen(text), NULL, &rs), 0);
	assert_int_equal(rs.count, 1);
	no = accept_backend(a, &rs.items[0], false, false);
	assert_int_equal(no.count, sizeof(lines) / sizeof(lines[0]));
	for (size_t i = 0; i < no.count; i++)
		assert_int_equal(no.items[i].where.line, lines[i]);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_backend_is_accepted_or_refused_in_these_words),
		cmocka_unit_test(all_mistakes_of_a_backend_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
