/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 3629, section 4: only the second byte has a range that depends on the first. */
#include "base/utf8.h"

#include <string.h>

static const struct row {
	uint8_t first, last; /* of the leading byte */
	uint8_t second_min, second_max;
	uint8_t more; /* bytes that follow */
} rows[] = {
	{0x00, 0x7f, 0, 0, 0},	     {0xc2, 0xdf, 0x80, 0xbf, 1}, {0xe0, 0xe0, 0xa0, 0xbf, 2},
	{0xe1, 0xec, 0x80, 0xbf, 2}, {0xed, 0xed, 0x80, 0x9f, 2}, {0xee, 0xef, 0x80, 0xbf, 2},
	{0xf0, 0xf0, 0x90, 0xbf, 3}, {0xf1, 0xf3, 0x80, 0xbf, 3}, {0xf4, 0xf4, 0x80, 0x8f, 3},
};

static const struct row *row_of(uint8_t lead)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (lead >= rows[i].first && lead <= rows[i].last)
			return &rows[i];
	}
	return NULL;
}

/* The length of the character at `p`, or 0. */
static size_t character(const uint8_t *p, size_t left)
{
	const struct row *r = row_of(p[0]);

	if (!r || r->more >= left)
		return 0;
	if (r->more && (p[1] < r->second_min || p[1] > r->second_max))
		return 0;
	for (size_t i = 2; i <= r->more; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return r->more + 1u;
}

bool utf8_is_valid(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = character(p + at, len - at);
		if (!n)
			return false;
	}
	return true;
}

void utf8_mend(char *text)
{
	const size_t len = strlen(text);
	size_t n;

	for (size_t at = 0; at < len; at += n) {
		n = character((const uint8_t *)text + at, len - at);
		if (!n) {
			text[at] = '?';
			n = 1;
		}
	}
}

size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}
