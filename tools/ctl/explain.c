/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout is kubectl's, to the blank: scripts read `explain --recursive`. */
#include "ctl/explain.h"

#include <stdlib.h>
#include <string.h>

#define WRAP	   76
#define ENUM_SHOWN 4
#define INDENT	   2

const struct kind *explain_kind(struct arena *a, const char *word, const char **path)
{
	size_t len = strlen(word);
	const struct kind *kind;

	for (;;) {
		kind = kind_find(arena_strndup(a, word, len));
		if (kind) {
			*path = word[len] ? word + len + 1 : "";
			return kind;
		}
		while (len && word[len - 1] != '.')
			len--;
		if (len <= 1)
			return NULL;
		len--;
	}
}

struct field explain_root(const struct kind *kind)
{
	return (struct field){
		.type = FIELD_OBJECT, .fields = kind->fields, .text = kind->description};
}

const struct field *explain_children(const struct field *f)
{
	while (f && (f->type == FIELD_LIST || f->type == FIELD_MAP))
		f = f->item;
	return f && f->type == FIELD_OBJECT ? f->fields : NULL;
}

const char *explain_type(struct arena *a, const struct field *f)
{
	if (!f)
		return "Object";
	if (f->type_name)
		return f->type_name;
	switch (f->type) {
	case FIELD_LIST:
		return arena_printf(a, "[]%s", explain_type(a, f->item));
	case FIELD_MAP:
		return arena_printf(a, "map[string]%s", explain_type(a, f->item));
	case FIELD_STRING:
		return "string";
	case FIELD_INT32:
	case FIELD_INT64:
		return "integer";
	case FIELD_BOOL:
		return "boolean";
	case FIELD_NUMBER:
		return "number";
	case FIELD_QUANTITY: /* an integer or a string: the schema says no type */
	case FIELD_OBJECT:
	case FIELD_ANY:
		break;
	}
	return "Object";
}

static int compare_names(const void *a, const void *b)
{
	const struct field *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

const struct field **explain_sorted(struct arena *a, const struct field *fields)
{
	const struct field **list = NULL;
	size_t count = 0;

	for (const struct field *f = fields; f && f->name; f++)
		*arena_push(a, list, count) = f;
	if (count)
		qsort(list, count, sizeof(*list), compare_names);
	*arena_push(a, list, count) = NULL;
	return list;
}

/* How much of a line fits: up to the last blank within the width, or a whole long word. */
static size_t fitting(const char *text, size_t len)
{
	size_t end = WRAP;

	if (len <= WRAP)
		return len;
	while (end && text[end] != ' ')
		end--;
	return end ? end : strcspn(text, " \n");
}

void explain_wrapped(FILE *out, const char *text)
{
	size_t len, part;

	for (;;) {
		len = strcspn(text, "\n");
		do {
			part = fitting(text, len);
			fprintf(out, "    %.*s\n", (int)part, text);
			text += part;
			len -= part;
			for (; len && *text == ' '; len--)
				text++;
		} while (len);
		if (!*text)
			return;
		text++;
	}
}

/* More allowed values than a list of fields shows. */
static bool has_more(const struct field *f)
{
	size_t count = 0;

	while (f->values[count])
		count++;
	return count > ENUM_SHOWN;
}

static void print_row(FILE *out, struct arena *a, const struct field *f, int indent)
{
	fprintf(out, "%*s%s\t<%s>%s\n", indent, "", f->name, explain_type(a, f),
		f->required ? " -required-" : "");
	if (!f->values)
		return;
	fprintf(out, "%*senum: ", indent, "");
	for (size_t i = 0; i < ENUM_SHOWN && f->values[i]; i++)
		fprintf(out, "%s%s", i ? ", " : "", f->values[i]);
	fputs(has_more(f) ? ", ....\n" : "\n", out);
}

void explain_list(FILE *out, struct arena *a, const struct field *fields)
{
	fputs("FIELDS:\n", out);
	for (const struct field **f = explain_sorted(a, fields); *f; f++) {
		print_row(out, a, *f, INDENT);
		explain_wrapped(out, (*f)->text ? (*f)->text : "<no description>");
		fputc('\n', out);
	}
}

static void print_tree(FILE *out, struct arena *a, const struct field *fields, int indent)
{
	for (const struct field **f = explain_sorted(a, fields); *f; f++) {
		print_row(out, a, *f, indent);
		print_tree(out, a, explain_children(*f), indent + INDENT);
	}
}

void explain_tree(FILE *out, struct arena *a, const struct field *fields)
{
	fputs("FIELDS:\n", out);
	print_tree(out, a, fields, INDENT);
}
