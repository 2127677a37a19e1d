/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: JSONPath, as kubectl reads it. */
#include "ctl_fixture.h"

#include "ctl/jsonpath.h"

#define TEXT_MAX 4096

static const char objects[] =
	"{\"items\":["
	"{\"metadata\":{\"name\":\"web\",\"labels\":{\"app\":\"web\",\"a.b/c\":\"x\"}},"
	"\"spec\":{\"weight\":1.5,\"fallback\":false,\"none\":null,\"map\":{},\"list\":[],"
	"\"ports\":[{\"port\":80,\"zone\":\"a\"},{\"port\":8080}]}},"
	"{\"metadata\":{\"name\":\"api\"},\"spec\":{\"fallback\":true,\"ports\":[{\"port\":443}]}}"
	"],\"kind\":\"List\"}";

/* What the template prints, or the reason why it cannot. */
static const char *run(struct arena *a, const char *template)
{
	char *out = arena_alloc(a, TEXT_MAX);
	struct jsonpath_result r = {0};
	struct jsonpath *path = NULL;
	const char *why = NULL;
	FILE *f;

	if (jsonpath_parse(a, template, &path, &why) ||
	    jsonpath_find(a, path, json(a, objects), &r, &why))
		return why;
	f = fmemopen(out, TEXT_MAX, "w");
	assert_non_null(f);
	jsonpath_print(a, &r, f);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void templates_print_what_kubectl_prints(void **state)
{
	static const char *const cases[][2] = {
		{"plain", "plain"},
		{"{.kind}", "List"},
		{"{@.kind}{$.kind}", "ListList"},
		{"{.items[*].metadata.name}", "web api"},
		{"{.items[-1].metadata.name}", "api"},
		{"{.items[0:2:1].metadata.name}", "web api"},
		{"{.items[::2].metadata.name}", "web"},
		{"{.items[1:].metadata.name}", "api"},
		{"{.items[0,1].metadata.name}", "web api"},
		{"{.items[0]['metadata.name','kind']}", "web"},
		{"{.items[0].metadata.labels.a\\.b/c}", "x"},
		{"{.items[*].spec.ports[*].port}", "80 8080 443"},
		{"{..port}", "80 8080 443"},
		{"{.items[0].spec.ports[*].*}", "80 a 8080"},
		{"{.nope.deeper}", ""},
		{"{.items[0].metadata.name.foo}", ""},
		{"{.items[0].spec.weight} {.items[0].spec.none}", "1.5 null"},
		{"{.items[0].spec.map}{.items[0].spec.list}", "{}[]"},
		{"{.items[0].spec.ports[0]}", "{\"port\":80,\"zone\":\"a\"}"},
		{"{range .items[*]}{.metadata.name}{\"\\t\"}{.spec.fallback}{\"\\n\"}{end}",
		 "web\tfalse\napi\ttrue\n"},
		{"{range .items[*]}[{range .spec.ports[*]}{.port},{end}]{end}", "[80,8080,][443,]"},
		{"{range .nope[*]}x{end}y", "y"},
		{"{range .items[*]}{.metadata.name};{end}{range .items[*]}.{end}", "web;api;.."},
		{"{'q'}{\"a\\\"b\"}", "qa\"b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();

		assert_string_equal(run(a, cases[i][0]), cases[i][1]);
	}
}

static void filters_compare_or_look_whether_there_is_something(void **state)
{
	static const char *const cases[][2] = {
		{"{.items[?(@.spec.fallback==true)].metadata.name}", "api"},
		{"{.items[?(@.metadata.name==\"web\")].kind}", ""},
		{"{.items[?(@.metadata.name!=\"web\")].metadata.name}", "api"},
		{"{.items[?(@.metadata.labels)].metadata.name}", "web"},
		{"{.items[*].spec.ports[?(@.port>80)].port}", "8080 443"},
		{"{.items[*].spec.ports[?(@.port>=80)].port}", "80 8080 443"},
		{"{.items[*].spec.ports[?(@.port<443)].port}", "80"},
		{"{.items[*].spec.ports[?(@.port<=443)].port}", "80 443"},
		{"{.items[?(@.metadata.name>'b')].metadata.name}", "web"},
		{"{.items[?(@.spec.weight==1.5)].metadata.name}", "web"},
		{"{.items[?(@.metadata.name==\"a)]\")].kind}", ""},
		{"{.items[?(@.spec.ports[0].port==\"80\")].kind}",
		 "incompatible types for comparison"},
		{"{.items[?(@.spec.ports[*].port==80)].kind}",
		 "can only compare one element at a time"},
		{"{.items[?(@.spec.fallback<true)].kind}", "invalid type for comparison"},
		{"{.items[?(@.metadata.name=<1)].kind}", "unrecognized filter operator =<"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();

		assert_string_equal(run(a, cases[i][0]), cases[i][1]);
	}
}

static void mistakes_have_kubectls_words(void **state)
{
	static const char *const cases[][2] = {
		{"{.items[", "unterminated array"},
		{"{.x", "unclosed action"},
		{"{\"x", "unterminated quoted string"},
		{"{.items[abc]}", "invalid array index abc"},
		{"{.items[99999999999999999999]}", "invalid array index 99999999999999999999"},
		{"{.items[1:2:3:4]}", "invalid array index 1:2:3:4"},
		{"{.items[?(@.x}", "unterminated filter"},
		{"{.items[?(@.x)}", "unclosed array expect ]"},
		{"{*}", "unrecognized character in action: U+002A '*'"},
		{"{5.5.5}", "cannot parse number 5.5.5"},
		{"{....x}", "invalid multiple recursive descent"},
		{"{foo}", "unrecognized identifier foo"},
		{"{end}", "not in range, nothing to end"},
		{"{[0]}", "map[string]interface {} is not array or slice"},
		{"{.items[9]}", "array index out of bounds: index 9, length 2"},
		{"{.items[0:5]}", "array index out of bounds: index 4, length 2"},
		{"{.items[1:0]}", "starting index 1 is greater than ending index 0"},
		{"{.items[0:2:0]}", "step must be > 0"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();

		assert_string_equal(run(a, cases[i][0]), cases[i][1]);
	}
}

static void a_template_that_is_cut_off_is_an_error_or_runs(void **state)
{
	static const char template[] =
		"a{range .items[?(@.metadata.name==\"we\\\"b\")]}{..port}{.x['a.b','c'][0:1:2]}"
		"{\"\\x41\\n\"}{end}{[*].*}{-1.5}{true}{@$.y\\.z}";
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t len = 0; len < sizeof(template); len++) {
		for (size_t from = 0; from < len; from += 7)
			assert_non_null(run(a, arena_strndup(a, template + from, len - from)));
	}
}

static void a_path_may_leave_out_braces_and_dot(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	assert_string_equal(jsonpath_relaxed(a, "metadata.name"), "{.metadata.name}");
	assert_string_equal(jsonpath_relaxed(a, ".metadata.name"), "{.metadata.name}");
	assert_string_equal(jsonpath_relaxed(a, "{.metadata.name}"), "{.metadata.name}");
	assert_string_equal(jsonpath_relaxed(a, "{metadata.name}"), "{.metadata.name}");
	assert_null(jsonpath_relaxed(a, "{.a}{.b}"));
	assert_null(jsonpath_relaxed(a, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates_print_what_kubectl_prints),
		cmocka_unit_test(filters_compare_or_look_whether_there_is_something),
		cmocka_unit_test(mistakes_have_kubectls_words),
		cmocka_unit_test(a_template_that_is_cut_off_is_an_error_or_runs),
		cmocka_unit_test(a_path_may_leave_out_braces_and_dot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
