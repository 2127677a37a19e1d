/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: tables, descriptions, ages, places of the daemon's complaints. */
#include "ctl_fixture.h"

#include "ctl/columns.h"
#include "ctl/commit.h"
#include "ctl/describe.h"
#include "ctl/http.h"
#include "ctl/services.h"
#include "ctl/table.h"
#include "ctl/terminal.h"

#define TEXT_MAX 4096

static void table_text(const struct table *t, char *out)
{
	FILE *f = fmemopen(out, TEXT_MAX, "w");

	assert_non_null(f);
	table_print(t, f);
	assert_int_equal(fclose(f), 0);
}

static void columns_are_three_blanks_apart_and_six_wide(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	char out[TEXT_MAX] = "";
	struct table t;

	(void)state;
	table_init(&t, a);
	table_head(&t, "NAME UP AGE");
	table_row(&t);
	table_cell(&t, "a-long-name");
	table_cell(&t, "1");
	table_cell(&t, "5s");
	table_row(&t);
	table_cell(&t, "x");
	table_cellf(&t, "%d", 12);
	table_cell(&t, NULL);
	table_text(&t, out);
	assert_string_equal(out, "NAME          UP    AGE\n"
				 "a-long-name   1     5s\n"
				 "x             12\n");
}

static void an_indented_table_keeps_its_columns(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	char out[TEXT_MAX] = "";
	struct table t;

	(void)state;
	table_init(&t, a);
	t.indent = "  ";
	table_head(&t, "NAME UP");
	table_row(&t);
	table_cell(&t, "abcdef");
	table_cell(&t, "1");
	table_text(&t, out);
	assert_string_equal(out, "  NAME     UP\n"
				 "  abcdef   1\n");
}

static void width_is_counted_in_letters_not_bytes(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	char out[TEXT_MAX] = "";
	struct table t;

	(void)state;
	table_init(&t, a);
	table_row(&t);
	table_cell(&t, "\xc3\xa4\xc3\xb6\xc3\xbc"); /* three letters of two bytes */
	table_cell(&t, "x");
	table_row(&t);
	table_cell(&t, "abcd");
	table_cell(&t, "y");
	table_text(&t, out);
	assert_string_equal(out, "\xc3\xa4\xc3\xb6\xc3\xbc    x\nabcd   y\n");
}

static void a_line_break_does_not_tear_a_table(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	char out[TEXT_MAX] = "";
	struct table t;

	(void)state;
	table_init(&t, a);
	table_row(&t);
	table_cell(&t, "one\ntwo");
	table_text(&t, out);
	assert_string_equal(out, "one...\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"plain \xc3\xa4", "plain \xc3\xa4"},
		{"\x1b[2Jgone", "^[[2Jgone"},
		{"a\x7f\r", "a^?^M"},
		{"c1 \xc2\x9b!", "c1 <U+009B>!"},
		{"\xc2", "\xc2"},
		{"two\n\tlines", "two\n\tlines"},
		{"", ""},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(terminal_safe(a, rows[i].in), rows[i].out);
}

static void field_names_are_split_as_kubectl_splits_them(void **state)
{
	static const struct {
		const char *field, *label;
	} rows[] = {
		{"name", "Name"},
		{"apiVersion", "API Version"},
		{"uid", "UID"},
		{"appProtocols", "App Protocols"},
		{"autoSNIFromEndpointHostname", "Auto SNI From Endpoint Hostname"},
		{"caCertificateRefs", "Ca Certificate Refs"},
		{"ip", "Ip"},
		{"ALPN", "ALPN"},
		{"sha256", "sha256"},
		{"example.com/key", "example.com/key"},
		{"", ""},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(describe_label(a, rows[i].field), rows[i].label);
}

static void a_description_is_aligned_block_by_block(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct description d = {.arena = a};
	char out[TEXT_MAX] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	describe_object(&d, json(a, "{\"kind\":\"Backend\",\"metadata\":{\"name\":\"web\","
				    "\"namespace\":\"default\",\"generation\":2,"
				    "\"labels\":{\"b\":\"2\",\"a\":\"1\"}},"
				    "\"spec\":{\"fallback\":true,\"tls\":null,"
				    "\"appProtocols\":[\"x\",\"y\"],"
				    "\"endpoints\":[{\"ip\":{\"port\":80}}]}}"));
	describe_print(&d, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(out, "Name:         web\n"
				 "Namespace:    default\n"
				 "Labels:       a=1\n"
				 "              b=2\n"
				 "Annotations:  <none>\n"
				 "Kind:         Backend\n"
				 "Metadata:\n"
				 "  Generation:  2\n"
				 "Spec:\n"
				 "  App Protocols:\n"
				 "    x\n"
				 "    y\n"
				 "  Endpoints:\n"
				 "    Ip:\n"
				 "      Port:  80\n"
				 "  Fallback:  true\n"
				 "  Tls:       <nil>\n");
}

static void the_last_applied_annotation_is_hidden_and_long_ones_wrap(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct description d = {.arena = a};
	char out[TEXT_MAX] = "";
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	describe_object(&d, json(a, "{\"metadata\":{\"name\":\"w\",\"annotations\":{"
				    "\"kubectl.kubernetes.io/last-applied-configuration\":\"{}\","
				    "\"note\":\"one\\ntwo\",\"short\":\"x\"}}}"));
	describe_print(&d, f);
	assert_int_equal(fclose(f), 0);
	assert_non_null(
		strstr(out, "Annotations:  note:\n                one\n                two\n"));
	assert_non_null(strstr(out, "short: x\n"));
	assert_null(strstr(out, "last-applied"));
}

static void ages_are_counted_from_the_time_of_creation(void **state)
{
	static const struct {
		const char *created;
		int64_t now_s;
		const char *age;
	} rows[] = {
		{"1970-01-01T00:00:10Z", 15, "5s"},
		{"1970-01-01T00:00:00Z", 192, "3m12s"},
		{"1970-01-01T00:00:00Z", 4 * 3600, "4h"},
		{"1970-01-01T00:01:00Z", 0, "0s"},
		{"yesterday", 0, "<unknown>"},
		{NULL, 0, "<unknown>"},
	};
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(age_text(a, rows[i].created, rows[i].now_s), rows[i].age);
}

static void an_endpoint_in_its_slow_start_counts_as_up(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct ctl c = {.arena = a};
	struct columns_view v = {.c = &c, .wide = true};
	struct table t;

	(void)state;
	columns_note_services(
		&v,
		json(a,
		     "[{\"endpoints\":["
		     "{\"backend\":\"default/w\",\"address\":\"a:1\",\"state\":\"starting\"},"
		     "{\"backend\":\"default/w\",\"address\":\"b:1\",\"state\":\"up\"},"
		     "{\"backend\":\"default/w\",\"address\":\"c:1\",\"state\":\"ejected\"}]}]"));
	table_init(&t, a);
	columns_row(&v, &kinds[KIND_BACKEND],
		    json(a, "{\"metadata\":{\"name\":\"w\",\"namespace\":\"default\"}}"), &t);
	assert_string_equal(t.rows[0].cells[t.rows[0].count - 1], "2/3");
}

static void numbers_show_a_fraction_only_when_they_have_one(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	const struct node *list = json(a, "[46.5, 100, 7.0, \"x\", null]");

	(void)state;
	assert_string_equal(number_text(a, node_item(list, 0)), "46.5");
	assert_string_equal(number_text(a, node_item(list, 1)), "100");
	assert_string_equal(number_text(a, node_item(list, 2)), "7");
	assert_string_equal(number_text(a, node_item(list, 3)), "");
	assert_string_equal(number_text(a, NULL), "");
}

/* An object as if written with one field a line: the line tells which was found. */
static struct resource written(struct arena *a)
{
	struct loc top = {"f.yaml", 1, 1}, at = {"f.yaml", 0, 3};
	struct node *root = node_new(a, NODE_MAP, top), *spec, *list, *ip;

	at.line = 2;
	spec = node_new(a, NODE_MAP, at);
	at.line = 3;
	list = node_new(a, NODE_LIST, at);
	at.line = 4;
	ip = node_new(a, NODE_MAP, at);
	at.line = 5;
	node_set(a, ip, "port", node_new_int(a, 80, at));
	node_append(a, list, ip);
	node_set(a, spec, "endpoints", list);
	node_set(a, root, "spec", spec);
	return (struct resource){.root = root, .loc = top};
}

static void a_path_leads_to_the_place_it_was_written_at(void **state)
{
	static const struct {
		const char *path;
		int line;
	} rows[] = {
		{"", 1},
		{"spec", 2},
		{"spec.endpoints", 3},
		{"spec.endpoints[0]", 4},
		{"spec.endpoints[0].port", 5},
		{"spec.endpoints[0].missing", 4},
		{"spec.endpoints[1].port", 3},
		{"spec.endpoints[", 3},
		{"spec.port[0]", 2},
		{"metadata.name", 1},
		{"[0]", 1},
		{"..", 1},
	};
	AUTO(arena_free) struct arena *a = arena_new();
	struct resource r = written(a);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(commit_place(&r, rows[i].path).line, rows[i].line);
}

static void mistakes_are_sorted_within_each_file(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct loc b9 = {"b", 9, 1}, b2 = {"b", 2, 5}, b2_left = {"b", 2, 1}, a7 = {"a", 7, 1};
	struct diags d;

	(void)state;
	diags_init(&d, a);
	diag_add(&d, b9, "1");
	diag_add(&d, a7, "2");
	diag_warn(&d, b2, "3");
	diag_add(&d, b2_left, "4");
	diag_add(&d, b2, "5");
	ctl_sort_diags(&d);
	for (size_t i = 0; i < d.count; i++)
		assert_int_equal(d.items[i].text[0], "43512"[i]);
}

static void a_segment_of_a_path_is_escaped(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();

	(void)state;
	assert_string_equal(http_escape(a, "web-1.a_b~"), "web-1.a_b~");
	assert_string_equal(http_escape(a, "a/b c?d%\xc3\xa4"), "a%2Fb%20c%3Fd%25%C3%A4");
	assert_string_equal(http_escape(a, ""), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_three_blanks_apart_and_six_wide),
		cmocka_unit_test(an_indented_table_keeps_its_columns),
		cmocka_unit_test(width_is_counted_in_letters_not_bytes),
		cmocka_unit_test(a_line_break_does_not_tear_a_table),
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(field_names_are_split_as_kubectl_splits_them),
		cmocka_unit_test(a_description_is_aligned_block_by_block),
		cmocka_unit_test(the_last_applied_annotation_is_hidden_and_long_ones_wrap),
		cmocka_unit_test(ages_are_counted_from_the_time_of_creation),
		cmocka_unit_test(an_endpoint_in_its_slow_start_counts_as_up),
		cmocka_unit_test(numbers_show_a_fraction_only_when_they_have_one),
		cmocka_unit_test(a_path_leads_to_the_place_it_was_written_at),
		cmocka_unit_test(mistakes_are_sorted_within_each_file),
		cmocka_unit_test(a_segment_of_a_path_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
