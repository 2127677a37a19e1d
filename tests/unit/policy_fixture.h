/* SPDX-License-Identifier: BSD-2-Clause */
/* BackendTrafficPolicies: a spec, and what is said to it. */
#ifndef SPILLWAY_TESTS_POLICY_FIXTURE_H
#define SPILLWAY_TESTS_POLICY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "manifest/manifest.h"

static inline int setup(void **state)
{
	*state = arena_new();
	return *state ? 0 : -1;
}

static inline int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

#define TARGET "targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}], "

/* All messages behind `The BackendTrafficPolicy "x" is invalid: `, in order of place. */
static inline const char *check(struct arena *a, const char *spec)
{
	static const char prefix[] = "The BackendTrafficPolicy \"x\" is invalid: ";
	const char *text = arena_printf(a,
					"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: "
					"BackendTrafficPolicy\nmetadata: {name: x}\nspec: {%s}\n",
					spec);
	struct resources rs = {0};
	const char *out = "";
	struct diags d;

	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, NULL, text, strlen(text), NULL, &rs), 0);
	for (size_t i = 0; i < d.count; i++) {
		const char *message = d.items[i].text;

		if (strncmp(message, prefix, strlen(prefix)) == 0)
			message += strlen(prefix);
		out = arena_printf(a, "%s%s\n", out, message);
	}
	return out;
}

struct row {
	const char *spec; /* behind a target, unless it has its own */
	const char *part; /* of what is said; "": nothing is */
};

static inline void expect(struct arena *a, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const bool has_target = strncmp(rows[i].spec, "target", 6) == 0;
		const char *said =
			check(a, arena_printf(a, "%s%s", has_target ? "" : TARGET, rows[i].spec));

		if (rows[i].part[0] ? !strstr(said, rows[i].part) : said[0])
			fail_msg("{%s}\nexpected: %s\nsaid: %s", rows[i].spec, rows[i].part, said);
	}
}

#define EXPECT(rows) expect(*state, rows, sizeof(rows) / sizeof((rows)[0]))
#define MATCHES	     " in body should match '"
#define TEST(f)	     cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
