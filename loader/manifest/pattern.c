/* SPDX-License-Identifier: BSD-2-Clause */
/* One small matcher for each pattern, each exact, also about where a pattern is not anchored. */
#include "manifest/pattern.h"

#include <string.h>

#include "base/addr.h"

#define SUBDOMAIN "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_path_char(char c)
{
	return is_alnum(c) || (c && strchr("/-._~%!$&'()*+,;=:", c));
}

static bool all(const char *s, size_t len, bool (*fits)(char c))
{
	for (size_t i = 0; i < len; i++) {
		if (!fits(s[i]))
			return false;
	}
	return len > 0;
}

static bool match_label(const char *s, size_t len)
{
	if (len == 0 || !is_lower(s[0]) || !is_lower(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_lower(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

static bool match_subdomain(const char *s, size_t len)
{
	const char *dot;

	while ((dot = memchr(s, '.', len))) {
		if (!match_label(s, (size_t)(dot - s)))
			return false;
		len -= (size_t)(dot - s) + 1;
		s = dot + 1;
	}
	return match_label(s, len);
}

static bool match_fqdn(const char *s, size_t len)
{
	return match_subdomain(s, len - (len > 0 && s[len - 1] == '.'));
}

static bool match_group(const char *s, size_t len)
{
	return len == 0 || match_subdomain(s, len);
}

static bool match_kind(const char *s, size_t len)
{
	if (len == 0 || !is_alnum(s[0]) || (s[0] >= '0' && s[0] <= '9') || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

static bool match_hostname(const char *s, size_t len)
{
	size_t skip = len >= 2 && memcmp(s, "*.", 2) == 0 ? 2 : 0;

	return match_subdomain(s + skip, len - skip);
}

/* Four groups of up to three digits, none above 255: leading zeros pass, as upstream. */
static bool match_v4(const char *s, size_t len)
{
	size_t i = 0, digits;
	int value;

	for (int part = 0; part < 4; part++) {
		if (part > 0 && (i >= len || s[i++] != '.'))
			return false;
		value = 0;
		for (digits = 0; digits < 4 && i < len && s[i] >= '0' && s[i] <= '9'; digits++)
			value = value * 10 + (s[i++] - '0');
		if (digits == 0 || digits > 3 || value > 255)
			return false;
	}
	return i == len;
}

/* Up to `most` groups "h:" from the start; returns the bytes they take. */
static size_t skip_groups(const char *s, size_t len, int most, int *found)
{
	size_t at = 0, n;

	for (*found = 0; *found < most; (*found)++) {
		n = 0;
		while (at + n < len && n < 4 && is_hex(s[at + n]))
			n++;
		if (n == 0 || at + n >= len || s[at + n] != ':')
			break;
		at += n + 1;
	}
	return at;
}

/* (h:){1,7}h, or (h:){0,5}(:h){1,2}: much that is no address passes, as upstream. */
static bool match_v6(const char *s, size_t len)
{
	size_t at, n;
	int groups;

	at = skip_groups(s, len, 7, &groups);
	if (groups >= 1 && len - at >= 1 && len - at <= 4 && all(s + at, len - at, is_hex))
		return true;
	at = skip_groups(s, len, 5, &groups);
	for (int tail = 0; tail < 2 && at < len && s[at] == ':'; tail++) {
		n = 0;
		while (at + 1 + n < len && is_hex(s[at + 1 + n]))
			n++;
		if (n < 1 || n > 4)
			return false;
		at += n + 1;
		if (at == len)
			return true;
	}
	return false;
}

static bool match_ip(const char *s, size_t len)
{
	struct spw_addr addr;

	if (strlen(s) != len)
		return false;
	return match_v4(s, len) || match_v6(s, len) || addr_parse(s, &addr) == 0;
}

static bool match_well_known(const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	size_t at;

	if (len == 6 && memcmp(s, "System", 6) == 0)
		return true;
	at = slash ? (size_t)(slash - s) : 0;
	return slash && match_subdomain(s, at) && len - at - 1 <= 63 &&
	       match_qualified_name(slash + 1, len - at - 1);
}

/* The alternatives are not bound to the start but for the first, as upstream. */
static bool match_address_type(const char *s, size_t len)
{
	if ((len >= 8 && memcmp(s, "Hostname", 8) == 0) || memmem(s, len, "IPAddress", 9) ||
	    memmem(s, len, "NamedAddress", 12))
		return true;
	for (size_t i = 1; i < len; i++) {
		if (s[i] == '/' && is_lower(s[i - 1]) && all(s + i + 1, len - i - 1, is_path_char))
			return true;
	}
	return false;
}

static bool match_protocol(const char *s, size_t len)
{
	const char *slash = memrchr(s, '/', len);
	size_t at = slash ? (size_t)(slash - s) : 0;

	if (slash)
		return at > 0 && is_lower(s[at - 1]) && all(slash + 1, len - at - 1, is_alnum);
	if (len == 0 || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

static bool match_duration(const char *s, size_t len)
{
	size_t i = 0, digits;
	int parts = 0;

	while (i < len && parts < 4) {
		for (digits = 0; i < len && s[i] >= '0' && s[i] <= '9'; digits++)
			i++;
		if (digits == 0 || digits > 5 || i >= len || !strchr("hms", s[i]) || !s[i])
			return false;
		i += s[i] == 'm' && i + 1 < len && s[i + 1] == 's' ? 2 : 1;
		parts++;
	}
	return i == len && parts > 0;
}

/* Groups of four characters, of which the last may end with = or ==; an empty text is none. */
bool match_base64(const char *s, size_t len)
{
	size_t digits = 0;

	while (digits < len && (is_alnum(s[digits]) || s[digits] == '+' || s[digits] == '/'))
		digits++;
	if (len == 0 || len % 4 || len - digits > 2)
		return false;
	for (size_t i = digits; i < len; i++) {
		if (s[i] != '=')
			return false;
	}
	return true;
}

bool match_qualified_name(const char *s, size_t len)
{
	if (len == 0 || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && (!s[i] || !strchr("-_.", s[i])))
			return false;
	}
	return true;
}

static bool match_label_value(const char *s, size_t len)
{
	return len == 0 || match_qualified_name(s, len);
}

static bool is_token_char(char c)
{
	return is_alnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool match_header(const char *s, size_t len)
{
	return all(s, len, is_token_char);
}

static bool match_controller(const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);

	return slash && match_subdomain(s, (size_t)(slash - s)) &&
	       all(slash + 1, len - (size_t)(slash - s) - 1, is_path_char);
}

static bool is_host_char(char c)
{
	return is_alnum(c) || c == '-';
}

/* Labels with a dot between them. */
static bool match_labels(const char *s, size_t len)
{
	const char *dot;

	while ((dot = memchr(s, '.', len))) {
		if (!all(s, (size_t)(dot - s), is_host_char))
			return false;
		len -= (size_t)(dot - s) + 1;
		s = dot + 1;
	}
	return all(s, len, is_host_char);
}

static bool match_origin(const char *s, size_t len)
{
	size_t skip = len > 5 && memcmp(s, "https", 5) == 0 ? 5 : 4, digits = 0;

	if (len == 1 && *s == '*')
		return true;
	if (len < skip + 3 || memcmp(s, "http", 4) != 0 || memcmp(s + skip, "://", 3) != 0)
		return false;
	s += skip + 3;
	len -= skip + 3;
	while (digits < len && s[len - digits - 1] >= '0' && s[len - digits - 1] <= '9')
		digits++;
	if (digits >= 1 && digits <= 5 && digits < len && s[len - digits - 1] == ':')
		len -= digits + 1;
	if (len == 1 && *s == '*')
		return true;
	skip = len > 2 && memcmp(s, "*.", 2) == 0 ? 2 : 0;
	return match_labels(s + skip, len - skip);
}

/* Not bound to the end, as upstream: the scheme and what follows it are all that is asked for. */
static bool match_uri(const char *s, size_t len)
{
	size_t scheme = 0;

	while (scheme < len && s[scheme] && !strchr(":/?#", s[scheme]))
		scheme++;
	return scheme > 0 && len >= scheme + 3 && memcmp(s + scheme, "://", 3) == 0;
}

bool match_path_chars(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%' && i + 2 < len && is_hex(s[i + 1]) && is_hex(s[i + 2]))
			i += 2;
		else if (s[i] == '%' || (s[i] != '@' && !is_path_char(s[i])))
			return false;
	}
	return len > 0;
}

const struct pattern pattern_subdomain = {"^" SUBDOMAIN "$", match_subdomain};
const struct pattern pattern_fqdn = {"^" SUBDOMAIN "\\.?$", match_fqdn};
const struct pattern pattern_label = {"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", match_label};
const struct pattern pattern_group = {"^$|^" SUBDOMAIN "$", match_group};
const struct pattern pattern_kind = {"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$", match_kind};
const struct pattern pattern_hostname = {"^(\\*\\.)?" SUBDOMAIN "$", match_hostname};
const struct pattern pattern_ip = {
	"^((25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\\.){3}(25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$|"
	"^(([0-9a-fA-F]{1,4}:){1,7}[0-9a-fA-F]{1,4}|::|(([0-9a-fA-F]{1,4}:){0,5})?"
	"(:[0-9a-fA-F]{1,4}){1,2})$",
	match_ip};
const struct pattern pattern_well_known = {"^(System|(" SUBDOMAIN
					   "/([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]))$",
					   match_well_known};
const struct pattern pattern_address_type = {"^Hostname|IPAddress|NamedAddress|" SUBDOMAIN
					     "\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$",
					     match_address_type};
const struct pattern pattern_protocol = {
	"^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$|" SUBDOMAIN "\\/[A-Za-z0-9]+$", match_protocol};
const struct pattern pattern_duration = {"^([0-9]{1,5}(h|m|s|ms)){1,4}$", match_duration};
const struct pattern pattern_label_value = {"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$",
					    match_label_value};
const struct pattern pattern_header = {"^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$", match_header};
const struct pattern pattern_controller = {"^" SUBDOMAIN "\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$",
					   match_controller};
const struct pattern pattern_origin = {
	"(^\\*$)|(^(http(s)?):\\/\\/(((\\*\\.)?([a-zA-Z0-9\\-]+\\.)*[a-zA-Z0-9-]+|\\*)"
	"(:([0-9]{1,5}))?)$)",
	match_origin};
const struct pattern pattern_uri = {"^(([^:/?#]+):)(//([^/?#]*))([^?#]*)(\\?([^#]*))?(#(.*))?",
				    match_uri};
