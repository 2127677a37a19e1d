/* SPDX-License-Identifier: BSD-2-Clause */
/* One document of events as a tree: scalars typed, aliases and merge keys expanded. */
#include "manifest/compose.h"

#include <string.h>

#include "base/limits.h"
#include "manifest/scalar.h"
#include "manifest/settle.h"

static bool count_node(struct reader *r, const yaml_mark_t *mark)
{
	if (++r->nodes <= LIMIT_NODES)
		return true;
	(void)yaml_give_up(
		r, mark,
		arena_printf(r->arena,
			     "more than %d values, which is the limit of a file: split it",
			     LIMIT_NODES));
	r->full = true; /* what follows would say the same */
	return false;
}

static size_t tree_size(const struct node *n, size_t limit)
{
	size_t size = 1;

	for (size_t i = 0; i < node_count(n) && size <= limit; i++)
		size += tree_size(n->items[i], limit - size);
	return size;
}

/* The share of values that may come by aliases, as kubectl allows it: less in larger texts. */
static double alias_share(size_t nodes)
{
	if (nodes <= 400000)
		return 0.99;
	if (nodes >= 4000000)
		return 0.10;
	return 0.99 - 0.89 * (double)(nodes - 400000) / 3600000;
}

/* Counts what an alias or a merge key copies. */
static bool count_expanded(struct reader *r, const struct node *n, const yaml_mark_t *mark)
{
	size_t size = tree_size(n, LIMIT_NODES);

	r->nodes += size;
	r->expanded += size;
	if (r->expanded <= 100 || r->nodes <= 1000 ||
	    (r->nodes <= LIMIT_NODES &&
	     (double)r->expanded <= alias_share(r->nodes) * (double)r->nodes))
		return true;
	(void)yaml_give_up(r, mark, "document contains excessive aliasing");
	return false;
}

static void anchor_add(struct reader *r, const yaml_char_t *name)
{
	if (name)
		anchors_add(r->arena, &r->anchors, (const char *)name);
}

/* `slot` is the count of anchors from before this node's was added. */
static void anchor_done(struct reader *r, const yaml_char_t *name, size_t slot, struct node *node)
{
	if (name && node)
		r->anchors.items[slot].node = node;
}

static struct node *compose_alias(struct reader *r, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *found = anchors_find(&r->anchors, name);

	if (!found)
		return yaml_give_up(r, &event->start_mark,
				    arena_printf(r->arena, "unknown anchor '%s' referenced", name));
	if (!found->node)
		return yaml_give_up(
			r, &event->start_mark,
			arena_printf(r->arena, "anchor '%s' value contains itself", name));
	if (!count_expanded(r, found->node, &event->start_mark))
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
			yaml_complain(r, yaml_loc(r, &event->start_mark),
				      arena_printf(r->arena, "cannot decode %s `%s` as a %s",
						   scalar_tag(s.type), text,
						   scalar_tag(tags[i].type)));
		return s;
	}
	return string;
}

static struct node *compose_scalar(struct reader *r, const yaml_event_t *event)
{
	struct loc loc = yaml_loc(r, &event->start_mark);
	struct scalar s;

	if (event->data.scalar.length > LIMIT_SCALAR_BYTES)
		return yaml_give_up(r, &event->start_mark,
				    arena_printf(r->arena,
						 "a text of %zu bytes: at most %u are read: keep "
						 "what is larger out of manifests",
						 event->data.scalar.length, LIMIT_SCALAR_BYTES));
	s = typed_scalar(r, event);
	switch (s.type) {
	case SCALAR_NULL:
		return node_new(r->arena, NODE_NULL, loc);
	case SCALAR_BOOL:
		return node_new_bool(r->arena, s.boolean, loc);
	case SCALAR_INT:
		return node_new_int(r->arena, s.integer, loc);
	case SCALAR_FLOAT:
		if (s.number - s.number != 0)
			yaml_complain(r, loc, "json: unsupported value: not a finite number");
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
		(void)yaml_give_up(r, mark, "control characters are not allowed");
		return NULL;
	case NODE_NULL:
	case NODE_LIST:
	case NODE_MAP:
		break;
	}
	(void)yaml_give_up(r, mark, "invalid map key");
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
		(void)yaml_give_up(r, mark,
				   "map merge requires map or sequence of maps as the value");
		return false;
	}
	if (!count_expanded(r, value, mark))
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

	yaml_complain(r, second->key_loc,
		      arena_printf(r->arena,
				   "key \"%s\" already set in map, a duplicate of line %d",
				   second->key, first->key_loc.line));
}

static struct node *compose_list(struct reader *r, const yaml_event_t *start, int depth)
{
	struct node *list = node_new(r->arena, NODE_LIST, yaml_loc(r, &start->start_mark));
	size_t slot = r->anchors.count;
	struct node *item;
	yaml_event_t event;

	anchor_add(r, start->data.sequence_start.anchor);
	while (yaml_next(r, &event)) {
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

	if (!name || !yaml_next(r, &event))
		return false;
	value = compose(r, &event, depth + 1);
	yaml_event_delete(&event);
	if (!value)
		return false;
	value->key_loc = key->loc;
	if (is_merge(key_event)) {
		value->key = "<<";
		if (merged->key)
			set_twice(r, merged, value);
		merged->key = value->key;
		merged->key_loc = key->loc;
		return merge(r, merged, value, &key_event->start_mark);
	}
	node_add(r->arena, map, name, value);
	return true;
}

static struct node *compose_map(struct reader *r, const yaml_event_t *start, int depth)
{
	struct loc loc = yaml_loc(r, &start->start_mark);
	struct node *map = node_new(r->arena, NODE_MAP, loc);
	struct node *merged = node_new(r->arena, NODE_MAP, loc);
	size_t slot = r->anchors.count, written;
	yaml_event_t event;
	bool go_on;

	anchor_add(r, start->data.mapping_start.anchor);
	while (yaml_next(r, &event)) {
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

struct node *compose(struct reader *r, const yaml_event_t *event, int depth)
{
	size_t slot = r->anchors.count;
	struct node *n;

	if (depth > LIMIT_DEPTH)
		return yaml_give_up(r, &event->start_mark, "exceeded max depth");
	if (!count_node(r, &event->start_mark))
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
