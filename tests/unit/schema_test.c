/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of Backend in the words of upstream, one row each: a spec, and what is said to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "manifest/manifest.h"

static int setup(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static const char prefix[] = "The Backend \"x\" is invalid: ";

#define SKIPPED                                                                                    \
	"<nil>: Invalid value: null: some validation rules were not checked because the object "   \
	"was invalid; correct the existing errors to complete validation"

/* All messages behind the prefix, each ended by a line break, in order of place. */
static const char *check_text(struct arena *a, const char *text, struct resources *rs)
{
	const char *out = "", *message;
	struct diags d;

	*rs = (struct resources){0};
	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, NULL, text, strlen(text), NULL, rs), 0);
	assert_int_equal(d.errors, d.count);
	assert_int_equal(d.count == 0, rs->count == 1);
	for (size_t i = 0; i < d.count; i++) {
		message = d.items[i].text;
		if (strncmp(message, prefix, strlen(prefix)) == 0)
			message += strlen(prefix);
		out = arena_printf(a, "%s%s\n", out, message);
	}
	return out;
}

static const char *check_spec(struct arena *a, const char *spec, struct resources *rs)
{
	return check_text(a,
			  arena_printf(a,
				       "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\n"
				       "metadata: {name: x}\nspec: %s\n",
				       spec),
			  rs);
}

struct row {
	const char *spec;
	const char *said; /* "" when it is accepted */
};

static void expect(struct arena *a, const struct row *rows, size_t count)
{
	struct resources rs;
	const char *said;

	for (size_t i = 0; i < count; i++) {
		said = check_spec(a, rows[i].spec, &rs);
		if (strcmp(said, rows[i].said) != 0)
			fail_msg("%s\nis answered %s\nexpected    %s", rows[i].spec, said,
				 rows[i].said);
	}
}

#define EXPECT(rows) expect(*state, rows, sizeof(rows) / sizeof((rows)[0]))
#define IP	     "ip: {address: 192.0.2.1, port: 80}"
#define FQDN	     "fqdn: {hostname: a.example, port: 80}"
#define UNIX	     "unix: {path: /run/x}"

static const struct row endpoints[] = {
	{"{}", ""},
	{"{endpoints: ~}", ""},
	{"{endpoints: [{" IP "}, {" UNIX "}, {" IP "}]}", ""},
	{"{endpoints: [{" FQDN "}, {" FQDN "}]}", ""},
	{"{endpoints: [{" IP ", fqdn: ~}]}", ""},
	{"~", "spec: Required value\n" SKIPPED "\n"},
	{"{endpoints: []}",
	 "spec.endpoints: Invalid value: 0: spec.endpoints in body should have at least 1 items\n"},
	{"{endpoints: [{}]}",
	 "spec.endpoints[0]: Invalid value: one of fqdn, ip or unix must be specified\n"
	 "spec.endpoints[0]: Invalid value: only one of fqdn, ip or unix can be specified\n"},
	{"{endpoints: [{" IP ", " UNIX "}]}",
	 "spec.endpoints[0]: Invalid value: only one of fqdn, ip or unix can be specified\n"},
	{"{endpoints: [{" IP "}, {" FQDN "}]}",
	 "spec.endpoints: Invalid value: fqdn addresses cannot be mixed with other address types\n"},
	{"{endpoints: [{" IP ", " FQDN "}, {" FQDN "}]}",
	 "spec.endpoints[0]: Invalid value: only one of fqdn, ip or unix can be specified\n"},
	{"{endpoints: [~]}",
	 "spec.endpoints[0]: Invalid value: \"null\": spec.endpoints[0] in body must be of type "
	 "object: \"null\"\n" SKIPPED "\n"},
	{"{endpoints: [{ip: {address: 192.0.2.1, port: ~}}]}",
	 "spec.endpoints[0].ip.port: Required value\n" SKIPPED "\n"},
};

static void endpoints_are_of_one_kind(void **state)
{
	EXPECT(endpoints);
}

#define PORT(p)	  "{endpoints: [{ip: {address: 192.0.2.1, port: " p "}}]}"
#define PORT_PATH "spec.endpoints[0].ip.port"
#define NOT_INT32                                                                                           \
	"<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in " PORT_PATH \
	"\n"

static const struct row ports[] = {
	{PORT("1"), ""},
	{PORT("65535"), ""},
	{PORT("8080.0"), ""},
	{PORT("0"), PORT_PATH ": Invalid value: 0: must be between 1 and 65535\n"},
	{PORT("-1"), PORT_PATH ": Invalid value: -1: " PORT_PATH
			       " in body should be greater than or equal to 0\n"},
	{PORT("65536"), PORT_PATH ": Invalid value: 65536: " PORT_PATH
				  " in body should be less than or equal to 65535\n"},
	{PORT("2147483648"),
	 PORT_PATH ": Invalid value: 2147483648: " PORT_PATH
		   " in body should be less than or equal to 65535\n" NOT_INT32},
	{PORT("80.5"),
	 PORT_PATH ": Invalid value: \"float64\": " PORT_PATH
		   " in body must be of type int32: \"float64\"\n" NOT_INT32 SKIPPED "\n"},
	{PORT("65535.5"),
	 PORT_PATH ": Invalid value: \"float64\": " PORT_PATH
		   " in body must be of type int32: \"float64\"\n" PORT_PATH
		   ": Invalid value: 65535.5: " PORT_PATH
		   " in body should be less than or equal to 65535\n" NOT_INT32 SKIPPED "\n"},
	{PORT("{}"), PORT_PATH ": Invalid value: \"\": " PORT_PATH
			       " in body must be of type int32: \"\"\n" SKIPPED "\n"},
	{PORT("true"), PORT_PATH ": Invalid value: \"\": " PORT_PATH
				 " in body must be of type int32: \"\"\n" SKIPPED "\n"},
	{PORT("\"80\""), PORT_PATH ": Invalid value: \"string\": " PORT_PATH
				   " in body must be of type integer: \"string\"\n" SKIPPED "\n"},
	{PORT("[80]"), PORT_PATH ": Invalid value: \"array\": " PORT_PATH
				 " in body must be of type integer: \"array\"\n" SKIPPED "\n"},
};

static void ports_are_whole_numbers_from_1_to_65535(void **state)
{
	EXPECT(ports);
}

static const char *const good_addresses[] = {
	"192.0.2.1",
	"0.0.0.0",
	"255.255.255.255",
	"010.0.0.1",
	"127.0.0.1",
	"2001:db8::10",
	"2001:DB8:0:0:0:0:0:10",
	"2001:db8::1:2:3",
	"2001:db8::",
	"::1",
	"::",
	"fe80::",
	"::ffff:192.0.2.1",
	"::2001:db8",
	"0:0:0:0:0:ffff:c000:0201",
	"1:2",
	":12",
	"0000:0000:0000:0000:0000:ffff:255.255.255.255",
};
static const char *const bad_addresses[] = {
	"256.0.0.1",	"1.2.3",	  "1.2.3.4.5",	    "1.2.3.4.",
	"192.0.2.1/32", "0x7f.0.0.1",	  "1.2.3.0004",	    "1.2.3.5555555555",
	"fe80::1%eth0", "[2001:db8::1]",  "2001:db8::/64",  "1:2:3:4:5:6:7:8:9",
	"20010:db8::1", "2001:db8::1\\n", "2001:db8::1\\0", " 192.0.2.1",
	"1::2::3",	"gggg::1",	  "a.example",
};

static void every_textual_address_passes_and_nothing_else(void **state)
{
	struct arena *a = *state;
	struct resources rs;
	const char *said;

	for (size_t i = 0; i < sizeof(good_addresses) / sizeof(good_addresses[0]); i++) {
		said = check_spec(a,
				  arena_printf(a, "{endpoints: [{ip: {address: \"%s\", port: 1}}]}",
					       good_addresses[i]),
				  &rs);
		if (*said)
			fail_msg("%s: %s", good_addresses[i], said);
	}
	for (size_t i = 0; i < sizeof(bad_addresses) / sizeof(bad_addresses[0]); i++) {
		said = check_spec(a,
				  arena_printf(a, "{endpoints: [{ip: {address: \"%s\", port: 1}}]}",
					       bad_addresses[i]),
				  &rs);
		if (!strstr(said, "spec.endpoints[0].ip.address in body should match '^((25[0-5]|"))
			fail_msg("%s: %s", bad_addresses[i], said);
	}
	assert_string_equal(
		check_spec(a, "{endpoints: [{ip: {address: \"\", port: 1}}]}", &rs),
		"spec.endpoints[0].ip.address: Invalid value: \"\": "
		"spec.endpoints[0].ip.address in body should be at least 3 chars long\n");
}

/* `field` of `length` characters (of `unit`), and what is said. */
struct length_row {
	const char *format;
	const char *unit;
	int length;
	const char *said;
};

#define HOST_FORMAT "{endpoints: [{fqdn: {hostname: \"%s\", port: 80}}]}"
#define UNIX_FORMAT "{endpoints: [{unix: {path: \"%s\"}}]}"
#define UNIX_PATH   "spec.endpoints[0].unix.path"

static const struct length_row lengths[] = {
	{HOST_FORMAT, "a", 253, ""},
	{HOST_FORMAT, "a", 254,
	 "spec.endpoints[0].fqdn.hostname: Too long: may not be more than 253"},
	{"{endpoints: [{zone: \"%s\", " IP "}]}", "a", 5000, ""},
	{"{endpoints: [{zone: \"%s\", " IP "}]}", "a", 0, ""},
	{"{tls: {sni: \"%s\"}}", "a", 253, ""},
	{"{tls: {sni: \"%s\"}}", "a", 254,
	 "spec.tls.sni: Too long: may not be more than 253 bytes"},
	{"{tls: {sni: \"%s\"}}", "a", 0, "spec.tls.sni in body should be at least 1 chars long"},
	{"{tls: {caCertificateRefs: [{group: \"\", kind: A, name: \"%s\"}]}}", "\xc3\xa9", 253, ""},
	{"{tls: {caCertificateRefs: [{group: \"\", kind: A, name: \"%s\"}]}}", "\xc3\xa9", 254,
	 "Too long: may not be more than 253 bytes"},
	{UNIX_FORMAT, "a", 107, ""},
	{UNIX_FORMAT, "a", 108,
	 "must be 1 to 107 bytes long, the most that a socket address takes, "
	 "it has 108"},
	{UNIX_FORMAT, "a", 109,
	 UNIX_PATH
	 ": Invalid value: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\": unix domain socket path must not "
	 "exceed 108 characters"},
	{UNIX_FORMAT, "\xc3\xa9", 53, ""},
	{UNIX_FORMAT, "\xc3\xa9", 54, "it has 108"},
	{UNIX_FORMAT, "\xc3\xa9", 108, "it has 216"},
	{UNIX_FORMAT, "\xc3\xa9", 109, "unix domain socket path must not exceed 108 characters"},
	{UNIX_FORMAT, "a", 0,
	 UNIX_PATH
	 ": Invalid value: \"\": must be 1 to 107 bytes long, the most that a socket address takes, it has 0"},
};

static void lengths_are_counted_in_code_points_but_of_paths_in_bytes(void **state)
{
	struct arena *a = *state;
	struct resources rs;
	const char *said;
	char *text;

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		text = arena_alloc(a, (size_t)lengths[i].length * strlen(lengths[i].unit) + 200);
		for (int n = 0; n < lengths[i].length; n++)
			strcat(text, lengths[i].unit);
		/* The format has one %s and nothing else. */
		size_t before = (size_t)(strstr(lengths[i].format, "%s") - lengths[i].format);
		said = check_spec(a,
				  arena_printf(a, "%.*s%s%s", (int)before, lengths[i].format, text,
					       lengths[i].format + before + 2),
				  &rs);
		if (*lengths[i].said ? !strstr(said, lengths[i].said) : *said != '\0')
			fail_msg("%s of %d: %s", lengths[i].format, lengths[i].length, said);
	}
}

#define SUBDOMAIN  "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
#define WELL_KNOWN "^(System|(" SUBDOMAIN "/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$"
#define WORD_63	   "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabc"

static const struct row names[] = {
	{"{endpoints: [{fqdn: {hostname: a.b., port: 1}}]}", ""},
	{"{endpoints: [{hostname: a, " IP "}]}", ""},
	{"{endpoints: [{hostname: a., " IP "}]}",
	 "spec.endpoints[0].hostname: Invalid value: \"a.\": spec.endpoints[0].hostname in body "
	 "should match '^" SUBDOMAIN "$'\n"},
	{"{endpoints: [{fqdn: {hostname: a.., port: 1}}]}",
	 "spec.endpoints[0].fqdn.hostname: Invalid value: \"a..\": spec.endpoints[0].fqdn.hostname "
	 "in body should match '^" SUBDOMAIN "\\.?$'\n"},
	{"{endpoints: [{fqdn: {hostname: \"a\\n\", port: 1}}]}",
	 "spec.endpoints[0].fqdn.hostname: Invalid value: \"a\\n\": spec.endpoints[0].fqdn.hostname "
	 "in body should match '^" SUBDOMAIN "\\.?$'\n"},
	{"{endpoints: [{fqdn: {hostname: a-.b, port: 1}}]}",
	 "spec.endpoints[0].fqdn.hostname: Invalid value: \"a-.b\": spec.endpoints[0].fqdn.hostname "
	 "in body should match '^" SUBDOMAIN "\\.?$'\n"},
	{"{tls: {wellKnownCACertificates: acme.example/x_y.z}}", ""},
	{"{tls: {wellKnownCACertificates: a/" WORD_63 "}}", ""},
	{"{tls: {wellKnownCACertificates: a/" WORD_63 "x}}",
	 "spec.tls.wellKnownCACertificates: Invalid value: \"a/" WORD_63 "x\": "
	 "spec.tls.wellKnownCACertificates in body should match '" WELL_KNOWN "'\n"},
	{"{tls: {wellKnownCACertificates: acme.example/x/y}}",
	 "spec.tls.wellKnownCACertificates: Invalid value: \"acme.example/x/y\": "
	 "spec.tls.wellKnownCACertificates in body should match '" WELL_KNOWN "'\n"},
	{"{tls: {wellKnownCACertificates: system}}",
	 "spec.tls.wellKnownCACertificates: Invalid value: \"system\": "
	 "spec.tls.wellKnownCACertificates in body should match '" WELL_KNOWN "'\n"},
	{"{tls: {clientCertificateRef: {name: c, group: A}}}",
	 "spec.tls.clientCertificateRef.group: Invalid value: \"A\": "
	 "spec.tls.clientCertificateRef.group in body should match '^$|^" SUBDOMAIN "$'\n"},
	{"{tls: {clientCertificateRef: {name: c, kind: 1a}}}",
	 "spec.tls.clientCertificateRef.kind: Invalid value: \"1a\": "
	 "spec.tls.clientCertificateRef.kind in body should match "
	 "'^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$'\n"},
	{"{tls: {clientCertificateRef: {name: c, namespace: a.b}}}",
	 "spec.tls.clientCertificateRef.namespace: Invalid value: \"a.b\": "
	 "spec.tls.clientCertificateRef.namespace in body should match "
	 "'^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'\n"},
};

static void names_match_their_patterns(void **state)
{
	EXPECT(names);
}

#define TLS(fields) "{tls: {" fields "}}"
#define REFS	    "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: a}]"
#define BOTH	    "must not contain both CACertificateRefs and WellKnownCACertificates\n"
#define SKIP_VERIFY                                                                                \
	"must not contain either CACertificateRefs or WellKnownCACertificates when "               \
	"InsecureSkipVerify is enabled\n"
#define ORDER "spec.tls: Invalid value: minVersion must be smaller or equal to maxVersion\n"
#define NO_HOSTNAME                                                                                \
	"when autoSNIFromEndpointHostname is enabled, IP and Unix endpoints must define a "        \
	"hostname\n"

static const struct row rules[] = {
	{TLS(""), ""},
	{TLS(REFS), ""},
	{TLS("caCertificateRefs: [], wellKnownCACertificates: System"), ""},
	{TLS(REFS ", wellKnownCACertificates: System"), "spec.tls: Invalid value: " BOTH},
	{TLS("insecureSkipVerify: true, " REFS), "spec.tls: Invalid value: " SKIP_VERIFY},
	{TLS("insecureSkipVerify: true, wellKnownCACertificates: System, " REFS),
	 "spec.tls: Invalid value: " BOTH "spec.tls: Invalid value: " SKIP_VERIFY},
	{TLS("insecureSkipVerify: true, caCertificateRefs: []"), ""},
	{TLS("sni: a, autoSNIFromEndpointHostname: false"), ""},
	{TLS("minVersion: \"1.3\", ciphers: []"),
	 "spec.tls: Invalid value: setting ciphers has no effect if the minimum possible TLS version "
	 "is 1.3\n"},
	{TLS("minVersion: \"1.2\", ciphers: [a]"), ""},
	{TLS("maxVersion: \"1.1\""), ORDER},
	{TLS("maxVersion: \"1.2\""), ""},
	{TLS("minVersion: Auto, maxVersion: \"1.0\""), ""},
	{TLS("minVersion: \"1.3\", maxVersion: Auto"), ""},
	{TLS("minVersion: \"1.3\", maxVersion: \"1.2\""), ORDER},
	{TLS("minVersion: \"1.0\""), ""},
	{TLS("minVersion: 1.2"),
	 "spec.tls.minVersion: Invalid value: \"number\": "
	 "spec.tls.minVersion in body must be of type string: \"number\"\n"
	 "spec.tls.minVersion: Unsupported value: 1.2: supported values: \"Auto\", \"1.0\", "
	 "\"1.1\", \"1.2\", \"1.3\"\n" SKIPPED "\n"},
	{"{tls: {autoSNIFromEndpointHostname: true}, endpoints: [{" FQDN "}]}", ""},
	{"{tls: {autoSNIFromEndpointHostname: true}, endpoints: [{" IP ", hostname: a}]}", ""},
	{"{tls: {autoSNIFromEndpointHostname: true}, endpoints: [{" UNIX "}]}",
	 "spec: Invalid value: " NO_HOSTNAME},
	{"{tls: {autoSNIFromEndpointHostname: true, sni: a}, endpoints: [{" FQDN "}]}",
	 "spec.tls: Invalid value: sni and autoSNIFromEndpointHostname are mutually exclusive\n"},
	{"{tls: {autoSNIFromEndpointHostname: true}}",
	 "spec: Invalid value: no such key: endpoints evaluating rule: " NO_HOSTNAME},
	{"{type: DynamicResolver, tls: {autoSNIFromEndpointHostname: true}}",
	 "spec: Invalid value: DynamicResolver type cannot use autoSNIFromEndpointHostname\n"
	 "spec: Invalid value: no such key: endpoints evaluating rule: " NO_HOSTNAME},
	{"{type: DynamicResolver, endpoints: [{" IP "}]}",
	 "spec: Invalid value: DynamicResolver type cannot have endpoints specified\n"},
	{"{type: DynamicResolver}", ""},
	{"{type: ~}", ""},
};

static void fields_that_exclude_each_other_are_named(void **state)
{
	EXPECT(rules);
}

#define UNKNOWN                                                                                    \
	"Error from server (BadRequest): Backend in version \"v1alpha1\" cannot be handled as a "  \
	"Backend: strict decoding error: unknown field "

static const struct row unknowns[] = {
	{"{zulu: 1, alpha: ~}",
	 UNKNOWN "\"spec.alpha\", unknown field \"spec.zulu\"\n" UNKNOWN "\"spec.alpha\"\n"},
	{"{endpoints: [{" IP ", port: 1}]}", UNKNOWN "\"spec.endpoints[0].port\"\n"},
	{"{endpoints: {ip: {}}}",
	 "spec.endpoints: Invalid value: \"object\": spec.endpoints in body must be of type array: "
	 "\"object\"\n" UNKNOWN "\"spec.endpoints.ip\"\n" SKIPPED "\n"},
	{"{tls: [{sni: a}]}",
	 "spec.tls: Invalid value: \"array\": spec.tls in body must be of type "
	 "object: \"array\"\n" UNKNOWN "\"spec.tls[0].sni\"\n" SKIPPED "\n"},
	{"{fallback: \"true\", bogus: 1}",
	 "spec.fallback: Invalid value: \"string\": spec.fallback in body must be of type boolean: "
	 "\"string\"\n" UNKNOWN "\"spec.bogus\"\n" SKIPPED "\n"},
	{"hello", "spec: Invalid value: \"string\": spec in body must be of type object: "
		  "\"string\"\n" SKIPPED "\n"},
	{"{appProtocols: [h2c]}",
	 "spec.appProtocols[0]: Unsupported value: \"h2c\": supported values: "
	 "\"gateway.envoyproxy.io/h2c\", \"gateway.envoyproxy.io/ws\", "
	 "\"gateway.envoyproxy.io/wss\"\n" SKIPPED "\n"},
};

static void mistakes_of_all_stages_are_shown_in_one_run(void **state)
{
	EXPECT(unknowns);
}

static void defaults_are_filled_in_and_nulls_dropped(void **state)
{
	struct resources rs;
	char *json;

	assert_string_equal(check_spec(*state,
				       "{fallback: ~, endpoints: [{" IP
				       "}], tls: {clientCertificateRef: {name: c},"
				       " insecureSkipVerify: true}}\nstatus: {conditions: []}",
				       &rs),
			    "");
	json = node_to_json(node_at(rs.items[0].root, "spec"), 0);
	assert_string_equal(json,
			    "{\"endpoints\":[{\"ip\":{\"address\":\"192.0.2.1\",\"port\":80}}],"
			    "\"tls\":{\"clientCertificateRef\":{\"name\":\"c\",\"group\":\"\","
			    "\"kind\":\"Secret\"},\"insecureSkipVerify\":true},"
			    "\"type\":\"Endpoints\"}");
	free(json);
	assert_null(node_member(rs.items[0].root, "status"));
	assert_string_equal(node_text_at(rs.items[0].root, "metadata.namespace", ""), "default");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_are_of_one_kind),
		cmocka_unit_test(ports_are_whole_numbers_from_1_to_65535),
		cmocka_unit_test(every_textual_address_passes_and_nothing_else),
		cmocka_unit_test(lengths_are_counted_in_code_points_but_of_paths_in_bytes),
		cmocka_unit_test(names_match_their_patterns),
		cmocka_unit_test(fields_that_exclude_each_other_are_named),
		cmocka_unit_test(mistakes_of_all_stages_are_shown_in_one_run),
		cmocka_unit_test(defaults_are_filled_in_and_nulls_dropped),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
