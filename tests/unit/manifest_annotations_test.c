/* SPDX-License-Identifier: BSD-2-Clause */
/* Annotations of our own domain: on which kinds, with which values, and what is said otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "manifest/annotations.h"
#include "manifest/manifest.h"

static struct arena *arena;
static struct diags diags;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

#define ROUTES (1u << KIND_TCPROUTE | 1u << KIND_UDPROUTE)

static const char *const specs[] = {
	[KIND_BACKEND] = "endpoints: [{ip: {address: 10.0.0.1, port: 80}}]",
	[KIND_GATEWAY] = "gatewayClassName: x, listeners: [{name: a, protocol: TCP, port: 1}]",
	[KIND_TCPROUTE] = "rules: [{backendRefs: [{name: a, port: 1}]}]",
	[KIND_UDPROUTE] = "rules: [{backendRefs: [{name: a, port: 1}]}]",
	[KIND_BACKENDTRAFFICPOLICY] =
		"targetRef: {group: gateway.networking.k8s.io, kind: Gateway, name: a}",
	[KIND_REFERENCEGRANT] = "from: [{group: '', kind: A, namespace: a}], to: [{group: '', "
				"kind: B}]",
	[KIND_HTTPROUTE] = "hostnames: [a.example]",
	[KIND_TLSROUTE] = "hostnames: [a.example], rules: [{backendRefs: [{name: a, port: 1}]}]",
	[KIND_BACKENDTLSPOLICY] =
		"targetRefs: [{group: gateway.envoyproxy.io, kind: Backend, name: a}], validation: "
		"{hostname: a.example, wellKnownCACertificates: System}",
	[KIND_GATEWAYCLASS] = "controllerName: a.example/b",
};

/* The object with one annotation, on line 4; NULL when it is refused. */
static const struct resource *decode(enum kind_id kind, const char *name, const char *value)
{
	const struct kind *k = &kinds[kind];
	const char *text =
		arena_printf(arena,
			     "apiVersion: %s\nkind: %s\nmetadata: {name: x, "
			     "annotations: {\n  %s: %s}}\n%s: {%s}\n",
			     kind_api_version(arena, k, NULL), k->name, name, value,
			     *k->group ? "spec" : "data", *k->group ? specs[kind] : "a: YQ==");
	struct resources *out = arena_alloc(arena, sizeof(*out));
	const struct manifest_options opts = {0};

	diags_init(&diags, arena);
	assert_int_equal(
		manifest_read_text(arena, &diags, "in.yaml", text, strlen(text), &opts, out), 0);
	return out->count ? out->items : NULL;
}

static void expect_error(const char *text, int column)
{
	assert_int_equal(diags.errors, 1);
	assert_string_equal(diags.items[0].text, text);
	assert_int_equal(diags.items[0].loc.line, 4);
	assert_int_equal(diags.items[0].loc.column, column);
}

static void every_value_of_the_table_is_taken_on_its_kinds(void **state)
{
	size_t taken = 0;

	(void)state;
	for (const struct annotation *row = annotations; row->name; row++) {
		for (unsigned int k = 0; k < KIND_MAX; k++) {
			for (const char *const *v = row->values; v && *v; v++) {
				const struct resource *r =
					decode(k, row->name, arena_printf(arena, "\"%s\"", *v));

				assert_int_equal(r != NULL, (row->kinds >> k) & 1);
				if (!r)
					continue;
				assert_string_equal(annotation_value(r->root, row->name), *v);
				taken++;
			}
		}
	}
	assert_int_equal(taken, 4 + 2 + 2 * 4 + 2 * 4 + 2 + 2 + 8 + 2);
}

static void an_absent_annotation_has_its_preset(void **state)
{
	const struct resource *r = decode(KIND_BACKEND, "note", "free");

	(void)state;
	assert_non_null(r);
	assert_string_equal(annotation_value(r->root, ANNOTATION_FORWARDING), "nat");
	assert_string_equal(annotation_value(r->root, ANNOTATION_ON_REMOVAL), "leave");
	assert_string_equal(annotation_value(r->root, ANNOTATION_UDP_REPLIES), "optional");
	assert_string_equal(annotation_value(r->root, ANNOTATION_NO_ENDPOINT), "answer");
	assert_string_equal(annotation_value(r->root, ANNOTATION_NO_ENDPOINT_ESTABLISHED), "leave");
	assert_null(annotation_value(r->root, ANNOTATION_TIER));
}

static void a_wrong_value_is_refused_at_its_place(void **state)
{
	static const char *const values[] = {"8", "-1", "", "02", "1 ", "one"};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_null(decode(KIND_BACKEND, ANNOTATION_TIER,
				   arena_printf(arena, "\"%s\"", values[i])));
		expect_error(arena_printf(arena,
					  "The Backend \"x\" is invalid: "
					  "metadata.annotations[spillway.dev/tier]: Invalid value: "
					  "\"%s\": must be one of 0, 1, 2, 3, 4, 5, 6, 7",
					  values[i]),
			     22);
	}
}

/* Every row of a duration: its limits, and what is just outside of them. */
static void a_duration_is_taken_within_its_limits(void **state)
{
	static const struct {
		const char *name, *value;
		unsigned int kinds; /* that take it */
		uint32_t seconds;
	} rows[] = {
		{ANNOTATION_IDLE_EMBRYONIC, "1s", ROUTES, 1},
		{ANNOTATION_IDLE_EMBRYONIC, "1000ms", ROUTES, 1},
		{ANNOTATION_IDLE_EMBRYONIC, "600s", ROUTES, 600},
		{ANNOTATION_IDLE_EMBRYONIC, "601s", 0, 0},
		{ANNOTATION_IDLE_EMBRYONIC, "10m1s", 0, 0},
		{ANNOTATION_IDLE_EMBRYONIC, "999ms", 0, 0},
		{ANNOTATION_IDLE_ESTABLISHED, "1s", ROUTES, 1},
		{ANNOTATION_IDLE_ESTABLISHED, "1h30m", ROUTES, 5400},
		{ANNOTATION_IDLE_ESTABLISHED, "168h", ROUTES, 604800},
		{ANNOTATION_IDLE_ESTABLISHED, "168h1ms", 0, 0},
		{ANNOTATION_IDLE_ESTABLISHED, "99999h", 0, 0},
		{ANNOTATION_IDLE_ESTABLISHED, "0s", 0, 0},
		{ANNOTATION_IDLE_CLOSING, "1s", 1u << KIND_TCPROUTE, 1},
		{ANNOTATION_IDLE_CLOSING, "10m", 1u << KIND_TCPROUTE, 600},
		{ANNOTATION_IDLE_CLOSING, "11m", 0, 0},
		{ANNOTATION_IDLE_CLOSING, "0h", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned int k = 0; k < KIND_MAX; k++) {
			const struct resource *r = decode(k, rows[i].name, rows[i].value);

			assert_int_equal(r != NULL, (rows[i].kinds >> k) & 1);
			if (r)
				assert_int_equal(annotation_seconds(k, r->root, rows[i].name),
						 rows[i].seconds);
		}
	}
}

static void a_wrong_duration_is_told_why_and_what_is_right(void **state)
{
	static const struct {
		const char *name, *value, *why;
	} rows[] = {
		{ANNOTATION_IDLE_ESTABLISHED, "0s",
		 "must be at least 1s; 1s to 168h are allowed, 2h4m is the default"},
		{ANNOTATION_IDLE_ESTABLISHED, "169h",
		 "must be at most 168h; 1s to 168h are allowed, 2h4m is the default"},
		{ANNOTATION_IDLE_CLOSING, "1h",
		 "must be at most 10m, as the flow's source port rests as long; 1s to 10m are "
		 "allowed, 1m is the default"},
		{ANNOTATION_IDLE_EMBRYONIC, "2500ms",
		 "must be whole seconds, such as 2s; 1s to 10m are allowed, 30s is the default"},
	};
	static const char *const no_durations[] = {"",	 "30",	 "1.5s", "-1s",
						   "1d", "30 s", "30S",	 "1h1m1s1ms1s"};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(decode(KIND_TCPROUTE, rows[i].name, rows[i].value));
		expect_error(
			arena_printf(arena,
				     "The TCPRoute \"x\" is invalid: metadata.annotations[%s]: "
				     "Invalid value: \"%s\": %s",
				     rows[i].name, rows[i].value, rows[i].why),
			(int)strlen(rows[i].name) + 5);
	}
	for (size_t i = 0; i < sizeof(no_durations) / sizeof(no_durations[0]); i++) {
		assert_null(decode(KIND_UDPROUTE, ANNOTATION_IDLE_ESTABLISHED,
				   arena_printf(arena, "\"%s\"", no_durations[i])));
		expect_error(arena_printf(arena,
					  "The UDPRoute \"x\" is invalid: "
					  "metadata.annotations[" ANNOTATION_IDLE_ESTABLISHED
					  "]: Invalid value: \"%s\": must be a duration in h, m, s "
					  "and ms without fractions, such as 90s or 1m30s; 1s to "
					  "168h are allowed, 3m is the default",
					  no_durations[i]),
			     (int)strlen(ANNOTATION_IDLE_ESTABLISHED) + 5);
	}
}

static void whole_numbers_networks_and_names_are_taken_or_told(void **state)
{
	static const struct {
		const char *name, *value, *why; /* NULL: taken */
	} rows[] = {
		{ANNOTATION_NEW_FLOWS, "1", NULL},
		{ANNOTATION_NEW_FLOWS, "10000000", NULL},
		{ANNOTATION_NEW_FLOWS, "0", "must be a whole number from 1 to 10000000"},
		{ANNOTATION_NEW_FLOWS, "10000001", "must be a whole number from 1 to 10000000"},
		{ANNOTATION_NEW_FLOWS_BURST, "1.5", "must be a whole number from 1 to 10000000"},
		{ANNOTATION_SOURCE_FLOWS, "", "must be a whole number from 1 to 10000000"},
		{ANNOTATION_SOURCE_FLOWS_BURST, "-3", "must be a whole number from 1 to 10000000"},
		{ANNOTATION_ALLOW_SOURCES, "10.0.0.0/8, 2001:db8::/32", NULL},
		{ANNOTATION_DENY_SOURCES, "10.0.0.0/8,10.0.0.0/33",
		 "\"10.0.0.0/33\" is neither an address nor a network such as 192.0.2.0/24 or "
		 "2001:db8::/32"},
		{ANNOTATION_ALLOW_SOURCES_FROM, "one, two", NULL},
		{ANNOTATION_DENY_SOURCES_FROM, "One",
		 "must be names of ConfigMaps, with commas between them"},
		{ANNOTATION_DENY_SOURCES_FROM, "",
		 "must be names of ConfigMaps, with commas between them"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned int k = KIND_TCPROUTE; k <= KIND_UDPROUTE; k++) {
			const char *value = arena_printf(arena, "\"%s\"", rows[i].value);

			assert_int_equal(decode(k, rows[i].name, value) != NULL, !rows[i].why);
			if (rows[i].why)
				assert_non_null(strstr(diags.items[0].text, rows[i].why));
		}
		assert_null(decode(KIND_BACKEND, rows[i].name, "\"1\""));
	}
}

static void a_duration_that_ends_early_is_none(void **state)
{
	(void)state;
	assert_null(decode(KIND_TCPROUTE, ANNOTATION_IDLE_CLOSING, "\"30s\\0\""));
	assert_int_equal(diags.errors, 1);
}

static void the_preset_of_a_duration_goes_by_the_kind(void **state)
{
	const struct resource *r = decode(KIND_UDPROUTE, "note", "free");

	(void)state;
	assert_non_null(r);
	assert_int_equal(annotation_seconds(KIND_UDPROUTE, r->root, ANNOTATION_IDLE_ESTABLISHED),
			 180);
	assert_int_equal(annotation_seconds(KIND_UDPROUTE, NULL, ANNOTATION_IDLE_EMBRYONIC), 30);
	assert_int_equal(annotation_seconds(KIND_TCPROUTE, NULL, ANNOTATION_IDLE_EMBRYONIC), 30);
	assert_int_equal(annotation_seconds(KIND_TCPROUTE, NULL, ANNOTATION_IDLE_ESTABLISHED),
			 7440);
	assert_int_equal(annotation_seconds(KIND_TCPROUTE, NULL, ANNOTATION_IDLE_CLOSING), 60);
}

static void a_number_is_no_annotation(void **state)
{
	(void)state;
	assert_null(decode(KIND_BACKEND, ANNOTATION_TIER, "2"));
	expect_error("error: unable to decode \"in.yaml\": json: cannot unmarshal number into Go "
		     "struct field ObjectMeta.metadata.annotations of type string",
		     22);
}

static void an_unknown_name_is_told_the_known_ones(void **state)
{
	(void)state;
	assert_null(decode(KIND_TCPROUTE, "spillway.dev/no-endpoints", "drop"));
	expect_error("The TCPRoute \"x\" is invalid: "
		     "metadata.annotations[spillway.dev/no-endpoints]: is not known; those of a "
		     "TCPRoute are spillway.dev/allow-sources, spillway.dev/allow-sources-from, "
		     "spillway.dev/deny-sources, spillway.dev/deny-sources-from, "
		     "spillway.dev/idle-timeout-closing, spillway.dev/idle-timeout-embryonic, "
		     "spillway.dev/idle-timeout-established, spillway.dev/new-flows-burst, "
		     "spillway.dev/new-flows-burst-per-source, spillway.dev/new-flows-per-second, "
		     "spillway.dev/new-flows-per-second-per-source, "
		     "spillway.dev/no-endpoint, spillway.dev/no-endpoint-established",
		     3);
	assert_null(decode(KIND_BACKEND, "Spillway.Dev/tier", "\"1\""));
	expect_error(
		"The Backend \"x\" is invalid: metadata.annotations[Spillway.Dev/tier]: is "
		"not known; those of a Backend are spillway.dev/forwarding, "
		"spillway.dev/fqdn-path, spillway.dev/on-removal, spillway.dev/private-targets, spillway.dev/quic-server-ids, spillway.dev/tier, "
		"spillway.dev/udp-replies",
		3);
}

static void a_name_of_another_kind_is_told_its_kinds(void **state)
{
	(void)state;
	assert_null(decode(KIND_GATEWAY, ANNOTATION_NO_ENDPOINT, "drop"));
	expect_error("The Gateway \"x\" is invalid: "
		     "metadata.annotations[spillway.dev/no-endpoint]: is for TCPRoute, UDPRoute; a "
		     "Gateway has none",
		     3);
	assert_null(decode(KIND_UDPROUTE, ANNOTATION_IDLE_CLOSING, "30s"));
	expect_error("The UDPRoute \"x\" is invalid: "
		     "metadata.annotations[spillway.dev/idle-timeout-closing]: is for TCPRoute; "
		     "those of a UDPRoute are spillway.dev/allow-sources, "
		     "spillway.dev/allow-sources-from, spillway.dev/deny-sources, "
		     "spillway.dev/deny-sources-from, spillway.dev/idle-timeout-embryonic, "
		     "spillway.dev/idle-timeout-established, spillway.dev/new-flows-burst, "
		     "spillway.dev/new-flows-burst-per-source, spillway.dev/new-flows-per-second, "
		     "spillway.dev/new-flows-per-second-per-source, spillway.dev/no-endpoint, "
		     "spillway.dev/no-endpoint-established",
		     3);
	assert_null(decode(KIND_BACKEND, ANNOTATION_IDLE_EMBRYONIC, "30s"));
	expect_error(
		"The Backend \"x\" is invalid: "
		"metadata.annotations[spillway.dev/idle-timeout-embryonic]: is for TCPRoute, "
		"UDPRoute; those of a Backend are spillway.dev/forwarding, "
		"spillway.dev/fqdn-path, spillway.dev/on-removal, spillway.dev/private-targets, spillway.dev/quic-server-ids, spillway.dev/tier, "
		"spillway.dev/udp-replies",
		3);
}

static void other_domains_are_free(void **state)
{
	static const char *const names[] = {"example.com/tier", "tier", "notspillway.dev/tier",
					    "a.spillway.dev/tier", "spillway.device/tier"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(decode(KIND_BACKEND, names[i], "anything"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(every_value_of_the_table_is_taken_on_its_kinds),
		TEST(an_absent_annotation_has_its_preset),
		TEST(a_wrong_value_is_refused_at_its_place),
		TEST(a_duration_is_taken_within_its_limits),
		TEST(a_wrong_duration_is_told_why_and_what_is_right),
		TEST(whole_numbers_networks_and_names_are_taken_or_told),
		TEST(a_duration_that_ends_early_is_none),
		TEST(the_preset_of_a_duration_goes_by_the_kind),
		TEST(a_number_is_no_annotation),
		TEST(an_unknown_name_is_told_the_known_ones),
		TEST(a_name_of_another_kind_is_told_its_kinds),
		TEST(other_domains_are_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
