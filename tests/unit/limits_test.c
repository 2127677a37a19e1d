/* SPDX-License-Identifier: BSD-2-Clause */
/* Every limit of every row of every kind, at its last allowed value and just beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "base/strbuf.h"
#include "manifest/manifest.h"
#include "manifest/schema.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* What is said to an object whose only member, `v`, has the row and this value. */
static const char *said_to(const struct field *f, const char *json)
{
	struct field table[2] = {*f, FIELD_END};
	const char *text = arena_printf(arena, "{\"v\":%s}", json);
	struct check c = {.arena = arena, .kind = &kinds[0], .name = "x"};
	struct node *root = NULL;
	const char *out = "";
	struct diags d;

	table[0].name = "v";
	diags_init(&d, arena);
	c.diags = &d;
	assert_int_equal(node_from_json(arena, NULL, text, strlen(text), &root), 0);
	schema_types(&c, table, root);
	for (size_t i = 0; i < d.count; i++)
		out = arena_printf(arena, "%s%s\n", out, d.items[i].text);
	return out;
}

/* A value of that size: a number, or as many characters, items or entries. */
static const char *of_size(const struct field *f, int64_t size)
{
	struct strbuf b = {0};
	const char *out;

	if (f->type == FIELD_INT32 || f->type == FIELD_INT64)
		return arena_printf(arena, "%lld", (long long)size);
	strbuf_puts(&b, f->type == FIELD_STRING ? "\"" : f->type == FIELD_LIST ? "[" : "{");
	for (int64_t i = 0; i < size; i++) {
		if (f->type == FIELD_STRING)
			strbuf_puts(&b, "a");
		else if (f->type == FIELD_LIST)
			strbuf_printf(&b, "%s%lld", i ? "," : "", (long long)i);
		else
			strbuf_printf(&b, "%s\"k%lld\":\"\"", i ? "," : "", (long long)i);
	}
	strbuf_puts(&b, f->type == FIELD_STRING ? "\"" : f->type == FIELD_LIST ? "]" : "}");
	out = arena_strdup(arena, b.text);
	strbuf_done(&b);
	return out;
}

static const char *too_small(const struct field *f)
{
	if (f->type == FIELD_STRING)
		return arena_printf(arena, "should be at least %lld chars long", (long long)f->min);
	if (f->type == FIELD_LIST)
		return arena_printf(arena, "should have at least %lld items", (long long)f->min);
	return arena_printf(arena, "should be greater than or equal to %lld", (long long)f->min);
}

static const char *too_great(const struct field *f)
{
	if (f->type == FIELD_STRING)
		return arena_printf(arena, "Too long: may not be more than %lld bytes",
				    (long long)f->max);
	if (f->type == FIELD_LIST || f->type == FIELD_MAP)
		return arena_printf(arena, "Too many: %lld: must have at most %lld items",
				    (long long)f->max + 1, (long long)f->max);
	return arena_printf(arena, "should be less than or equal to %lld", (long long)f->max);
}

static size_t limits_seen;

static void at_and_beyond(const char *path, const struct field *f, int64_t last, int64_t beyond,
			  const char *words)
{
	limits_seen++;
	if (strstr(said_to(f, of_size(f, last)), words))
		fail_msg("%s: %lld is refused: %s", path, (long long)last, words);
	if (!strstr(said_to(f, of_size(f, beyond)), words))
		fail_msg("%s: %lld is not refused: %s", path, (long long)beyond, words);
}

static void look(const char *path, const struct field *f)
{
	const bool is_number = f->type == FIELD_INT32 || f->type == FIELD_INT64;

	/* A text or list cannot have less than nothing. */
	if (f->has_min && (is_number || f->min > 0))
		at_and_beyond(path, f, f->min, f->min - 1, too_small(f));
	if (f->has_max)
		at_and_beyond(path, f, f->max, f->max + 1, too_great(f));
}

static void walk(const char *path, const struct field *f)
{
	look(path, f);
	if (f->item)
		walk(arena_printf(arena, "%s[]", path), f->item);
	for (const struct field *row = f->fields; row && row->name; row++)
		walk(arena_printf(arena, "%s.%s", path, row->name), row);
}

static void each_limit_is_told_beyond_it_and_not_at_it(void **state)
{
	(void)state;
	for (size_t k = 0; k < KIND_MAX; k++) {
		for (const struct field *row = kinds[k].fields; row->name; row++)
			walk(arena_printf(arena, "%s.%s", kinds[k].name, row->name), row);
	}
	assert_true(limits_seen > 500); /* the walk did not end early */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_limit_is_told_beyond_it_and_not_at_it, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
