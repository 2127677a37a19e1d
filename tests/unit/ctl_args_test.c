/* SPDX-License-Identifier: BSD-2-Clause */
/* tools/ctl: how the command line is read, and what is said of a mistyped one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/args.h"
#include "ctl/similar.h"

#define WORDS_MAX 8

static const char *const colours[] = {"red", "green", NULL};
static const struct flag general[] = {
	{.name = "namespace", .letter = 'n', .type = FLAG_TEXT, .initial = "default"},
	{.name = NULL},
};
static const struct flag own[] = {
	{.name = "filename", .letter = 'f', .type = FLAG_TEXTS},
	{.name = "recursive", .letter = 'R', .type = FLAG_SWITCH},
	{.name = "dry-run", .type = FLAG_TEXT, .initial = "none", .bare = "client"},
	{.name = "limit", .type = FLAG_NUMBER, .initial = "7"},
	{.name = "deadline", .type = FLAG_DURATION},
	{.name = "colour", .letter = 'c', .type = FLAG_TEXT, .choices = colours},
	{.name = NULL},
};

static int parse(struct args *args, const char *const *argv, enum args_extent extent,
		 const char **why)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return args_parse(args, argc, (char **)argv, extent, why);
}

static struct args empty_args(struct arena *a)
{
	return (struct args){.arena = a, .tables = {general, own}};
}

static void every_way_to_write_a_value_is_understood(void **state)
{
	static const char *const rows[][WORDS_MAX] = {
		{"--namespace", "x"},
		{"--namespace=x"},
		{"-n", "x"},
		{"-nx"},
		{"-n=x"},
		{"-Rn", "x"},
		{"-Rnx"},
		{"-n", "y", "-n", "x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		struct args args = empty_args(a);
		const char *why = NULL;

		assert_true(parse(&args, rows[i], ARGS_ALL, &why) > 0);
		assert_string_equal(args_text(&args, "namespace"), "x");
		assert_int_equal(args.word_count, 0);
	}
}

static void a_switch_is_on_off_or_joined(void **state)
{
	static const struct {
		const char *argv[WORDS_MAX];
		bool on;
	} rows[] = {
		{{"-R"}, true},
		{{"--recursive"}, true},
		{{"--recursive=true"}, true},
		{{"--recursive=false"}, false},
		{{"-R", "-R=false"}, false},
		{{"-Rf", "x"}, true},
		{{"x"}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		struct args args = empty_args(a);
		const char *why = NULL;

		assert_true(parse(&args, rows[i].argv, ARGS_ALL, &why) > 0);
		assert_int_equal(args_switch(&args, "recursive"), rows[i].on);
	}
}

static void what_was_not_given_has_its_initial_value(void **state)
{
	AUTO(arena_free) struct arena *a = arena_new();
	struct args args = empty_args(a);
	size_t count;

	(void)state;
	assert_string_equal(args_text(&args, "namespace"), "default");
	assert_false(args_given(&args, "namespace"));
	assert_null(args_text(&args, "colour"));
	assert_int_equal(args_number(&args, "limit"), 7);
	assert_null(args_texts(&args, "filename", &count));
	assert_int_equal(count, 0);
}

static void a_duration_is_in_milliseconds(void **state)
{
	static const char *const argv[] = {"--deadline", "1h30m", NULL};
	AUTO(arena_free) struct arena *a = arena_new();
	struct args args = empty_args(a);
	const char *why = NULL;

	(void)state;
	assert_int_equal(args_duration_ms(&args, "deadline"), -1);
	assert_int_equal(parse(&args, argv, ARGS_ALL, &why), 2);
	assert_int_equal(args_duration_ms(&args, "deadline"), 5400000);
}

static void a_flag_may_stand_alone_without_eating_a_word(void **state)
{
	static const char *const argv[] = {"--dry-run", "word", NULL};
	AUTO(arena_free) struct arena *a = arena_new();
	struct args args = empty_args(a);
	const char *why = NULL;

	(void)state;
	assert_int_equal(parse(&args, argv, ARGS_ALL, &why), 2);
	assert_string_equal(args_text(&args, "dry-run"), "client");
	assert_int_equal(args.word_count, 1);
	assert_string_equal(args.words[0], "word");
}

static void flags_and_words_may_be_mixed_up_to_two_dashes(void **state)
{
	static const char *const argv[] = {"a", "-f", "1", "-", "--filename=2", "--", "-f", NULL};
	AUTO(arena_free) struct arena *a = arena_new();
	struct args args = empty_args(a);
	const char *why = NULL;
	const char **files;
	size_t count;

	(void)state;
	assert_int_equal(parse(&args, argv, ARGS_ALL, &why), 7);
	files = args_texts(&args, "filename", &count);
	assert_int_equal(count, 2);
	assert_string_equal(files[0], "1");
	assert_string_equal(files[1], "2");
	assert_int_equal(args.word_count, 3);
	assert_string_equal(args.words[1], "-");
	assert_string_equal(args.words[2], "-f");
}

static void parsing_can_stop_in_front_of_the_first_word(void **state)
{
	static const char *const argv[] = {"-n", "x", "get", "--unknown", NULL};
	AUTO(arena_free) struct arena *a = arena_new();
	struct args args = empty_args(a);
	const char *why = NULL;

	(void)state;
	assert_int_equal(parse(&args, argv, ARGS_UNTIL_WORD, &why), 2);
	assert_int_equal(args.word_count, 0);
}

static void a_mistake_is_named_as_kubectl_names_it(void **state)
{
	static const struct {
		const char *argv[WORDS_MAX];
		const char *why;
	} rows[] = {
		{{"--foo"}, "unknown flag: --foo"},
		{{"--foo=1"}, "unknown flag: --foo"},
		{{"--name=1"}, "unknown flag: --name"},
		{{"-Rx"}, "unknown shorthand flag: 'x' in -Rx"},
		{{"--namespace"}, "flag needs an argument: --namespace"},
		{{"-Rf"}, "flag needs an argument: 'f' in -Rf"},
		{{"--limit=x"},
		 "invalid argument \"x\" for \"--limit\" flag: must be a number, 1 or more"},
		{{"--limit=0"},
		 "invalid argument \"0\" for \"--limit\" flag: must be a number, 1 or more"},
		{{"--limit=-1"},
		 "invalid argument \"-1\" for \"--limit\" flag: must be a number, 1 or more"},
		{{"--limit=99999999999999999999"},
		 "invalid argument \"99999999999999999999\" for \"--limit\" flag: must be a number, "
		 "1 or more"},
		{{"--deadline=10"},
		 "invalid argument \"10\" for \"--deadline\" flag: must be a duration of more than "
		 "nothing, such as 90s, 10m or 1h30m"},
		{{"--deadline=0s"},
		 "invalid argument \"0s\" for \"--deadline\" flag: must be a duration of more than "
		 "nothing, such as 90s, 10m or 1h30m"},
		{{"-R=maybe"},
		 "invalid argument \"maybe\" for \"-R, --recursive\" flag: must be true or false"},
		{{"-c", "blue"},
		 "invalid argument \"blue\" for \"-c, --colour\" flag: must be one of: red, green"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(arena_free) struct arena *a = arena_new();
		struct args args = empty_args(a);
		const char *why = NULL;

		assert_int_equal(parse(&args, rows[i].argv, ARGS_ALL, &why), -EINVAL);
		assert_string_equal(why, rows[i].why);
	}
}

static void similar_words_are_near(void **state)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} rows[] = {
		{"get", "get", 0},	{"GET", "get", 0},	  {"gett", "get", 1},
		{"appyl", "apply", 2},	{"", "set", 3},		  {"set", "", 3},
		{"stats", "status", 1}, {"kitten", "sitting", 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(similar_distance(rows[i].a, rows[i].b), rows[i].distance);
}

static void very_long_words_are_far(void **state)
{
	char word[200];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_true(similar_distance(word, "get") > 1000);
	assert_true(similar_distance("get", word) > 1000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_to_write_a_value_is_understood),
		cmocka_unit_test(a_switch_is_on_off_or_joined),
		cmocka_unit_test(what_was_not_given_has_its_initial_value),
		cmocka_unit_test(a_duration_is_in_milliseconds),
		cmocka_unit_test(a_flag_may_stand_alone_without_eating_a_word),
		cmocka_unit_test(flags_and_words_may_be_mixed_up_to_two_dashes),
		cmocka_unit_test(parsing_can_stop_in_front_of_the_first_word),
		cmocka_unit_test(a_mistake_is_named_as_kubectl_names_it),
		cmocka_unit_test(similar_words_are_near),
		cmocka_unit_test(very_long_words_are_far),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
