/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * YAML text to trees, over libyaml's events: its own documents keep no place of keys, expand
 * nothing and know no YAML 1.1 scalars. After a syntax error reading goes on at the next `---`,
 * so that one run shows the mistakes of all documents.
 */
#include "manifest/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/limits.h"
#include "manifest/json.h"
#include "manifest/scalar.h"
#include "manifest/settle.h"
#include "manifest/text.h"

struct anchor {
	const char *name;
	const struct node *node; /* NULL while it is being read */
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct diags *diags;
	const char *file;
	struct text text;	/* all of it */
	size_t start;		/* where the parser began */
	int first_line;		/* the line of `start` */
	struct anchor *anchors; /* of the document */
	size_t anchor_count;
	size_t nodes;  /* of the whole text, aliases expanded */
	bool bad;      /* the document has a mistake */
	size_t broken; /* offset at which reading must stop, or SIZE_MAX */
};

static struct loc loc_of(const struct reader *r, const yaml_mark_t *mark)
{
	return (struct loc){.file = r->file,
			    .line = r->first_line + (int)mark->line,
			    .column = 1 + (int)mark->column};
}

static void complain(struct reader *r, struct loc loc, const char *text)
{
	r->bad = true;
	if (r->file)
		diag_add(
			r->diags, loc,
			"error: error parsing %s: error converting YAML to JSON: yaml: line %d: %s",
			r->file, loc.line, text);
	else
		diag_add(r->diags, loc, "error: error converting YAML to JSON: yaml: line %d: %s",
			 loc.line, text);
}

/* A mistake that ends the document; NULL for the caller to return. */
static struct node *give_up(struct reader *r, const yaml_mark_t *mark, const char *text)
{
	complain(r, loc_of(r, mark), text);
	r->broken = r->start + text_offset((struct text){.bytes = r->text.bytes + r->start,
							 .len = r->text.len - r->start},
					   mark->index);
	return NULL;
}

static bool syntax_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	const char *problem = p->problem ? p->problem : "out of memory";
	struct loc loc;

	if (p->error == YAML_SCANNER_ERROR || p->error == YAML_PARSER_ERROR) {
		(void)give_up(r, &p->problem_mark, problem);
		return false;
	}
	r->broken = r->start + p->problem_offset;
	if (r->broken > r->text.len)
		r->broken = r->text.len;
	loc = text_loc(r->text, r->broken, r->file, 1);
	complain(r, loc, problem);
	return false;
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
	if (r->broken != SIZE_MAX)
		return false;
	return yaml_parser_parse(&r->parser, event) ? true : syntax_error(r);
}

static bool count_nodes(struct reader *r, size_t n, const yaml_mark_t *mark)
{
	r->nodes += n;
	if (r->nodes <= LIMIT_YAML_NODES)
		return true;
	(void)give_up(r, mark, "document contains excessive aliasing or too many values");
	return false;
}

static void anchor_add(struct reader *r, const yaml_char_t *name)
{
	if (name)
		arena_push(r->arena, r->anchors, r->anchor_count)->name =
			arena_strdup(r->arena, (const char *)name);
}

/* `slot` is the count of anchors from before this node's was added. */
static void anchor_done(struct reader *r, const yaml_char_t *name, size_t slot, struct node *node)
{
	if (name && node)
		r->anchors[slot].node = node;
}

static size_t tree_size(const struct node *n, size_t limit)
{
	size_t size = 1;

	for (size_t i = 0; i < node_count(n) && size <= limit; i++)
		size += tree_size(n->items[i], limit - size);
	return size;
}

static struct node *compose_alias(struct reader *r, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *found = NULL;

	for (size_t i = r->anchor_count; i > 0 && !found; i--) {
		if (strcmp(r->anchors[i - 1].name, name) == 0)
			found = &r->anchors[i - 1];
	}
	if (!found)
		return give_up(r, &event->start_mark,
			       arena_printf(r->arena, "unknown anchor '%s' referenced", name));
	if (!found->node)
		return give_up(r, &event->start_mark,
			       arena_printf(r->arena, "anchor '%s' value contains itself", name));
	if (!count_nodes(r, tree_size(found->node, LIMIT_YAML_NODES), &event->start_mark))
		return NULL;
	return node_copy(r->arena, found->node);
}

static const struct {
	const char *tag;
	enum scalar_type type;
} tags[] = {
	{"tag:yaml.org,2002:null", SCALAR_NULL},
	{"tag:yaml.org,2002:bool", SCALAR_BOOL},
	{"tag:yaml.org,2002:int", SCALAR_INT},
	{"tag:yaml.org,2002:float", SCALAR_FLOAT},
};

/* What the tag and the style leave of the text's own meaning; unknown tags make strings. */
static struct scalar typed_scalar(struct reader *r, const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;
	const char *text = (const char *)event->data.scalar.value;
	struct scalar s = scalar_resolve(text, event->data.scalar.length);
	struct scalar string = {.type = SCALAR_STRING};

	if (!tag)
		return event->data.scalar.plain_implicit ? s : string;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (strcmp(tag, tags[i].tag) != 0)
			continue;
		if (s.type == SCALAR_INT && tags[i].type == SCALAR_FLOAT)
			return s; /* 80 and 80.0 are one number here */
		if (s.type != tags[i].type)
			complain(r, loc_of(r, &event->start_mark),
				 arena_printf(r->arena, "cannot decode %s `%s` as a %s",
					      scalar_tag(s.type), text, scalar_tag(tags[i].type)));
		return s;
	}
	return string;
}

static struct node *compose_scalar(struct reader *r, const yaml_event_t *event)
{
	struct loc loc = loc_of(r, &event->start_mark);
	struct scalar s = typed_scalar(r, event);

	switch (s.type) {
	case SCALAR_NULL:
		return node_new(r->arena, NODE_NULL, loc);
	case SCALAR_BOOL:
		return node_new_bool(r->arena, s.boolean, loc);
	case SCALAR_INT:
		return node_new_int(r->arena, s.integer, loc);
	case SCALAR_FLOAT:
		if (s.number - s.number != 0)
			complain(r, loc, "json: unsupported value: not a finite number");
		return node_new_number(r->arena, s.number, loc);
	case SCALAR_STRING:
		break;
	}
	return node_new_text(r->arena, (const char *)event->data.scalar.value,
			     event->data.scalar.length, loc);
}

/* Keys are text in JSON: 80 becomes "80", yes becomes "true". NULL when it cannot be a key. */
static const char *key_text(struct reader *r, const struct node *key, const yaml_mark_t *mark)
{
	switch (key->type) {
	case NODE_BOOL:
		return key->boolean ? "true" : "false";
	case NODE_INT:
		return arena_printf(r->arena, "%lld", (long long)key->integer);
	case NODE_FLOAT:
		return arena_printf(r->arena, "%g", key->number);
	case NODE_STRING:
		if (strlen(key->text) == key->text_len)
			return key->text;
		(void)give_up(r, mark, "control characters are not allowed");
		return NULL;
	case NODE_NULL:
	case NODE_LIST:
	case NODE_MAP:
		break;
	}
	(void)give_up(r, mark, "invalid map key");
	return NULL;
}

static bool is_merge(const yaml_event_t *event)
{
	const char *tag = (const char *)event->data.scalar.tag;

	return event->type == YAML_SCALAR_EVENT &&
	       strcmp((const char *)event->data.scalar.value, "<<") == 0 &&
	       (event->data.scalar.plain_implicit ||
		(tag && strcmp(tag, "tag:yaml.org,2002:merge") == 0));
}

static void merge_map(struct reader *r, struct node *into, const struct node *from)
{
	struct node *copy;

	for (size_t i = 0; i < from->count; i++) {
		copy = node_copy(r->arena, from->items[i]);
		node_add(r->arena, into, copy->key, copy);
	}
}

/* Earlier maps of a list win over later ones, so they are added first. */
static bool merge(struct reader *r, struct node *into, const struct node *value,
		  const yaml_mark_t *mark)
{
	bool fits = value->type == NODE_MAP || value->type == NODE_LIST;

	for (size_t i = 0; value->type == NODE_LIST && i < value->count; i++)
		fits = fits && value->items[i]->type == NODE_MAP;
	if (!fits) {
		(void)give_up(r, mark, "map merge requires map or sequence of maps as the value");
		return false;
	}
	if (!count_nodes(r, tree_size(value, LIMIT_YAML_NODES), mark))
		return false;
	if (value->type == NODE_MAP)
		merge_map(r, into, value);
	for (size_t i = 0; value->type == NODE_LIST && i < value->count; i++)
		merge_map(r, into, value->items[i]);
	return true;
}

static void set_twice(void *arg, const struct node *first, const struct node *second)
{
	struct reader *r = arg;

	complain(r, second->key_loc,
		 arena_printf(r->arena, "key \"%s\" already set in map, on line %d", second->key,
			      first->key_loc.line));
}

static struct node *compose(struct reader *r, const yaml_event_t *event, int depth);

static struct node *compose_list(struct reader *r, const yaml_event_t *start, int depth)
{
	struct node *list = node_new(r->arena, NODE_LIST, loc_of(r, &start->start_mark));
	size_t slot = r->anchor_count;
	struct node *item;
	yaml_event_t event;

	anchor_add(r, start->data.sequence_start.anchor);
	while (next_event(r, &event)) {
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			anchor_done(r, start->data.sequence_start.anchor, slot, list);
			return list;
		}
		item = compose(r, &event, depth + 1);
		yaml_event_delete(&event);
		if (!item)
			return NULL;
		node_append(r->arena, list, item);
	}
	return NULL;
}

/* One key and its value; `merged` collects the maps of merge keys. False ends the document. */
static bool compose_member(struct reader *r, const yaml_event_t *key_event, struct node *map,
			   struct node *merged, int depth)
{
	struct node *key = compose(r, key_event, depth + 1), *value;
	const char *name = key ? key_text(r, key, &key_event->start_mark) : NULL;
	yaml_event_t event;

	if (!name || !next_event(r, &event))
		return false;
	value = compose(r, &event, depth + 1);
	yaml_event_delete(&event);
	if (!value)
		return false;
	if (is_merge(key_event))
		return merge(r, merged, value, &key_event->start_mark);
	value->key_loc = key->loc;
	node_add(r->arena, map, name, value);
	return true;
}

static struct node *compose_map(struct reader *r, const yaml_event_t *start, int depth)
{
	struct loc loc = loc_of(r, &start->start_mark);
	struct node *map = node_new(r->arena, NODE_MAP, loc);
	struct node *merged = node_new(r->arena, NODE_MAP, loc);
	size_t slot = r->anchor_count, written;
	yaml_event_t event;
	bool go_on;

	anchor_add(r, start->data.mapping_start.anchor);
	while (next_event(r, &event)) {
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			written = map->count;
			for (size_t i = 0; i < merged->count; i++)
				node_append(r->arena, map, merged->items[i]);
			settle_members(map, written, set_twice, r);
			anchor_done(r, start->data.mapping_start.anchor, slot, map);
			return map;
		}
		go_on = compose_member(r, &event, map, merged, depth);
		yaml_event_delete(&event);
		if (!go_on)
			return NULL;
	}
	return NULL;
}

static struct node *compose(struct reader *r, const yaml_event_t *event, int depth)
{
	size_t slot = r->anchor_count;
	struct node *n;

	if (depth > LIMIT_YAML_DEPTH)
		return give_up(r, &event->start_mark, "exceeded max depth");
	if (!count_nodes(r, 1, &event->start_mark))
		return NULL;
	if (event->type == YAML_ALIAS_EVENT)
		return compose_alias(r, event);
	if (event->type == YAML_SEQUENCE_START_EVENT)
		return compose_list(r, event, depth);
	if (event->type == YAML_MAPPING_START_EVENT)
		return compose_map(r, event, depth);
	anchor_add(r, event->data.scalar.anchor);
	n = compose_scalar(r, event);
	anchor_done(r, event->data.scalar.anchor, slot, n);
	return n;
}

static void read_document(struct reader *r, struct documents *out)
{
	struct node *root;
	yaml_event_t event;

	r->anchors = NULL;
	r->anchor_count = 0;
	r->bad = false;
	if (!next_event(r, &event))
		return;
	root = compose(r, &event, 1);
	yaml_event_delete(&event);
	if (root && root->type != NODE_NULL && !r->bad)
		*arena_push(r->arena, out->items, out->count) = root;
}

/* From r->start on, until the end or until r->broken. */
static void read_stream(struct reader *r, struct documents *out)
{
	yaml_event_type_t type;
	yaml_event_t event;

	if (!yaml_parser_initialize(&r->parser))
		abort(); /* as the arena would */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.bytes + r->start,
				     r->text.len - r->start);
	r->broken = SIZE_MAX;
	while (next_event(r, &event)) {
		type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_STREAM_END_EVENT)
			break;
		if (type == YAML_DOCUMENT_START_EVENT)
			read_document(r, out);
	}
	yaml_parser_delete(&r->parser);
}

/* A syntax error is often noticed at the `---` itself, hence the step back over a line break. */
static size_t restart_at(const struct reader *r)
{
	size_t from = r->broken >= r->start + 2 ? r->broken - 2 : r->start;

	return text_next_document(r->text, from);
}

void yaml_read(struct arena *a, struct diags *d, const char *file, const char *text, size_t len,
	       struct documents *out)
{
	struct reader r = {.arena = a, .diags = d, .file = file, .first_line = 1};
	struct diags before = *d;
	size_t next;

	r.text = text_join_surrogates(a, text_decode(a, text, len));
	while (r.start < r.text.len) {
		read_stream(&r, out);
		if (r.broken == SIZE_MAX)
			return;
		if (r.start == 0 && out->count == 0 && text_is_json(r.text) &&
		    json_read_stream(a, r.text.bytes, r.text.len,
				     (struct loc){.file = file, .line = 1, .column = 1}, out)) {
			*d = before;
			return;
		}
		next = restart_at(&r);
		r.first_line += text_lines(r.text, r.start, next);
		r.start = next;
	}
}
