/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: selectors by label and by field, as kubectl takes them. */
#include "ctl_fixture.h"

#include "ctl/object_selector.h"

#define OBJECT                                                                                     \
	"{\"metadata\":{\"labels\":{\"app\":\"web\",\"example.com/tier\":\"front\",\"e\":\"\"}}}"

#define WEB "{\"metadata\":{\"name\":\"web\",\"labels\":{\"app\":\"web\",\"a.b/c\":\"x\"}}}"

static void a_selector_chooses_by_labels(void **state)
{
	static const struct {
		const char *text;
		bool matches;
	} rows[] = {
		{"", true},
		{" ", true},
		{"app=web", true},
		{"app==web", true},
		{" app = web ", true},
		{"app=other", false},
		{"app!=web", false},
		{"app!=other", true},
		{"none!=x", true}, /* as in Kubernetes: what has no such label is not x */
		{"app", true},
		{"none", false},
		{"!none", true},
		{"!app", false},
		{"e=", true},
		{"e", true},
		{"app=", false},
		{"app in (web, api)", true},
		{"app in (api)", false},
		{"app notin (api,db)", true},
		{"app notin (web)", false},
		{"none notin (web)", true},
		{"e in (,x)", true},
		{"example.com/tier=front", true},
		{"app=web,example.com/tier!=back,!old", true},
		{"app=web,example.com/tier=back", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		const char *why = "";
		struct node *selector = label_selector_parse(a, rows[i].text, &why);

		if (!selector ||
		    label_selector_matches(selector, json(a, OBJECT)) != rows[i].matches)
			fail_msg("\"%s\": %s", rows[i].text, why);
	}
}

static void what_is_no_selector_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"=web", "\"\" is no key"},
		{"a b", "an operator must be one of"},
		{"a>5", "an operator must be one of"},
		{"a in", "\"(\" is missing"},
		{"a in (b", "\")\" is missing"},
		{"a=b,", "behind the last comma"},
		{"a=b c", "\"c\" was not expected"},
		{"a=b!", "\"!\" was not expected"},
		{"a=-b", "\"-b\" is no value"},
		{"a/b/c=d", "\"a/b/c\" is no key"},
		{"!a=b", "\"=b\" was not expected"},
		{"-a", "\"-a\" is no key"},
		{"a==b=c", "\"=c\" was not expected"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		const char *why = "";

		assert_null(label_selector_parse(a, rows[i].text, &why));
		if (!strstr(why, rows[i].why))
			fail_msg("\"%s\": \"%s\" has no \"%s\"", rows[i].text, why, rows[i].why);
	}
}

static bool selects(struct arena *a, const char *labels)
{
	const char *why = NULL;
	const struct object_selector s = {.labels = label_selector_parse(a, labels, &why)};

	assert_non_null(s.labels);
	return object_selector_matches(&s, json(a, WEB));
}

static void labels_select_as_in_kubernetes(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	assert_true(selects(a, ""));
	assert_true(selects(a, "app"));
	assert_true(selects(a, "app=web"));
	assert_true(selects(a, "app == web , a.b/c=x"));
	assert_true(selects(a, "app in (api, web),!nope"));
	assert_true(selects(a, "app notin (api),nope!=x,nope notin (x)"));
	assert_false(selects(a, "app=api"));
	assert_false(selects(a, "app!=web"));
	assert_false(selects(a, "!app"));
	assert_false(selects(a, "nope"));
	assert_false(selects(a, "nope="));
	assert_false(selects(a, "app=web,nope in (x)"));
}

static void selectors_that_make_no_sense_are_refused(void **state)
{
	static const char *const labels[] = {"=x",    "app in",	 "app in (", "app in (a",
					     "app x", "app=a b", "app,,x",   "app=x,"};
	static const char *const fields[] = {"metadata.foo=x",	 "metadata.name", "a", "!=x", "=",
					     "metadata.name!web"};
	AUTO(arena_free) struct arena *a = arena_new();
	struct object_selector s = {0};
	const char *why = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		assert_null(label_selector_parse(a, labels[i], &why));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_int_not_equal(object_selector_read_fields(a, fields[i], &s, &why), 0);
	assert_non_null(why);
}

static void fields_select_by_name_and_namespace(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct node *web = json(a, WEB);
	struct object_selector same = {0}, other = {0}, empty = {0};
	const char *why = NULL;

	(void)state;
	assert_int_equal(object_selector_read_fields(a, "metadata.name=web", &same, &why), 0);
	assert_int_equal(object_selector_read_fields(
				 a, "metadata.name==web,metadata.namespace!=", &other, &why),
			 0);
	assert_int_equal(object_selector_read_fields(a, ", metadata.name = web ,", &empty, &why),
			 0);
	assert_true(object_selector_matches(&empty, web));
	assert_true(object_selector_matches(&same, web));
	assert_false(object_selector_matches(&other, web));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_selector_chooses_by_labels),
		cmocka_unit_test(what_is_no_selector_is_refused_with_the_reason),
		cmocka_unit_test(labels_select_as_in_kubernetes),
		cmocka_unit_test(selectors_that_make_no_sense_are_refused),
		cmocka_unit_test(fields_select_by_name_and_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
