/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both selectors are requirements about one text of the object: a label, or a field. As in
 * Kubernetes, what is not there is unequal to everything, and `notin` holds for it.
 */
#include "ctl/object_selector.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

enum operator{
	OP_EXISTS,
	OP_ABSENT,
	OP_IN,
	OP_NOT_IN,
};

struct requirement {
	bool is_field; /* `key` is a path, not a label */
	const char *key;
	enum operator op;
	const char **values;
	size_t value_count;
};

struct reader {
	struct arena *arena;
	const char *p;
	const char *whole;
	const char **why;
};

static int fail(struct reader *r, const char *what)
{
	*r->why =
		arena_printf(r->arena, "unable to parse requirement: %s in \"%s\"", what, r->whole);
	return -EINVAL;
}

static void skip_blanks(struct reader *r)
{
	while (*r->p == ' ' || *r->p == '\t')
		r->p++;
}

/* What a key or a value may have in it; NULL where none begins. */
static const char *take_word(struct reader *r)
{
	const char *begin;

	skip_blanks(r);
	begin = r->p;
	while (isalnum((unsigned char)*r->p) || (*r->p && strchr("-_./", *r->p)))
		r->p++;
	return r->p > begin ? arena_strndup(r->arena, begin, (size_t)(r->p - begin)) : NULL;
}

static bool take(struct reader *r, const char *token)
{
	const size_t len = strlen(token);

	skip_blanks(r);
	if (strncmp(r->p, token, len) != 0)
		return false;
	r->p += len;
	return true;
}

static void add_value(struct reader *r, struct requirement *q, const char *value)
{
	*arena_push(r->arena, q->values, q->value_count) = value ? value : "";
}

/* "(a,b)" */
static int read_set(struct reader *r, struct requirement *q)
{
	if (!take(r, "("))
		return fail(r, "expected '(' behind in or notin");
	do
		add_value(r, q, take_word(r));
	while (take(r, ","));
	return take(r, ")") ? 0 : fail(r, "expected ')' or ','");
}

static int read_operator(struct reader *r, struct requirement *q)
{
	const char *word;

	skip_blanks(r);
	if (!*r->p || *r->p == ',') {
		q->op = OP_EXISTS;
		return 0;
	}
	if (take(r, "!=")) {
		q->op = OP_NOT_IN;
		add_value(r, q, take_word(r));
		return 0;
	}
	if (take(r, "==") || take(r, "=")) {
		q->op = OP_IN;
		add_value(r, q, take_word(r));
		return 0;
	}
	word = take_word(r);
	if (!word || (strcmp(word, "in") != 0 && strcmp(word, "notin") != 0))
		return fail(r, "expected one of =, ==, !=, in, notin");
	q->op = word[0] == 'i' ? OP_IN : OP_NOT_IN;
	return read_set(r, q);
}

static int read_requirement(struct reader *r, struct requirement *q)
{
	const bool absent = take(r, "!");

	q->key = take_word(r);
	if (!q->key)
		return fail(r, "expected a key");
	if (!absent)
		return read_operator(r, q);
	q->op = OP_ABSENT;
	return 0;
}

static int read_all(struct reader *r, struct object_selector *s)
{
	struct requirement *q;
	int err;

	skip_blanks(r);
	while (*r->p) {
		q = arena_push(r->arena, s->items, s->count);
		err = read_requirement(r, q);
		if (err)
			return err;
		skip_blanks(r);
		if (!*r->p)
			break;
		if (!take(r, ","))
			return fail(r, "expected ','");
		skip_blanks(r);
		if (!*r->p)
			return fail(r, "expected a key behind the comma");
	}
	return 0;
}

int object_selector_add_labels(struct arena *a, const char *text, struct object_selector *s,
			       const char **why)
{
	struct reader r = {.arena = a, .p = text, .whole = text, .why = why};

	return read_all(&r, s);
}

int object_selector_add_fields(struct arena *a, const char *text, struct object_selector *s,
			       const char **why)
{
	struct reader r = {.arena = a, .p = text, .whole = text, .why = why};
	const size_t first = s->count;
	struct requirement *q;
	int err = read_all(&r, s);

	if (err)
		return err;
	for (size_t i = first; i < s->count; i++) {
		q = &s->items[i];
		if (q->value_count != 1)
			return fail(&r, "expected FIELD=VALUE or FIELD!=VALUE");
		if (strcmp(q->key, "metadata.name") != 0 &&
		    strcmp(q->key, "metadata.namespace") != 0) {
			*why = arena_printf(a, "field label not supported: %s", q->key);
			return -EINVAL;
		}
		q->is_field = true;
	}
	return 0;
}

static const char *text_of(const struct requirement *q, const struct node *object)
{
	const struct node *label;

	if (q->is_field)
		return node_text_at(object, q->key, "");
	label = node_member(node_at(object, "metadata.labels"), q->key);
	return label && label->type == NODE_STRING ? label->text : NULL;
}

static bool holds(const struct requirement *q, const struct node *object)
{
	const char *text = text_of(q, object);
	bool listed = false;

	for (size_t i = 0; text && i < q->value_count; i++)
		listed = listed || strcmp(q->values[i], text) == 0;
	switch (q->op) {
	case OP_EXISTS:
		return text != NULL;
	case OP_ABSENT:
		return text == NULL;
	case OP_IN:
		return listed;
	case OP_NOT_IN:
		return !listed;
	}
	return false;
}

bool object_selector_matches(const struct object_selector *s, const struct node *object)
{
	for (size_t i = 0; i < s->count; i++) {
		if (!holds(&s->items[i], object))
			return false;
	}
	return true;
}

int object_selector_of_flags(struct ctl *c, struct object_selector *out)
{
	const char *labels = args_text(&c->args, "selector");
	const char *fields = args_text(&c->args, "field-selector");
	struct object_selector s = {0};
	const char *why = NULL;

	if ((labels && object_selector_add_labels(c->arena, labels, &s, &why)) ||
	    (fields && object_selector_add_fields(c->arena, fields, &s, &why)))
		return ctl_error("%s", why);
	*out = s;
	return 0;
}
