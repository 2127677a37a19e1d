/* SPDX-License-Identifier: BSD-2-Clause */
/* YAML as kubectl reads it: scalars, keys, aliases, encodings, and where mistakes are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

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

/* What was read, as JSON, one document behind the other; or the first mistake's place and text. */
static const char *read_bytes(struct arena *a, const char *text, size_t len)
{
	struct documents docs = {0};
	const char *out = "";
	struct diags d;
	char *json;

	diags_init(&d, a);
	yaml_read(a, &d, "f", text, len, &docs);
	for (size_t i = 0; i < docs.count; i++) {
		json = node_to_json(docs.items[i], 0);
		out = arena_printf(a, "%s%s%s", out, i ? " " : "", json);
		free(json);
	}
	for (size_t i = 0; i < d.count; i++)
		out = arena_printf(a, "%s|%d:%d %s", out, d.items[i].loc.line,
				   d.items[i].loc.column,
				   strstr(d.items[i].text, "yaml: line") + 6);
	return out;
}

struct row {
	const char *in, *out;
};

static void expect(struct arena *a, const struct row *rows, size_t count)
{
	const char *out;

	for (size_t i = 0; i < count; i++) {
		out = read_bytes(a, rows[i].in, strlen(rows[i].in));
		if (strcmp(out, rows[i].out) != 0)
			fail_msg("%s\ngives    %s\nexpected %s", rows[i].in, out, rows[i].out);
	}
}

#define EXPECT(rows) expect(*state, rows, sizeof(rows) / sizeof((rows)[0]))

static const struct row scalars[] = {
	{"[y, Y, yes, Yes, YES, on, On, ON, true, True, TRUE]",
	 "[true,true,true,true,true,true,true,true,true,true,true]"},
	{"[n, N, no, No, NO, off, Off, OFF, false, False, FALSE]",
	 "[false,false,false,false,false,false,false,false,false,false,false]"},
	{"[yES, tRUE, oN, nO]", "[\"yES\",\"tRUE\",\"oN\",\"nO\"]"},
	{"[~, null, Null, NULL, ]", "[null,null,null,null]"},
	{"[010, 0o10, 0O10, 0x1F, 0b101, -010, +80, 1_000, 0]", "[8,8,8,31,5,-8,80,1000,0]"},
	{"[09, 1., .5, 1e3, 1E+3, -1.5, 1_0.5]", "[9,1,0.5,1000,1000,-1.5,10.5]"},
	{"[0x, 0b2, 0o8, 1e, ., +, -, 1__, 0x_1]",
	 "[\"0x\",\"0b2\",\"0o8\",\"1e\",\".\",\"+\",\"-\",1,1]"},
	{"[9223372036854775807, -9223372036854775808]",
	 "[9223372036854775807,-9223372036854775808]"},
	{"[18446744073709551615, 1e30]", "[1.8446744073709552e+19,1e+30]"},
	{"[1:30, 2001-01-01, 2001-01-01T00:00:00Z]",
	 "[\"1:30\",\"2001-01-01\",\"2001-01-01T00:00:00Z\"]"},
	{"['80', \"yes\", '~', \"\"]", "[\"80\",\"yes\",\"~\",\"\"]"},
	{"[!custom 80, !!str 80, !!int '80', !!float 80, !!bool yes, !!null '', !!binary aGk=]",
	 "[\"80\",\"80\",80,80,true,null,\"aGk=\"]"},
	{"a: |\n  x\n  y\nb: >-\n  x\n  y\n", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}"},
};

static void plain_scalars_have_the_types_of_yaml_1_1(void **state)
{
	EXPECT(scalars);
}

static const struct row keys[] = {
	{"{80: a, yes: b, 1.5: c, \"x\": d}",
	 "{\"80\":\"a\",\"true\":\"b\",\"1.5\":\"c\",\"x\":\"d\"}"},
	{"a: 1\nb: 2\na: 3\n", "|3:1 line 3: key \"a\" already set in map, a duplicate of line 1"},
	{"80: 1\n0x50: 2\n", "|2:1 line 2: key \"80\" already set in map, a duplicate of line 1"},
	{"a: {b: 1,\n  b: 2}\nc: 1\nc: 2\n",
	 "|2:3 line 2: key \"b\" already set in map, a duplicate of line 1|4:1 line 4: key \"c\" already set in "
	 "map, a duplicate of line 3"},
	{"{\"a\": 1, 'a': 2}", "|1:10 line 1: key \"a\" already set in map, a duplicate of line 1"},
	{"? [a]\n: b\n", "|1:3 line 1: invalid map key"},
	{"~: a", "|1:1 line 1: invalid map key"},
	{"\"a\\0b\": 1", "|1:1 line 1: control characters are not allowed"},
};

static void keys_become_text_and_are_unique(void **state)
{
	EXPECT(keys);
}

static const struct row aliases[] = {
	{"[&a x, *a, &b {c: *a}, *b]", "[\"x\",\"x\",{\"c\":\"x\"},{\"c\":\"x\"}]"},
	{"[&a x, &a z, *a]", "[\"x\",\"z\",\"z\"]"},
	{"[&k key, {*k : v}]", "[\"key\",{\"key\":\"v\"}]"},
	{"[&m {a: 1, b: 2}, {<<: *m, b: 3}]", "[{\"a\":1,\"b\":2},{\"b\":3,\"a\":1}]"},
	{"[&m {a: 1}, {b: 2, <<: [*m, {a: 5, c: 6}]}]", "[{\"a\":1},{\"b\":2,\"a\":1,\"c\":6}]"},
	{"{\"<<\": {a: 1}}", "{\"<<\":{\"a\":1}}"},
	{"{<<: {a: 1}, <<: {b: 1}}",
	 "|1:14 line 1: key \"<<\" already set in map, a duplicate of line 1"},
	{"{<<: 5}", "|1:2 line 1: map merge requires map or sequence of maps as the value"},
	{"{<<: [{}, 5]}", "|1:2 line 1: map merge requires map or sequence of maps as the value"},
	{"a: *b", "|1:4 line 1: unknown anchor 'b' referenced"},
	{"&a [*a]", "|1:5 line 1: anchor 'a' value contains itself"},
	{"&a x\n---\n*a", "\"x\"|3:1 line 3: unknown anchor 'a' referenced"},
};

static void aliases_and_merge_keys_are_expanded(void **state)
{
	EXPECT(aliases);
}

static const struct row streams[] = {
	{"", ""},
	{"# c\n---\n\n--- # d\n...\n", ""},
	{"a: 1\n---\nb: 2\n...\n---\n", "{\"a\":1} {\"b\":2}"},
	{"%YAML 1.1\n---\na: 1\n", "{\"a\":1}"},
	{"a: [\n---\nb: {\n---\nc: 3\n",
	 "{\"c\":3}|2:1 line 2: did not find expected node content|4:1 line 4: did not find "
	 "expected node content"},
	{"a: b: c\r\n---\r\nd: 4\r\n",
	 "{\"d\":4}|1:5 line 1: mapping values are not allowed in this "
	 "context"},
	{"a:\n\tb: 1\n---\n\xc3\xa9: \"x\n--- y\"\n",
	 "\"y\\\"\"|2:1 line 2: found character that cannot start any token|5:1 line 5: found unexpected "
	 "document indicator"},
	{"{\"a\": \"\\ud83d\\ude00 \\\\ud83d\", \"b\": 1}",
	 "{\"a\":\"\xf0\x9f\x98\x80 \\\\ud83d\",\"b\":1}"},
	{"{\"a\": 1}{\"b\": 2}", "{\"a\":1} {\"b\":2}"},
	{"a: 1\n---\nb: [\n---\nc: 3\n---\nd: \xff\n---\ne: \x01\n---\nf: 6\n",
	 "{\"a\":1} {\"c\":3} {\"f\":6}|4:1 line 4: did not find expected node content|7:4 line 7: "
	 "invalid leading UTF-8 octet|9:4 line 9: control characters are not allowed"},
	{"\n\t{\"a\":\t1,\n\"a\":2}",
	 "|3:1 line 3: key \"a\" already set in map, a duplicate of line 2"},
	{"{\"a\": 1\n", "|2:1 line 2: did not find expected ',' or '}'"},
};

static void reading_goes_on_behind_a_broken_document(void **state)
{
	EXPECT(streams);
}

static const struct {
	const char *bytes;
	size_t len;
	const char *out;
} encodings[] = {
	{"\xef\xbb\xbf"
	 "a: 1",
	 7, "{\"a\":1}"},
	{"\xff\xfe"
	 "a\0:\0 \0\x3d\xd8\x00\xde",
	 12, "{\"a\":\"\xf0\x9f\x98\x80\"}"},
	{"\xfe\xff\0a\0:\0 \0b", 10, "{\"a\":\"b\"}"},
	{"\xff\xfe"
	 "a\0:\0 \0\x3d\xd8",
	 10, "|1:4 line 1: invalid leading UTF-8 octet"},
	{"a: \0b", 5, "|1:4 line 1: control characters are not allowed"},
	{"a: 1\nb: \xff", 9, "|2:4 line 2: invalid leading UTF-8 octet"},
};

static void byte_order_marks_choose_the_encoding(void **state)
{
	const char *out;

	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++) {
		out = read_bytes(*state, encodings[i].bytes, encodings[i].len);
		assert_string_equal(out, encodings[i].out);
	}
}

static void a_billion_laughs_end_early(void **state)
{
	char text[2000] = "a: &a [x,x,x,x,x,x,x,x,x]\n";
	char c;

	for (c = 'a'; c < 'j'; c++)
		snprintf(text + strlen(text), 80, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n",
			 c + 1, c + 1, c, c, c, c, c, c, c, c, c);
	assert_non_null(strstr(read_bytes(*state, text, strlen(text)), "excessive aliasing"));
}

static void depth_is_limited(void **state)
{
	char text[400] = "";

	for (int i = 0; i < 101; i++)
		strcat(text, "[");
	assert_non_null(strstr(read_bytes(*state, text, strlen(text)), "exceeded max depth"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_scalars_have_the_types_of_yaml_1_1),
		cmocka_unit_test(keys_become_text_and_are_unique),
		cmocka_unit_test(aliases_and_merge_keys_are_expanded),
		cmocka_unit_test(reading_goes_on_behind_a_broken_document),
		cmocka_unit_test(byte_order_marks_choose_the_encoding),
		cmocka_unit_test(a_billion_laughs_end_early),
		cmocka_unit_test(depth_is_limited),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
