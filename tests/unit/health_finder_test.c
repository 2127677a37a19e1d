/* SPDX-License-Identifier: BSD-2-Clause */
/* Search in a stream: whatever the pieces, as memmem() on the whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "health/finder.h"

/* Feeds `data` in pieces of `piece` bytes; each from a block of its own size, so ASan sees overreads. */
static bool found_in_pieces(const char *text, const char *data, size_t len, size_t piece)
{
	const struct check_payload p = {(const uint8_t *)text, strlen(text)};
	struct finder f = {0};
	bool found;

	assert_int_equal(finder_init(&f, &p), 0);
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;
		char *block = malloc(n);

		memcpy(block, data + at, n);
		(void)finder_feed(&f, &p, block, n);
		free(block);
	}
	found = f.found;
	finder_done(&f);
	return found;
}

static void a_text_is_found_however_it_is_cut(void **state)
{
	static const struct {
		const char *text, *data;
		bool found;
	} rows[] = {
		{"PONG", "+PONG\r\n", true},   {"PONG", "PONG", true},
		{"PONG", "PON", false},	       {"PONG", "PONPONPONG", true},
		{"PONG", "PPOONNGG", false},   {"aab", "aaaaab", true},
		{"aab", "aaaaa", false},       {"x", "abcx", true},
		{"x", "abc", false},	       {"", "anything", true},
		{"abcabd", "abcabcabd", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t piece = 1; piece <= 12; piece++)
			if (found_in_pieces(rows[i].text, rows[i].data, strlen(rows[i].data),
					    piece) != rows[i].found)
				fail_msg("'%s' in '%s' by %zu", rows[i].text, rows[i].data, piece);
}

/* Few letters, so that half matches are frequent. */
static void it_agrees_with_memmem_on_random_bytes(void **state)
{
	char text[8], data[64];
	unsigned hits = 0;

	(void)state;
	for (uint64_t n = 0; n < 3000; n++) {
		size_t text_len = 1 + hash_mix(n) % 6, len = hash_mix(n + 99) % 60;
		size_t piece = 1 + hash_mix(n + 7) % 9;
		bool want;

		for (size_t i = 0; i < text_len; i++)
			text[i] = "ab"[hash_mix(n * 64 + i) % 2];
		text[text_len] = '\0';
		for (size_t i = 0; i < len; i++)
			data[i] = "ab"[hash_mix(n * 4096 + i) % 2];
		want = memmem(data, len, text, text_len) != NULL;
		hits += want;
		assert_int_equal(found_in_pieces(text, data, len, piece), want);
	}
	assert_in_range(hits, 300, 2900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_found_however_it_is_cut),
		cmocka_unit_test(it_agrees_with_memmem_on_random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
