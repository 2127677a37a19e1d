/* SPDX-License-Identifier: BSD-2-Clause */
/* A message is one line on a terminal: whatever is not printable is escaped. */
#include "manifest/quote.h"

#include <string.h>

#include "base/strbuf.h"
#include "manifest/manifest.h"

static const char escaped[] = "\a\b\f\n\r\t\v";
static const char letters[] = "abfnrtv";

/* The code point at `p` of valid UTF-8, and its length. */
static unsigned long decode(const unsigned char *p, size_t left, size_t *len)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	unsigned long c = n == 1 ? p[0] : p[0] & (0x7fu >> n);

	if (n > left)
		n = left;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	*len = n;
	return c;
}

/* Spaces other than ' ', format characters and the like. */
static bool is_hidden(unsigned long c)
{
	return (c >= 0x80 && c <= 0xa0) || c == 0xad || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f) ||
	       (c >= 0x205f && c <= 0x206f) || c == 0x3000 || (c >= 0xe000 && c <= 0xf8ff) ||
	       c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || c == 0xfffe || c == 0xffff ||
	       c >= 0xe0000;
}

/* A character that is not printable as Go's escape of it; true when it is one. */
static bool put_escape(struct strbuf *b, unsigned long c)
{
	const char *letter = c && c < 0x20 ? strchr(escaped, (int)c) : NULL;

	if (letter)
		strbuf_printf(b, "\\%c", letters[letter - escaped]);
	else if (c < 0x20 || c == 0x7f)
		strbuf_printf(b, "\\x%02lx", c);
	else if (is_hidden(c) && c < 0x10000)
		strbuf_printf(b, "\\u%04lx", c);
	else if (is_hidden(c))
		strbuf_printf(b, "\\U%08lx", c);
	else
		return false;
	return true;
}

const char *quote_text(struct arena *a, const char *text, size_t len)
{
	struct strbuf b = {0};
	unsigned long c;
	const char *out;
	size_t n;

	strbuf_puts(&b, "\"");
	for (size_t i = 0; i < len; i += n) {
		c = decode((const unsigned char *)text + i, len - i, &n);
		if (c == '"' || c == '\\')
			strbuf_printf(&b, "\\%c", (int)c);
		else if (!put_escape(&b, c))
			strbuf_add(&b, text + i, n);
	}
	strbuf_puts(&b, "\"");
	out = arena_strndup(a, b.text, b.len);
	strbuf_done(&b);
	return out;
}

const char *quote_hidden(struct arena *a, const char *text)
{
	struct strbuf b = {0};
	size_t len = strlen(text), n;
	bool found = false;
	const char *out;
	unsigned long c;

	for (size_t i = 0; i < len; i += n) {
		c = decode((const unsigned char *)text + i, len - i, &n);
		if (put_escape(&b, c))
			found = true;
		else
			strbuf_add(&b, text + i, n);
	}
	out = found ? arena_strndup(a, b.text, b.len) : text;
	strbuf_done(&b);
	return out;
}

const char *quote_node(struct arena *a, const struct node *n)
{
	AUTO(free) char *json = NULL;

	if (n->type == NODE_STRING)
		return quote_text(a, n->text, n->text_len);
	json = node_to_json(n, 0);
	return arena_strdup(a, json);
}
