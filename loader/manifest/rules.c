/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the rules that hang at the rows of a table. They may rely on all types being right. */
#include "manifest/quote.h"
#include "manifest/schema.h"

/*
 * Where a broken rule is shown. Of a list it is the item that breaks it: the last of the shortest
 * front part of the list that does.
 */
static struct loc place_of(const struct rule *r, const struct node *n)
{
	struct node front = *n;

	if (n->type == NODE_STRING)
		return n->loc;
	if (n->type != NODE_LIST)
		return node_place(n);
	for (front.count = 1; front.count < n->count; front.count++) {
		if (r->check(&front) != RULE_HOLDS)
			break;
	}
	return n->count ? n->items[front.count - 1]->loc : node_place(n);
}

static void rules_of(struct check *c, const struct path *path, const struct field *f,
		     const struct node *n)
{
	const char *needs, *value = "";
	enum rule_result result;

	for (const struct rule *r = f->rules; r && r->check; r++) {
		result = r->check(n);
		if (result == RULE_HOLDS)
			continue;
		if (n->type == NODE_STRING)
			value = arena_printf(c->arena, "%s: ", quote_node(c->arena, n));
		needs = "";
		if (result == RULE_NO_KEY)
			needs = arena_printf(c->arena,
					     "no such key: %s evaluating rule: ", r->needs);
		check_invalid(c, place_of(r, n), path, "Invalid value: %s%s%s", value, needs,
			      r->message);
	}
}

static void walk(struct check *c, const struct path *path, const struct field *f,
		 const struct node *n)
{
	const struct field *row;

	rules_of(c, path, f, n);
	for (size_t i = 0; i < node_count(n); i++) {
		struct path at = {.up = path, .name = n->items[i]->key, .index = i};

		row = f->item;
		if (f->type == FIELD_OBJECT)
			row = field_find(f->fields, n->items[i]->key);
		if (row && f->type != FIELD_ANY)
			walk(c, &at, row, n->items[i]);
	}
}

/* Behind the other messages of the object, wherever they are sorted by place. */
static struct loc last_place(const struct check *c, const struct node *root)
{
	struct loc last = root->loc, loc;

	for (size_t i = c->first_diag; i < c->diags->count; i++) {
		loc = c->diags->items[i].loc;
		if (loc.line > last.line || (loc.line == last.line && loc.column > last.column))
			last = loc;
	}
	return last;
}

void schema_rules(struct check *c, const struct field *fields, const struct node *root)
{
	const struct node *member;

	if (c->blocked) {
		check_invalid(c, last_place(c, root), &(struct path){.name = "<nil>"},
			      "Invalid value: null: some validation rules were not checked because "
			      "the object was invalid; correct the existing errors to complete "
			      "validation");
		return;
	}
	for (; fields->name; fields++) {
		struct path at = {.name = fields->name};

		member = node_member(root, fields->name);
		if (member)
			walk(c, &at, fields, member);
	}
}
