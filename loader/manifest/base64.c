/* SPDX-License-Identifier: BSD-2-Clause */
/* Groups of four digits. The offset of a mistake is part of a message that users search for. */
#include "manifest/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct reader {
	const char *text;
	size_t len;
	size_t at;
	uint8_t *out;
	size_t count;
};

static int digit_of(char c)
{
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static void skip_breaks(struct reader *r)
{
	while (r->at < r->len && (r->text[r->at] == '\n' || r->text[r->at] == '\r'))
		r->at++;
}

/* A group of `have` digits, 2 to 4, is one byte less. */
static void put(struct reader *r, uint32_t bits, int have)
{
	bits <<= 6 * (4 - have);
	for (int i = 0; i < have - 1; i++)
		r->out[r->count++] = (uint8_t)(bits >> (16 - 8 * i));
}

/* At the first `=` of the last group, which has `have` digits. */
static int64_t end_padded(struct reader *r, uint32_t bits, int have)
{
	if (have < 2)
		return (int64_t)r->at;
	r->at++;
	if (have == 2) {
		skip_breaks(r);
		if (r->at == r->len)
			return (int64_t)r->len;
		if (r->text[r->at] != '=')
			return (int64_t)r->at - 1;
		r->at++;
	}
	skip_breaks(r);
	if (r->at < r->len)
		return (int64_t)r->at;
	put(r, bits, have);
	return -1;
}

int64_t base64_decode(struct arena *a, const char *text, size_t len, struct base64_bytes *out)
{
	struct reader r = {.text = text, .len = len, .out = arena_alloc(a, len / 4 * 3 + 4)};
	uint32_t bits = 0;
	int64_t bad = -1;
	int have = 0, d;

	for (;;) {
		skip_breaks(&r);
		if (r.at == len) {
			bad = have ? (int64_t)len - have : -1;
			break;
		}
		d = digit_of(text[r.at]);
		if (d < 0) {
			bad = text[r.at] == '=' ? end_padded(&r, bits, have) : (int64_t)r.at;
			break;
		}
		r.at++;
		bits = bits << 6 | (uint32_t)d;
		if (++have == 4) {
			put(&r, bits, have);
			bits = 0;
			have = 0;
		}
	}
	if (bad < 0) {
		r.out[r.count] = 0;
		*out = (struct base64_bytes){r.out, r.count};
	}
	return bad;
}

const char *base64_encode(struct arena *a, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;
	char *text = arena_alloc(a, (len + 2) / 3 * 4 + 1), *to = text;
	uint32_t bits;
	size_t n;

	for (size_t i = 0; i < len; i += 3) {
		n = len - i < 3 ? len - i : 3;
		bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < n ? in[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			*to++ = k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
	}
	*to = '\0';
	return text;
}
