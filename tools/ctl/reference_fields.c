/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page of a kind: every field with its limits, then the rules that look at more than one, then
 * what Spillway refuses besides. Fields that several others have are listed once.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl/reference.h"
#include "manifest/schema.h"

#define FEW_ROWS 2 /* are repeated rather than referred to */

/* Something at a row that has a place of its own on the page. */
struct seen {
	const void *what;
	const char *path;
};

struct page {
	struct arena *arena;
	struct strbuf *out;
	const struct field *root; /* the kind's table */
	struct seen *tables;	  /* whose fields are listed, by the first path */
	size_t table_count;
	struct seen *rules;
	size_t rule_count;
	struct seen *refusals; /* rows */
	size_t refusal_count;
};

const char *reference_cell(struct arena *a, const char *text)
{
	struct strbuf b = {0};
	const char *out;

	for (; *text; text++) {
		if (*text == '|')
			strbuf_puts(&b, "\\");
		strbuf_add(&b, *text == '\n' ? " " : text, 1);
	}
	out = arena_strdup(a, b.text ? b.text : "");
	strbuf_done(&b);
	return out;
}

static const char *join(struct arena *a, const char *list, const char *more)
{
	return *list ? arena_printf(a, "%s, %s", list, more) : more;
}

static const char *unit_of(const struct field *f)
{
	switch (f->type) {
	case FIELD_STRING:
		return " characters";
	case FIELD_LIST:
		return " items";
	case FIELD_MAP:
		return " entries";
	case FIELD_OBJECT:
	case FIELD_INT32:
	case FIELD_INT64:
	case FIELD_BOOL:
	case FIELD_NUMBER:
	case FIELD_QUANTITY:
	case FIELD_ANY:
		break;
	}
	return "";
}

static const char *range_of(struct arena *a, const struct field *f)
{
	const long long min = f->min, max = f->max;

	if (f->has_min && f->has_max && min == max)
		return arena_printf(a, "%lld%s", min, unit_of(f));
	if (f->has_min && f->has_max)
		return arena_printf(a, "%lld to %lld%s", min, max, unit_of(f));
	if (f->has_min)
		return arena_printf(a, "at least %lld%s", min, unit_of(f));
	return f->has_max ? arena_printf(a, "at most %lld%s", max, unit_of(f)) : "";
}

/* Limits, words and pattern of a value. */
static const char *allowed(struct arena *a, const struct field *f)
{
	const char *text = range_of(a, f);

	for (size_t i = 0; f->values && f->values[i]; i++)
		text = join(a, text, arena_printf(a, "`%s`", f->values[i]));
	if (f->type == FIELD_QUANTITY)
		text = join(a, text, arena_printf(a, "an integer, or `%s`", pattern_positive.text));
	if (f->pattern)
		text = join(a, text, arena_printf(a, "`%s`", f->pattern->text));
	if (f->base64)
		text = join(a, text, "base64");
	if (f->list_key)
		text = join(a, text, arena_printf(a, "each `%s` once", f->list_key));
	if (f->is_set)
		text = join(a, text, "each item once");
	return text;
}

static void put_row(struct page *p, const char *path, enum field_acts acts, const struct field *f,
		    const char *text)
{
	struct arena *a = p->arena;
	const char *preset = f->preset ? arena_printf(a, "`%s`", f->preset) : "";

	strbuf_printf(p->out, "| `%s` | %s | %s | %s | %s | %s | %s |\n", path,
		      field_type_text(f->type), f->required ? "yes" : "", reference_cell(a, preset),
		      reference_cell(a, allowed(a, f)), field_acts_text(acts),
		      reference_cell(a, text));
}

static const char *path_of(const struct seen *list, size_t count, const void *what)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i].what == what)
			return list[i].path;
	}
	return NULL;
}

static void note(struct page *p, const char *path, const struct field *f)
{
	if (f->rules)
		*arena_push(p->arena, p->rules, p->rule_count) =
			(struct seen){.what = f->rules, .path = path};
	if (f->refuse)
		*arena_push(p->arena, p->refusals, p->refusal_count) =
			(struct seen){.what = f, .path = path};
}

static bool is_long(const struct field *fields)
{
	size_t count = 0;

	while (fields && fields->name && count <= FEW_ROWS) {
		fields++;
		count++;
	}
	return count > FEW_ROWS;
}

static bool is_nowhere(enum field_acts acts)
{
	return acts == ACTS_NOWHERE || acts == ACTS_NEVER;
}

/* Where among `fields` and below the table stands for fields that act, or NULL. */
static const char *find_acting(struct arena *a, const char *up, enum field_acts acts,
			       const struct field *fields, const struct field *table)
{
	const char *path, *found = NULL;

	for (const struct field *f = fields; f && f->name && !found; f++) {
		const struct field *row = f;

		if (is_nowhere(field_acts(acts, f)))
			continue;
		path = *up ? arena_printf(a, "%s.%s", up, f->name) : f->name;
		for (; row->item; row = row->item)
			path = arena_printf(a, row->type == FIELD_LIST ? "%s[]" : "%s.*", path);
		found = row->fields == table
				? path
				: find_acting(a, path, field_acts(acts, f), row->fields, table);
	}
	return found;
}

/* The place on the page that lists the fields, if it is not here: a former one, or one that acts. */
static const char *elsewhere(struct page *p, enum field_acts acts, const struct field *fields)
{
	const char *path = path_of(p->tables, p->table_count, fields);

	if (path || !fields || !is_long(fields) || !is_nowhere(acts))
		return path;
	return find_acting(p->arena, "", ACTS_AS_PARENT, p->root, fields);
}

/* The fields of an object, by way of lists and maps; they are part of `path`. */
static const struct field *fields_of(struct page *p, const char **path, const struct field *f)
{
	while (f->item) {
		*path = arena_printf(p->arena, f->type == FIELD_LIST ? "%s[]" : "%s.*", *path);
		f = f->item;
		note(p, *path, f);
	}
	return f->fields;
}

/* An item that is no object has limits of its own. */
static void put_items(struct page *p, const char *path, enum field_acts acts, const struct field *f)
{
	for (; f->item; f = f->item) {
		path = arena_printf(p->arena, f->type == FIELD_LIST ? "%s[]" : "%s.*", path);
		if (*allowed(p->arena, f->item))
			put_row(p, path, acts, f->item, "");
	}
}

static void put_fields(struct page *p, const char *up, enum field_acts acts,
		       const struct field *fields);

static void put_field(struct page *p, const char *path, enum field_acts acts, const struct field *f)
{
	const char *inside = path, *text = f->text, *first;
	const struct field *fields;

	acts = field_acts(acts, f);
	note(p, path, f);
	fields = fields_of(p, &inside, f);
	first = elsewhere(p, acts, fields);
	if (fields && first)
		text = arena_printf(p->arena, "%s Has the fields of `%s`.", text, first);
	put_row(p, path, acts, f, text);
	put_items(p, path, acts, f);
	if (!fields || first)
		return;
	if (is_long(fields))
		*arena_push(p->arena, p->tables, p->table_count) =
			(struct seen){.what = fields, .path = inside};
	put_fields(p, inside, acts, fields);
}

static void put_fields(struct page *p, const char *up, enum field_acts acts,
		       const struct field *fields)
{
	for (; fields->name; fields++)
		put_field(p, *up ? arena_printf(p->arena, "%s.%s", up, fields->name) : fields->name,
			  acts, fields);
}

static void put_head(struct page *p)
{
	strbuf_puts(p->out, "## Fields\n\n"
			    "| field | type | required | default | allowed | acts | |\n"
			    "|---|---|---|---|---|---|---|\n");
}

/* Every path that has the same rules, then what they say. */
static void put_rules(struct page *p)
{
	const char *paths;

	if (p->rule_count)
		strbuf_puts(p->out, "\n## Rules\n\nAsked when all types are right and nothing is "
				    "missing; the text is what is said when one is broken.\n");
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct rule *r = p->rules[i].what;

		if (path_of(p->rules, i, r))
			continue;
		paths = "";
		for (size_t k = i; k < p->rule_count; k++) {
			if (p->rules[k].what == r)
				paths = join(p->arena, paths,
					     arena_printf(p->arena, "`%s`", p->rules[k].path));
		}
		strbuf_printf(p->out, "\n%s:\n\n", paths);
		for (; r->check; r++)
			strbuf_printf(p->out, "- `%s`\n", r->message);
	}
}

static void put_refusals(struct page *p)
{
	if (p->refusal_count)
		strbuf_puts(p->out,
			    "\n## What Spillway refuses besides\n\n"
			    "Upstream accepts it. [manifests](../manifests.md) has the other "
			    "differences.\n\n");
	for (size_t i = 0; i < p->refusal_count; i++) {
		const struct field *f = p->refusals[i].what;

		strbuf_printf(p->out, "- `%s`: %s\n", p->refusals[i].path, f->refuse_text);
	}
}

static const char *words_of(struct arena *a, const struct kind *k)
{
	const char *list = arena_printf(a, "`%s`, `%s`", k->plural, k->singular);

	for (const char *const *s = k->shorts; *s; s++)
		list = arena_printf(a, "%s, `%s`", list, *s);
	return list;
}

void reference_kind(struct arena *a, struct strbuf *out, const struct kind *k)
{
	struct page p = {.arena = a, .out = out, .root = k->fields};
	const char *versions = "";

	for (const char *const *v = k->versions; *v; v++)
		versions = join(a, versions, arena_printf(a, "`%s`", kind_api_version(a, k, *v)));
	strbuf_printf(out, "# %s\n\n%s\n\n" REFERENCE_NOTE, k->name, k->description);
	strbuf_printf(
		out, "| | |\n|---|---|\n| API | %s |\n| words for it | %s |\n| scope | %s |\n\n",
		versions, words_of(a, k),
		k->scope == SCOPE_CLUSTER ? "the cluster: it is in no namespace" : "a namespace");
	put_head(&p);
	for (const struct field *f = k->fields; f->name; f++) {
		if (strcmp(f->name, "metadata") == 0)
			put_row(&p, "metadata", f->acts, f,
				arena_printf(a, "%s [Its fields](metadata.md).", f->text));
		else
			put_field(&p, f->name, ACTS_AS_PARENT, f);
	}
	put_rules(&p);
	put_refusals(&p);
}

void reference_metadata(struct arena *a, struct strbuf *out)
{
	struct page p = {.arena = a, .out = out};
	const struct field *f = field_find(kinds[KIND_BACKEND].fields, "metadata");

	strbuf_puts(out,
		    "# metadata\n\nEvery resource has it, of every kind. Names, labels and the "
		    "keys of annotations are checked as an API server does.\n\n" REFERENCE_NOTE);
	put_head(&p);
	put_field(&p, f->name, ACTS_AS_PARENT, f);
}
