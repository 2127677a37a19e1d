/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: what --error-format makes of a failure's text, and the differ's words. */
#include <stdlib.h>

#include "ctl_fixture.h"

#include "ctl/differ.h"
#include "ctl/error_format.h"

static void an_envelope_has_the_reason_the_text_and_the_hint(void **state)
{
	static const struct {
		const char *text, *code, *message, *hint;
		bool retryable;
	} rows[] = {
		{"error: a b\n", "Error", "a b", NULL, false},
		{"error: unknown flag: --x\nSee 'spillway get --help' for usage.\n", "Usage",
		 "unknown flag: --x", "See 'spillway get --help' for usage.", false},
		{"Error from server (NotFound): x \"y\" not found\n", "NotFound",
		 "Error from server (NotFound): x \"y\" not found", NULL, false},
		{"Error from server (Conflict): modified\n", "Conflict",
		 "Error from server (Conflict): modified", NULL, true},
		{"f:1:2: The Backend \"x\" is invalid: spec: y\nf:3:4: Error from server (BadRequest): "
		 "z\nerror: nothing was changed\n",
		 "Invalid",
		 "f:1:2: The Backend \"x\" is invalid: spec: y\nf:3:4: Error from server (BadRequest): "
		 "z\nnothing was changed",
		 NULL, false},
		{"error: cannot reach spillwayd at /s: no", "Unreachable",
		 "cannot reach spillwayd at /s: no", NULL, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		const struct node *e = node_member(error_envelope(a, rows[i].text), "error");

		assert_string_equal(node_text_at(e, "code", ""), rows[i].code);
		assert_string_equal(node_text_at(e, "message", ""), rows[i].message);
		assert_string_equal(node_text_at(e, "hint", "none"),
				    rows[i].hint ? rows[i].hint : "none");
		assert_int_equal(node_bool_at(e, "retryable", !rows[i].retryable),
				 rows[i].retryable);
	}
}

static void a_differ_gets_kubectls_words(void **state)
{
	static const struct {
		const char *own, *kubectl, *words;
	} rows[] = {
		{NULL, NULL, "diff -u -N L M"},
		{"", "", "diff -u -N L M"},
		{NULL, "meld", "meld L M"},
		{"delta", "meld", "delta L M"},
		{"diff -u --color=always", NULL, "diff L M -u --color=always"},
		{"diff  -u /etc/x $(y) a;b 3 =", NULL, "diff L M -u 3 ="},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		const char *all = "";

		(void)unsetenv("SPILLWAY_EXTERNAL_DIFF");
		(void)unsetenv("KUBECTL_EXTERNAL_DIFF");
		if (rows[i].own)
			(void)setenv("SPILLWAY_EXTERNAL_DIFF", rows[i].own, 1);
		if (rows[i].kubectl)
			(void)setenv("KUBECTL_EXTERNAL_DIFF", rows[i].kubectl, 1);
		for (char **w = differ_words(a, "L", "M"); *w; w++)
			all = arena_printf(a, "%s%s%s", all, all[0] ? " " : "", *w);
		assert_string_equal(all, rows[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_envelope_has_the_reason_the_text_and_the_hint),
		cmocka_unit_test(a_differ_gets_kubectls_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
