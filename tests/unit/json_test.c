/* SPDX-License-Identifier: BSD-2-Clause */
/* The plain reader of JSON against jansson, which is the one that is known to be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "manifest/json.h"
#include "manifest/json_plain.h"
#include "manifest/manifest.h"

#define ROUNDS 20000

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

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

/* node_equal() takes 1 for 1.0 and any order of members. */
static bool is_same(const struct node *a, const struct node *b)
{
	if (a->type != b->type || a->count != b->count || !node_equal(a, b) || !a->key != !b->key ||
	    (a->key && strcmp(a->key, b->key) != 0))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!is_same(a->items[i], b->items[i]))
			return false;
	}
	return true;
}

static enum json_plain compare(struct arena *a, const char *text, size_t len)
{
	struct node *plain = NULL, *any = NULL;
	const enum json_plain found = json_plain_read(a, text, len, &plain);
	const int err = json_read_any(a, NULL, text, len, &any);

	if (found == JSON_PLAIN_READ && (err || !is_same(plain, any)))
		fail_msg("read otherwise than by jansson: %s", text);
	return found;
}

static const char *const read_at_once[] = {
	"{}",
	" [ ] ",
	"\"\"",
	"-0",
	"999999999999999999",
	"[true,false,null]",
	"{\"a\":{\"b\":[1,-2,\"c\"]},\"d\":{}}",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"a\\u0000b\\u00e9\\u20AC\\ud83d\\ude00\"",
	"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
	"[0.5,-1.25e3,1E+2,2e-2,3.0,-0.0]",
	"{\"\":1,\"\\u0061\":2,\"b\":3}",
};

static void what_programs_write_is_read_as_jansson_reads_it(void **state)
{
	for (size_t i = 0; i < sizeof(read_at_once) / sizeof(read_at_once[0]); i++) {
		if (compare(*state, read_at_once[i], strlen(read_at_once[i])) != JSON_PLAIN_READ)
			fail_msg("left to jansson: %s", read_at_once[i]);
	}
}

static const char *const doubtful[] = {
	"",
	"{",
	"[1,]",
	"{\"a\":1,}",
	"{\"a\":1,\"a\":2}",
	"{\"a\":1,\"\\u0061\":2}",
	"{\"a\\u0000\":1}",
	"01",
	"-",
	"1.",
	".5",
	"1e",
	"+1",
	"1e999",
	"1234567890123456789",
	"9999999999999999999",
	"tru",
	"nullx",
	"'a'",
	"\"a",
	"\"\n\"",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\\ud800\"",
	"\"\\ud800\\u0041\"",
	"\"\\udc00\"",
	"\"\xff\"",
	"\"\xc0\x80\"",
	"1 2",
	"[1}",
};

static void what_is_doubtful_is_left_to_jansson(void **state)
{
	for (size_t i = 0; i < sizeof(doubtful) / sizeof(doubtful[0]); i++) {
		if (compare(*state, doubtful[i], strlen(doubtful[i])) != JSON_PLAIN_UNSURE)
			fail_msg("not left to jansson: %s", doubtful[i]);
	}
}

static void a_key_that_comes_twice_among_many_is_found(void **state)
{
	struct strbuf b = {0};
	struct node *n;

	strbuf_puts(&b, "{");
	for (int i = 0; i < 1000; i++)
		strbuf_printf(&b, "\"key%d\":%d,", i, i);
	strbuf_puts(&b, "\"key500\":0}");
	assert_int_equal(json_plain_read(*state, b.text, b.len, &n), JSON_PLAIN_UNSURE);
	b.text[b.len - 5] = 'x';
	assert_int_equal(compare(*state, b.text, b.len), JSON_PLAIN_READ);
	strbuf_done(&b);
}

static void put_random(struct strbuf *b, uint64_t *seed, int depth)
{
	static const char *const scalars[] = {
		"1",
		"-17",
		"0",
		"true",
		"false",
		"null",
		"\"\"",
		"\"a b\"",
		"0.25",
		"1e5",
		"\"\\n\\\"\"",
		"\"\\u00e9x\"",
		"\"\xe2\x82\xac\"",
		"123456",
		"\"\\ud83d\\ude00\"",
		"\"spec\"",
	};
	const uint64_t kind = next(seed) % 4;
	const uint64_t count = next(seed) % 5;

	if (depth > 4 || kind < 2) {
		strbuf_puts(b, scalars[next(seed) % (sizeof(scalars) / sizeof(scalars[0]))]);
		return;
	}
	strbuf_puts(b, kind == 2 ? "[" : "{");
	for (uint64_t i = 0; i < count; i++) {
		strbuf_puts(b, i ? ", " : "");
		if (kind == 3)
			strbuf_printf(b, "\"k%u\":", (unsigned int)(next(seed) % 30));
		put_random(b, seed, depth + 1);
	}
	strbuf_puts(b, kind == 2 ? "]" : "}");
}

static void hurt(struct strbuf *b, uint64_t *seed)
{
	static const char bytes[] = "{}[]\",:\\u0eE.-+1tfn \xff\xc3\x80";
	const char c = bytes[next(seed) % (sizeof(bytes) - 1)];
	const size_t at = next(seed) % b->len;

	if (next(seed) % 2)
		b->text[at] = c;
	else
		memmove(b->text + at, b->text + at + 1, b->len-- - at);
}

static void random_texts_whole_and_hurt_are_read_as_jansson_reads_them(void **state)
{
	uint64_t seed = 1;
	size_t read = 0;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct arena *a = arena_new();
		struct strbuf b = {0};

		put_random(&b, &seed, 0);
		for (uint64_t n = next(&seed) % 3; n && b.len; n--)
			hurt(&b, &seed);
		read += compare(a, b.text, b.len) == JSON_PLAIN_READ;
		strbuf_done(&b);
		arena_free(a);
	}
	assert_true(read > ROUNDS / 4);
}

static void what_no_tree_may_hold_is_too_large(void **state)
{
	struct strbuf b = {0};
	struct node *n;

	for (int i = 0; i <= LIMIT_DEPTH; i++)
		strbuf_puts(&b, "[");
	assert_int_equal(json_plain_read(*state, b.text, b.len, &n), JSON_PLAIN_TOO_LARGE);
	strbuf_done(&b);
	strbuf_puts(&b, "\"");
	for (unsigned int i = 0; i <= LIMIT_SCALAR_BYTES; i++)
		strbuf_add(&b, "x", 1);
	strbuf_puts(&b, "\"");
	assert_int_equal(json_plain_read(*state, b.text, b.len, &n), JSON_PLAIN_TOO_LARGE);
	strbuf_done(&b);
}

static void a_mistake_is_quoted_in_whole_characters(void **state)
{
	static const char text[] = "{\"a\\ud8\x38\xde\xbe\\ulouteQQ==\": 1}";
	struct diags d;
	struct node *root = NULL;

	diags_init(&d, *state);
	assert_int_not_equal(node_from_json(*state, &d, text, sizeof(text) - 1, &root), 0);
	assert_int_equal(d.count, 1);
	assert_true(utf8_is_valid(d.items[0].text, strlen(d.items[0].text)));
	assert_non_null(strstr(d.items[0].text, "invalid escape near"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_programs_write_is_read_as_jansson_reads_it),
		cmocka_unit_test(what_is_doubtful_is_left_to_jansson),
		cmocka_unit_test(a_key_that_comes_twice_among_many_is_found),
		cmocka_unit_test(random_texts_whole_and_hurt_are_read_as_jansson_reads_them),
		cmocka_unit_test(what_no_tree_may_hold_is_too_large),
		cmocka_unit_test(a_mistake_is_quoted_in_whole_characters),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
