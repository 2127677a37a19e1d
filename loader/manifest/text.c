/* SPDX-License-Identifier: BSD-2-Clause */
/* Encodings and places of manifest text: libyaml does neither files nor restarts. */
#include "manifest/text.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static uint32_t unit_at(const unsigned char *p, bool big)
{
	return big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

/* What is broken (a lone surrogate, an odd byte) becomes 0xff, which the parser refuses there. */
static struct text decode_utf16(struct arena *a, const char *bytes, size_t len, bool big)
{
	const unsigned char *p = (const unsigned char *)bytes;
	char *out = arena_alloc(a, len / 2 * 3 + 2);
	size_t n = 0, i = 0;
	uint32_t c, low;

	while (i + 1 < len) {
		c = unit_at(p + i, big);
		i += 2;
		low = i + 1 < len ? unit_at(p + i, big) : 0;
		if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			i += 2;
		}
		if (c >= 0xd800 && c < 0xe000)
			out[n++] = (char)0xff;
		else
			n += utf8_put(out + n, c);
	}
	if (i < len)
		out[n++] = (char)0xff;
	return (struct text){.bytes = out, .len = n};
}

struct text text_decode(struct arena *a, const char *bytes, size_t len)
{
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return (struct text){.bytes = bytes + 3, .len = len - 3};
	if (len >= 2 && memcmp(bytes, "\xff\xfe", 2) == 0)
		return decode_utf16(a, bytes + 2, len - 2, false);
	if (len >= 2 && memcmp(bytes, "\xfe\xff", 2) == 0)
		return decode_utf16(a, bytes + 2, len - 2, true);
	return (struct text){.bytes = bytes, .len = len};
}

size_t text_json_start(struct text t)
{
	size_t i = 0;

	while (i < t.len && strchr(" \t\r\n", t.bytes[i]) && t.bytes[i])
		i++;
	return i < t.len && t.bytes[i] == '{' ? i : SIZE_MAX;
}

/* The 16 bits of \uXXXX at `p`, or -1. */
static long escape_at(const char *p, const char *end)
{
	long value = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		if (p[i] >= '0' && p[i] <= '9')
			value = value * 16 + (p[i] - '0');
		else if ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'f')
			value = value * 16 + ((p[i] | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

struct text text_join_surrogates(struct arena *a, struct text t)
{
	const char *p = t.bytes, *end = t.bytes + t.len;
	long high, low;
	char *out;
	size_t n = 0;

	if (text_json_start(t) == SIZE_MAX || !memmem(t.bytes, t.len, "\\u", 2))
		return t;
	out = arena_alloc(a, t.len + 1);
	while (p < end) {
		high = escape_at(p, end);
		low = high >= 0xd800 && high < 0xdc00 ? escape_at(p + 6, end) : -1;
		if (low >= 0xdc00 && low < 0xe000) {
			n += (size_t)snprintf(out + n, 11, "\\U%08lX",
					      0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
			p += 12;
		} else {
			/* An escaped backslash must not start an escape of its own. */
			if (*p == '\\' && p + 1 < end)
				out[n++] = *p++;
			out[n++] = *p++;
		}
	}
	return (struct text){.bytes = out, .len = n};
}

/* Bytes of the line break at `i`, 0 if there is none. */
static size_t break_at(struct text t, size_t i)
{
	const char *p = t.bytes + i;
	size_t left = t.len - i;

	if (p[0] == '\n')
		return 1;
	if (p[0] == '\r')
		return left > 1 && p[1] == '\n' ? 2 : 1;
	if (left > 1 && memcmp(p, "\xc2\x85", 2) == 0)
		return 2;
	if (left > 2 && (memcmp(p, "\xe2\x80\xa8", 3) == 0 || memcmp(p, "\xe2\x80\xa9", 3) == 0))
		return 3;
	return 0;
}

int text_lines(struct text t, size_t from, size_t to)
{
	int lines = 0;
	size_t n;

	for (size_t i = from; i < to; i += n ? n : 1) {
		n = break_at(t, i);
		lines += n > 0;
	}
	return lines;
}

size_t text_offset(struct text t, size_t index)
{
	size_t i = 0;

	while (i < t.len && index > 0) {
		do
			i++;
		while (i < t.len && ((unsigned char)t.bytes[i] & 0xc0) == 0x80);
		index--;
	}
	return i;
}

struct loc text_loc(struct text t, size_t offset, const char *file, int first_line)
{
	struct loc loc = {.file = file, .line = first_line, .column = 1};
	size_t n;

	for (size_t i = 0; i < offset && i < t.len; i += n ? n : 1) {
		n = break_at(t, i);
		if (n) {
			loc.line++;
			loc.column = 1;
		} else if (((unsigned char)t.bytes[i] & 0xc0) != 0x80) {
			loc.column++;
		}
	}
	return loc;
}

size_t text_next_document(struct text t, size_t from)
{
	size_t n;

	for (size_t i = from; i < t.len; i += n ? n : 1) {
		n = break_at(t, i);
		if (n && i + n + 3 <= t.len && memcmp(t.bytes + i + n, "---", 3) == 0 &&
		    (i + n + 3 == t.len || strchr(" \t\r\n", t.bytes[i + n + 3])))
			return i + n;
	}
	return t.len;
}

size_t text_last_document(struct text t, size_t from, size_t to)
{
	size_t last = from, next = text_next_document(t, from);

	while (next <= to && next < t.len) {
		last = next;
		next = text_next_document(t, next);
	}
	return last;
}
