/* SPDX-License-Identifier: BSD-2-Clause */
/* Gateways, and what is rarely used of HTTPRoutes: each limit and rule on both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
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

/* Everything that is said to the object. */
static const char *check(struct arena *a, const char *kind, const char *spec)
{
	const char *text = arena_printf(a,
					"apiVersion: gateway.networking.k8s.io/v1\nkind: %s\n"
					"metadata: {name: x}\nspec: {%s}\n",
					kind, spec);
	struct resources rs = {0};
	const char *out = "";
	struct diags d;

	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, NULL, text, strlen(text), NULL, &rs), 0);
	for (size_t i = 0; i < d.count; i++)
		out = arena_printf(a, "%s%s\n", out, d.items[i].text);
	return out;
}

struct row {
	const char *spec;
	const char *part; /* of what is said; "": nothing is */
};

static void expect(struct arena *a, const char *kind, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *said = check(a, kind, rows[i].spec);

		if (rows[i].part[0] ? !strstr(said, rows[i].part) : said[0])
			fail_msg("%s {%s}\nexpected: %s\nsaid: %s", kind, rows[i].spec,
				 rows[i].part, said);
	}
}

#define EXPECT(kind, rows) expect(*state, kind, rows, sizeof(rows) / sizeof((rows)[0]))
#define MATCHES		   " in body should match '"
#define GW(more)	   "gatewayClassName: c, listeners: [{name: a, protocol: TCP, port: 1}], " more
#define ONE(listener)	   "gatewayClassName: c, listeners: [{" listener "}]"
#define TEN		   "abcdefghij"
#define SIXTY		   TEN TEN TEN TEN TEN TEN
#define LABEL_63	   SIXTY "abc"
#define DOMAIN_252	   LABEL_63 "." LABEL_63 "." LABEL_63 "." SIXTY

static void a_gateway_may_describe_what_is_made_for_it(void **state)
{
#define NOTE(n)	 GW("infrastructure: {annotations: {" n "}}")
#define LABEL(l) GW("infrastructure: {labels: {" l "}}")
#define FOUR(p)	 p "a: b, " p "b: b, " p "c: b, " p "d: b"
	static const char keys[] = " keys must be in the form of an optional DNS subdomain prefix "
				   "followed by a required name segment of up to 63 characters.";
	static const struct row rows[] = {
		{NOTE(""), ""},
		{NOTE("a: \"\", example.com/b: c"), ""},
		{NOTE(LABEL_63 ": a"), ""},
		{NOTE(LABEL_63 "d: a"), keys},
		{NOTE("-a: b"), "spec.infrastructure.annotations: Invalid value: Annotation keys"},
		{NOTE("Example.com/b: c"), keys},
		{NOTE(DOMAIN_252 "/a: b"), ""},
		{NOTE(DOMAIN_252 "z/a: b"),
		 "If specified, the annotation key's prefix must be a DNS subdomain not longer than "
		 "253 characters in total."},
		{NOTE("a: 1"), "must be of type string: \"integer\""},
		{NOTE(FOUR("a") ", " FOUR("b") ", " FOUR("c") ", " FOUR("d")), ""},
		{NOTE(FOUR("a") ", " FOUR("b") ", " FOUR("c") ", " FOUR("d") ", e: f"),
		 "Too many: 17: must have at most 16 items"},
		{LABEL("a: b, c: \"\""), ""},
		{LABEL("a: " LABEL_63), ""},
		{LABEL("a: " LABEL_63 "d"), "Too long: may not be more than 63 bytes"},
		{LABEL("a: -b"), MATCHES},
		{LABEL("a_: b"), "Label keys must be in the form"},
		{LABEL(FOUR("a") ", " FOUR("b")), ""},
		{LABEL(FOUR("a") ", " FOUR("b") ", e: f"),
		 "Too many: 9: must have at most 8 items"},
		{GW("infrastructure: {parametersRef: {group: g, kind: K, name: x}}"), ""},
		{GW("infrastructure: {parametersRef: {group: g, kind: K}}"),
		 "parametersRef.name: Required value"},
		{GW("infrastructure: {replicas: 1}"),
		 "unknown field \"spec.infrastructure.replicas\""},
	};

	EXPECT("Gateway", rows);
}

static void a_gateway_may_say_who_attaches_listeners(void **state)
{
#define SETS(s) GW("allowedListeners: {" s "}")
	static const struct row rows[] = {
		{SETS(""), ""},
		{SETS("namespaces: {from: All}"), ""},
		{SETS("namespaces: {from: None}"), ""},
		{SETS("namespaces: {from: Selector, selector: {matchLabels: {a: b}}}"), ""},
		{SETS("namespaces: {from: Some}"),
		 "supported values: \"All\", \"Selector\", \"Same\", \"None\""},
		{SETS("namespaces: {selector: {matchExpressions: [{key: a}]}}"),
		 "matchExpressions[0].operator: Required value"},
	};

	EXPECT("Gateway", rows);
}

static void a_gateway_may_ask_for_certificates_of_clients(void **state)
{
#define FRONT(f) GW("tls: {frontend: {" f "}}")
#define CA	 "validation: {caCertificateRefs: [{group: \"\", kind: ConfigMap, name: c}]}"
	static const struct row rows[] = {
		{FRONT("default: {}"), ""},
		{FRONT("default: {" CA "}"), ""},
		{FRONT(""), "spec.tls.frontend.default: Required value"},
		{FRONT("default: {validation: {}}"), "caCertificateRefs: Required value"},
		{FRONT("default: {validation: {caCertificateRefs: []}}"),
		 "should have at least 1 items"},
		{FRONT("default: {validation: {caCertificateRefs: [{kind: ConfigMap, name: c}]}}"),
		 "caCertificateRefs[0].group: Required value"},
		{FRONT("default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: "
		       "[{group: \"\", kind: ConfigMap, name: c, namespace: ns}]}}"),
		 ""},
		{FRONT("default: {validation: {mode: AllowAll, caCertificateRefs: [{group: \"\", "
		       "kind: ConfigMap, name: c}]}}"),
		 "\"AllowValidOnly\", \"AllowInsecureFallback\""},
		{FRONT("default: {}, perPort: [{port: 443, tls: {" CA "}}, {port: 444, tls: {}}]"),
		 ""},
		{FRONT("default: {}, perPort: [{port: 443, tls: {}}, {port: 443, tls: {}}]"),
		 "spec.tls.frontend.perPort: Invalid value: Port for TLS configuration must be unique "
		 "within the Gateway"},
		{FRONT("default: {}, perPort: [{port: 443, tls: {}}, {port: 443, tls: {}}]"),
		 "spec.tls.frontend.perPort[1]: Duplicate value: {\"port\":443}"},
		{FRONT("default: {}, perPort: [{port: 0, tls: {}}]"),
		 "should be greater than or equal to 1"},
		{FRONT("default: {}, perPort: [{port: 65535, tls: {}}]"), ""},
		{FRONT("default: {}, perPort: [{port: 65536, tls: {}}]"),
		 "should be less than or equal to 65535"},
		{FRONT("default: {}, perPort: [{port: 1}]"), "perPort[0].tls: Required value"},
	};

	EXPECT("Gateway", rows);
}

static void listeners_follow_their_rules(void **state)
{
#define CERT "tls: {certificateRefs: [{name: c}]}"
	static const struct row rows[] = {
		{ONE("name: a, protocol: HTTPS, port: 443, " CERT), ""},
		{ONE("name: a, protocol: HTTPS, port: 443"), ""},
		{ONE("name: a, protocol: HTTPS, port: 443, tls: {mode: Passthrough}"),
		 "tls mode must be Terminate for protocol HTTPS"},
		{ONE("name: a, protocol: TLS, port: 443, tls: {mode: Passthrough}"), ""},
		{ONE("name: a, protocol: TLS, port: 443"), "tls mode must be set for protocol TLS"},
		{ONE("name: a, protocol: HTTP, port: 80, hostname: a.example"), ""},
		{ONE("name: a, protocol: TCP, port: 80, hostname: a.example"),
		 "spec.listeners: Invalid value: hostname must not be specified for protocols ['TCP', "
		 "'UDP']"},
		{ONE("name: a, protocol: HTTP, port: 80, " CERT),
		 "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"},
		{ONE("name: a, protocol: HTTPS, port: 443, tls: {}"),
		 "spec.listeners[0].tls: Invalid value: certificateRefs or options must be specified "
		 "when mode is Terminate"},
		{ONE("name: a, protocol: HTTPS, port: 443, tls: {options: {a: b}}"), ""},
		{ONE("name: a, protocol: TCP, port: 65535"), ""},
		{ONE("name: a, protocol: TCP, port: 65536"),
		 "should be less than or equal to 65535"},
		{ONE("name: a, protocol: TCP, port: 1}, {name: b, protocol: TCP, port: 2"), ""},
		{ONE("name: a, protocol: TCP, port: 1}, {name: a, protocol: TCP, port: 2"),
		 "Listener name must be unique within the Gateway"},
		{ONE("name: a, protocol: TCP, port: 1}, {name: b, protocol: TCP, port: 1"),
		 "Combination of port, protocol and hostname must be unique for each listener"},
		{ONE("name: a, protocol: TCP, port: 1}, {name: b, protocol: UDP, port: 1"), ""},
		{GW("addresses: [{value: 192.0.2.1}, {value: 192.0.2.2}]"), ""},
		{GW("addresses: [{value: 192.0.2.1}, {value: 192.0.2.1}]"),
		 "spec.addresses: Invalid value: IPAddress values must be unique"},
		{GW("addresses: [{type: Hostname, value: a.example}, {type: Hostname, value: "
		    "a.example}]"),
		 "Hostname values must be unique"},
		{GW("addresses: [{type: Hostname, value: \"\"}]"), ""},
		{GW("addresses: [{type: Hostname, value: A}]"),
		 "spec.addresses[0]: Invalid value: Hostname value must be empty or contain only "
		 "valid characters (matching ^(\\*\\.)?"},
	};

	EXPECT("Gateway", rows);
}

static void rules_of_an_httproute_may_ask_for_retries_and_sessions(void **state)
{
#define RULE(r)	   "rules: [{" r "}]"
#define SESSION(s) RULE("sessionPersistence: {" s "}")
	static const struct row rows[] = {
		{RULE("retry: {}"), ""},
		{RULE("retry: {codes: [400, 599], attempts: 3, backoff: 100ms}"), ""},
		{RULE("retry: {codes: [399]}"), "should be greater than or equal to 400"},
		{RULE("retry: {codes: [600]}"), "should be less than or equal to 599"},
		{RULE("retry: {codes: [\"500\"]}"), "must be of type integer: \"string\""},
		{RULE("retry: {backoff: 1.5s}"), MATCHES},
		{RULE("retry: {attempts: many}"), "must be of type integer: \"string\""},
		{RULE("retry: {on: [500]}"), "unknown field \"spec.rules[0].retry."},
		{SESSION(""), ""},
		{SESSION("type: Header, sessionName: x-session, idleTimeout: 1m"), ""},
		{SESSION("type: Body"), "supported values: \"Cookie\", \"Header\""},
		{SESSION("sessionName: " SIXTY SIXTY "abcdefgh"), ""},
		{SESSION("sessionName: " SIXTY SIXTY "abcdefghi"),
		 "Too long: may not be more than 128 bytes"},
		{SESSION("cookieConfig: {}"), ""},
		{SESSION("cookieConfig: {lifetimeType: Permanent}, absoluteTimeout: 1h"), ""},
		{SESSION("cookieConfig: {lifetimeType: Permanent}"),
		 "spec.rules[0].sessionPersistence: Invalid value: AbsoluteTimeout must be specified "
		 "when cookie lifetimeType is Permanent"},
		{SESSION("cookieConfig: {lifetimeType: Eternal}"), "\"Permanent\", \"Session\""},
	};

	EXPECT("HTTPRoute", rows);
}

static void grants_name_both_sides(void **state)
{
#define FROM "from: [{group: a.example, kind: TCPRoute, namespace: ns}]"
#define TO   "to: [{group: b.example, kind: Backend}]"
	static const struct row rows[] = {
		{FROM ", " TO, ""},
		{FROM ", to: [{group: \"\", kind: Secret, name: x}]", ""},
		{FROM, "spec.to: Required value"},
		{TO, "spec.from: Required value"},
		{"from: [], " TO, "should have at least 1 items"},
		{FROM ", to: []", "should have at least 1 items"},
		{"from: [{group: g, kind: K}], " TO, "spec.from[0].namespace: Required value"},
		{"from: [{group: g, kind: K, namespace: a.b}], " TO, MATCHES},
		{FROM ", to: [{kind: Backend}]", "spec.to[0].group: Required value"},
	};

	EXPECT("ReferenceGrant", rows);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_gateway_may_describe_what_is_made_for_it),
		TEST(a_gateway_may_say_who_attaches_listeners),
		TEST(a_gateway_may_ask_for_certificates_of_clients),
		TEST(listeners_follow_their_rules),
		TEST(rules_of_an_httproute_may_ask_for_retries_and_sessions),
		TEST(grants_name_both_sides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
