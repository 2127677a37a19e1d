/* SPDX-License-Identifier: BSD-2-Clause */
/* What kubectl's explain has no place for: everything the tables say about a value. */
#include <inttypes.h>
#include <string.h>

#include "ctl/explain.h"

/* "1 to 256", "at least 1", "at most 256"; NULL: no limits. */
static const char *range_text(struct arena *a, const struct field *f)
{
	if (f->has_min && f->has_max)
		return arena_printf(a, "%" PRId64 " to %" PRId64, f->min, f->max);
	if (f->has_min)
		return arena_printf(a, "at least %" PRId64, f->min);
	return f->has_max ? arena_printf(a, "at most %" PRId64, f->max) : NULL;
}

static const char *limits_text(struct arena *a, const struct field *f)
{
	const char *range = range_text(a, f);

	if (!range)
		return NULL;
	switch (f->type) {
	case FIELD_STRING:
		return arena_printf(a, "length: %s characters", range);
	case FIELD_LIST:
		return arena_printf(a, "items: %s", range);
	case FIELD_MAP:
	case FIELD_OBJECT:
		return arena_printf(a, "members: %s", range);
	case FIELD_INT32:
	case FIELD_INT64:
	case FIELD_NUMBER:
		return arena_printf(a, "value: %s", range);
	case FIELD_BOOL:
	case FIELD_QUANTITY:
	case FIELD_ANY:
		break;
	}
	return NULL;
}

static const char *values_text(struct arena *a, const struct field *f)
{
	const char *text = NULL;

	for (const char *const *v = f->values; v && *v; v++)
		text = arena_printf(a, "%s%s%s", text ? text : "one of: ", text ? ", " : "", *v);
	return text;
}

struct section {
	FILE *out;
	struct arena *arena;
	const char *prefix; /* "each ": of what a list or map has */
	bool begun;
};

static void add(struct section *s, const char *text)
{
	if (!text)
		return;
	if (!s->begun)
		fputs("RULES:\n", s->out);
	s->begun = true;
	explain_wrapped(s->out, arena_printf(s->arena, "- %s%s", s->prefix, text));
}

static void add_field(struct section *s, const struct field *f)
{
	struct arena *a = s->arena;

	add(s, f->preset ? arena_printf(a, "default: %s", f->preset) : NULL);
	add(s, limits_text(a, f));
	add(s, f->pattern ? arena_printf(a, "pattern: %s", f->pattern->text) : NULL);
	add(s, f->base64 ? "bytes in base64" : NULL);
	add(s, f->list_key ? arena_printf(a, "unique by: %s", f->list_key) : NULL);
	add(s, f->is_set ? "none twice" : NULL);
	for (const struct rule *r = f->rules; r && r->check; r++)
		add(s, r->message);
}

void explain_rules(FILE *out, struct arena *a, const struct field *f)
{
	struct section s = {.out = out, .arena = a, .prefix = ""};

	add_field(&s, f);
	s.prefix = "each: ";
	for (const struct field *i = f->item; i; i = i->item) {
		add(&s, values_text(a, i));
		add_field(&s, i);
	}
	if (s.begun)
		fputs("    \n", out);
}
