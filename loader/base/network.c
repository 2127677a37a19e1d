/* SPDX-License-Identifier: BSD-2-Clause */
/* Networks out of text. */
#include "base/network.h"

#include <errno.h>
#include <string.h>

#include "base/addr.h"

#define V4_BITS 96 /* in front of an IPv4 address in the 16-byte form */

/* A number without sign or leading zeros, up to 128. */
static int parse_bits(const char *text, size_t len, unsigned int *out)
{
	unsigned int n = 0;

	if (len == 0 || len > 3 || (len > 1 && text[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		n = n * 10 + (unsigned int)(text[i] - '0');
	}
	*out = n;
	return n > 128 ? -EINVAL : 0;
}

int network_parse(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	const size_t addr_len = slash ? (size_t)(slash - text) : len;
	char word[ADDR_TEXT_MAX];
	struct network n = {.bits = 128};
	unsigned int bits = 128;
	bool dotted;

	if (addr_len >= sizeof(word))
		return -EINVAL;
	memcpy(word, text, addr_len);
	word[addr_len] = '\0';
	if (strlen(word) != addr_len || addr_parse(word, &n.addr))
		return -EINVAL;
	dotted = !strchr(word, ':');
	if (slash && parse_bits(slash + 1, len - addr_len - 1, &bits))
		return -EINVAL;
	if (slash && dotted)
		bits += V4_BITS;
	if (bits > 128 || (addr_is_v4(&n.addr) && bits < V4_BITS))
		return -EINVAL;
	n.bits = (uint8_t)bits;
	*out = n;
	return 0;
}

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Over separators and comments. */
static size_t skip(const char *text, size_t len, size_t at, unsigned int *line)
{
	while (at < len && (is_separator(text[at]) || text[at] == '#')) {
		if (text[at] == '#') {
			while (at < len && text[at] != '\n')
				at++;
			continue;
		}
		*line += text[at] == '\n';
		at++;
	}
	return at;
}

size_t networks_add_text(struct arena *a, struct networks *list, const char *text, size_t len,
			 struct network_slip *first)
{
	unsigned int line = 1;
	size_t wrong = 0, end;

	for (size_t at = skip(text, len, 0, &line); at < len; at = skip(text, len, end, &line)) {
		struct network n;

		for (end = at; end < len && !is_separator(text[end]) && text[end] != '#';)
			end++;
		if (!network_parse(text + at, end - at, &n))
			*arena_push(a, list->items, list->count) = n;
		else if (wrong++ == 0)
			*first = (struct network_slip){text + at, end - at, line};
	}
	return wrong;
}
