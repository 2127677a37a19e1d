/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON to trees and back. Plain JSON is read in json_plain.c; what that is not sure of, mistakes
 * above all, is jansson's to judge. Either keeps the order of members.
 */
#include "manifest/json.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "manifest/json_plain.h"
#include "manifest/manifest.h"

struct reader {
	struct arena *arena;
	struct loc loc;
	size_t nodes;
};

static struct node *from_json(struct reader *r, const json_t *json, int depth);

static struct node *from_object(struct reader *r, const json_t *json, int depth)
{
	struct node *map = node_new(r->arena, NODE_MAP, r->loc), *member;
	json_t *value;
	const char *key;

	json_object_foreach((json_t *)json, key, value)
	{
		member = from_json(r, value, depth + 1);
		if (!member)
			return NULL;
		member->key_loc = r->loc;
		node_add(r->arena, map, arena_strdup(r->arena, key), member);
	}
	return map;
}

static struct node *from_array(struct reader *r, const json_t *json, int depth)
{
	struct node *list = node_new(r->arena, NODE_LIST, r->loc), *item;

	for (size_t i = 0; i < json_array_size(json); i++) {
		item = from_json(r, json_array_get(json, i), depth + 1);
		if (!item)
			return NULL;
		node_append(r->arena, list, item);
	}
	return list;
}

/* NULL when it is too deep or too large. */
static struct node *from_json(struct reader *r, const json_t *json, int depth)
{
	if (depth > LIMIT_DEPTH || ++r->nodes > LIMIT_NODES)
		return NULL;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return from_object(r, json, depth);
	case JSON_ARRAY:
		return from_array(r, json, depth);
	case JSON_STRING:
		if (json_string_length(json) > LIMIT_SCALAR_BYTES)
			return NULL;
		return node_new_text(r->arena, json_string_value(json), json_string_length(json),
				     r->loc);
	case JSON_INTEGER:
		return node_new_int(r->arena, json_integer_value(json), r->loc);
	case JSON_REAL:
		return node_new_number(r->arena, json_real_value(json), r->loc);
	case JSON_TRUE:
	case JSON_FALSE:
		return node_new_bool(r->arena, json_is_true(json), r->loc);
	case JSON_NULL:
		break;
	}
	return node_new(r->arena, NODE_NULL, r->loc);
}

/*
 * Whether jansson may see it: it keeps every value before we can count them. Commas and opening
 * brackets, each by itself, are fewer than values.
 */
static bool may_fit(const char *text, size_t len)
{
	size_t commas = 0, brackets = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			in_string = !in_string;
		else if (!in_string)
			commas += text[i] == ',';
		if (!in_string)
			brackets += text[i] == '[' || text[i] == '{';
	}
	return commas < LIMIT_NODES && brackets <= LIMIT_NODES;
}

static json_t *load(const char *text, size_t len, size_t flags, json_error_t *error)
{
	json_t *json;

	flags |= JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	json = json_loadb(text, len, flags, error);
	/* Integers beyond 64 bits become floats, as in Go. */
	if (!json && json_error_code(error) == json_error_numeric_overflow)
		json = json_loadb(text, len, flags | JSON_DECODE_INT_AS_REAL, error);
	return json;
}

static int too_large(struct diags *d, struct loc loc)
{
	if (d)
		diag_add(
			d, loc,
			"error: exceeded max depth (%d), too many values (more than %d) or a text of "
			"more than %u bytes",
			LIMIT_DEPTH, LIMIT_NODES, LIMIT_SCALAR_BYTES);
	return -EINVAL;
}

int json_read_any(struct arena *a, struct diags *d, const char *text, size_t len, struct node **out)
{
	struct reader r = {.arena = a};
	json_error_t error;
	struct node *root;
	json_t *json;

	if (!may_fit(text, len))
		return too_large(d, r.loc);
	json = load(text, len, JSON_DECODE_ANY, &error);
	if (!json) {
		utf8_mend(error.text); /* it quotes up to a byte, not to a character */
		if (d)
			diag_add(d, r.loc, "error: line %d: %s", error.line, error.text);
		return -EINVAL;
	}
	root = from_json(&r, json, 1);
	json_decref(json);
	if (!root)
		return too_large(d, r.loc);
	*out = root;
	return 0;
}

int node_from_json(struct arena *a, struct diags *d, const char *text, size_t len,
		   struct node **out)
{
	switch (json_plain_read(a, text, len, out)) {
	case JSON_PLAIN_READ:
		return 0;
	case JSON_PLAIN_TOO_LARGE:
		return too_large(d, (struct loc){0});
	case JSON_PLAIN_UNSURE:
		break;
	}
	return json_read_any(a, d, text, len, out);
}

static size_t blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (text[n] == ' ' || text[n] == '\t' || text[n] == '\r' || text[n] == '\n'))
		n++;
	return n;
}

bool json_read_stream(struct arena *a, const char *text, size_t len, struct loc loc,
		      struct documents *out)
{
	struct reader r = {.arena = a, .loc = loc};
	struct documents found = {0};
	size_t at = 0;
	json_error_t error;
	struct node *root;
	json_t *json;

	if (!may_fit(text, len))
		return false;
	for (;;) {
		at += blanks(text + at, len - at);
		if (at >= len)
			break;
		json = load(text + at, len - at, JSON_DISABLE_EOF_CHECK, &error);
		if (!json)
			return false;
		root = from_json(&r, json, 1);
		json_decref(json);
		if (!root || root->type != NODE_MAP)
			return false;
		*arena_push(a, found.items, found.count) = root;
		at += (size_t)error.position;
	}
	for (size_t i = 0; i < found.count; i++)
		*arena_push(a, out->items, out->count) = found.items[i];
	return true;
}

static void put_escape(struct strbuf *b, unsigned char c)
{
	switch (c) {
	case '"':
	case '\\':
		strbuf_printf(b, "\\%c", c);
		return;
	case '\n':
		strbuf_puts(b, "\\n");
		return;
	case '\t':
		strbuf_puts(b, "\\t");
		return;
	case '\r':
		strbuf_puts(b, "\\r");
		return;
	default:
		strbuf_printf(b, "\\u%04x", c);
	}
}

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

/* In runs: most texts are one. */
static void put_string(struct strbuf *b, const char *text, size_t len)
{
	size_t from = 0;

	strbuf_add(b, "\"", 1);
	for (size_t i = 0; i < len; i++) {
		if (!needs_escape((unsigned char)text[i]))
			continue;
		strbuf_add(b, text + from, i - from);
		put_escape(b, (unsigned char)text[i]);
		from = i + 1;
	}
	strbuf_add(b, text + from, len - from);
	strbuf_add(b, "\"", 1);
}

void json_put_text(struct strbuf *b, const char *text)
{
	put_string(b, text, strlen(text));
}

/* The shortest text that reads back as the same number; finite by construction. */
static void put_number(struct strbuf *b, double value)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	strbuf_puts(b, text);
}

/* printf() takes several times as long, and most numbers are ports. */
static void put_integer(struct strbuf *b, int64_t value)
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char text[24];
	char *at = text + sizeof(text);

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--at = '-';
	strbuf_add(b, at, (size_t)(text + sizeof(text) - at));
}

static void put_break(struct strbuf *b, int indent, int depth)
{
	if (indent > 0)
		strbuf_printf(b, "\n%*s", indent * depth, "");
}

static void put_node(struct strbuf *b, const struct node *n, int indent, int depth);

static void put_items(struct strbuf *b, const struct node *n, int indent, int depth)
{
	bool map = n->type == NODE_MAP;

	strbuf_puts(b, map ? "{" : "[");
	for (size_t i = 0; i < n->count; i++) {
		if (i)
			strbuf_puts(b, ",");
		put_break(b, indent, depth + 1);
		if (map) {
			put_string(b, n->items[i]->key, strlen(n->items[i]->key));
			strbuf_puts(b, indent > 0 ? ": " : ":");
		}
		put_node(b, n->items[i], indent, depth + 1);
	}
	if (n->count)
		put_break(b, indent, depth);
	strbuf_puts(b, map ? "}" : "]");
}

static void put_node(struct strbuf *b, const struct node *n, int indent, int depth)
{
	switch (n->type) {
	case NODE_NULL:
		strbuf_puts(b, "null");
		break;
	case NODE_BOOL:
		strbuf_puts(b, n->boolean ? "true" : "false");
		break;
	case NODE_INT:
		put_integer(b, n->integer);
		break;
	case NODE_FLOAT:
		put_number(b, n->number);
		break;
	case NODE_STRING:
		put_string(b, n->text, n->text_len);
		break;
	case NODE_LIST:
	case NODE_MAP:
		put_items(b, n, indent, depth);
		break;
	}
}

char *node_to_json(const struct node *n, int indent)
{
	struct strbuf b = {0};

	put_node(&b, n, indent, 0);
	return strbuf_take(&b);
}
