/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flag parsing. getopt_long() is not used because it reorders argv, abbreviates long flags (so a
 * new flag could change what an old script means) and words its messages unlike kubectl.
 */
#include "ctl/args.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/manifest.h"

static const struct flag *find_long(const struct args *args, const char *name, size_t len)
{
	for (size_t t = 0; t < 2; t++) {
		for (const struct flag *f = args->tables[t]; f && f->name; f++) {
			if (strlen(f->name) == len && strncmp(f->name, name, len) == 0)
				return f;
		}
	}
	return NULL;
}

static const struct flag *find_short(const struct args *args, char letter)
{
	for (size_t t = 0; t < 2; t++) {
		for (const struct flag *f = args->tables[t]; f && f->name; f++) {
			if (f->letter == letter)
				return f;
		}
	}
	return NULL;
}

static bool is_choice(const struct flag *f, const char *value)
{
	for (const char *const *c = f->choices; *c; c++) {
		if (strcmp(*c, value) == 0)
			return true;
	}
	return false;
}

static const char *choices_text(struct arena *a, const struct flag *f)
{
	const char *text = "";

	for (const char *const *c = f->choices; *c; c++)
		text = arena_printf(a, "%s%s%s", text, text[0] ? ", " : "", *c);
	return text;
}

static const char *flag_title(struct arena *a, const struct flag *f)
{
	if (f->letter)
		return arena_printf(a, "-%c, --%s", f->letter, f->name);
	return arena_printf(a, "--%s", f->name);
}

/* NULL, or what is wrong with the value. */
static const char *value_mistake(struct arena *a, const struct flag *f, const char *value)
{
	char *end;

	if (f->choices && !is_choice(f, value))
		return arena_printf(a, "must be one of: %s", choices_text(a, f));
	if (f->type == FLAG_SWITCH && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return "must be true or false";
	if (f->type == FLAG_DURATION && duration_ms(value) < 1)
		return "must be a duration of more than nothing, such as 90s, 10m or 1h30m";
	if (f->type != FLAG_NUMBER)
		return NULL;
	errno = 0;
	if (strtoll(value, &end, 10) < 1 || errno || *end || value[0] < '0' || value[0] > '9')
		return "must be a number, 1 or more";
	return NULL;
}

static int take(struct args *args, const struct flag *f, const char *value, const char **why)
{
	struct arena *a = args->arena;
	const char *mistake = value_mistake(a, f, value);

	if (mistake) {
		*why = arena_printf(a, "invalid argument \"%s\" for \"%s\" flag: %s", value,
				    flag_title(a, f), mistake);
		return -EINVAL;
	}
	*arena_push(a, args->given, args->given_count) = (struct flag_given){f, value};
	return 0;
}

/* The value of a flag that stands alone, or NULL when it must have one. */
static const char *bare_value(const struct flag *f)
{
	return f->type == FLAG_SWITCH ? "true" : f->bare;
}

/* `text` is behind the dashes. Takes one or two of argv; says how many. */
static int parse_long(struct args *args, const char *text, const char *next, const char **why)
{
	size_t len = strcspn(text, "=");
	const struct flag *f = find_long(args, text, len);
	const char *value = text[len] ? text + len + 1 : NULL;
	int used = 1;
	int err;

	if (!f) {
		*why = arena_printf(args->arena, "unknown flag: --%.*s", (int)len, text);
		return -EINVAL;
	}
	if (!value)
		value = bare_value(f);
	if (!value && next) {
		value = next;
		used = 2;
	}
	if (!value) {
		*why = arena_printf(args->arena, "flag needs an argument: --%s", f->name);
		return -EINVAL;
	}
	err = take(args, f, value, why);
	return err ? err : used;
}

/* `text` is behind the dash: one or more letters, the last perhaps with its value: -Rf=x, -n x. */
static int parse_short(struct args *args, const char *text, const char *next, const char **why)
{
	const struct flag *f;
	const char *p;
	int err;

	for (p = text; *p; p++) {
		f = find_short(args, *p);
		if (!f) {
			*why = arena_printf(args->arena, "unknown shorthand flag: '%c' in -%s", *p,
					    text);
			return -EINVAL;
		}
		if (p[1] == '=')
			err = take(args, f, p + 2, why);
		else if (bare_value(f)) {
			err = take(args, f, bare_value(f), why);
			if (err)
				return err;
			continue;
		} else if (p[1])
			err = take(args, f, p + 1, why);
		else if (next)
			err = take(args, f, next, why);
		else {
			*why = arena_printf(args->arena, "flag needs an argument: '%c' in -%s", *p,
					    text);
			return -EINVAL;
		}
		if (err)
			return err;
		return p[1] ? 1 : 2;
	}
	return 1;
}

int args_parse(struct args *args, int argc, char **argv, enum args_extent extent, const char **why)
{
	bool only_words = false;
	const char *text, *next;
	int n;

	for (int i = 0; i < argc; i += n) {
		text = argv[i];
		next = i + 1 < argc ? argv[i + 1] : NULL;
		n = 1;
		if (only_words || text[0] != '-' || !text[1]) {
			if (extent == ARGS_UNTIL_WORD)
				return i;
			*arena_push(args->arena, args->words, args->word_count) = text;
			continue;
		}
		if (strcmp(text, "--") == 0)
			only_words = true;
		else if (text[1] == '-')
			n = parse_long(args, text + 2, next, why);
		else
			n = parse_short(args, text + 1, next, why);
		if (n < 0)
			return n;
	}
	return argc;
}

static const struct flag *flag_get(const struct args *args, const char *name)
{
	const struct flag *f = find_long(args, name, strlen(name));

	assert(f);
	return f;
}

static const char *last_value(const struct args *args, const struct flag *f)
{
	for (size_t i = args->given_count; i-- > 0;) {
		if (args->given[i].flag == f)
			return args->given[i].value;
	}
	return NULL;
}

bool args_given(const struct args *args, const char *name)
{
	return last_value(args, flag_get(args, name)) != NULL;
}

const char *args_text(const struct args *args, const char *name)
{
	const struct flag *f = flag_get(args, name);
	const char *value = last_value(args, f);

	return value ? value : f->initial;
}

bool args_switch(const struct args *args, const char *name)
{
	const char *value = args_text(args, name);

	return value && strcmp(value, "true") == 0;
}

const char **args_texts(const struct args *args, const char *name, size_t *count)
{
	const struct flag *f = flag_get(args, name);
	const char **texts = NULL;

	*count = 0;
	for (size_t i = 0; i < args->given_count; i++) {
		if (args->given[i].flag == f)
			*arena_push(args->arena, texts, *count) = args->given[i].value;
	}
	return texts;
}

int64_t args_number(const struct args *args, const char *name)
{
	const char *value = args_text(args, name);

	return value ? strtoll(value, NULL, 10) : -1;
}

int64_t args_duration_ms(const struct args *args, const char *name)
{
	return duration_ms(args_text(args, name));
}
