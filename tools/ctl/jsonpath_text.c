/* SPDX-License-Identifier: BSD-2-Clause */
/* JSONPath at its edges: what users write for a path, and how results are shown. */
#include "ctl/jsonpath.h"

#include <stdlib.h>
#include <string.h>

#include "manifest/manifest.h"

#define JSON_INDENT 4

static const struct loc nowhere;

const char *jsonpath_relaxed(struct arena *a, const char *text)
{
	size_t len = strlen(text);

	if (len > 1 && text[0] == '{' && text[len - 1] == '}') {
		text++;
		len -= 2;
	}
	if (*text == '.') {
		text++;
		len--;
	}
	if (!len || memchr(text, '{', len) || memchr(text, '}', len))
		return NULL;
	return arena_printf(a, "{.%.*s}", (int)len, text);
}

const char *jsonpath_text(struct arena *a, const struct node *n)
{
	AUTO(free) char *json = n->type == NODE_STRING ? NULL : node_to_json(n, 0);

	if (n->type == NODE_STRING)
		return n->text;
	return json ? arena_strdup(a, json) : "";
}

void jsonpath_print(struct arena *a, const struct jsonpath_result *r, FILE *out)
{
	const struct jsonpath_found *f;

	for (size_t i = 0; i < r->count; i++) {
		f = &r->items[i];
		for (size_t k = 0; k < f->count; k++)
			fprintf(out, "%s%s", k ? " " : "", jsonpath_text(a, f->items[k]));
	}
}

void jsonpath_print_json(struct arena *a, const struct jsonpath_result *r, FILE *out)
{
	struct node *list;

	for (size_t i = 0; i < r->count; i++) {
		AUTO(free) char *text = NULL;

		list = node_new(a, NODE_LIST, nowhere);
		for (size_t k = 0; k < r->items[i].count; k++)
			node_append(a, list, node_copy(a, r->items[i].items[k]));
		text = node_to_json(list, JSON_INDENT);
		if (text)
			fprintf(out, "%s\n", text);
	}
}
