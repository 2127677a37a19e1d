/* SPDX-License-Identifier: BSD-2-Clause */
/* Several values stand in one cell with commas between, none is <none>, as kubectl prints them. */
#include "ctl/custom_columns.h"

#include <errno.h>
#include <string.h>

#include "ctl/jsonpath.h"

#define WHY_PATH                                                                                   \
	"unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' "   \
	"or '{.name1.name2}'"

/* TITLE:PATH; an empty path finds nothing. */
static int parse_one(struct arena *a, const char *text, struct custom_column *out, const char **why)
{
	const char *colon = strchr(text, ':');
	const char *path;

	if (!colon || strchr(colon + 1, ':')) {
		*why = arena_printf(a,
				    "unexpected custom-columns spec: %s, expected "
				    "<header>:<json-path-expr>",
				    text);
		return -EINVAL;
	}
	out->title = arena_strndup(a, text, (size_t)(colon - text));
	if (!colon[1])
		return 0;
	path = jsonpath_relaxed(a, colon + 1);
	if (path)
		return jsonpath_parse(a, path, &out->path, why);
	*why = WHY_PATH;
	return -EINVAL;
}

/* Up to a comma that is in no brackets. */
static size_t part_length(const char *text)
{
	unsigned int depth = 0;
	size_t len = 0;

	for (; text[len] && (text[len] != ',' || depth); len++) {
		if (text[len] == '[')
			depth++;
		else if (text[len] == ']' && depth)
			depth--;
	}
	return len;
}

int custom_columns_parse(struct arena *a, const char *text, struct custom_columns *out,
			 const char **why)
{
	struct custom_columns cc = {0};
	size_t len;
	int err;

	if (!text[0]) {
		*why = "custom-columns format specified but no custom columns given";
		return -EINVAL;
	}
	for (;; text += len + 1) {
		len = part_length(text);
		if (cc.count == TABLE_COLUMNS_MAX) {
			*why = arena_printf(a, "more than %d custom columns", TABLE_COLUMNS_MAX);
			return -EINVAL;
		}
		err = parse_one(a, arena_strndup(a, text, len), arena_push(a, cc.items, cc.count),
				why);
		if (err)
			return err;
		if (!text[len])
			break;
	}
	*out = cc;
	return 0;
}

void custom_columns_head(const struct custom_columns *cc, struct table *t)
{
	table_row(t);
	for (size_t i = 0; i < cc->count; i++)
		table_cell(t, cc->items[i].title);
}

static int cell(const struct custom_column *col, const struct node *object, struct table *t,
		const char **why)
{
	struct jsonpath_result r = {0};
	const char *text = "";
	int err = col->path ? jsonpath_find(t->arena, col->path, object, &r, why) : 0;

	if (err)
		return err;
	for (size_t i = 0; i < r.count; i++) {
		for (size_t k = 0; k < r.items[i].count; k++)
			text = arena_printf(t->arena, "%s%s%s", text, text[0] ? "," : "",
					    jsonpath_text(t->arena, r.items[i].items[k]));
	}
	table_cell(t, text[0] ? text : "<none>");
	return 0;
}

int custom_columns_row(const struct custom_columns *cc, const struct node *object, struct table *t,
		       const char **why)
{
	int err = 0;

	table_row(t);
	for (size_t i = 0; !err && i < cc->count; i++)
		err = cell(&cc->items[i], object, t, why);
	return err;
}
