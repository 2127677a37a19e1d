/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Straight from text into the tree: jansson's own tree costs more than all the rest of reading. An
 * apply of 10,000 Backends is 400,000 values.
 */
#include "manifest/json_plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "manifest/settle.h"

#define NUMBER_MAX 60 /* characters of one with a fraction */
#define DIGITS_MAX 18 /* that any int64_t has room for */
#define KEYS	   64 /* texts of keys that are remembered; a power of two */
#define FEW_KEYS   12 /* so many are compared with each other */

static const char hex_digits[] = "0123456789abcdef";

struct plain {
	struct arena *arena;
	const char *at, *end;
	size_t nodes;
	bool too_large;
	const char *keys[KEYS]; /* kinds of objects have few: one copy serves many members */
};

/* A text between its quotes. */
struct span {
	const char *text;
	size_t len; /* as it is written */
	bool is_escaped;
};

static struct node *read_value(struct plain *p, int depth);

static void skip_blanks(struct plain *p)
{
	while (p->at < p->end &&
	       (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
		p->at++;
}

/* Whether the next character is `c`, which is then passed. */
static bool take(struct plain *p, char c)
{
	skip_blanks(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static struct node *give_up_too_large(struct plain *p)
{
	p->too_large = true;
	return NULL;
}

/* Up to the closing quote; the opening one is passed already. */
static bool scan_text(struct plain *p, struct span *out)
{
	const char *from = p->at;
	bool is_ascii = true, is_escaped = false;
	const char *s;

	for (s = from; s < p->end && *s != '"'; s++) {
		const unsigned char c = (unsigned char)*s;

		if (c < 0x20)
			return false;
		is_ascii = is_ascii && c < 0x80;
		if (c != '\\')
			continue;
		is_escaped = true;
		if (++s == p->end || (unsigned char)*s < 0x20)
			return false;
	}
	if (s == p->end || (!is_ascii && !utf8_is_valid(from, (size_t)(s - from))))
		return false;
	*out = (struct span){from, (size_t)(s - from), is_escaped};
	p->at = s + 1;
	return true;
}

/* Of the four digits of an escape; -1: they are none. */
static int32_t hex4(const char *s, size_t len)
{
	int32_t value = 0;

	for (size_t i = 0; i < 4; i++) {
		const char *digit = i < len && s[i] ? strchr(hex_digits, s[i] | 0x20) : NULL;

		if (!digit)
			return -1;
		value = value * 16 + (int32_t)(digit - hex_digits);
	}
	return value;
}

/* An escape by number, from its `u` on: how long it is; 0: it is none, or half a character. */
static size_t numbered(const char *s, size_t len, int32_t *out)
{
	const int32_t first = hex4(s + 1, len - 1);
	int32_t second;

	*out = first;
	if (first < 0 || (first & 0xfc00) == 0xdc00)
		return 0;
	if ((first & 0xfc00) != 0xd800)
		return 5;
	if (len < 11 || s[5] != '\\' || s[6] != 'u')
		return 0;
	second = hex4(s + 7, len - 7);
	if (second < 0 || (second & 0xfc00) != 0xdc00)
		return 0;
	*out = 0x10000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
	return 11;
}

/* What follows a backslash: how much of the text it is; 0: a mistake. *n grows by what it stands for. */
static size_t unescape(const char *s, size_t len, char *out, size_t *n)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *letter = len && *s ? strchr(letters, *s) : NULL;
	int32_t c;
	size_t taken;

	if (letter) {
		out[(*n)++] = meant[letter - letters];
		return 1;
	}
	taken = len && *s == 'u' ? numbered(s, len, &c) : 0;
	if (taken)
		*n += utf8_put(out + *n, (uint32_t)c);
	return taken;
}

/* In the arena, which no escape makes longer than it is written; NULL: a mistake. */
static char *copy_text(struct plain *p, const struct span *s, size_t *len)
{
	char *copy = arena_alloc(p->arena, s->len + 1);
	size_t n = 0, taken = 1;

	*len = s->len;
	if (!s->is_escaped)
		return memcpy(copy, s->text, s->len);
	for (size_t i = 0; i < s->len && taken; i += taken) {
		if (s->text[i] != '\\') {
			copy[n++] = s->text[i];
			taken = 1;
			continue;
		}
		taken = unescape(s->text + i + 1, s->len - i - 1, copy, &n);
		taken += taken > 0;
	}
	*len = n;
	return taken ? copy : NULL;
}

static const char *copy_key(struct plain *p, const struct span *s)
{
	const size_t place = s->len ? ((size_t)(unsigned char)s->text[0] * 7 +
				       (unsigned char)s->text[s->len - 1] + s->len * 31) %
					      KEYS
				    : 0;
	const char *known = p->keys[place];
	size_t len;

	if (known && strncmp(known, s->text, s->len) == 0 && !known[s->len] && !s->is_escaped)
		return known;
	known = copy_text(p, s, &len);
	if (!known || strlen(known) != len)
		return NULL;
	p->keys[place] = known;
	return known;
}

static struct node *read_text(struct plain *p)
{
	struct span s;
	struct node *n;

	if (!scan_text(p, &s))
		return NULL;
	n = node_new(p->arena, NODE_STRING, (struct loc){0});
	n->text = copy_text(p, &s, &n->text_len);
	if (!n->text)
		return NULL;
	return n->text_len > LIMIT_SCALAR_BYTES ? give_up_too_large(p) : n;
}

/* Behind the digits at `s`, of which there must be one; NULL: there is none, or no `s`. */
static const char *pass_digits(const struct plain *p, const char *s)
{
	const char *from = s;

	while (s && s < p->end && *s >= '0' && *s <= '9')
		s++;
	return s == from ? NULL : s;
}

/* With a fraction or an exponent; `s` is behind the whole part, which is good. */
static struct node *read_fraction(struct plain *p, const char *s)
{
	char text[NUMBER_MAX + 1];
	double value;
	size_t len;

	if (*s == '.')
		s = pass_digits(p, s + 1);
	if (s && s < p->end && (*s == 'e' || *s == 'E')) {
		s++;
		s = pass_digits(p, s + (s < p->end && (*s == '+' || *s == '-')));
	}
	len = s ? (size_t)(s - p->at) : 0;
	if (!s || len > NUMBER_MAX)
		return NULL;
	memcpy(text, p->at, len);
	text[len] = '\0';
	value = strtod(text, NULL);
	if (!isfinite(value))
		return NULL;
	p->at = s;
	return node_new_number(p->arena, value, (struct loc){0});
}

static struct node *read_number(struct plain *p)
{
	const bool is_negative = *p->at == '-';
	const char *digits = p->at + is_negative, *s = digits;
	uint64_t value = 0; /* one digit more than DIGITS_MAX fits, too */

	while (s < p->end && *s >= '0' && *s <= '9' && s - digits <= DIGITS_MAX)
		value = value * 10 + (uint64_t)(*s++ - '0');
	if (s == digits || s - digits > DIGITS_MAX || (*digits == '0' && s - digits > 1))
		return NULL;
	if (s < p->end && (*s == '.' || *s == 'e' || *s == 'E'))
		return read_fraction(p, s);
	p->at = s;
	return node_new_int(p->arena, is_negative ? -(int64_t)value : (int64_t)value,
			    (struct loc){0});
}

static struct node *read_word(struct plain *p)
{
	static const struct {
		const char *word;
		size_t len;
		struct node node;
	} words[] = {
		{"true", 4, {.type = NODE_BOOL, .boolean = true}},
		{"false", 5, {.type = NODE_BOOL}},
		{"null", 4, {.type = NODE_NULL}},
	};
	struct node *n;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((size_t)(p->end - p->at) < words[i].len ||
		    memcmp(p->at, words[i].word, words[i].len) != 0)
			continue;
		p->at += words[i].len;
		n = node_new(p->arena, words[i].node.type, (struct loc){0});
		n->boolean = words[i].node.boolean;
		return n;
	}
	return NULL;
}

static struct node *read_list(struct plain *p, int depth)
{
	struct node *list = node_new(p->arena, NODE_LIST, (struct loc){0}), *item;

	if (take(p, ']'))
		return list;
	do {
		item = read_value(p, depth + 1);
		if (!item)
			return NULL;
		node_append(p->arena, list, item);
	} while (take(p, ','));
	return take(p, ']') ? list : NULL;
}

static void note_twice(void *arg, const struct node *first, const struct node *second)
{
	(void)first;
	(void)second;
	*(bool *)arg = true;
}

static bool has_key_twice(struct node *map)
{
	bool is_twice = false;

	if (map->count > FEW_KEYS) {
		settle_members(map, map->count, note_twice, &is_twice);
		return is_twice;
	}
	for (size_t i = 1; i < map->count; i++) {
		for (size_t k = 0; k < i; k++) {
			const char *a = map->items[i]->key, *b = map->items[k]->key;

			if (a[0] == b[0] && strcmp(a, b) == 0)
				return true;
		}
	}
	return false;
}

static struct node *read_map(struct plain *p, int depth)
{
	struct node *map = node_new(p->arena, NODE_MAP, (struct loc){0}), *member;
	const char *key;
	struct span s;

	if (take(p, '}'))
		return map;
	do {
		if (!take(p, '"') || !scan_text(p, &s))
			return NULL;
		key = copy_key(p, &s);
		if (!key || !take(p, ':'))
			return NULL;
		member = read_value(p, depth + 1);
		if (!member)
			return NULL;
		node_add(p->arena, map, key, member);
	} while (take(p, ','));
	return take(p, '}') && !has_key_twice(map) ? map : NULL;
}

/* NULL: see plain.too_large. */
static struct node *read_value(struct plain *p, int depth)
{
	if (depth > LIMIT_DEPTH || ++p->nodes > LIMIT_NODES)
		return give_up_too_large(p);
	if (take(p, '{'))
		return read_map(p, depth);
	if (take(p, '['))
		return read_list(p, depth);
	if (take(p, '"'))
		return read_text(p);
	if (p->at == p->end)
		return NULL;
	return *p->at == '-' || (*p->at >= '0' && *p->at <= '9') ? read_number(p) : read_word(p);
}

enum json_plain json_plain_read(struct arena *a, const char *text, size_t len, struct node **out)
{
	struct plain p = {.arena = a, .at = text, .end = text + len};
	struct node *root = read_value(&p, 1);

	if (!root)
		return p.too_large ? JSON_PLAIN_TOO_LARGE : JSON_PLAIN_UNSURE;
	skip_blanks(&p);
	if (p.at != p.end)
		return JSON_PLAIN_UNSURE;
	*out = root;
	return JSON_PLAIN_READ;
}
