/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Object metadata: types as Go's JSON decoder reports them (it reads metadata before any schema),
 * then the syntax of names, labels and annotations.
 */
#include <string.h>

#include "manifest/annotations.h"
#include "manifest/fields.h"
#include "manifest/quote.h"

#define NAME_MAX_BYTES	  253
#define LABEL_MAX_BYTES	  63
#define ANNOTATIONS_BYTES 262144

const char *meta_json_type(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return "bool";
	case NODE_INT:
	case NODE_FLOAT:
		return "number";
	case NODE_STRING:
		return "string";
	case NODE_LIST:
		return "array";
	case NODE_MAP:
		return "object";
	}
	return "";
}

static void cannot_decode(struct check *c, const struct node *n, const char *holder,
			  const char *field, const char *go_type)
{
	const char *file = "";

	if (c->file)
		file = arena_printf(c->arena, "unable to decode \"%s\": ", c->file);
	diag_add(c->diags, n->loc,
		 "error: %sjson: cannot unmarshal %s into Go struct field %s.%s of type %s", file,
		 meta_json_type(n), holder, field, go_type);
}

static bool has_type(const struct field *f, const struct node *n)
{
	switch (f->type) {
	case FIELD_OBJECT:
	case FIELD_MAP:
		return n->type == NODE_MAP;
	case FIELD_LIST:
		return n->type == NODE_LIST;
	case FIELD_STRING:
		return n->type == NODE_STRING;
	case FIELD_INT32:
	case FIELD_INT64:
		return n->type == NODE_INT;
	case FIELD_BOOL:
		return n->type == NODE_BOOL;
	case FIELD_NUMBER: /* not in metadata */
	case FIELD_QUANTITY:
	case FIELD_ANY:
		return true;
	}
	return true;
}

static const char *go_type(struct check *c, const struct field *f)
{
	switch (f->type) {
	case FIELD_OBJECT:
		return arena_printf(c->arena, "v1.%s", f->type_name);
	case FIELD_MAP:
		return "map[string]string";
	case FIELD_LIST:
		return arena_printf(c->arena, "[]%s", go_type(c, f->item));
	case FIELD_STRING:
		return "string";
	case FIELD_INT32:
	case FIELD_INT64:
		return "int64";
	case FIELD_BOOL:
		return "bool";
	case FIELD_NUMBER:
	case FIELD_QUANTITY:
	case FIELD_ANY:
		break;
	}
	return "v1.FieldsV1";
}

/* `holder` is the Go struct that has the field, `field` the path from the root without indexes. */
static void decode(struct check *c, const char *holder, const char *field, const struct field *f,
		   const struct node *n)
{
	const struct field *row;

	if (n->type == NODE_NULL)
		return;
	if (!has_type(f, n)) {
		cannot_decode(c, n, holder, field, go_type(c, f));
		return;
	}
	if (f->type == FIELD_OBJECT && f->type_name)
		holder = f->type_name;
	for (size_t i = 0; f->type != FIELD_ANY && i < node_count(n); i++) {
		row = f->type == FIELD_OBJECT ? field_find(f->fields, n->items[i]->key) : f->item;
		if (!row)
			continue;
		decode(c, holder,
		       f->type == FIELD_OBJECT
			       ? arena_printf(c->arena, "%s.%s", field, n->items[i]->key)
			       : field,
		       row, n->items[i]);
	}
}

static void invalid(struct check *c, const struct node *n, const char *field, const char *value,
		    size_t len, const char *why)
{
	const struct path at = {.name = field};

	check_invalid(c, n->loc, &at, "Invalid value: %s: %s", quote_text(c->arena, value, len),
		      why);
}

#define WHY_SUBDOMAIN                                                                              \
	"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' "  \
	"or '.', and must start and end with an alphanumeric character (e.g. 'example.com', "      \
	"regex used for validation is "                                                            \
	"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"

static void check_name(struct check *c, const struct node *name)
{
	if (name->text_len > NAME_MAX_BYTES)
		invalid(c, name, "metadata.name", name->text, name->text_len,
			"must be no more than 253 bytes");
	if (!pattern_subdomain.match(name->text, name->text_len))
		invalid(c, name, "metadata.name", name->text, name->text_len, WHY_SUBDOMAIN);
}

static void check_namespace(struct check *c, const struct node *ns)
{
	if (ns->text_len > LABEL_MAX_BYTES)
		invalid(c, ns, "metadata.namespace", ns->text, ns->text_len,
			"must be no more than 63 bytes");
	if (!pattern_label.match(ns->text, ns->text_len))
		invalid(c, ns, "metadata.namespace", ns->text, ns->text_len,
			"a lowercase RFC 1123 label must consist of lower case alphanumeric "
			"characters or '-', and must start and end with an alphanumeric character "
			"(e.g. 'my-name',  or '123-abc', regex used for validation is "
			"'[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
}

#define WHY_QUALIFIED                                                                              \
	"must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "   \
	"an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "  \
	"validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"

/* What is in front of the slash of a key. */
static void check_prefix(struct check *c, const struct node *member, const char *field,
			 const char *prefix, size_t len)
{
	const char *key = member->key;

	if (len == 0) {
		invalid(c, member, field, key, strlen(key), "prefix part must be non-empty");
		return;
	}
	if (len > NAME_MAX_BYTES)
		invalid(c, member, field, key, strlen(key),
			"prefix part must be no more than 253 bytes");
	if (!pattern_subdomain.match(prefix, len))
		invalid(c, member, field, key, strlen(key), "prefix part " WHY_SUBDOMAIN);
}

/* A label or annotation key: [subdomain/]name. `folded` is the key as it is looked at. */
static void check_key(struct check *c, const struct node *member, const char *field,
		      const char *folded)
{
	const char *key = member->key, *slash = strchr(folded, '/');
	const char *name = slash ? slash + 1 : folded;
	size_t len = strlen(name);

	if (strchr(name, '/')) {
		invalid(c, member, field, key, strlen(key),
			"a qualified name " WHY_QUALIFIED " with an optional DNS subdomain prefix "
			"and '/' (e.g. 'example.com/MyName')");
		return;
	}
	if (slash)
		check_prefix(c, member, field, folded, (size_t)(slash - folded));
	if (len == 0)
		invalid(c, member, field, key, strlen(key), "name part must be non-empty");
	else if (len > LABEL_MAX_BYTES)
		invalid(c, member, field, key, strlen(key),
			"name part must be no more than 63 bytes");
	if (!match_qualified_name(name, len))
		invalid(c, member, field, key, strlen(key), "name part " WHY_QUALIFIED);
}

/* Keys of annotations may be written in capitals, prefix included. */
static const char *lower_case(struct arena *a, const char *text)
{
	char *out = arena_strdup(a, text);

	for (char *p = out; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
	return out;
}

static void check_labels(struct check *c, const struct node *labels)
{
	const struct node *value;

	if (!labels || labels->type != NODE_MAP)
		return;
	for (size_t i = 0; i < labels->count; i++) {
		value = labels->items[i];
		check_key(c, value, "metadata.labels", value->key);
		if (value->type != NODE_STRING)
			continue;
		if (value->text_len > LABEL_MAX_BYTES)
			invalid(c, value, "metadata.labels", value->text, value->text_len,
				"must be no more than 63 bytes");
		if (!pattern_label_value.match(value->text, value->text_len))
			invalid(c, value, "metadata.labels", value->text, value->text_len,
				"a valid label must be an empty string or consist of alphanumeric "
				"characters, '-', '_' or '.', and must start and end with an "
				"alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
				"'12345', regex used for validation is "
				"'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')");
	}
}

static void check_own_annotation(struct check *c, const struct node *member)
{
	const struct path at = {
		.name = arena_printf(c->arena, "metadata.annotations[%s]", member->key)};
	bool at_key = false;
	const char *why = annotation_refuse(c->arena, c->kind->id, member, &at_key);

	if (why && at_key)
		check_invalid(c, node_place(member), &at, "%s", why);
	else if (why)
		check_invalid(c, member->loc, &at, "Invalid value: %s: %s",
			      quote_node(c->arena, member), why);
}

static void check_annotations(struct check *c, const struct node *map)
{
	const struct path at = {.name = "metadata.annotations"};
	size_t total = 0;

	if (!map || map->type != NODE_MAP)
		return;
	for (size_t i = 0; i < map->count; i++) {
		check_key(c, map->items[i], "metadata.annotations",
			  lower_case(c->arena, map->items[i]->key));
		check_own_annotation(c, map->items[i]);
		total += strlen(map->items[i]->key) + map->items[i]->text_len;
	}
	if (total > ANNOTATIONS_BYTES)
		check_invalid(c, node_place(map), &at, "Too long: may not be more than %d bytes",
			      ANNOTATIONS_BYTES);
}

static void no_name(struct check *c, const struct node *root, const struct node *metadata)
{
	const char *generate = node_text_at(metadata, "generateName", "");
	struct loc loc = metadata ? node_place(metadata) : root->loc;

	if (*generate)
		diag_add(c->diags, loc, "error: from %s: cannot use generate name with apply",
			 generate);
	else
		diag_add(c->diags, loc, "error: resource name may not be empty");
}

void meta_check(struct check *c, struct node *root, const char *default_namespace)
{
	static const struct field metadata_row = {
		.type = FIELD_OBJECT, .fields = metadata_fields, .text = "ObjectMeta"};
	struct node *metadata = node_member(root, "metadata");
	struct node *name, *ns;

	if (metadata && metadata->type != NODE_MAP) {
		cannot_decode(c, metadata, "", "metadata", "v1.ObjectMeta");
		return;
	}
	if (metadata)
		decode(c, "ObjectMeta", "metadata", &metadata_row, metadata);
	name = node_member(metadata, "name");
	if (!name || (name->type == NODE_STRING && name->text_len == 0))
		no_name(c, root, metadata);
	else if (name->type == NODE_STRING)
		check_name(c, name);
	check_labels(c, node_member(metadata, "labels"));
	check_annotations(c, node_member(metadata, "annotations"));
	ns = node_member(metadata, "namespace");
	/* An API server takes the namespace off what has none. */
	if (c->kind->scope == SCOPE_CLUSTER) {
		if (ns)
			node_remove(metadata, "namespace");
		return;
	}
	if (metadata && (!ns || (ns->type == NODE_STRING && ns->text_len == 0)))
		node_set(c->arena, metadata, "namespace",
			 node_new_string(c->arena, default_namespace, metadata->loc));
	else if (ns && ns->type == NODE_STRING)
		check_namespace(c, ns);
}
