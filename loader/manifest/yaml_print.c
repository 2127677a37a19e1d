/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trees to YAML as kubectl prints it: libyaml's emitter is the ancestor of kubectl's, so only the
 * choice of styles is ours: what would read as another type is quoted, lines make a literal block.
 * Lines are never folded: a folded message cannot be searched.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/strbuf.h"
#include "manifest/manifest.h"
#include "manifest/scalar.h"

static int append(void *arg, unsigned char *bytes, size_t len)
{
	strbuf_add(arg, (const char *)bytes, len);
	return 1;
}

/* Out of memory is the only failure: everything emitted here is well-formed. */
static void emit(yaml_emitter_t *e, yaml_event_t *event)
{
	if (!yaml_emitter_emit(e, event))
		abort();
}

/* Sexagesimals are strings here, but numbers to older readers: 1:30, +12:30:45.5 */
static bool is_base60(const char *s)
{
	size_t n;

	s += *s == '+' || *s == '-';
	n = strspn(s, "0123456789_");
	if (n == 0 || s[n] != ':')
		return false;
	while (s[n] == ':') {
		s += n + 1;
		n = strspn(s, "0123456789");
		if (n < 1 || n > 2)
			return false;
	}
	s += n;
	return *s == '\0' || (*s == '.' && !s[1 + strspn(s + 1, "0123456789_")]);
}

/* Dates are strings here, but a type of their own to other readers: 2026-11-23T10:00:00Z */
static bool is_timestamp(const char *s)
{
	static const char digits[] = "0123456789";
	size_t month, day;

	if (strspn(s, digits) != 4 || s[4] != '-')
		return false;
	month = strspn(s + 5, digits);
	if (!month || s[5 + month] != '-')
		return false;
	s += 6 + month;
	day = strspn(s, digits);
	return day && (!s[day] || strchr("Tt ", s[day]));
}

static yaml_scalar_style_t string_style(const char *text, size_t len)
{
	if (memchr(text, '\n', len))
		return YAML_LITERAL_SCALAR_STYLE;
	if (scalar_resolve(text, len).type != SCALAR_STRING || is_base60(text) ||
	    is_timestamp(text) || strcmp(text, "<<") == 0)
		return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return YAML_PLAIN_SCALAR_STYLE;
}

static void emit_text(yaml_emitter_t *e, const char *text, size_t len, yaml_scalar_style_t style)
{
	yaml_event_t event;

	yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)len, 1, 1,
				     style);
	emit(e, &event);
}

static int by_key(const void *a, const void *b)
{
	const struct node *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static void emit_node(yaml_emitter_t *e, const struct node *n);

static void emit_map(yaml_emitter_t *e, const struct node *n)
{
	AUTO(free) struct node **sorted = calloc(n->count + 1, sizeof(*sorted));
	yaml_event_t event;

	if (!sorted)
		abort();
	if (n->count)
		memcpy(sorted, n->items, n->count * sizeof(*sorted));
	qsort(sorted, n->count, sizeof(*sorted), by_key);
	yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE);
	emit(e, &event);
	for (size_t i = 0; i < n->count; i++) {
		emit_text(e, sorted[i]->key, strlen(sorted[i]->key),
			  string_style(sorted[i]->key, strlen(sorted[i]->key)));
		emit_node(e, sorted[i]);
	}
	yaml_mapping_end_event_initialize(&event);
	emit(e, &event);
}

static void emit_list(yaml_emitter_t *e, const struct node *n)
{
	yaml_event_t event;

	yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE);
	emit(e, &event);
	for (size_t i = 0; i < n->count; i++)
		emit_node(e, n->items[i]);
	yaml_sequence_end_event_initialize(&event);
	emit(e, &event);
}

static void emit_node(yaml_emitter_t *e, const struct node *n)
{
	char *json;

	switch (n->type) {
	case NODE_STRING:
		emit_text(e, n->text, n->text_len, string_style(n->text, n->text_len));
		break;
	case NODE_LIST:
		emit_list(e, n);
		break;
	case NODE_MAP:
		emit_map(e, n);
		break;
	case NODE_NULL:
	case NODE_BOOL:
	case NODE_INT:
	case NODE_FLOAT:
		json = node_to_json(n, 0);
		emit_text(e, json, strlen(json), YAML_PLAIN_SCALAR_STYLE);
		free(json);
		break;
	}
}

char *node_to_yaml(const struct node *n)
{
	struct strbuf out = {0};
	yaml_emitter_t e;
	yaml_event_t event;

	if (!yaml_emitter_initialize(&e))
		abort();
	yaml_emitter_set_output(&e, append, &out);
	yaml_emitter_set_unicode(&e, 1);
	yaml_emitter_set_indent(&e, 2);
	yaml_emitter_set_width(&e, -1);
	yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
	emit(&e, &event);
	yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
	emit(&e, &event);
	emit_node(&e, n);
	yaml_document_end_event_initialize(&event, 1);
	emit(&e, &event);
	yaml_stream_end_event_initialize(&event);
	emit(&e, &event);
	yaml_emitter_flush(&e);
	yaml_emitter_delete(&e);
	return strbuf_take(&out);
}
