/* SPDX-License-Identifier: BSD-2-Clause */
/* ConfigMap and Secret: what is kept of them, what is said to a mistake, and what is never shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "manifest/base64.h"
#include "manifest/config.h"
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

static const char *said(struct arena *a, const char *text, struct resources *rs)
{
	const char *out = "";
	struct diags d;

	*rs = (struct resources){0};
	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, NULL, text, strlen(text), NULL, rs), 0);
	for (size_t i = 0; i < d.count; i++)
		out = arena_printf(a, "%s%s\n", out, d.items[i].text);
	return out;
}

#define SECRET "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"
#define CONFIG "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"

static void base64_is_read_and_refused_as_go_does(void **state)
{
	static const struct {
		const char *text, *bytes;
		int64_t bad;
	} rows[] = {
		{"", "", -1},
		{"Zm9v", "foo", -1},
		{"Zm9vYg==", "foob", -1},
		{"Zm9vYmE=", "fooba", -1},
		{"Zm\n9v\r\n", "foo", -1},
		{"Zm9vYg=\n=\n", "foob", -1},
		{"Z", NULL, 0},
		{"Zm9vYg", NULL, 4},
		{"Zm9vYg=", NULL, 7},
		{"Zm9*", NULL, 3},
		{"Z===", NULL, 1},
		{"Zm9vYg=x", NULL, 6},
		{"Zm9v=", NULL, 4},
		{"Zm9vYg==Zm", NULL, 8},
		{"secret!", NULL, 6},
	};
	struct base64_bytes out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const size_t len = strlen(rows[i].text);

		assert_int_equal(base64_decode(*state, rows[i].text, len, &out), rows[i].bad);
		if (rows[i].bad < 0)
			assert_string_equal(out.bytes, rows[i].bytes);
	}
	assert_string_equal(base64_encode(*state, "", 0), "");
	assert_string_equal(base64_encode(*state, "f", 1), "Zg==");
	assert_string_equal(base64_encode(*state, "fo", 2), "Zm8=");
	assert_string_equal(base64_encode(*state, "foob\377\0", 6), "Zm9vYv8A");
}

static void texts_of_a_secret_are_laid_over_its_data(void **state)
{
	struct resources rs;
	char *text;

	assert_string_equal(said(*state,
				 SECRET "data: {a: \"Zm\\n9v\", b: YmFy}\n"
					"stringData: {b: \"new\\0\", c: \"\"}\n",
				 &rs),
			    "");
	text = node_to_json(rs.items[0].root, 0);
	assert_string_equal(text,
			    "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":"
			    "\"x\",\"namespace\":\"default\"},\"data\":{\"a\":\"Zm9v\",\"b\":"
			    "\"bmV3AA==\",\"c\":\"\"},\"type\":\"Opaque\"}");
	free(text);
}

static void a_message_names_the_key_and_never_the_value(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{SECRET "data: {tls.key: 'hunter2!'}",
		 "Error from server (BadRequest): Secret in version \"v1\" cannot be handled as a "
		 "Secret: illegal base64 data at input byte 7 (data[tls.key])\n"},
		{SECRET "data: {a: 815}",
		 "Error from server (BadRequest): Secret in version \"v1\" cannot be handled as a "
		 "Secret: json: cannot unmarshal number into Go struct field Secret.data of type "
		 "[]uint8\n"},
		{SECRET "stringData: [hunter2]",
		 "Error from server (BadRequest): Secret in version \"v1\" cannot be handled as a "
		 "Secret: json: cannot unmarshal array into Go struct field Secret.stringData of "
		 "type map[string]string\n"},
		{SECRET "stringData: {a b: hunter2}",
		 "The Secret \"x\" is invalid: stringData[a b]: Invalid value: \"a b\": a valid "
		 "config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
		 "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
		 "'[-._a-zA-Z0-9]+')\n"},
		{SECRET "type: kubernetes.io/tls\nstringData: {tls.crt: hunter2}",
		 "The Secret \"x\" is invalid: data[tls.key]: Required value\n"},
		{SECRET "dta: {a: hunter2}",
		 "Error from server (BadRequest): Secret in version \"v1\" cannot be handled as a "
		 "Secret: strict decoding error: unknown field \"dta\"\n"},
	};
	struct resources rs;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(said(*state, rows[i].text, &rs), rows[i].said);
		assert_int_equal(rs.count, 0);
	}
}

static void what_is_shown_in_place_of_a_value_is_refused_as_one(void **state)
{
	struct resources rs;

	assert_string_equal(
		said(*state,
		     "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\n  annotations:\n"
		     "    kubectl.kubernetes.io/last-applied-configuration: '*** 9 bytes ***'\n"
		     "data:\n  a: '*** 12 bytes ***'\n  b: Zm9v\n"
		     "stringData: {c: '*** 0 bytes ***', d: '*** bytes ***'}\n",
		     &rs),
		"The Secret \"x\" is invalid: "
		"metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]: "
		"\"*** 9 bytes ***\" is shown in place of a value and is no value: leave the "
		"annotation out\n"
		"The Secret \"x\" is invalid: data[a]: \"*** 12 bytes ***\" is shown in place of a "
		"value and is no value: write the value itself\n"
		"The Secret \"x\" is invalid: stringData[c]: \"*** 0 bytes ***\" is shown in place "
		"of a value and is no value: write the value itself\n");
}

static void nothing_of_a_secrets_values_is_shown(void **state)
{
	struct resources rs;
	char *text;

	assert_string_equal(
		said(*state,
		     "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\n  annotations: {note: hello, "
		     "kubectl.kubernetes.io/last-applied-configuration: '{hunter2}'}\n"
		     "data: {a: aHVudGVyMg==, b: ''}\n---\n" CONFIG "data: {a: hunter2}\n",
		     &rs),
		"");
	assert_int_equal(rs.count, 2);
	for (size_t i = 0; i < 2; i++)
		config_redact(*state, rs.items[i].kind, rs.items[i].root);
	text = node_to_json(rs.items[0].root, 0);
	assert_null(strstr(text, "hunter2"));
	assert_null(strstr(text, "aHVudGVyMg"));
	assert_non_null(strstr(text, "\"a\":\"*** 7 bytes ***\",\"b\":\"*** 0 bytes ***\""));
	assert_non_null(strstr(text, "\"note\":\"hello\""));
	assert_non_null(strstr(text, "last-applied-configuration\":\"*** 9 bytes ***\""));
	free(text);
	text = node_to_json(rs.items[1].root, 0);
	assert_non_null(strstr(text, "hunter2"));
	free(text);
}

static void configmaps_hold_texts_and_bytes(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{CONFIG "data: {a: b}\nbinaryData: {c: AAE=}\nimmutable: true", ""},
		{CONFIG "", ""},
		{CONFIG "data: {a: 1}",
		 "Error from server (BadRequest): ConfigMap in version \"v1\" cannot be handled as "
		 "a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data "
		 "of type string\n"},
		{CONFIG "binaryData: {a: '*'}",
		 "Error from server (BadRequest): ConfigMap in version \"v1\" cannot be handled as "
		 "a ConfigMap: illegal base64 data at input byte 0 (binaryData[a])\n"},
		{CONFIG "immutable: 'yes'",
		 "Error from server (BadRequest): ConfigMap in version \"v1\" cannot be handled as "
		 "a ConfigMap: json: cannot unmarshal string into Go struct field "
		 "ConfigMap.immutable of type bool\n"},
		{CONFIG "data: {a: b}\nbinaryData: {a: AAE=}",
		 "The ConfigMap \"x\" is invalid: data[a]: Invalid value: \"a\": duplicate of key "
		 "present in binaryData\n"},
		{CONFIG "data: {..: b}",
		 "The ConfigMap \"x\" is invalid: data[..]: Invalid value: \"..\": must not be "
		 "'..'\n"},
		{CONFIG "spec: {}",
		 "Error from server (BadRequest): ConfigMap in version \"v1\" cannot be handled as "
		 "a ConfigMap: strict decoding error: unknown field \"spec\"\n"},
	};
	struct resources rs;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(said(*state, rows[i].text, &rs), rows[i].said);
}

static void more_than_a_mebibyte_is_too_long(void **state)
{
	char *big = malloc(1048577 + 1);
	struct resources rs;

	memset(big, 'x', 1048577);
	big[1048577] = '\0';
	assert_string_equal(
		said(*state, arena_printf(*state, SECRET "stringData: {a: %s}", big), &rs),
		"The Secret \"x\" is invalid: data: Too long: may not be more than 1048576 "
		"bytes\n");
	assert_string_equal(said(*state, arena_printf(*state, CONFIG "data: {a: %s}", big), &rs),
			    "The ConfigMap \"x\" is invalid: []: Too long: may not be more than "
			    "1048576 bytes\n");
	big[1048576] = '\0';
	assert_string_equal(
		said(*state, arena_printf(*state, SECRET "stringData: {a: %s}", big), &rs), "");
	free(big);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(base64_is_read_and_refused_as_go_does),
		TEST(texts_of_a_secret_are_laid_over_its_data),
		TEST(a_message_names_the_key_and_never_the_value),
		TEST(what_is_shown_in_place_of_a_value_is_refused_as_one),
		TEST(nothing_of_a_secrets_values_is_shown),
		TEST(configmaps_hold_texts_and_bytes),
		TEST(more_than_a_mebibyte_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
