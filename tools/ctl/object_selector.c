/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Labels are label_selector.c's. Of fields there are two, which every object has; as in Kubernetes a term is
 * cut at its first operator, and an empty term says nothing.
 */
#include "ctl/object_selector.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t"

struct field_term {
	const char *path;
	const char *value;
	bool is_unequal;
};

static const char *trim(struct arena *a, const char *text, size_t len)
{
	const size_t blanks = strspn(text, BLANKS);

	if (blanks >= len)
		return "";
	text += blanks;
	len -= blanks;
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	return arena_strndup(a, text, len);
}

static bool is_field(const char *path)
{
	return strcmp(path, "metadata.name") == 0 || strcmp(path, "metadata.namespace") == 0;
}

/* FIELD=VALUE, FIELD==VALUE, FIELD!=VALUE */
static bool read_term(struct arena *a, const char *text, struct field_term *out)
{
	const char *op = strchr(text, '=');

	if (!op)
		return false;
	out->is_unequal = op > text && op[-1] == '!';
	out->path = trim(a, text, (size_t)(op - text) - out->is_unequal);
	op += !out->is_unequal && op[1] == '=' ? 2 : 1;
	out->value = trim(a, op, strlen(op));
	return true;
}

static int add_term(struct arena *a, const char *text, struct object_selector *s, const char **why)
{
	struct field_term term;

	if (!*text)
		return 0;
	if (!read_term(a, text, &term)) {
		*why = arena_printf(a,
				    "unable to parse requirement: expected FIELD=VALUE or "
				    "FIELD!=VALUE in \"%s\"",
				    text);
		return -EINVAL;
	}
	if (!is_field(term.path)) {
		*why = arena_printf(a, "field label not supported: %s", term.path);
		return -EINVAL;
	}
	*arena_push(a, s->fields, s->field_count) = term;
	return 0;
}

int object_selector_read_fields(struct arena *a, const char *text, struct object_selector *s,
				const char **why)
{
	int err = 0;

	while (!err && *text) {
		const size_t len = strcspn(text, ",");

		err = add_term(a, trim(a, text, len), s, why);
		text += len + (text[len] == ',');
	}
	return err;
}

bool object_selector_is_set(const struct object_selector *s)
{
	return s->labels || s->field_count;
}

bool object_selector_matches(const struct object_selector *s, struct node *object)
{
	for (size_t i = 0; i < s->field_count; i++) {
		const struct field_term *f = &s->fields[i];
		const bool is_equal = strcmp(node_text_at(object, f->path, ""), f->value) == 0;

		if (is_equal == f->is_unequal)
			return false;
	}
	return label_selector_matches(s->labels, object);
}

int object_selector_of_flags(struct ctl *c, struct object_selector *out)
{
	const char *fields = args_text(&c->args, "field-selector");
	struct object_selector s = {0};
	const char *why = NULL;

	if (label_selector_read(c, &s.labels))
		return 1;
	if (fields && object_selector_read_fields(c->arena, fields, &s, &why))
		return ctl_error("%s", why);
	*out = s;
	return 0;
}
