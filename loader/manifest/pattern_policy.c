/* SPDX-License-Identifier: BSD-2-Clause */
/* Matchers of what only policies and conditions have: quantities, single lines, words. */
#include <string.h>

#include "manifest/pattern.h"

#define SUBDOMAIN "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t digits(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && is_digit(s[n]))
		n++;
	return n;
}

/* "12", "1.5", "1.", ".5" with or without a sign: the bytes it takes, 0 when there is none. */
static size_t signed_decimal(const char *s, size_t len)
{
	size_t at = len > 0 && (s[0] == '+' || s[0] == '-'), whole, part = 0;

	whole = digits(s + at, len - at);
	at += whole;
	if (at < len && s[at] == '.') {
		part = digits(s + at + 1, len - at - 1);
		if (whole + part == 0)
			return 0;
		return at + 1 + part;
	}
	return whole ? at : 0;
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool match_quantity(const char *s, size_t len)
{
	size_t at = signed_decimal(s, len);

	if (at == 0)
		return false;
	s += at;
	len -= at;
	if (len == 0)
		return true;
	if (len == 1)
		return is_one_of(s[0], "numkMGTPE");
	if (len == 2 && s[1] == 'i')
		return is_one_of(s[0], "KMGTPE");
	return is_one_of(s[0], "eE") && signed_decimal(s + 1, len - 1) == len - 1;
}

static bool match_positive(const char *s, size_t len)
{
	size_t at = digits(s, len);

	if (at == 0 || s[0] == '0')
		return false;
	s += at;
	len -= at;
	if (len == 2 && s[1] == 'i')
		return is_one_of(s[0], "EPTGMK");
	return len == 0 || (len == 1 && is_one_of(s[0], "EPTGMk"));
}

static bool match_one_line(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\0' || s[i] == '\n' || s[i] == '\r')
			return false;
	}
	return true;
}

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c);
}

static bool match_module(const char *s, size_t len)
{
	if (len == 0 || !is_lower(s[0]) || !is_lower(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_lower(s[i]) && s[i] != '.' && s[i] != '-')
			return false;
	}
	return true;
}

static bool match_reason(const char *s, size_t len)
{
	if (len == 0 || !is_letter(s[0]) || s[len - 1] == ',' || s[len - 1] == ':')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_letter(s[i]) && !is_digit(s[i]) && !is_one_of(s[i], "_,:"))
			return false;
	}
	return true;
}

/* An optional domain, then a word. */
static bool match_condition(const char *s, size_t len)
{
	const char *slash = memrchr(s, '/', len);
	size_t skip = slash ? (size_t)(slash - s) + 1 : 0;

	return (!slash || pattern_subdomain.match(s, skip - 1)) &&
	       match_qualified_name(s + skip, len - skip);
}

static bool match_meta_key(const char *s, size_t len)
{
	const char *slash = memrchr(s, '/', len);
	size_t name = slash ? len - (size_t)(slash - s) - 1 : len;

	return name <= 63 && match_condition(s, len);
}

#define DECIMAL "(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))"

const struct pattern pattern_quantity = {"^(\\+|-)?" DECIMAL
					 "(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?" DECIMAL "))?$",
					 match_quantity};
const struct pattern pattern_positive = {"^[1-9]+[0-9]*([EPTGMK]i|[EPTGMk])?$", match_positive};
const struct pattern pattern_one_line = {"^[^\\r\\n\\x00]*$", match_one_line};
const struct pattern pattern_authority = {"^[^\\x00\\n\\r]*$", match_one_line};
const struct pattern pattern_module = {"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", match_module};
const struct pattern pattern_reason = {"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", match_reason};
const struct pattern pattern_condition = {
	"^(" SUBDOMAIN "/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$", match_condition};
const struct pattern pattern_meta_key = {
	"^(" SUBDOMAIN "/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$", match_meta_key};
