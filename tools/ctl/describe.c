/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kubectl's generic description of an object whose kind it does not know. Alignment is that of a
 * tab writer: a column ends where a line has no value, so each block has a width of its own.
 */
#include "ctl/describe.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "ctl/terminal.h"

#define GAP		    2
#define INDENT		    2
#define ANNOTATION_MAX	    140 /* longer ones get a line of their own */
#define ANNOTATION_LINE	    138
#define LAST_APPLIED	    "kubectl.kubernetes.io/last-applied-configuration"
#define LEVEL_INDENT(level) ((level) * INDENT)

enum letter_class { CLASS_LOWER, CLASS_UPPER, CLASS_OTHER };

static enum letter_class class_of(char c)
{
	if (islower((unsigned char)c))
		return CLASS_LOWER;
	return isupper((unsigned char)c) ? CLASS_UPPER : CLASS_OTHER;
}

/* Only letters and dashes are split; what else a key may be (an annotation) stays as it is. */
static bool can_split(const char *field)
{
	for (; *field; field++) {
		if (!isalpha((unsigned char)*field) && *field != '-')
			return false;
	}
	return true;
}

/* The next word's length: "appProtocols" app, Protocols; "autoSNIFrom" auto, SNI, From. */
static size_t word_length(const char *s)
{
	size_t len = 1;

	while (s[len] && class_of(s[len]) == class_of(s[0]))
		len++;
	if (class_of(s[0]) != CLASS_UPPER || class_of(s[len]) != CLASS_LOWER || !s[len])
		return len;
	if (len > 1)
		return len - 1; /* the last capital begins the next word */
	while (s[len] && class_of(s[len]) == CLASS_LOWER)
		len++;
	return len;
}

static void add_word(struct strbuf *out, const char *word, size_t len)
{
	static const char *const acronyms[] = {"api", "url", "uid", "osb", "guid"};
	char c;

	for (size_t i = 0; i < sizeof(acronyms) / sizeof(acronyms[0]); i++) {
		if (strlen(acronyms[i]) != len || strncasecmp(acronyms[i], word, len) != 0)
			continue;
		for (size_t j = 0; j < len; j++) {
			c = (char)toupper((unsigned char)word[j]);
			strbuf_add(out, &c, 1);
		}
		return;
	}
	c = (char)toupper((unsigned char)word[0]);
	strbuf_add(out, &c, 1);
	strbuf_add(out, word + 1, len - 1);
}

const char *describe_label(struct arena *a, const char *field)
{
	struct strbuf out = {0};
	const char *label;
	size_t len;

	if (!field[0] || !can_split(field))
		return field;
	for (const char *p = field; *p; p += len) {
		len = word_length(p);
		if (out.len)
			strbuf_puts(&out, " ");
		add_word(&out, p, len);
	}
	label = arena_strndup(a, out.text, out.len);
	strbuf_done(&out);
	return label;
}

/* What follows a line break in a value is a line without a column. */
void describe_line(struct description *d, const char *title, const char *value)
{
	const char *first;
	size_t len;

	value = value ? terminal_safe(d->arena, value) : NULL;
	title = title ? terminal_safe(d->arena, title) : NULL;
	len = value ? strcspn(value, "\n") : 0;
	first = value ? arena_strndup(d->arena, value, len) : NULL;
	*arena_push(d->arena, d->lines, d->count) = (struct description_line){title, first};
	if (!value || !value[len])
		return;
	for (value += len + 1; *value; value += len + (value[len] == '\n')) {
		len = strcspn(value, "\n");
		*arena_push(d->arena, d->lines, d->count) =
			(struct description_line){NULL, arena_strndup(d->arena, value, len)};
	}
}

static const char *scalar_text(struct arena *a, const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "<nil>";
	case NODE_BOOL:
		return n->boolean ? "true" : "false";
	case NODE_INT:
		return arena_printf(a, "%lld", (long long)n->integer);
	case NODE_FLOAT:
		return arena_printf(a, "%g", n->number);
	case NODE_STRING:
		return n->text;
	case NODE_LIST:
	case NODE_MAP:
		return "";
	}
	return "";
}

static const char *title_text(struct arena *a, int level, const char *label)
{
	return arena_printf(a, "%*s%s:", LEVEL_INDENT(level), "", label);
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *const *na = a, *const *nb = b;

	return strcmp((*na)->key, (*nb)->key);
}

struct node **describe_sorted(struct arena *a, const struct node *map)
{
	struct node **items = arena_array(a, node_count(map) + 1, sizeof(struct node *));

	if (!node_count(map))
		return items;
	memcpy(items, map->items, map->count * sizeof(struct node *));
	qsort(items, map->count, sizeof(struct node *), compare_keys);
	return items;
}

/* What stands above the fields already, and what no reader wants. */
static bool is_skipped(const char *path)
{
	static const char *const skipped[] = {"metadata.managedFields", "metadata.name",
					      "metadata.namespace", "metadata.labels",
					      "metadata.annotations"};

	for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++) {
		if (strcmp(path, skipped[i]) == 0)
			return true;
	}
	return false;
}

static void describe_map(struct description *d, const struct node *map, int level,
			 const char *prefix);

static void describe_list(struct description *d, const struct node *list, int level,
			  const char *path)
{
	const struct node *item;

	for (size_t i = 0; i < list->count; i++) {
		item = list->items[i];
		if (item->type == NODE_MAP)
			describe_map(d, item, level, path);
		else
			describe_line(d,
				      arena_printf(d->arena, "%*s%s", LEVEL_INDENT(level), "",
						   scalar_text(d->arena, item)),
				      NULL);
	}
}

static void describe_map(struct description *d, const struct node *map, int level,
			 const char *prefix)
{
	struct node **members = describe_sorted(d->arena, map);
	const struct node *m;
	const char *path, *title;

	for (size_t i = 0; i < map->count; i++) {
		m = members[i];
		path = arena_printf(d->arena, "%s%s%s", prefix, prefix[0] ? "." : "", m->key);
		if (is_skipped(path))
			continue;
		title = title_text(d->arena, level, describe_label(d->arena, m->key));
		describe_line(d, title,
			      m->type == NODE_MAP || m->type == NODE_LIST
				      ? NULL
				      : scalar_text(d->arena, m));
		if (m->type == NODE_MAP)
			describe_map(d, m, level + 1, path);
		else if (m->type == NODE_LIST)
			describe_list(d, m, level + 1, path);
	}
}

static void describe_labels(struct description *d, const struct node *labels)
{
	struct node **members;

	if (!node_count(labels)) {
		describe_line(d, "Labels:", "<none>");
		return;
	}
	members = describe_sorted(d->arena, labels);
	for (size_t i = 0; i < labels->count; i++)
		describe_line(d, i ? "" : "Labels:",
			      arena_printf(d->arena, "%s=%s", members[i]->key,
					   scalar_text(d->arena, members[i])));
}

/* "key: value", or the lines of what is longer below its key, none of them longer than most. */
static void describe_annotation(struct description *d, const char *title, const struct node *n)
{
	const char *value = scalar_text(d->arena, n);
	size_t end = strlen(value), len;

	end -= end && value[end - 1] == '\n';
	value = arena_strndup(d->arena, value, end);
	if (strlen(n->key) + 2 + end <= ANNOTATION_MAX && !strchr(value, '\n')) {
		describe_line(d, title, arena_printf(d->arena, "%s: %s", n->key, value));
		return;
	}
	describe_line(d, title, arena_printf(d->arena, "%s:", n->key));
	for (;; value += len + 1) {
		len = strcspn(value, "\n");
		describe_line(d, "",
			      arena_printf(d->arena, "  %.*s%s",
					   (int)(len > ANNOTATION_LINE ? ANNOTATION_LINE : len),
					   value, len > ANNOTATION_LINE ? "..." : ""));
		if (!value[len])
			return;
	}
}

static void describe_annotations(struct description *d, const struct node *annotations)
{
	const char *title = "Annotations:";
	struct node **members;

	members = annotations ? describe_sorted(d->arena, annotations) : NULL;
	for (size_t i = 0; i < node_count(annotations); i++) {
		if (strcmp(members[i]->key, LAST_APPLIED) == 0)
			continue;
		describe_annotation(d, title, members[i]);
		title = "";
	}
	if (title[0])
		describe_line(d, title, "<none>");
}

void describe_head(struct description *d, const struct node *object)
{
	describe_line(d, "Name:", node_text_at(object, "metadata.name", ""));
	describe_line(d, "Namespace:", node_text_at(object, "metadata.namespace", ""));
	describe_labels(d, node_at(object, "metadata.labels"));
	describe_annotations(d, node_at(object, "metadata.annotations"));
}

void describe_object(struct description *d, const struct node *object)
{
	describe_head(d, object);
	describe_map(d, object, 0, "");
}

/* Prints the lines [first, end), which all have a value. */
static void print_block(const struct description *d, size_t first, size_t end, FILE *out)
{
	size_t width = 0;

	for (size_t i = first; i < end; i++) {
		if (strlen(d->lines[i].title) > width)
			width = strlen(d->lines[i].title);
	}
	for (size_t i = first; i < end; i++)
		fprintf(out, "%-*s%s\n", (int)(width + GAP), d->lines[i].title, d->lines[i].value);
}

void describe_print(const struct description *d, FILE *out)
{
	const struct description_line *line;
	size_t end;

	for (size_t i = 0; i < d->count; i = end) {
		line = &d->lines[i];
		end = i + 1;
		if (!line->title || !line->value) {
			fprintf(out, "%s\n", line->title ? line->title : line->value);
			continue;
		}
		while (end < d->count && d->lines[end].title && d->lines[end].value)
			end++;
		print_block(d, i, end, out);
	}
}
