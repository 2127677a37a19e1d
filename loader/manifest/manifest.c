/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From documents to resources: what kind each object is, lists taken apart, every object through
 * all checks. Messages are ordered by place, resources as written.
 */
#include "manifest/manifest.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "manifest/quote.h"
#include "manifest/schema.h"
#include "manifest/yaml.h"

struct run {
	struct arena *arena;
	struct diags *diags;
	const struct manifest_options *opts;
	struct resources *out;
};

struct entry {
	struct diag diag;
	size_t index;
};

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->diag.loc.line != y->diag.loc.line)
		return x->diag.loc.line < y->diag.loc.line ? -1 : 1;
	if (x->diag.loc.column != y->diag.loc.column)
		return x->diag.loc.column < y->diag.loc.column ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* In order of place, and each on one line whatever keys and kinds are made of. */
static void finish_diags(struct diags *d, size_t from)
{
	size_t count = d->count - from;
	AUTO(free) struct entry *entries = NULL;

	for (size_t i = from; i < d->count; i++)
		d->items[i].text = quote_hidden(d->arena, d->items[i].text);
	if (count < 2)
		return;
	entries = calloc(count, sizeof(*entries));
	if (!entries)
		abort(); /* as the arena would */
	for (size_t i = 0; i < count; i++)
		entries[i] = (struct entry){.diag = d->items[from + i], .index = i};
	qsort(entries, count, sizeof(*entries), by_place);
	for (size_t i = 0; i < count; i++)
		d->items[from + i] = entries[i].diag;
}

/* "error validating data" is about an object as a whole. */
static void not_an_object(struct run *run, const struct node *n, struct loc loc, const char *why)
{
	const char *file = "";

	if (n->loc.file)
		file = arena_printf(run->arena, "error validating \"%s\": ", n->loc.file);
	diag_add(run->diags, loc, "error: %serror validating data: %s", file, why);
}

static bool check_word(struct run *run, const struct node *root, const char *key)
{
	const struct node *word = node_member(root, key);

	if (!word || word->type == NODE_NULL || (word->type == NODE_STRING && word->text_len == 0))
		not_an_object(run, root, root->loc, arena_printf(run->arena, "%s not set", key));
	else if (word->type != NODE_STRING)
		not_an_object(run, root, word->loc,
			      arena_printf(run->arena, "%s isn't string type", key));
	else
		return true;
	return false;
}

/* At most one slash: GROUP/VERSION, or VERSION of the core group. */
static bool check_api_version(struct run *run, const struct node *root)
{
	const char *text = node_text_at(root, "apiVersion", "");
	const char *slash = strchr(text, '/');

	if (!slash || !strchr(slash + 1, '/'))
		return true;
	not_an_object(run, root, node_member(root, "apiVersion")->loc,
		      arena_printf(run->arena, "unexpected GroupVersion string: %s", text));
	return false;
}

static bool check_envelope(struct run *run, const struct node *root)
{
	bool ok;

	if (root->type != NODE_MAP) {
		not_an_object(run, root, root->loc, "invalid object to validate");
		return false;
	}
	ok = check_word(run, root, "apiVersion") && check_api_version(run, root);
	return check_word(run, root, "kind") && ok;
}

/* Also finds a kind that is written in lower case: the server knows its resource by that name. */
static const struct kind *kind_of(const char *api_version, const char *name, bool *lower)
{
	const struct kind *k = kind_lookup(api_version, name);

	for (size_t i = 0; !k && i < KIND_MAX; i++) {
		if (strcmp(kinds[i].singular, name) == 0)
			k = kind_lookup(api_version, kinds[i].name);
		*lower = k != NULL;
	}
	return k;
}

static void no_match(struct run *run, const struct node *root)
{
	const struct node *kind = node_member(root, "kind");
	const char *file = "";

	if (root->loc.file)
		file = arena_printf(run->arena, " from \"%s\"", root->loc.file);
	diag_add(
		run->diags, kind->loc,
		"error: resource mapping not found for name: \"%s\" namespace: \"%s\"%s: no matches "
		"for kind \"%s\" in version \"%s\"",
		node_text_at(root, "metadata.name", ""),
		node_text_at(root, "metadata.namespace", ""), file, kind->text,
		node_text_at(root, "apiVersion", ""));
}

static const char *default_namespace(const struct run *run)
{
	return run->opts && run->opts->namespace ? run->opts->namespace : "default";
}

/* Everything about one object of a known kind; true when it has no mistake. */
static bool check_object(struct run *run, const struct kind *kind, bool lower, struct node *root)
{
	const char *api_version = node_text_at(root, "apiVersion", "");
	const char *slash = strchr(api_version, '/');
	const struct field *tail = field_find(kind->fields, "metadata") + 1;
	struct check c = {
		.arena = run->arena,
		.diags = run->diags,
		.kind = kind,
		.version = slash ? slash + 1 : api_version,
		.name = node_text_at(root, "metadata.name", ""),
		.file = root->loc.file,
		.first_diag = run->diags->count,
		.dropped = run->opts ? run->opts->unknown : NULL,
	};
	size_t errors = run->diags->errors;

	if (lower)
		check_invalid(&c, node_member(root, "kind")->loc, &(struct path){.name = "kind"},
			      "Invalid value: \"%s\": must be %s", kind->singular, kind->name);
	if (run->opts && run->opts->names_only) {
		meta_check(&c, root, default_namespace(run));
		return run->diags->errors == errors;
	}
	schema_unknown(&c, kind->fields, root);
	node_remove(root, "status");
	schema_fill(&c, kind->fields, root);
	meta_check(&c, root, default_namespace(run));
	if (kind->check) {
		kind->check(&c, root);
		return run->diags->errors == errors;
	}
	schema_types(&c, tail, root);
	schema_rules(&c, tail, root);
	return run->diags->errors == errors;
}

static int check_root(struct run *run, struct node *root, struct resource *out)
{
	bool lower = false;
	const struct kind *kind;

	if (!check_envelope(run, root))
		return -EINVAL;
	kind = kind_of(node_text_at(root, "apiVersion", ""), node_text_at(root, "kind", ""),
		       &lower);
	if (!kind) {
		no_match(run, root);
		return -EINVAL;
	}
	if (!check_object(run, kind, lower, root))
		return -EINVAL;
	node_set(run->arena, root, "apiVersion",
		 node_new_string(run->arena, kind_api_version(run->arena, kind, NULL),
				 node_member(root, "apiVersion")->loc));
	*out = (struct resource){
		.kind = kind,
		.namespace = node_text_at(root, "metadata.namespace", ""),
		.name = node_text_at(root, "metadata.name", ""),
		.root = root,
		.loc = root->loc,
	};
	return 0;
}

/* v1 List, or KINDList of a known kind; *item is that kind's name, or NULL. */
static bool is_list(struct run *run, const struct node *root, const char **item)
{
	const char *kind = node_text_at(root, "kind", "");
	const char *api_version = node_text_at(root, "apiVersion", "");
	size_t len = strlen(kind);

	*item = NULL;
	if (strcmp(kind, "List") == 0 && strcmp(api_version, "v1") == 0)
		return true;
	if (len < 5 || strcmp(kind + len - 4, "List") != 0)
		return false;
	*item = arena_strndup(run->arena, kind, len - 4);
	return kind_lookup(api_version, *item) != NULL;
}

static void read_object(struct run *run, struct node *root);

static void read_list(struct run *run, const struct node *root, const char *item_kind)
{
	const struct node *items = node_member(root, "items");
	struct node *item;

	if (items && items->type != NODE_LIST && items->type != NODE_NULL) {
		not_an_object(run, items, items->loc, "items of a list must be an array");
		return;
	}
	for (size_t i = 0; i < node_count(items); i++) {
		item = items->items[i];
		/* An item of a typed list may leave out what the list says. */
		if (item_kind && item->type == NODE_MAP && !node_member(item, "kind") &&
		    !node_member(item, "apiVersion")) {
			node_set(run->arena, item, "apiVersion",
				 node_new_string(run->arena, node_text_at(root, "apiVersion", ""),
						 item->loc));
			node_set(run->arena, item, "kind",
				 node_new_string(run->arena, item_kind, item->loc));
		}
		read_object(run, item);
	}
}

static void note_refused(struct run *run, const struct node *root)
{
	const char *ns = default_namespace(run);

	*arena_push(run->arena, run->out->refused, run->out->refused_count) = (struct refused_key){
		.kind = node_text_at(root, "kind", ""),
		.namespace = node_text_at(root, "metadata.namespace", ns),
		.name = node_text_at(root, "metadata.name", ""),
	};
}

static void read_object(struct run *run, struct node *root)
{
	const char *item_kind;
	struct resource found;

	if (root->type == NODE_MAP && is_list(run, root, &item_kind)) {
		read_list(run, root, item_kind);
		return;
	}
	if (run->out->count >= LIMIT_RESOURCES) {
		if (run->out->count == LIMIT_RESOURCES)
			diag_add(run->diags, root->loc, "error: more than %d resources",
				 LIMIT_RESOURCES);
		return;
	}
	if (check_root(run, root, &found) == 0)
		*arena_push(run->arena, run->out->items, run->out->count) = found;
	else
		note_refused(run, root);
}

int manifest_check(struct arena *a, struct diags *d, struct node *root,
		   const struct manifest_options *opts, struct resource *out)
{
	struct run run = {.arena = a, .diags = d, .opts = opts};
	size_t from = d->count;
	int ret = check_root(&run, root, out);

	finish_diags(d, from);
	return ret;
}

int manifest_read_text(struct arena *a, struct diags *d, const char *file, const char *text,
		       size_t len, const struct manifest_options *opts, struct resources *out)
{
	struct run run = {.arena = a, .diags = d, .opts = opts, .out = out};
	const char *name = file ? arena_strdup(a, file) : NULL;
	size_t from = d->count;
	struct documents docs = {0};

	yaml_read(a, d, name, text, len, &docs);
	for (size_t i = 0; i < docs.count; i++)
		read_object(&run, docs.items[i]);
	finish_diags(d, from);
	return 0;
}
