/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers are sorted as such, texts naturally: web-2 before web-10, as kubectl does. */
#include "ctl/sort_by.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/jsonpath.h"

struct keyed {
	struct found found;
	const struct node *key; /* NULL: it has none */
	size_t index;
};

/* The length of the digits at `s`, leading zeros skipped. */
static size_t digits(const char **s)
{
	size_t len = 0;

	while (**s == '0' && isdigit((unsigned char)(*s)[1]))
		(*s)++;
	while (isdigit((unsigned char)(*s)[len]))
		len++;
	return len;
}

static int compare_texts(const char *a, const char *b)
{
	size_t len_a, len_b;
	int order;

	while (*a && *b) {
		if (!isdigit((unsigned char)*a) || !isdigit((unsigned char)*b)) {
			if (*a != *b)
				return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
			a++;
			b++;
			continue;
		}
		len_a = digits(&a);
		len_b = digits(&b);
		if (len_a != len_b)
			return len_a < len_b ? -1 : 1;
		order = strncmp(a, b, len_a);
		if (order)
			return order;
		a += len_a;
		b += len_b;
	}
	return (*a != '\0') - (*b != '\0');
}

static double number(const struct node *n)
{
	return n->type == NODE_INT ? (double)n->integer : n->number;
}

static int compare(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = 0;

	if (!x->key || !y->key)
		order = (x->key != NULL) - (y->key != NULL);
	else if (x->key->type == NODE_STRING && y->key->type == NODE_STRING)
		order = compare_texts(x->key->text, y->key->text);
	else if (x->key->type != NODE_STRING && y->key->type != NODE_STRING)
		order = (number(x->key) > number(y->key)) - (number(x->key) < number(y->key));
	else
		order = (x->key->type == NODE_STRING) - (y->key->type == NODE_STRING);
	return order ? order : (x->index > y->index) - (x->index < y->index);
}

static bool is_sortable(const struct node *n)
{
	return n->type == NODE_STRING || n->type == NODE_INT || n->type == NODE_FLOAT;
}

/* The first value that the path finds, in *out; NULL: none. */
static int find_key(struct ctl *c, const struct jsonpath *path, const struct node *object,
		    const struct node **out)
{
	struct jsonpath_result r = {0};
	const char *why = NULL;

	*out = NULL;
	if (jsonpath_find(c->arena, path, object, &r, &why))
		return ctl_error("%s", why);
	if (!r.count || !r.items[0].count || r.items[0].items[0]->type == NODE_NULL)
		return 0;
	if (!is_sortable(r.items[0].items[0]))
		return ctl_error("unsortable type: %s",
				 r.items[0].items[0]->type == NODE_BOOL	  ? "bool"
				 : r.items[0].items[0]->type == NODE_LIST ? "list"
									  : "map");
	*out = r.items[0].items[0];
	return 0;
}

static struct jsonpath *parse(struct ctl *c, const char *text, const char **relaxed)
{
	struct jsonpath *path = NULL;
	const char *why = "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
			  "'{name1.name2}' or '{.name1.name2}'";

	*relaxed = jsonpath_relaxed(c->arena, text);
	if (!*relaxed || jsonpath_parse(c->arena, *relaxed, &path, &why)) {
		(void)ctl_error("%s", why);
		return NULL;
	}
	return path;
}

int sort_by(struct ctl *c, const char *text, struct found_list *found)
{
	struct keyed *list = arena_array(c->arena, found->count + 1, sizeof(*list));
	const char *relaxed;
	struct jsonpath *path = parse(c, text, &relaxed);
	bool any = !found->count;

	if (!path)
		return 1;
	for (size_t i = 0; i < found->count; i++) {
		list[i] = (struct keyed){.found = found->items[i], .index = i};
		if (find_key(c, path, found->items[i].object, &list[i].key))
			return 1;
		any = any || list[i].key;
	}
	if (!any)
		return ctl_error("couldn't find any field with path \"%s\" in the list of objects",
				 relaxed);
	qsort(list, found->count, sizeof(*list), compare);
	for (size_t i = 0; i < found->count; i++)
		found->items[i] = list[i].found;
	return 0;
}
