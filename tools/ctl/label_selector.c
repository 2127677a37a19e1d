/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text becomes the tree that policies and the daemon's API have, so that one piece of code
 * decides what matches.
 */
#include "ctl/label_selector.h"

#include <ctype.h>
#include <string.h>

#include "manifest/pattern.h"
#include "model/resolver.h"

#define NAME_MAX_BYTES	 63
#define PREFIX_MAX_BYTES 253

struct reader {
	struct arena *a;
	const char *at;
	struct node *expressions;
	const char *why;
};

static const struct loc nowhere;

static void skip_blanks(struct reader *r)
{
	while (isspace((unsigned char)*r->at))
		r->at++;
}

/* A key, a value or a word: up to what can be none of them. */
static const char *read_word(struct reader *r)
{
	size_t len;
	const char *word;

	skip_blanks(r);
	len = strcspn(r->at, "=!,()<> \t\r\n");
	word = arena_strndup(r->a, r->at, len);
	r->at += len;
	skip_blanks(r);
	return word;
}

static bool take(struct reader *r, const char *text)
{
	if (strncmp(r->at, text, strlen(text)) != 0)
		return false;
	r->at += strlen(text);
	return true;
}

/* Letters and digits at both ends; between them `-`, `_` and `.`, too. */
static bool is_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)text[i]) &&
		    (i == 0 || i == len - 1 || !strchr("-_.", text[i])))
			return false;
	}
	return len > 0 && len <= NAME_MAX_BYTES;
}

static bool is_key(const char *key)
{
	const char *slash = strchr(key, '/');

	if (!slash)
		return is_name(key, strlen(key));
	return (size_t)(slash - key) <= PREFIX_MAX_BYTES &&
	       pattern_subdomain.match(key, (size_t)(slash - key)) &&
	       is_name(slash + 1, strlen(slash + 1));
}

static bool add_value(struct reader *r, struct node *values, const char *value)
{
	if (*value && !is_name(value, strlen(value))) {
		r->why = arena_printf(r->a, "\"%s\" is no value of a label", value);
		return false;
	}
	node_append(r->a, values, node_new_string(r->a, value, nowhere));
	return true;
}

/* (a, b): at least one, perhaps empty. */
static bool read_set(struct reader *r, struct node *values)
{
	skip_blanks(r);
	if (!take(r, "(")) {
		r->why = "\"(\" is missing behind in or notin";
		return false;
	}
	do {
		if (!add_value(r, values, read_word(r)))
			return false;
	} while (take(r, ","));
	if (take(r, ")"))
		return true;
	r->why = "\")\" is missing";
	return false;
}

/* What is behind a key. NULL with r->why set for what is no operator. */
static const char *read_operator(struct reader *r, struct node *values)
{
	const char *word, *op;

	if (!*r->at || *r->at == ',')
		return "Exists";
	if (take(r, "!="))
		return add_value(r, values, read_word(r)) ? "NotIn" : NULL;
	if (take(r, "==") || take(r, "="))
		return add_value(r, values, read_word(r)) ? "In" : NULL;
	word = read_word(r);
	op = strcmp(word, "in") == 0 ? "In" : strcmp(word, "notin") == 0 ? "NotIn" : NULL;
	if (!op)
		r->why = "an operator must be one of =, ==, !=, in, notin";
	return op && read_set(r, values) ? op : NULL;
}

static bool read_requirement(struct reader *r)
{
	struct node *e = node_new(r->a, NODE_MAP, nowhere);
	struct node *values = node_new(r->a, NODE_LIST, nowhere);
	const char *key, *op = NULL;
	bool absent;

	skip_blanks(r);
	absent = take(r, "!");
	key = read_word(r);
	if (!is_key(key))
		r->why = arena_printf(r->a, "\"%s\" is no key of a label", key);
	else
		op = absent ? "DoesNotExist" : read_operator(r, values);
	if (!op)
		return false;
	skip_blanks(r);
	node_set(r->a, e, "key", node_new_string(r->a, key, nowhere));
	node_set(r->a, e, "operator", node_new_string(r->a, op, nowhere));
	if (values->count)
		node_set(r->a, e, "values", values);
	node_append(r->a, r->expressions, e);
	return true;
}

struct node *label_selector_parse(struct arena *a, const char *text, const char **why)
{
	struct reader r = {.a = a, .at = text, .expressions = node_new(a, NODE_LIST, nowhere)};
	struct node *selector = node_new(a, NODE_MAP, nowhere);

	skip_blanks(&r);
	while (*r.at) {
		if (!read_requirement(&r))
			break;
		if (!take(&r, ","))
			break;
		skip_blanks(&r);
		if (!*r.at)
			r.why = "a requirement is missing behind the last comma";
	}
	if (!r.why && *r.at)
		r.why = arena_printf(a, "\"%s\" was not expected", r.at);
	if (r.why) {
		*why = r.why;
		return NULL;
	}
	node_set(a, selector, "matchExpressions", r.expressions);
	return selector;
}

bool label_selector_matches(const struct node *selector, struct node *object)
{
	const struct object o = {.res = {.root = object}};

	return !selector || selector_matches(selector, &o);
}

int label_selector_read(struct ctl *c, struct node **out)
{
	const char *text = args_text(&c->args, "selector");
	const char *why = NULL;

	*out = NULL;
	if (!text || !text[0])
		return 0;
	*out = label_selector_parse(c->arena, text, &why);
	if (*out)
		return 0;
	return ctl_error("unable to parse requirement: \"%s\": %s", text, why);
}
