/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of all kinds, row by row: each has a text, acts somewhere, and contradicts nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "manifest/acts.h"
#include "manifest/manifest.h"
#include "manifest/schema.h"

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

/* Calls `look` for each named row below `f`, with its path and where it acts. */
typedef void look_fn(const char *path, enum field_acts acts, const struct field *f);

static void walk(struct arena *a, const char *path, enum field_acts acts, const struct field *f,
		 look_fn *look)
{
	acts = field_acts(acts, f);
	look(path, acts, f);
	if (f->type == FIELD_LIST || f->type == FIELD_MAP)
		walk(a, arena_printf(a, "%s[]", path), acts, f->item, look);
	for (const struct field *row = f->fields; row && row->name; row++)
		walk(a, arena_printf(a, "%s.%s", path, row->name), acts, row, look);
}

static void all(struct arena *a, look_fn *look)
{
	for (size_t k = 0; k < KIND_MAX; k++) {
		for (const struct field *row = kinds[k].fields; row->name; row++)
			walk(a, arena_printf(a, "%s.%s", kinds[k].name, row->name), ACTS_AS_PARENT,
			     row, look);
	}
}

static size_t count_sentences(const char *text)
{
	size_t count = 0;

	for (const char *p = text; *p; p++)
		count +=
			strchr(".?!", *p) && (!p[1] || (p[1] == ' ' && p[2] >= 'A' && p[2] <= 'Z'));
	return count;
}

static void has_a_text(const char *path, enum field_acts acts, const struct field *f)
{
	const size_t len = f->text ? strlen(f->text) : 0;

	(void)acts;
	if (!f->name)
		return; /* an item is told by its list */
	if (len == 0 || f->text[len - 1] != '.' || count_sentences(f->text) > 2)
		fail_msg("%s: text \"%s\"", path, f->text ? f->text : "");
}

static void every_field_has_a_text_of_a_sentence_or_two(void **state)
{
	all(*state, has_a_text);
}

static void acts_somewhere(const char *path, enum field_acts acts, const struct field *f)
{
	(void)f;
	if (acts == ACTS_AS_PARENT || !*field_acts_text(acts))
		fail_msg("%s: nobody says where it acts", path);
}

static void every_field_says_where_it_acts(void **state)
{
	all(*state, acts_somewhere);
}

static void is_sound(const char *path, enum field_acts acts, const struct field *f)
{
	(void)acts;
	if ((f->type == FIELD_OBJECT) != (f->fields != NULL) ||
	    (f->type == FIELD_LIST || f->type == FIELD_MAP) != (f->item != NULL) ||
	    (f->has_min && f->has_max && f->min > f->max) || !*field_type_text(f->type))
		fail_msg("%s: the row contradicts itself", path);
	if (!f->refuse != !f->refuse_text)
		fail_msg("%s: what is refused and what is said of it differ", path);
	for (const struct field *row = f->fields; row && row->name && row[1].name; row++) {
		if (strcmp(row->name, row[1].name) >= 0)
			fail_msg("%s: %s before %s", path, row->name, row[1].name);
	}
}

static void rows_are_sound_and_in_order(void **state)
{
	all(*state, is_sound);
}

/* Only what upstream itself does not look into, and what status the daemon never writes. */
static void is_looked_into(const char *path, enum field_acts acts, const struct field *f)
{
	(void)acts;
	if (f->type == FIELD_ANY && !strstr(path, "metadata.managedFields[].fieldsV1") &&
	    !strstr(path, "loadBalancer.dynamicModule.config"))
		fail_msg("%s: is not looked into", path);
}

static void every_field_is_looked_into(void **state)
{
	all(*state, is_looked_into);
}

static void preset_is_allowed(const char *path, enum field_acts acts, const struct field *f)
{
	struct arena *a = arena_new();
	struct node *n = NULL;
	bool known = !f->values || !f->preset;

	(void)acts;
	if (f->preset && node_from_json(a, NULL, f->preset, strlen(f->preset), &n) < 0)
		fail_msg("%s: %s is no JSON", path, f->preset);
	for (size_t i = 0; f->preset && f->values && f->values[i]; i++)
		known = known || strstr(f->preset, f->values[i]);
	if (!known ||
	    (n && n->type == NODE_INT &&
	     ((f->has_min && n->integer < f->min) || (f->has_max && n->integer > f->max))))
		fail_msg("%s: %s is not allowed", path, f->preset);
	arena_free(a);
}

static void every_preset_is_allowed(void **state)
{
	all(*state, preset_is_allowed);
}

/* The fields of a BackendTrafficPolicy that act nowhere, as the report has them. */
static const char *idle(struct arena *a, const char *spec, bool is_l7)
{
	const char *text = arena_printf(a,
					"apiVersion: gateway.envoyproxy.io/v1alpha1\n"
					"kind: BackendTrafficPolicy\nmetadata: {name: x}\nspec: "
					"{targetRefs: [{group: gateway.networking.k8s.io, kind: "
					"HTTPRoute, name: r}], %s}\n",
					spec);
	struct resources rs = {0};
	const char *list;
	struct diags d;

	diags_init(&d, a);
	assert_int_equal(manifest_read_text(a, &d, NULL, text, strlen(text), NULL, &rs), 0);
	if (d.errors)
		diags_print(&d, stderr);
	assert_int_equal(rs.count, 1);
	list = acts_idle(a, rs.items[0].kind, rs.items[0].root, is_l7);
	return list ? list : "";
}

static void the_report_of_idle_fields_follows_the_table(void **state)
{
	static const struct {
		const char *spec, *on_l4, *on_l7;
	} rows[] = {
		{"retry: {numRetries: 1}", "spec.retry", ""},
		{"retry: {numRetries: 1, perRetry: {timeout: 1s}}", "spec.retry",
		 "spec.retry.perRetry"},
		{"timeout: {tcp: {connectTimeout: 1s}, http: {requestTimeout: 1s}}",
		 "spec.timeout.http", ""},
		{"circuitBreaker: {maxConnections: 1}", "", ""},
		{"circuitBreaker: {maxPendingRequests: 1024}", "", ""},
		{"circuitBreaker: {maxPendingRequests: 1023}",
		 "spec.circuitBreaker.maxPendingRequests",
		 "spec.circuitBreaker.maxPendingRequests"},
		{"compressor: []", "", ""},
		{"compressor: [{type: Gzip}]", "spec.compressor", "spec.compressor"},
		{"healthCheck: {active: {type: TCP, tcp: {}, healthCheckLog: {}}}",
		 "spec.healthCheck.active.healthCheckLog",
		 "spec.healthCheck.active.healthCheckLog"},
		{"routingType: Service, useClientProtocol: true",
		 "spec.routingType, spec.useClientProtocol",
		 "spec.routingType, spec.useClientProtocol"},
		{"loadBalancer: {type: RoundRobin, zoneAware: {preferLocal: {force: {}}}}", "", ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(idle(*state, rows[i].spec, false), rows[i].on_l4);
		assert_string_equal(idle(*state, rows[i].spec, true), rows[i].on_l7);
	}
}

static void what_is_below_a_field_without_effect_has_none(void **state)
{
	const struct field part = {.name = "part", .acts = ACTS_XDP};
	const struct field plain = {.name = "plain"};

	(void)state;
	assert_int_equal(field_acts(ACTS_NOWHERE, &part), ACTS_NOWHERE);
	assert_int_equal(field_acts(ACTS_NEVER, &part), ACTS_NEVER);
	assert_int_equal(field_acts(ACTS_BOTH, &part), ACTS_XDP);
	assert_int_equal(field_acts(ACTS_BOTH, &plain), ACTS_BOTH);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_field_has_a_text_of_a_sentence_or_two),
		TEST(every_field_says_where_it_acts),
		TEST(rows_are_sound_and_in_order),
		TEST(every_field_is_looked_into),
		TEST(every_preset_is_allowed),
		TEST(the_report_of_idle_fields_follows_the_table),
		TEST(what_is_below_a_field_without_effect_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
