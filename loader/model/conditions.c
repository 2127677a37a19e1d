/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditions of objects, and the warnings that say the same at the place of the field. */
#include <ctype.h>
#include <string.h>

#include "model/resolver.h"

#define NAMES_SHOWN 8

void condition_add(struct resolver *r, struct object *o, const struct condition *c)
{
	*arena_push(r->arena, o->conditions, o->condition_count) = *c;
}

void condition_plain(struct resolver *r, struct object *o, const char *type, bool status,
		     const char *reason, const char *message)
{
	const struct condition c = {
		.type = type, .status = status, .reason = reason, .message = message};

	condition_add(r, o, &c);
}

/* Its place in the model, from 1. */
static size_t subject_of(const struct model *m, const struct object *o)
{
	const bool is_in = o >= m->objects && o < m->objects + m->object_count;

	return is_in ? (size_t)(o - m->objects) + 1 : 0;
}

void resolve_warn(struct resolver *r, const struct object *o, struct loc loc, const char *text)
{
	if (!r->diags)
		return;
	r->diags->subject = subject_of(r->model, o);
	diag_warn(r->diags, loc.line ? loc : o->res.loc, "%s %s/%s: %s", o->res.kind->name,
		  o->res.namespace, o->res.name, text);
	r->diags->subject = 0;
}

const char *text_join(struct arena *a, const char *list, const char *separator, const char *what)
{
	return list ? arena_printf(a, "%s%s%s", list, separator, what) : what;
}

const char *text_sentence(struct arena *a, const char *text)
{
	const size_t len = strlen(text);
	char *out = arena_strdup(a, text);

	if (len == 0)
		return out;
	out[0] = (char)toupper((unsigned char)out[0]);
	return ispunct((unsigned char)out[len - 1]) ? out : arena_printf(a, "%s.", out);
}

void names_add(struct arena *a, struct name_list *list, const char *name)
{
	if (list->last && strcmp(list->last, name) == 0)
		return;
	list->last = name;
	if (list->count < NAMES_SHOWN)
		list->text = text_join(a, list->text, ", ", name);
	list->count++;
}

const char *names_text(struct arena *a, const struct name_list *list)
{
	if (list->count <= NAMES_SHOWN)
		return list->text;
	return arena_printf(a, "%s and %zu more", list->text, list->count - NAMES_SHOWN);
}

struct loc member_loc(const struct node *map, const char *key)
{
	const struct node *n = node_member(map, key);

	if (n)
		return n->loc;
	return map ? map->loc : (struct loc){0};
}

const struct condition *model_condition(const struct object *o, const char *type)
{
	for (size_t i = 0; i < o->condition_count; i++) {
		if (strcmp(o->conditions[i].type, type) == 0)
			return &o->conditions[i];
	}
	return NULL;
}
