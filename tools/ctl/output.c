/* SPDX-License-Identifier: BSD-2-Clause */
/* The printers are manifest/'s; here are kubectl's order of keys and its List. */
#include "ctl/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_INDENT 4

/* In the order in which the message lists them. */
static const struct {
	const char *word;
	enum output_form form;
} forms[] = {
	{"custom-columns", OUTPUT_COLUMNS},
	{"json", OUTPUT_JSON},
	{"jsonpath", OUTPUT_JSONPATH},
	{"jsonpath-as-json", OUTPUT_JSONPATH_JSON},
	{"name", OUTPUT_NAME},
	{"wide", OUTPUT_WIDE},
	{"yaml", OUTPUT_YAML},
};

#define FORM_COUNT (sizeof(forms) / sizeof(forms[0]))

static bool has_argument(enum output_form form)
{
	return form == OUTPUT_COLUMNS || form == OUTPUT_JSONPATH || form == OUTPUT_JSONPATH_JSON;
}

/* Is `word` the form, with an argument if it may have one? */
static bool is_form(size_t i, const char *word)
{
	const size_t len = strlen(forms[i].word);

	return strncmp(word, forms[i].word, len) == 0 &&
	       (!word[len] || (word[len] == '=' && has_argument(forms[i].form)));
}

const char *output_argument(const struct ctl *c)
{
	const char *word = args_text(&c->args, "output");
	const char *equals = word ? strchr(word, '=') : NULL;

	return equals ? equals + 1 : "";
}

int output_parse(struct ctl *c, unsigned int allowed, enum output_form *out)
{
	const char *word = args_text(&c->args, "output");
	const char *list = "";

	if (!word || !word[0]) {
		*out = OUTPUT_TABLE;
		return 0;
	}
	for (size_t i = 0; i < FORM_COUNT; i++) {
		if (!(allowed & OUTPUT_BIT(forms[i].form)))
			continue;
		if (is_form(i, word)) {
			*out = forms[i].form;
			return 0;
		}
		list = arena_printf(c->arena, "%s%s%s", list, list[0] ? "," : "", forms[i].word);
	}
	return ctl_error("unable to match a printer suitable for the output format \"%s\", "
			 "allowed formats are: %s",
			 word, list);
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *const *na = a, *const *nb = b;

	return strcmp((*na)->key, (*nb)->key);
}

void output_sort(struct node *n)
{
	for (size_t i = 0; i < node_count(n); i++)
		output_sort(n->items[i]);
	if (n->type == NODE_MAP && n->count)
		qsort(n->items, n->count, sizeof(struct node *), compare_keys);
}

int output_tree(struct node *n, enum output_form form)
{
	AUTO(free) char *text = NULL;

	output_sort(n);
	text = form == OUTPUT_JSON ? node_to_json(n, JSON_INDENT) : node_to_yaml(n);
	if (!text)
		return ctl_error("out of memory");
	fputs(text, stdout);
	if (text[0] && text[strlen(text) - 1] != '\n')
		putchar('\n');
	return 0;
}

struct node *output_list_node(struct arena *a, const struct found_list *found)
{
	struct loc nowhere = {0};
	struct node *list = node_new(a, NODE_MAP, nowhere);
	struct node *items = node_new(a, NODE_LIST, nowhere);
	struct node *metadata = node_new(a, NODE_MAP, nowhere);

	for (size_t i = 0; i < found->count; i++)
		node_append(a, items, found->items[i].object);
	node_set(a, list, "apiVersion", node_new_string(a, "v1", nowhere));
	node_set(a, list, "items", items);
	node_set(a, list, "kind", node_new_string(a, "List", nowhere));
	node_set(a, metadata, "resourceVersion", node_new_string(a, "", nowhere));
	node_set(a, list, "metadata", metadata);
	return list;
}

int output_list(struct ctl *c, const struct found_list *found, enum output_form form)
{
	return output_tree(output_list_node(c->arena, found), form);
}
