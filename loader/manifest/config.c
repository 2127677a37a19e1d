/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Upstream decodes these kinds by Go's types and checks them by code, so the words are not those of
 * a schema. A message about a Secret names the key and never the value.
 */
#include "manifest/config.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "manifest/base64.h"
#include "manifest/quote.h"
#include "manifest/schema.h"

#define SIZE_MOST     1048576
#define KEY_MAX_BYTES 253
#define LAST_APPLIED  "kubectl.kubernetes.io/last-applied-configuration"
#define TLS_TYPE      "kubernetes.io/tls"

/* A member of the object, as Go has it. */
struct member {
	const char *name;
	const char *go_type;
	enum node_type type;
	const char *go_item; /* of a map: what its values are */
	bool base64;	     /* of a map: its values are */
};

static const struct member configmap_members[] = {
	{"data", "map[string]string", NODE_MAP, "string", false},
	{"binaryData", "map[string][]uint8", NODE_MAP, "[]uint8", true},
	{"immutable", "bool", NODE_BOOL, NULL, false},
	{0},
};
static const struct member secret_members[] = {
	{"data", "map[string][]uint8", NODE_MAP, "[]uint8", true},
	{"stringData", "map[string]string", NODE_MAP, "string", false},
	{"immutable", "bool", NODE_BOOL, NULL, false},
	{"type", "v1.SecretType", NODE_STRING, NULL, false},
	{0},
};

static bool is_secret(const struct check *c)
{
	return c->kind->id == KIND_SECRET;
}

__attribute__((format(printf, 3, 4))) static void cannot_handle(struct check *c, struct loc loc,
								const char *fmt, ...)
{
	const char *where = "", *text;
	va_list ap;

	va_start(ap, fmt);
	text = arena_vprintf(c->arena, fmt, ap);
	va_end(ap);
	if (c->file)
		where = arena_printf(c->arena, "error when creating \"%s\": ", c->file);
	diag_add(c->diags, loc,
		 "Error from server (BadRequest): %s%s in version \"%s\" cannot be handled as a "
		 "%s: %s",
		 where, c->kind->name, c->version, c->kind->name, text);
}

static bool has_type(struct check *c, const struct node *n, const struct member *m,
		     enum node_type type, const char *go_type)
{
	if (n->type == type)
		return true;
	cannot_handle(c, n->loc, "json: cannot unmarshal %s into Go struct field %s.%s of type %s",
		      meta_json_type(n), c->kind->name, m->name, go_type);
	return false;
}

static const char *place_of(struct check *c, const struct member *m, const char *key)
{
	return arena_printf(c->arena, "%s[%s]", m->name, key);
}

static const char *why_no_key(const char *key)
{
	if (strlen(key) > KEY_MAX_BYTES)
		return "must be no more than 253 bytes";
	for (const char *p = key; *p || p == key; p++) {
		if (!isalnum((unsigned char)*p) && (!*p || !strchr("-._", *p)))
			return "a valid config key must consist of alphanumeric characters, '-', "
			       "'_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
			       "regex used for validation is '[-._a-zA-Z0-9]+')";
	}
	if (strcmp(key, ".") == 0)
		return "must not be '.'";
	if (strcmp(key, "..") == 0)
		return "must not be '..'";
	return strncmp(key, "..", 2) == 0 ? "must not start with '..'" : NULL;
}

/* The form in which a value is shown. */
static bool is_placeholder(const struct node *n)
{
	static const char head[] = "*** ", tail[] = " bytes ***";
	const char *p = n->text + strlen(head);

	if (n->type != NODE_STRING || strncmp(n->text, head, strlen(head)) != 0)
		return false;
	return strspn(p, "0123456789") > 0 && strcmp(p + strspn(p, "0123456789"), tail) == 0;
}

/* True when the bytes of the value are known. */
static bool read_value(struct check *c, const struct member *m, const struct node *n,
		       struct base64_bytes *out)
{
	const struct path at = {.name = place_of(c, m, n->key)};
	int64_t bad;

	if (!has_type(c, n, m, NODE_STRING, m->go_item))
		return false;
	if (is_secret(c) && is_placeholder(n)) {
		check_invalid(
			c, n->loc, &at,
			"\"%s\" is shown in place of a value and is no value: write the value "
			"itself",
			n->text);
		return false;
	}
	*out = (struct base64_bytes){(const uint8_t *)n->text, n->text_len};
	bad = m->base64 ? base64_decode(c->arena, n->text, n->text_len, out) : -1;
	if (bad < 0)
		return true;
	cannot_handle(c, n->loc, "illegal base64 data at input byte %lld (%s)", (long long)bad,
		      at.name);
	return false;
}

static void check_key(struct check *c, const struct member *m, const struct node *n)
{
	const struct path at = {.name = place_of(c, m, n->key)};
	const char *why = why_no_key(n->key);

	if (why)
		check_invalid(c, node_place(n), &at, "Invalid value: %s: %s",
			      quote_text(c->arena, n->key, strlen(n->key)), why);
}

/* Keys and values of a map; values in base64 get the form that is kept. Returns their bytes. */
static size_t check_map(struct check *c, const struct member *m, struct node *map)
{
	struct base64_bytes value;
	size_t total = 0;

	for (size_t i = 0; i < map->count; i++) {
		struct node *n = map->items[i];

		check_key(c, m, n);
		if (!read_value(c, m, n, &value))
			continue;
		total += value.len;
		if (!m->base64)
			continue;
		n->text = base64_encode(c->arena, value.bytes, value.len);
		n->text_len = strlen(n->text);
	}
	return total;
}

static void check_size(struct check *c, const struct node *root, size_t total)
{
	const struct node *data = node_member(root, "data");

	if (total > SIZE_MOST)
		check_invalid(c, data ? node_place(data) : root->loc,
			      &(struct path){.name = is_secret(c) ? "data" : "[]"},
			      "Too long: may not be more than %d bytes", SIZE_MOST);
}

static void check_twice(struct check *c, const struct node *root)
{
	const struct node *data = node_member(root, "data");
	const struct node *binary = node_member(root, "binaryData");

	for (size_t i = 0; i < node_count(data); i++) {
		const struct node *n = data->items[i];

		if (node_member(binary, n->key))
			check_invalid(
				c, node_place(n),
				&(struct path){.name = place_of(c, configmap_members, n->key)},
				"Invalid value: %s: duplicate of key present in binaryData",
				quote_text(c->arena, n->key, strlen(n->key)));
	}
}

/* stringData has the last word. */
static void merge_texts(struct check *c, struct node *root)
{
	const struct node *texts = node_member(root, "stringData");
	struct node *data = node_member(root, "data");

	if (node_count(texts) && !data) {
		data = node_new(c->arena, NODE_MAP, texts->loc);
		node_set(c->arena, root, "data", data);
	}
	for (size_t i = 0; i < node_count(texts); i++) {
		const struct node *n = texts->items[i];
		const char *text = base64_encode(c->arena, n->text, n->text_len);

		node_set(c->arena, data, n->key, node_new_string(c->arena, text, n->loc));
	}
	node_remove(root, "stringData");
}

static void check_tls(struct check *c, const struct node *root)
{
	static const char *const keys[] = {"tls.crt", "tls.key"};
	const struct node *data = node_member(root, "data");

	if (strcmp(node_text_at(root, "type", ""), TLS_TYPE) != 0)
		return;
	for (size_t i = 0; i < 2; i++) {
		if (!node_member(data, keys[i]))
			check_invalid(c, data ? node_place(data) : root->loc,
				      &(struct path){.name = place_of(c, secret_members, keys[i])},
				      "Required value");
	}
}

static void check_annotation(struct check *c, const struct node *root)
{
	const struct node *n = node_member(node_at(root, "metadata.annotations"), LAST_APPLIED);

	if (n && is_placeholder(n))
		check_invalid(c, n->loc,
			      &(struct path){.name = "metadata.annotations[" LAST_APPLIED "]"},
			      "\"%s\" is shown in place of a value and is no value: leave the "
			      "annotation out",
			      n->text);
}

void config_check(struct check *c, struct node *root)
{
	const struct member *members = is_secret(c) ? secret_members : configmap_members;
	const size_t errors = c->diags->errors;
	size_t total = 0;

	for (const struct member *m = members; m->name; m++) {
		struct node *n = node_member(root, m->name);

		if (n && has_type(c, n, m, m->type, m->go_type) && m->type == NODE_MAP)
			total += check_map(c, m, n);
	}
	check_size(c, root, total);
	if (!is_secret(c)) {
		check_twice(c, root);
		return;
	}
	check_annotation(c, root);
	if (c->diags->errors > errors)
		return;
	merge_texts(c, root);
	check_tls(c, root);
}

static void redact(struct arena *a, struct node *n, size_t len)
{
	n->text = arena_printf(a, "*** %zu bytes ***", len);
	n->text_len = strlen(n->text);
}

/* Whatever it is: what cannot be read is hidden, too. */
static void redact_value(struct arena *a, struct node *n)
{
	struct base64_bytes value = {.len = n->text_len};

	if (n->type == NODE_STRING)
		(void)base64_decode(a, n->text, n->text_len, &value);
	*n = (struct node){
		.type = NODE_STRING, .loc = n->loc, .key = n->key, .key_loc = n->key_loc};
	redact(a, n, value.len);
}

void config_redact(struct arena *a, const struct kind *kind, struct node *root)
{
	struct node *data = node_member(root, "data"), *texts = node_member(root, "stringData");
	struct node *noted = node_member(node_at(root, "metadata.annotations"), LAST_APPLIED);

	if (kind->id != KIND_SECRET)
		return;
	for (size_t i = 0; i < node_count(data); i++)
		redact_value(a, data->items[i]);
	for (size_t i = 0; i < node_count(texts); i++)
		redact(a, texts->items[i], texts->items[i]->text_len);
	if (noted)
		redact(a, noted, noted->text_len);
}
