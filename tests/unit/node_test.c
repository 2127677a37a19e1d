/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree: members, copies, equality, and its printed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "manifest/frozen.h"
#include "manifest/manifest.h"
#include "manifest/yaml.h"

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

static struct node *parse(struct arena *a, const char *text)
{
	struct documents docs = {0};
	struct diags d;

	diags_init(&d, a);
	yaml_read(a, &d, NULL, text, strlen(text), &docs);
	assert_int_equal(d.count, 0);
	assert_int_equal(docs.count, 1);
	return docs.items[0];
}

static void members_are_found_by_path(void **state)
{
	struct node *n = parse(*state, "a: {b: {c: 5, d: x, e: yes}}\nl: [1, 2]\n");

	assert_int_equal(node_int_at(n, "a.b.c", 0), 5);
	assert_string_equal(node_text_at(n, "a.b.d", ""), "x");
	assert_true(node_bool_at(n, "a.b.e", false));
	assert_int_equal(node_int_at(n, "a.b.d", -1), -1);
	assert_null(node_at(n, "a.bb"));
	assert_null(node_at(n, "a.b.c.d"));
	assert_ptr_equal(node_at(n, ""), n);
	assert_int_equal(node_item(node_at(n, "l"), 1)->integer, 2);
	assert_null(node_item(node_at(n, "l"), 2));
	assert_null(node_item(n, 0));
	assert_int_equal(node_count(node_at(n, "a.b.c")), 0);
	assert_null(node_member(NULL, "a"));
}

static void setting_a_member_replaces_the_one_of_the_same_key(void **state)
{
	struct arena *a = *state;
	struct node *n = parse(a, "b: 1\na: 2\n");

	node_set(a, n, "b", node_new_int(a, 3, (struct loc){0}));
	node_set(a, n, "c", node_new_string(a, "x", (struct loc){0}));
	assert_int_equal(node_count(n), 3);
	assert_string_equal(n->items[0]->key, "b");
	assert_int_equal(n->items[0]->integer, 3);
	node_remove(n, "a");
	node_remove(n, "a");
	assert_int_equal(node_count(n), 2);
	assert_string_equal(n->items[1]->key, "c");
}

static void a_copy_shares_nothing_and_can_grow(void **state)
{
	struct arena *a = *state;
	struct node *n = parse(a, "l: [1, 2, 3]\nm: {x: v}\n");
	struct node *copy = node_copy(a, n);

	for (int i = 0; i < 40; i++)
		node_append(a, node_at(copy, "l"), node_new_int(a, i, (struct loc){0}));
	node_set(a, node_at(copy, "m"), "x", node_new_bool(a, true, (struct loc){0}));
	assert_int_equal(node_count(node_at(n, "l")), 3);
	assert_int_equal(node_count(node_at(copy, "l")), 43);
	assert_string_equal(node_text_at(n, "m.x", ""), "v");
}

static const struct {
	const char *a, *b;
	bool equal;
} pairs[] = {
	{"{a: 1, b: 2}", "{b: 2, a: 1}", true},
	{"{a: 1, b: 2}", "{a: 1, c: 2}", false},
	{"{a: 1}", "{a: 1, b: 2}", false},
	{"[1, 2]", "[2, 1]", false},
	{"8080", "8080.0", true},
	{"8080", "\"8080\"", false},
	{"0.5", "0.25", false},
	{"a: ~", "a: null", true},
	{"a: yes", "a: on", true},
	{"\"a\\0b\"", "\"a\\0c\"", false},
	{"{}", "[]", false},
};

static void equality_ignores_order_of_members_and_places(void **state)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (node_equal(parse(*state, pairs[i].a), parse(*state, pairs[i].b)) !=
		    pairs[i].equal)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
}

static const struct {
	const char *in, *yaml, *json;
} prints[] = {
	{"b: 1\na: {d: [x, {z: 1, w: 2}], c: ~}",
	 "a:\n  c: null\n  d:\n  - x\n  - w: 2\n    z: 1\nb: 1\n",
	 "{\"b\":1,\"a\":{\"d\":[\"x\",{\"z\":1,\"w\":2}],\"c\":null}}"},
	{"a: \"80\"", "a: \"80\"\n", "{\"a\":\"80\"}"},
	{"a: \"yes\"", "a: \"yes\"\n", "{\"a\":\"yes\"}"},
	{"a: \"\"", "a: \"\"\n", "{\"a\":\"\"}"},
	{"a: \"1:30\"", "a: \"1:30\"\n", "{\"a\":\"1:30\"}"},
	{"a: \"x: y\"", "a: 'x: y'\n", "{\"a\":\"x: y\"}"},
	{"a: \"010\"", "a: \"010\"\n", "{\"a\":\"010\"}"},
	{"a: \"l1\\nl2\\n\"", "a: |\n  l1\n  l2\n", "{\"a\":\"l1\\nl2\\n\"}"},
	{"a: \"l1\\nl2\"", "a: |-\n  l1\n  l2\n", "{\"a\":\"l1\\nl2\"}"},
	{"a: 1.3", "a: 1.3\n", "{\"a\":1.3}"},
	{"a: 0.1", "a: 0.1\n", "{\"a\":0.1}"},
	{"a: 8.08e3", "a: 8080\n", "{\"a\":8080}"},
	{"a: []\nb: {}", "a: []\nb: {}\n", "{\"a\":[],\"b\":{}}"},
	{"\"80\": x", "\"80\": x\n", "{\"80\":\"x\"}"},
	{"a: \"\\x01\\t\\\"\\\\\"", "a: \"\\x01\\t\\\"\\\\\"\n", "{\"a\":\"\\u0001\\t\\\"\\\\\"}"},
	{"a: \"\\u00e9\"", "a: \xc3\xa9\n", "{\"a\":\"\xc3\xa9\"}"},
};

static void printing_quotes_what_would_read_as_another_type(void **state)
{
	char *yaml, *json;

	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++) {
		yaml = node_to_yaml(parse(*state, prints[i].in));
		json = node_to_json(parse(*state, prints[i].in), 0);
		assert_string_equal(yaml, prints[i].yaml);
		assert_string_equal(json, prints[i].json);
		free(yaml);
		free(json);
	}
}

static void json_is_indented_as_asked(void **state)
{
	char *json = node_to_json(parse(*state, "{a: [1, {b: c}], d: []}"), 4);

	assert_string_equal(json,
			    "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"c\"\n"
			    "        }\n    ],\n    \"d\": []\n}");
	free(json);
}

/* Strings that have misled emitters: blanks at the ends, indicators, breaks, things like types. */
static const char *const awkward[] = {
	" a",
	"a ",
	"\n",
	"\n\n",
	"\na",
	" \na",
	"a\n \n",
	"a\r\nb",
	"\t",
	"a\tb",
	"# a",
	"a #b",
	"-",
	"- a",
	"?",
	": ",
	"a:",
	"*a",
	"&a",
	"!a",
	"|",
	">",
	"%a",
	"@a",
	"`a",
	"\"",
	"'",
	"''",
	"[",
	"{a}",
	"~",
	"null",
	"y",
	"N",
	"0x1f",
	"1e3",
	".5",
	"-",
	"---",
	"...",
	"--- a",
	"<<",
	"=",
	"1_000",
	"+1",
	"0b1",
	"12:30:45",
	"2001-01-01",
	"\xe2\x80\xa8",
	"\xc2\x85",
	"\xef\xbb\xbf",
	"\xf0\x9f\x98\x80",
	"a\x7f",
	"  a\n b\n",
	"a\n\n\n",
	"\n  a",
	"key: |\n  text\n",
};

static void every_string_survives_printing(void **state)
{
	struct arena *a = *state;
	struct node *n = node_new(a, NODE_MAP, (struct loc){0}), *list, *again;
	char *yaml, *json;

	list = node_new(a, NODE_LIST, (struct loc){0});
	for (size_t i = 0; i < sizeof(awkward) / sizeof(awkward[0]); i++) {
		node_append(a, list, node_new_string(a, awkward[i], (struct loc){0}));
		node_set(a, n, awkward[i], node_new_string(a, awkward[i], (struct loc){0}));
	}
	node_set(a, n, "list", list);
	yaml = node_to_yaml(n);
	json = node_to_json(n, 2);
	if (!node_equal(parse(a, yaml), n))
		fail_msg("%s", yaml);
	assert_int_equal(node_from_json(a, NULL, json, strlen(json), &again), 0);
	assert_true(node_equal(again, n));
	free(yaml);
	free(json);
}

static const struct {
	const char *text;
	bool ok;
} jsons[] = {
	{"{\"a\": [1, 2.5, true, null, \"\\ud83d\\ude00\"]}", true},
	{"5", true},
	{"\"a\\u0000b\"", true},
	{"123456789012345678901234567890", true},
	{"{\"a\": 1, \"a\": 2}", false},
	{"{\"a\": 1} x", false},
	{"{a: 1}", false},
	{"", false},
	{"{\"a\": \"\xff\"}", false},
};

static void json_is_read_or_refused(void **state)
{
	struct node *n = NULL;
	struct diags d;
	int ret;

	for (size_t i = 0; i < sizeof(jsons) / sizeof(jsons[0]); i++) {
		diags_init(&d, *state);
		ret = node_from_json(*state, &d, jsons[i].text, strlen(jsons[i].text), &n);
		if ((ret == 0) != jsons[i].ok || (d.count == 0) != jsons[i].ok)
			fail_msg("%s: %d", jsons[i].text, ret);
	}
}

static void json_deeper_than_the_limit_is_refused(void **state)
{
	char text[2000] = "";
	struct node *n = NULL;
	struct diags d;

	for (int i = 0; i < 150; i++)
		strcat(text, "[");
	for (int i = 0; i < 150; i++)
		strcat(text, "]");
	diags_init(&d, *state);
	assert_true(node_from_json(*state, &d, text, strlen(text), &n) < 0);
	assert_int_equal(d.errors, 1);
}

static const struct {
	const char *text;
	int64_t ms;
} durations[] = {
	{"0s", 0},
	{"1500ms", 1500},
	{"1m30s", 90000},
	{"1h", 3600000},
	{"1h1m1s1ms", 3661001},
	{"99999h", 359996400000},
	{"1.5s", -1},
	{"10", -1},
	{"-1s", -1},
	{"", -1},
	{"1s1s1s1s1s", -1},
	{"100000s", -1},
	{"1d", -1},
	{"1s ", -1},
	{"s", -1},
};

static void durations_are_counted_in_milliseconds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		if (duration_ms(durations[i].text) != durations[i].ms)
			fail_msg("%s: %lld", durations[i].text,
				 (long long)duration_ms(durations[i].text));
	}
	assert_int_equal(duration_ms(NULL), -1);
}

static void a_duration_is_written_as_it_is_read(void **state)
{
	static const struct {
		uint32_t seconds;
		const char *text;
	} rows[] = {{0, "0s"},	    {1, "1s"},	    {60, "1m"},	      {90, "1m30s"},   {3600, "1h"},
		    {7440, "2h4m"}, {3601, "1h1s"}, {604800, "168h"}, {3661, "1h1m1s"}};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(duration_text(a, rows[i].seconds), rows[i].text);
		assert_int_equal(duration_ms(rows[i].text), rows[i].seconds * 1000);
	}
}

static void a_frozen_tree_is_complete_and_outlives_its_origin(void **state)
{
	struct arena *a = arena_new();
	struct node *n = parse(a, "a: {b: [1, x, {}, []], c: 1.5, d: null, e: yes}\nf: \"\\0\"\n");
	struct frozen *f = frozen_new(n), *none = NULL;
	struct node *same = parse(*state, "a: {b: [1, x, {}, []], c: 1.5, d: null, e: yes}\n"
					  "f: \"\\0\"\n");

	arena_free(a);
	assert_true(node_equal(frozen_root(f), same));
	assert_int_equal(node_item(node_at(frozen_root(f), "a.b"), 1)->loc.line, 1);
	assert_ptr_equal(frozen_share(f), f);
	frozen_release(f);
	assert_true(node_equal(frozen_root(f), same));
	frozen_release(f);
	assert_null(frozen_share(none));
	frozen_release(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_found_by_path),
		cmocka_unit_test(setting_a_member_replaces_the_one_of_the_same_key),
		cmocka_unit_test(a_copy_shares_nothing_and_can_grow),
		cmocka_unit_test(a_frozen_tree_is_complete_and_outlives_its_origin),
		cmocka_unit_test(equality_ignores_order_of_members_and_places),
		cmocka_unit_test(printing_quotes_what_would_read_as_another_type),
		cmocka_unit_test(json_is_indented_as_asked),
		cmocka_unit_test(every_string_survives_printing),
		cmocka_unit_test(json_is_read_or_refused),
		cmocka_unit_test(json_deeper_than_the_limit_is_refused),
		cmocka_unit_test(durations_are_counted_in_milliseconds),
		cmocka_unit_test(a_duration_is_written_as_it_is_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
