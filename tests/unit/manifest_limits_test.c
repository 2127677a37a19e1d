/* SPDX-License-Identifier: BSD-2-Clause */
/* Hostile manifests end with a word about what is too much, in bounded time and memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/strbuf.h"
#include "manifest/manifest.h"

#define SLOW_MS 20000 /* of one text, under sanitizers on a busy machine */

#define BACKEND_OF(address, port)                                                                  \
	"apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {name: a}\n"         \
	"spec:\n  endpoints:\n  - ip:\n      address: " address "\n      port: " port "\n"

static struct arena *arena;
static struct diags diags;
static struct resources found;

static int setup(void **state)
{
	(void)state;
	arena = arena_new();
	diags_init(&diags, arena);
	found = (struct resources){0};
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

static void afresh(void)
{
	arena_free(arena);
	(void)setup(NULL);
}

static void read_bytes(const char *text, size_t len)
{
	const uint64_t start_ms = clock_ms();

	assert_int_equal(manifest_read_text(arena, &diags, "x.yaml", text, len, NULL, &found), 0);
	assert_true(clock_ms() - start_ms < SLOW_MS);
}

/* Refused at the place, with the words. */
static void refused(struct strbuf *text, int line, const char *words)
{
	read_bytes(text->text, text->len);
	strbuf_done(text);
	assert_true(diags.count > 0);
	assert_int_equal(diags.items[0].loc.line, line);
	if (!strstr(diags.items[0].text, words))
		fail_msg("not \"%s\": %.300s", words, diags.items[0].text);
	assert_true(strlen(diags.items[0].text) < LIMIT_MISTAKE_BYTES + 100);
	assert_int_equal(found.count, 0);
}

static void repeat(struct strbuf *b, const char *text, size_t times)
{
	for (size_t i = 0; i < times; i++)
		strbuf_puts(b, text);
}

static void a_billion_laughs_are_refused(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 12; i++) {
		strbuf_printf(&b, "a%d: &a%d [", i, i);
		for (int n = 0; n < 10; n++)
			strbuf_printf(&b, "%s*a%d", n ? "," : "", i - 1);
		strbuf_puts(&b, "]\n");
	}
	refused(&b, 4, "document contains excessive aliasing");
}

static void deep_nesting_is_refused_in_yaml_and_json(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, "x: ");
	repeat(&b, "[", 1000000);
	refused(&b, 1, "exceeded max depth");
	afresh();
	repeat(&b, "{\"x\":", 300000);
	refused(&b, 1, "exceeded max depth");
}

static void a_json_body_that_is_too_deep_or_too_many_is_refused(void **state)
{
	struct strbuf b = {0};
	struct node *root;

	(void)state;
	repeat(&b, "[", LIMIT_DEPTH + 1);
	repeat(&b, "]", LIMIT_DEPTH + 1);
	assert_int_equal(node_from_json(arena, &diags, b.text, b.len, &root), -EINVAL);
	assert_non_null(strstr(diags.items[0].text, "max depth (100)"));
	strbuf_done(&b);
	strbuf_puts(&b, "[0");
	repeat(&b, ",0", LIMIT_NODES); /* jansson would take 200 MB for it */
	strbuf_puts(&b, "]");
	assert_int_equal(node_from_json(arena, NULL, b.text, b.len, &root), -EINVAL);
	strbuf_done(&b);
	strbuf_puts(&b, "[\"");
	repeat(&b, ",[{\\\"", 200000); /* of a text they do not count */
	strbuf_puts(&b, "\"]");
	assert_int_equal(node_from_json(arena, NULL, b.text, b.len, &root), 0);
	strbuf_done(&b);
}

static void a_text_beyond_the_limit_is_refused(void **state)
{
	struct strbuf b = {0};
	struct node *root;

	(void)state;
	strbuf_puts(&b, "a: 1\nb: ");
	repeat(&b, "0123456789abcdef", LIMIT_SCALAR_BYTES / 16 + 1);
	refused(&b, 2, "a text of 2097168 bytes: at most 2097152 are read");
	strbuf_puts(&b, "\"");
	repeat(&b, "0123456789abcdef", LIMIT_SCALAR_BYTES / 16 + 1);
	strbuf_puts(&b, "\"");
	assert_int_equal(node_from_json(arena, NULL, b.text, b.len, &root), -EINVAL);
	strbuf_done(&b);
}

static void a_number_of_a_megabyte_is_refused(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, BACKEND_OF("10.0.0.1", "9"));
	b.text[--b.len] = '\0'; /* the line goes on */
	repeat(&b, "9999999999999999", 1 << 16);
	refused(&b, 8, "must be of type integer");
}

static void a_key_of_a_megabyte_is_refused(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, BACKEND_OF("10.0.0.1", "80") "  ");
	repeat(&b, "kkkkkkkkkkkkkkkk", 1 << 16);
	strbuf_puts(&b, ": 1\n");
	refused(&b, 9, "could not find expected ':'");
}

static void as_many_anchors_as_values_take_no_longer(void **state)
{
	struct strbuf b = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_printf(&b, "- &a%d x\n", i);
	for (int i = 0; i < 100000; i++)
		strbuf_printf(&b, "- *a%d\n", i);
	refused(&b, 1, "invalid object to validate");
}

static void the_latest_anchor_of_a_name_counts(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, "x-old: &port 70000\nx: &port 70001\n" BACKEND_OF("10.0.0.1", "*port"));
	read_bytes(b.text, b.len);
	strbuf_done(&b);
	for (size_t i = 0; i < diags.count; i++)
		assert_null(strstr(diags.items[i].text, "70000"));
}

static void mistakes_without_end_are_counted_not_kept(void **state)
{
	struct strbuf b = {0};

	(void)state;
	repeat(&b, "---\na: 1\n", LIMIT_MISTAKES);
	read_bytes(b.text, b.len);
	strbuf_done(&b);
	assert_int_equal(diags.count, LIMIT_MISTAKES + 1);
	assert_int_equal(diags.errors, 2 * LIMIT_MISTAKES);
	assert_string_equal(diags.items[LIMIT_MISTAKES].text,
			    "error: more than 10000 mistakes: the others are not shown");
}

static void a_mistake_of_many_bytes_is_cut_between_characters(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, "x");
	repeat(&b, "\xc3\xa4", LIMIT_MISTAKE_BYTES);
	diag_add(&diags, (struct loc){0}, "%s", b.text);
	strbuf_done(&b);
	assert_non_null(strstr(diags.items[0].text, "\xa4... (and 8194 more bytes)"));
}

static void documents_beyond_the_limit_are_not_read(void **state)
{
	struct strbuf b = {0};

	(void)state;
	repeat(&b, "---\n1\n", LIMIT_RESOURCES + 10);
	read_bytes(b.text, b.len);
	strbuf_done(&b);
	assert_true(diags.errors <= LIMIT_RESOURCES + 1);
}

static void values_beyond_the_limit_end_the_file_with_one_mistake(void **state)
{
	struct strbuf b = {0};

	(void)state;
	strbuf_puts(&b, "[0");
	repeat(&b, ",0", LIMIT_NODES);
	strbuf_puts(&b, "]\n");
	repeat(&b, "---\na: 1\n", 100);
	read_bytes(b.text, b.len);
	strbuf_done(&b);
	assert_int_equal(diags.errors, 1);
	assert_non_null(strstr(diags.items[0].text, "more than 4000000 values"));
}

static void bytes_that_are_no_text_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *words;
	} rows[] = {
		{"a: 1\nb: \xff\xfe\n", 11, "invalid leading UTF-8 octet"},
		{"a: 1\nb: x\0y\n", 13, "control characters are not allowed"},
		{"\xff\xfe"
		 "a\0:\0\n\0b\0:\0 \0x", /* its last character is cut in two */
		 15, "invalid leading UTF-8 octet"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		afresh();
		read_bytes(rows[i].bytes, rows[i].len);
		assert_int_equal(diags.items[0].loc.line, 2);
		assert_non_null(strstr(diags.items[0].text, rows[i].words));
	}
}

static char *made_path(char path[64], const char *name)
{
	(void)strcpy(path, "/tmp/spw-limits-XXXXXX");
	assert_non_null(mkdtemp(path));
	return arena_printf(arena, "%s/%s", path, name);
}

static int read_path(const char *path)
{
	return manifest_read_path(arena, &diags, path, NULL, &found);
}

static void a_device_without_end_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_path("/dev/zero"), -EFBIG);
	assert_string_equal(diags.items[0].text, "error: the path \"/dev/zero\" cannot be read: it "
						 "is larger than 64 MiB: split it");
}

static void a_pipe_that_nobody_writes_to_is_refused(void **state)
{
	char dir[64], *path = made_path(dir, "x.yaml");

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(read_path(path), -ETIMEDOUT);
	assert_non_null(strstr(diags.items[0].text, "it is a pipe that nobody writes to"));
	assert_int_equal(unlink(path) | rmdir(dir), 0);
}

static void *write_slowly(void *path)
{
	static const char text[] = BACKEND_OF("10.0.0.1", "80");
	int fd;

	usleep(300000);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	usleep(300000);
	if (write(fd, text, 40) == 40) {
		usleep(300000);
		(void)!write(fd, text + 40, sizeof(text) - 41);
	}
	(void)close(fd);
	return NULL;
}

static void a_pipe_with_a_slow_writer_is_read(void **state)
{
	char dir[64], *path = made_path(dir, "x.yaml");
	pthread_t thread;

	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pthread_create(&thread, NULL, write_slowly, path), 0);
	assert_int_equal(read_path(path), 0);
	(void)pthread_join(thread, NULL);
	assert_int_equal(diags.count, 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(unlink(path) | rmdir(dir), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_billion_laughs_are_refused),
		TEST(deep_nesting_is_refused_in_yaml_and_json),
		TEST(a_json_body_that_is_too_deep_or_too_many_is_refused),
		TEST(a_text_beyond_the_limit_is_refused),
		TEST(a_number_of_a_megabyte_is_refused),
		TEST(a_key_of_a_megabyte_is_refused),
		TEST(as_many_anchors_as_values_take_no_longer),
		TEST(the_latest_anchor_of_a_name_counts),
		TEST(mistakes_without_end_are_counted_not_kept),
		TEST(a_mistake_of_many_bytes_is_cut_between_characters),
		TEST(documents_beyond_the_limit_are_not_read),
		TEST(values_beyond_the_limit_end_the_file_with_one_mistake),
		TEST(bytes_that_are_no_text_are_refused),
		TEST(a_device_without_end_is_refused),
		TEST(a_pipe_that_nobody_writes_to_is_refused),
		TEST(a_pipe_with_a_slow_writer_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
