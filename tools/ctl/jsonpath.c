/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each step turns a list of values into the next one. `range` repeats what follows it up to its
 * `end`; both are found by running, as in Kubernetes' client library, so they may stand anywhere.
 */
#include "ctl/jsonpath.h"

#include <errno.h>
#include <string.h>

struct run {
	struct arena *arena;
	const char *why;
	bool range_begins;
	unsigned int ranges; /* open ones */
	bool range_ends;
	size_t end; /* index of the latest `end` */
};

static const struct loc nowhere;

static int fail(struct run *r, const char *why)
{
	r->why = why;
	return -EINVAL;
}

static void add(struct run *r, struct jsonpath_found *list, const struct node *n)
{
	*arena_push(r->arena, list->items, list->count) = n;
}

static int walk(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		struct jsonpath_found *out);

static int walk_list(struct run *r, const struct jsonpath *list, const struct jsonpath_found *in,
		     struct jsonpath_found *out)
{
	struct jsonpath_found now = *in, next;
	int err;

	for (size_t i = 0; i < list->count; i++) {
		next = (struct jsonpath_found){0};
		err = walk(r, list->items[i], &now, &next);
		if (err)
			return err;
		now = next;
	}
	*out = now;
	return 0;
}

static const char *go_type(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "<nil>";
	case NODE_BOOL:
		return "bool";
	case NODE_INT:
		return "int64";
	case NODE_FLOAT:
		return "float64";
	case NODE_STRING:
		return "string";
	case NODE_LIST:
		return "[]interface {}";
	case NODE_MAP:
		return "map[string]interface {}";
	}
	return "";
}

static long from_end(struct jsonpath_param p, long count)
{
	return p.value < 0 || (p.derived && !p.value) ? p.value + count : p.value;
}

static int slice(struct run *r, const struct jsonpath *step, const struct node *list,
		 struct jsonpath_found *out)
{
	const struct jsonpath_param *p = step->slice;
	const long count = (long)list->count;
	const long begin = p[0].known ? from_end(p[0], count) : 0;
	const long end = p[1].known ? from_end(p[1], count) : count;
	const long stride = p[2].known ? p[2].value : 1;

	if (begin == end)
		return 0;
	if (begin < 0 || begin >= count || end < 0 || end > count)
		return fail(r, arena_printf(r->arena,
					    "array index out of bounds: index %ld, length %ld",
					    begin < 0 || begin >= count ? begin : end - 1, count));
	if (begin > end)
		return fail(r, arena_printf(r->arena,
					    "starting index %ld is greater than ending index %ld",
					    begin, end));
	if (stride <= 0)
		return fail(r, "step must be > 0");
	for (long i = begin; i < end; i += stride)
		add(r, out, list->items[i]);
	return 0;
}

static int walk_slice(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		      struct jsonpath_found *out)
{
	const struct node *n;
	int err = 0;

	for (size_t i = 0; !err && i < in->count; i++) {
		n = in->items[i];
		if (n->type == NODE_NULL)
			continue;
		if (n->type != NODE_LIST)
			return fail(r,
				    arena_printf(r->arena, "%s is not array or slice", go_type(n)));
		err = slice(r, step, n, out);
	}
	return err;
}

static void walk_field(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		       struct jsonpath_found *out)
{
	const struct node *member;

	for (size_t i = 0; i < in->count; i++) {
		member = step->text[0] ? node_member(in->items[i], step->text) : in->items[i];
		if (member)
			add(r, out, member);
	}
}

static void walk_wildcard(struct run *r, const struct jsonpath_found *in,
			  struct jsonpath_found *out)
{
	for (size_t i = 0; i < in->count; i++) {
		for (size_t k = 0; k < node_count(in->items[i]); k++)
			add(r, out, in->items[i]->items[k]);
	}
}

/* A value that has some inside, and all such below it. */
static void add_containers(struct run *r, const struct node *n, struct jsonpath_found *out)
{
	if (node_count(n))
		add(r, out, n);
	for (size_t i = 0; i < node_count(n); i++)
		add_containers(r, n->items[i], out);
}

static int walk_union(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		      struct jsonpath_found *out)
{
	struct jsonpath_found part;
	int err;

	for (size_t i = 0; i < step->count; i++) {
		err = walk_list(r, step->items[i], in, &part);
		if (err)
			return err;
		for (size_t k = 0; k < part.count; k++)
			add(r, out, part.items[k]);
	}
	return 0;
}

static bool is_number(const struct node *n)
{
	return n->type == NODE_INT || n->type == NODE_FLOAT;
}

static double number(const struct node *n)
{
	return n->type == NODE_INT ? (double)n->integer : n->number;
}

/* -1, 0, 1; booleans are only equal or not. */
static int order(const struct node *a, const struct node *b)
{
	int text;

	if (a->type == NODE_BOOL)
		return (int)a->boolean - (int)b->boolean;
	if (a->type == NODE_STRING) {
		text = strcmp(a->text, b->text);
		return (text > 0) - (text < 0);
	}
	if (a->type == NODE_INT && b->type == NODE_INT)
		return (a->integer > b->integer) - (a->integer < b->integer);
	return (number(a) > number(b)) - (number(a) < number(b));
}

static int compare(struct run *r, const char *op, const struct node *a, const struct node *b,
		   bool *out)
{
	static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="};
	const bool comparable = (is_number(a) && is_number(b)) ||
				(a->type == b->type && a->type == NODE_STRING) ||
				(a->type == b->type && a->type == NODE_BOOL);
	size_t i = 0;
	int way;

	while (i < 6 && strcmp(ops[i], op) != 0)
		i++;
	if (i == 6)
		return fail(r, arena_printf(r->arena, "unrecognized filter operator %s", op));
	if (!comparable)
		return fail(r, "incompatible types for comparison");
	if (a->type == NODE_BOOL && i > 1)
		return fail(r, "invalid type for comparison");
	way = order(a, b);
	*out = (i == 0 && !way) || (i == 1 && way) || (i == 2 && way < 0) || (i == 3 && way <= 0) ||
	       (i == 4 && way > 0) || (i == 5 && way >= 0);
	return 0;
}

/* Does the filter let `item` pass? */
static int passes(struct run *r, const struct jsonpath *filter, const struct node *item, bool *out)
{
	struct jsonpath_found one = {.items = &item, .count = 1}, left, right;
	int err = walk_list(r, filter->left, &one, &left);

	*out = false;
	if (err)
		return err;
	if (!filter->right) {
		*out = left.count > 0;
		return 0;
	}
	if (!left.count)
		return 0;
	err = walk_list(r, filter->right, &one, &right);
	if (err || !right.count)
		return err;
	if (left.count > 1 || right.count > 1)
		return fail(r, "can only compare one element at a time");
	return compare(r, filter->text, left.items[0], right.items[0], out);
}

static int walk_filter(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		       struct jsonpath_found *out)
{
	const struct node *list;
	bool passed;
	int err;

	for (size_t i = 0; i < in->count; i++) {
		list = in->items[i];
		if (list->type != NODE_LIST)
			return fail(r,
				    arena_printf(r->arena,
						 "%s is not array or slice and cannot be filtered",
						 jsonpath_text(r->arena, list)));
		for (size_t k = 0; k < list->count; k++) {
			err = passes(r, step, list->items[k], &passed);
			if (err)
				return err;
			if (passed)
				add(r, out, list->items[k]);
		}
	}
	return 0;
}

static int walk_word(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		     struct jsonpath_found *out)
{
	if (strcmp(step->text, "range") == 0) {
		r->range_begins = true;
		*out = *in;
		return 0;
	}
	if (strcmp(step->text, "end") != 0)
		return fail(r, arena_printf(r->arena, "unrecognized identifier %s", step->text));
	if (!r->ranges)
		return fail(r, "not in range, nothing to end");
	r->range_ends = true;
	return 0;
}

static int walk(struct run *r, const struct jsonpath *step, const struct jsonpath_found *in,
		struct jsonpath_found *out)
{
	switch (step->type) {
	case JSONPATH_LIST:
		return walk_list(r, step, in, out);
	case JSONPATH_TEXT:
	case JSONPATH_NUMBER:
	case JSONPATH_BOOL:
		add(r, out, step->value);
		return 0;
	case JSONPATH_FIELD:
		walk_field(r, step, in, out);
		return 0;
	case JSONPATH_SLICE:
		return walk_slice(r, step, in, out);
	case JSONPATH_FILTER:
		return walk_filter(r, step, in, out);
	case JSONPATH_WILDCARD:
		walk_wildcard(r, in, out);
		return 0;
	case JSONPATH_RECURSIVE:
		for (size_t i = 0; i < in->count; i++)
			add_containers(r, in->items[i], out);
		return 0;
	case JSONPATH_UNION:
		return walk_union(r, step, in, out);
	case JSONPATH_WORD:
		return walk_word(r, step, in, out);
	}
	return 0;
}

static int find(struct run *r, const struct jsonpath *root, size_t first, const struct node *data,
		struct jsonpath_result *out);

/* Runs what is behind `range` for each value, or once in vain to find the `end`. */
static int repeat(struct run *r, const struct jsonpath *root, size_t range,
		  const struct jsonpath_found *values, struct jsonpath_result *out)
{
	struct jsonpath_result nowhere_to = {0};
	int err = 0;

	r->ranges++;
	r->end = root->count;
	for (size_t i = 0; !err && i < values->count; i++)
		err = find(r, root, range + 1, values->items[i], out);
	if (!values->count)
		err = find(r, root, range + 1, node_new(r->arena, NODE_NULL, nowhere), &nowhere_to);
	r->ranges--;
	return err;
}

static int find(struct run *r, const struct jsonpath *root, size_t first, const struct node *data,
		struct jsonpath_result *out)
{
	const struct jsonpath_found start = {.items = &data, .count = 1};
	struct jsonpath_found found;
	int err;

	for (size_t i = first; i < root->count; i++) {
		found = (struct jsonpath_found){0};
		err = walk(r, root->items[i], &start, &found);
		if (err)
			return err;
		if (r->range_ends) {
			r->range_ends = false;
			r->end = i;
			return 0;
		}
		if (!r->range_begins) {
			*arena_push(r->arena, out->items, out->count) = found;
			continue;
		}
		r->range_begins = false;
		err = repeat(r, root, i, &found, out);
		if (err)
			return err;
		i = r->end;
	}
	r->end = root->count;
	return 0;
}

int jsonpath_find(struct arena *a, const struct jsonpath *path, const struct node *data,
		  struct jsonpath_result *out, const char **why)
{
	struct jsonpath_result result = {0};
	struct run r = {.arena = a};
	int err = find(&r, path, 0, data, &result);

	if (err)
		*why = r.why;
	else
		*out = result;
	return err;
}
