/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types, limits and patterns of an OpenAPI schema in the words of an API server, which count code
 * points and say bytes, and call a whole number of the wrong size a wrong type.
 */
#include <string.h>

#include "manifest/manifest.h"
#include "manifest/quote.h"
#include "manifest/schema.h"

static void check_node(struct check *c, const struct path *path, const struct field *f,
		       const struct node *n);

/* Upstream's place of what it cannot place. */
static const struct path nowhere = {.name = "<nil>"};

static const char *type_name(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return "boolean";
	case NODE_INT:
		return "integer";
	case NODE_FLOAT:
		return "number";
	case NODE_STRING:
		return "string";
	case NODE_LIST:
		return "array";
	case NODE_MAP:
		return "object";
	}
	return "";
}

static void wrong_type(struct check *c, const struct path *path, const struct node *n,
		       const char *wanted, const char *got)
{
	c->blocked = true;
	check_invalid(c, n->loc, path,
		      "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", got,
		      path_text(c->arena, path), wanted, got);
}

/* Does not keep the rules from being asked, unlike a wrong type. */
static void wrong_format(struct check *c, const struct path *path, const struct node *n,
			 const char *format)
{
	check_invalid(c, n->loc, &nowhere,
		      "Invalid value: \"\": Checked value must be of type integer with format %s "
		      "in %s",
		      format, path_text(c->arena, path));
}

static const char *number_text(struct check *c, const struct node *n)
{
	AUTO(free) char *json = node_to_json(n, 0);

	return arena_strdup(c->arena, json);
}

/* True when the value is within the limits. */
static bool check_range(struct check *c, const struct path *path, const struct field *f,
			const struct node *n)
{
	double value = n->type == NODE_INT ? (double)n->integer : n->number;

	if (f->has_min && value < (double)f->min) {
		check_invalid(
			c, n->loc, path,
			"Invalid value: %s: %s in body should be greater than or equal to %lld",
			number_text(c, n), path_text(c->arena, path), (long long)f->min);
		return false;
	}
	if (f->has_max && value > (double)f->max) {
		check_invalid(c, n->loc, path,
			      "Invalid value: %s: %s in body should be less than or equal to %lld",
			      number_text(c, n), path_text(c->arena, path), (long long)f->max);
		return false;
	}
	return true;
}

static bool check_int(struct check *c, const struct path *path, const struct field *f,
		      const struct node *n)
{
	const char *format = f->type == FIELD_INT32 ? "int32" : "int64";
	bool fits, in_range;

	/* Upstream's type check has a name for the size of numbers, texts and lists only. */
	if (n->type == NODE_BOOL || n->type == NODE_MAP) {
		wrong_type(c, path, n, format, "");
		return false;
	}
	if (n->type != NODE_INT && n->type != NODE_FLOAT) {
		wrong_type(c, path, n, "integer", type_name(n));
		return false;
	}
	/* Whole numbers are NODE_INT but for those beyond int64_t. */
	if (n->type == NODE_FLOAT && n->number > -NODE_INT_END && n->number < NODE_INT_END) {
		wrong_type(c, path, n, format, "float64");
		(void)check_range(c, path, f, n);
		wrong_format(c, path, n, format);
		return false;
	}
	fits = n->type == NODE_INT &&
	       (f->type == FIELD_INT64 || (n->integer >= INT32_MIN && n->integer <= INT32_MAX));
	in_range = check_range(c, path, f, n);
	if (!fits)
		wrong_format(c, path, n, format);
	return fits && in_range;
}

static int64_t code_points(const struct node *n)
{
	int64_t count = 0;

	for (size_t i = 0; i < n->text_len; i++)
		count += ((unsigned char)n->text[i] & 0xc0) != 0x80;
	return count;
}

/* Numbers are enumerated as they are written. */
static bool is_value(struct check *c, const struct node *n, const char *value)
{
	if (n->type == NODE_INT)
		return strcmp(number_text(c, n), value) == 0;
	return n->type == NODE_STRING && strlen(value) == n->text_len &&
	       strcmp(value, n->text) == 0;
}

static bool check_enum(struct check *c, const struct path *path, const struct field *f,
		       const struct node *n)
{
	const char *list = "";

	for (size_t i = 0; f->values[i]; i++) {
		if (is_value(c, n, f->values[i]))
			return true;
		list = arena_printf(c->arena, "%s%s\"%s\"", list, i ? ", " : "", f->values[i]);
	}
	c->blocked = true;
	check_invalid(c, n->loc, path, "Unsupported value: %s: supported values: %s",
		      quote_node(c->arena, n), list);
	return false;
}

static bool check_base64(struct check *c, const struct path *path, const struct node *n)
{
	if (match_base64(n->text, n->text_len))
		return true;
	c->blocked = true;
	check_invalid(c, n->loc, path, "Invalid value: %s: %s in body must be of type byte: %s",
		      quote_node(c->arena, n), path_text(c->arena, path), quote_node(c->arena, n));
	return false;
}

/* Only the first of too long, too short and no match is told. */
static bool check_string(struct check *c, const struct path *path, const struct field *f,
			 const struct node *n)
{
	int64_t count = code_points(n);

	if (f->has_max && count > f->max) {
		c->blocked = true;
		check_invalid(c, n->loc, path, "Too long: may not be more than %lld bytes",
			      (long long)f->max);
		return false;
	}
	/* Every valid address is accepted, also `::`, which is shorter than upstream's limit. */
	if (f->pattern == &pattern_ip && f->pattern->match(n->text, n->text_len))
		return true;
	if (f->has_min && count < f->min) {
		check_invalid(c, n->loc, path,
			      "Invalid value: %s: %s in body should be at least %lld chars long",
			      quote_node(c->arena, n), path_text(c->arena, path),
			      (long long)f->min);
		return false;
	}
	if (f->pattern && !f->pattern->match(n->text, n->text_len)) {
		check_invalid(c, n->loc, path, "Invalid value: %s: %s in body should match '%s'",
			      quote_node(c->arena, n), path_text(c->arena, path), f->pattern->text);
		return false;
	}
	if (f->base64 && !check_base64(c, path, n))
		return false;
	if (f->values)
		return check_enum(c, path, f, n);
	/* Ours: everything behind this reads texts up to the first NUL. */
	if (strlen(n->text) != n->text_len) {
		check_invalid(c, n->loc, path, "Invalid value: %s: must not contain a NUL byte",
			      quote_node(c->arena, n));
		return false;
	}
	return true;
}

static void combined(struct check *c, const struct path *path, const struct node *n,
		     const char *what)
{
	check_invalid(c, n->loc, &nowhere, "Invalid value: \"\": \"%s\" must validate %s",
		      path_text(c->arena, path), what);
}

/* Upstream asks two patterns, of any quantity and of a positive one, and one of two types. */
static bool check_quantity(struct check *c, const struct path *path, const struct node *n)
{
	static const struct pattern *const both[] = {&pattern_quantity, &pattern_positive};
	int missed = 0;

	if (n->type == NODE_INT)
		return true;
	if (n->type != NODE_STRING) {
		wrong_type(c, path, n, "integer", type_name(n));
		combined(c, path, n, "at least one schema (anyOf)");
		return false;
	}
	for (size_t i = 0; i < 2; i++) {
		if (both[i]->match(n->text, n->text_len))
			continue;
		missed++;
		check_invalid(c, n->loc, path, "Invalid value: %s: %s in body should match '%s'",
			      quote_node(c->arena, n), path_text(c->arena, path), both[i]->text);
	}
	if (missed)
		combined(c, path, n,
			 missed == 2 ? "all the schemas (allOf). None validated"
				     : "all the schemas (allOf)");
	return !missed;
}

static bool check_number(struct check *c, const struct path *path, const struct node *n)
{
	if (n->type == NODE_INT || n->type == NODE_FLOAT)
		return true;
	wrong_type(c, path, n, "number", type_name(n));
	return false;
}

static void check_object(struct check *c, const struct path *path, const struct field *fields,
			 const struct node *n)
{
	const struct node *member;

	for (; fields && fields->name; fields++) {
		struct path at = {.up = path, .name = fields->name};

		member = node_member(n, fields->name);
		if (member) {
			check_node(c, &at, fields, member);
		} else if (fields->required) {
			c->blocked = true;
			check_invalid(c, node_place(n), &at, "Required value");
		}
	}
}

static void check_list(struct check *c, const struct path *path, const struct field *f,
		       const struct node *n)
{
	if (f->has_min && (int64_t)n->count < f->min)
		check_invalid(c, node_place(n), path,
			      "Invalid value: %zu: %s in body should have at least %lld items",
			      n->count, path_text(c->arena, path), (long long)f->min);
	if (f->has_max && (int64_t)n->count > f->max) {
		c->blocked = true;
		check_invalid(c, node_place(n), path, "Too many: %zu: must have at most %lld items",
			      n->count, (long long)f->max);
	}
	for (size_t i = 0; i < n->count; i++) {
		struct path at = {.up = path, .index = i};

		check_node(c, &at, f->item, n->items[i]);
	}
	/* A list that is too long may be huge. */
	if ((f->list_key || f->is_set) && (!f->has_max || (int64_t)n->count <= f->max))
		schema_unique(c, path, f, n);
}

static void check_map(struct check *c, const struct path *path, const struct field *f,
		      const struct node *n)
{
	if (f->has_max && (int64_t)n->count > f->max)
		check_invalid(c, node_place(n), path, "Too many: %zu: must have at most %lld items",
			      n->count, (long long)f->max);
	for (size_t i = 0; i < n->count; i++) {
		struct path at = {.up = path, .name = n->items[i]->key};

		check_node(c, &at, f->item, n->items[i]);
	}
}

/* The type's own check; true when the value is right as far as upstream is concerned. */
static bool check_value(struct check *c, const struct path *path, const struct field *f,
			const struct node *n)
{
	static const enum node_type wanted[] = {
		[FIELD_OBJECT] = NODE_MAP,    [FIELD_LIST] = NODE_LIST, [FIELD_MAP] = NODE_MAP,
		[FIELD_STRING] = NODE_STRING, [FIELD_INT32] = NODE_INT, [FIELD_INT64] = NODE_INT,
		[FIELD_BOOL] = NODE_BOOL,
	};
	static const char *const names[] = {
		[FIELD_OBJECT] = "object", [FIELD_LIST] = "array",    [FIELD_MAP] = "object",
		[FIELD_STRING] = "string", [FIELD_INT32] = "integer", [FIELD_INT64] = "integer",
		[FIELD_BOOL] = "boolean",
	};
	if (f->type == FIELD_ANY)
		return true;
	if (f->type == FIELD_INT32 || f->type == FIELD_INT64)
		return check_int(c, path, f, n) && (!f->values || check_enum(c, path, f, n));
	if (f->type == FIELD_NUMBER)
		return check_number(c, path, n);
	if (f->type == FIELD_QUANTITY)
		return check_quantity(c, path, n);
	if (n->type != wanted[f->type]) {
		wrong_type(c, path, n, names[f->type], type_name(n));
		if (f->values) /* upstream asks both, whatever the type */
			(void)check_enum(c, path, f, n);
		return false;
	}
	if (f->type == FIELD_STRING)
		return check_string(c, path, f, n);
	if (f->type == FIELD_OBJECT)
		check_object(c, path, f->fields, n);
	else if (f->type == FIELD_LIST)
		check_list(c, path, f, n);
	else if (f->type == FIELD_MAP)
		check_map(c, path, f, n);
	return true;
}

static void check_node(struct check *c, const struct path *path, const struct field *f,
		       const struct node *n)
{
	struct path member = {.up = path, .name = f->refuse_key};
	const char *why;

	if (!check_value(c, path, f, n) || !f->refuse)
		return;
	why = f->refuse(c->arena, n);
	if (!why)
		return;
	if (f->refuse_key) {
		n = node_member(n, f->refuse_key);
		path = &member;
	}
	check_invalid(c, n->loc, path, "Invalid value: %s: %s", quote_node(c->arena, n), why);
}

void schema_types(struct check *c, const struct field *fields, const struct node *root)
{
	check_object(c, NULL, fields, root);
}
