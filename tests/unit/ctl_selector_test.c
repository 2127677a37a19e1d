/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: label selectors, as kubectl takes them. */
#include "ctl_fixture.h"

#include "ctl/label_selector.h"

#define OBJECT                                                                                     \
	"{\"metadata\":{\"labels\":{\"app\":\"web\",\"example.com/tier\":\"front\",\"e\":\"\"}}}"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_selector_chooses_by_labels),
		cmocka_unit_test(what_is_no_selector_is_refused_with_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
