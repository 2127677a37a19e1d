/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML 1.1 scalars with the corners of the library that kubectl uses: `y` is true, 010 is 8,
 * 0o10 too, 09 is the float 9, 1_000 is 1000, sexagesimals and dates are strings. The printer asks
 * the same function whether a string needs quotes, so both directions agree.
 */
#include "manifest/scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct word {
	const char *text;
	struct scalar value;
};

#define IS_TRUE	    {.type = SCALAR_BOOL, .boolean = true}
#define IS_FALSE    {.type = SCALAR_BOOL}
#define IS_NULL	    {.type = SCALAR_NULL}
#define IS_FLOAT(x) {.type = SCALAR_FLOAT, .number = (x)}

static const struct word words[] = {
	{"y", IS_TRUE},
	{"Y", IS_TRUE},
	{"yes", IS_TRUE},
	{"Yes", IS_TRUE},
	{"YES", IS_TRUE},
	{"true", IS_TRUE},
	{"True", IS_TRUE},
	{"TRUE", IS_TRUE},
	{"on", IS_TRUE},
	{"On", IS_TRUE},
	{"ON", IS_TRUE},
	{"n", IS_FALSE},
	{"N", IS_FALSE},
	{"no", IS_FALSE},
	{"No", IS_FALSE},
	{"NO", IS_FALSE},
	{"false", IS_FALSE},
	{"False", IS_FALSE},
	{"FALSE", IS_FALSE},
	{"off", IS_FALSE},
	{"Off", IS_FALSE},
	{"OFF", IS_FALSE},
	{"", IS_NULL},
	{"~", IS_NULL},
	{"null", IS_NULL},
	{"Null", IS_NULL},
	{"NULL", IS_NULL},
	{".nan", IS_FLOAT(NAN)},
	{".NaN", IS_FLOAT(NAN)},
	{".NAN", IS_FLOAT(NAN)},
	{".inf", IS_FLOAT(INFINITY)},
	{".Inf", IS_FLOAT(INFINITY)},
	{".INF", IS_FLOAT(INFINITY)},
	{"+.inf", IS_FLOAT(INFINITY)},
	{"+.Inf", IS_FLOAT(INFINITY)},
	{"+.INF", IS_FLOAT(INFINITY)},
	{"-.inf", IS_FLOAT(-INFINITY)},
	{"-.Inf", IS_FLOAT(-INFINITY)},
	{"-.INF", IS_FLOAT(-INFINITY)},
};

const char *scalar_tag(enum scalar_type type)
{
	switch (type) {
	case SCALAR_STRING:
		return "!!str";
	case SCALAR_NULL:
		return "!!null";
	case SCALAR_BOOL:
		return "!!bool";
	case SCALAR_INT:
		return "!!int";
	case SCALAR_FLOAT:
		return "!!float";
	}
	return "";
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Skips the prefix of 0x, 0b, 0o or a leading 0 and says the base. */
static unsigned int number_base(const char **digits)
{
	const char *s = *digits;

	if (s[0] != '0' || !s[1])
		return 10;
	*digits = s + 2;
	switch (s[1]) {
	case 'x':
	case 'X':
		return 16;
	case 'b':
	case 'B':
		return 2;
	case 'o':
	case 'O':
		return 8;
	default:
		*digits = s + 1;
		return 8;
	}
}

/* A whole number; beyond int64_t only non-negative ones up to 2^64 - 1 (as float). */
static bool resolve_int(const char *plain, struct scalar *out)
{
	const char *s = plain + (*plain == '+' || *plain == '-');
	bool negative = *plain == '-';
	unsigned int base = number_base(&s);
	uint64_t value = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (digit_value(*s) >= (int)base ||
		    __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit_value(*s), &value))
			return false;
	}
	if (value <= INT64_MAX || (negative && value == (uint64_t)INT64_MAX + 1)) {
		*out = (struct scalar){.type = SCALAR_INT,
				       .integer = (int64_t)(negative ? 0 - value : value)};
		return true;
	}
	/* An explicit plus is no part of an unsigned number upstream: such a text is a float. */
	if (*plain == '-' || *plain == '+')
		return false;
	*out = (struct scalar){.type = SCALAR_FLOAT, .number = (double)value};
	return true;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool has_float_form(const char *s)
{
	size_t whole, part = 0;

	s += *s == '+' || *s == '-';
	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		part = strspn(s + 1, "0123456789");
		s += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (!strspn(s, "0123456789"))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

static bool resolve_float(const char *plain, struct scalar *out)
{
	double value;

	if (!has_float_form(plain))
		return false;
	errno = 0;
	value = strtod(plain, NULL);
	if (isinf(value))
		return false;
	*out = (struct scalar){.type = SCALAR_FLOAT, .number = value};
	return true;
}

#define WORD_MAX 5 /* the longest of `words`; most texts are longer */

struct scalar scalar_resolve(const char *text, size_t len)
{
	struct scalar out = {.type = SCALAR_STRING};
	char plain[400]; /* longer digits exceed a double, or are zeros nobody writes */
	size_t n = 0;

	if (strlen(text) != len)
		return out;
	for (size_t i = 0; len <= WORD_MAX && i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i].text[0] == text[0] && strcmp(text, words[i].text) == 0)
			return words[i].value;
	}
	if (len >= sizeof(plain) || !strchr("+-.0123456789", text[0]))
		return out;
	if (text[0] == '.') {
		(void)resolve_float(text, &out);
		return out;
	}
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '_')
			plain[n++] = text[i];
	}
	plain[n] = '\0';
	if (!resolve_int(plain, &out))
		(void)resolve_float(plain, &out);
	return out;
}
