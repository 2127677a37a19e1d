/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which the matches of a frontend are asked, as the Gateway API has it: by listener and
 * host, then exact paths before regular expressions before beginnings, longer ones first, one with a method, more
 * headers, with more parameters, then the older route, its name, and the order of its rules.
 */
#include <stdlib.h>
#include <string.h>

#include "model/l7.h"

static int path_rank(const struct node *match)
{
	const char *type = node_text_at(match, "path.type", "PathPrefix");

	return strcmp(type, "Exact") == 0 ? 0 : strcmp(type, "PathPrefix") == 0 ? 2 : 1;
}

static int compare_counts(size_t a, size_t b)
{
	return a > b ? -1 : a < b;
}

/* A slash at the end of a beginning says nothing. */
static size_t path_len(const struct node *match)
{
	const char *path = node_text_at(match, "path.value", "/");
	const size_t len = strlen(path);

	return path_rank(match) == 2 && len && path[len - 1] == '/' ? len - 1 : len;
}

static int compare_nodes(const struct node *a, const struct node *b)
{
	int order = path_rank(a) - path_rank(b);

	if (!order)
		order = compare_counts(path_len(a), path_len(b));
	if (!order)
		order = compare_counts(node_member(a, "method") != NULL,
				       node_member(b, "method") != NULL);
	if (!order)
		order = compare_counts(node_count(node_member(a, "headers")),
				       node_count(node_member(b, "headers")));
	if (!order)
		order = compare_counts(node_count(node_member(a, "queryParams")),
				       node_count(node_member(b, "queryParams")));
	return order;
}

static int compare(const void *va, const void *vb, void *ctx)
{
	const struct l7_match *a = va, *b = vb;
	const struct frontend *f = ctx;
	const struct object *x = f->rules[a->rule].route, *y = f->rules[b->rule].route;
	int order = hosts_compare(f->listeners[a->listener].hostname,
				  f->listeners[b->listener].hostname);

	if (!order)
		order = hosts_compare(a->host, b->host);
	if (!order)
		order = compare_nodes(a->node, b->node);
	if (order)
		return order;
	if (x != y)
		return names_is_older(x, y) ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

void matches_sort(struct frontend *f)
{
	for (size_t i = 0; i < f->match_count; i++)
		f->matches[i].order = i;
	if (f->match_count > 1)
		qsort_r(f->matches, f->match_count, sizeof(*f->matches), compare, f);
}
