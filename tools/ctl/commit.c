/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon knows objects by their index in the request; only here it is known where each was
 * written, so its complaints get their places here.
 */
#include "ctl/commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/http.h"
#include "model/model.h"

#define APPLY_PATH "/apis/spillway.dev/v1alpha1/apply"

int dry_run_parse(struct ctl *c, enum dry_run *out)
{
	const char *word = args_text(&c->args, "dry-run");

	if (strcmp(word, "none") == 0)
		*out = DRY_RUN_NONE;
	else if (strcmp(word, "client") == 0)
		*out = DRY_RUN_CLIENT;
	else if (strcmp(word, "server") == 0)
		*out = DRY_RUN_SERVER;
	else
		return ctl_error("Invalid dry-run value (%s). Must be \"none\", \"server\", or "
				 "\"client\".",
				 word);
	return 0;
}

const char *dry_run_suffix(enum dry_run dry)
{
	switch (dry) {
	case DRY_RUN_NONE:
		return "";
	case DRY_RUN_CLIENT:
		return " (dry run)";
	case DRY_RUN_SERVER:
		return " (server dry run)";
	}
	return "";
}

/* One step of a path: ".name", "name" or "[index]". NULL when the tree has no such value. */
static const struct node *step(const struct node *n, const char *text, size_t len)
{
	const struct node *item;

	if (text[0] == '[')
		return n->type == NODE_LIST ? node_item(n, strtoul(text + 1, NULL, 10)) : NULL;
	for (size_t i = 0; n->type == NODE_MAP && i < n->count; i++) {
		item = n->items[i];
		if (strlen(item->key) == len && strncmp(item->key, text, len) == 0)
			return item;
	}
	return NULL;
}

struct loc commit_place(const struct resource *r, const char *path)
{
	const struct node *n = r->root;
	struct loc best = r->loc;
	size_t len;

	while (n && *path) {
		if (*path == '.')
			path++;
		len = path[0] == '[' ? strcspn(path, "]") + 1 : strcspn(path, ".[");
		if (path[0] == '[' && path[len - 1] != ']')
			break;
		n = step(n, path, len);
		path += len;
		if (n && n->loc.line > 0)
			best = n->loc;
	}
	return best;
}

static const struct resource *resource_of(const struct resources *rs, int64_t index)
{
	return index >= 0 && (uint64_t)index < rs->count ? &rs->items[index] : NULL;
}

const struct resource *commit_resource(const struct resources *rs, const struct node *result)
{
	return resource_of(rs, node_int_at(result, "index", -1));
}

static struct loc place_of(const struct resources *rs, const struct node *item)
{
	const struct resource *r = resource_of(rs, node_int_at(item, "index", -1));
	struct loc nowhere = {0};

	return r ? commit_place(r, node_text_at(item, "path", "")) : nowhere;
}

/*
 * The sentences that the same code finds here, with the places of the fields they are about. The
 * daemon has more to refer to and may find fewer or others; those are looked up by their words.
 */
static void resolve_here(struct ctl *c, const struct resources *rs, struct diags *out)
{
	struct model_options opts = {0};

	diags_init(out, c->arena);
	(void)ctl_resolve(c, rs, &opts, out);
}

/* The place of the field where it can be had, else `place`. `here` is filled when first needed. */
static struct loc finer_place(struct ctl *c, const struct resources *rs, struct diags *here,
			      const char *text, struct loc place)
{
	if (!place.file)
		return place; /* not from these files */
	if (!here->arena)
		resolve_here(c, rs, here);
	for (size_t i = 0; i < here->count; i++) {
		if (strcmp(here->items[i].text, text) == 0)
			return here->items[i].loc;
	}
	return place;
}

void commit_print_warnings(struct ctl *c, const struct node *answer, const struct resources *rs)
{
	const struct node *list = node_member(answer, "warnings");
	const struct node *item;
	struct diags d, here = {0};
	const char *text;

	diags_init(&d, c->arena);
	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		text = node_text_at(item, "message", "");
		diag_warn(&d, finer_place(c, rs, &here, text, place_of(rs, item)), "%s", text);
	}
	ctl_sort_diags(&d);
	(void)fflush(stdout);
	diags_print(&d, stderr);
	c->warnings += d.count;
}

int commit_refused(const struct ctl *c)
{
	if (strcmp(c->verb->name, "diff") == 0)
		return 1; /* nothing was to be changed */
	return ctl_error("nothing was changed: one mistake refuses all of it");
}

/* What kubectl puts in front of the daemon's words when it is not the object that is wrong. */
static const char *cause_head(struct ctl *c, const struct reply *r, struct loc place)
{
	const char *reason = node_text_at(r->body, "reason", "");

	if (strcmp(reason, "AlreadyExists") != 0)
		return "";
	return arena_printf(c->arena, "Error from server (%s): %s%s%s", reason,
			    place.file ? "error when creating \"" : "",
			    place.file ? place.file : "", place.file ? "\": " : "");
}

static int print_refusal(struct ctl *c, const struct reply *r, const struct resources *rs)
{
	const struct node *causes = node_at(r->body, "details.causes");
	const struct node *item;
	struct loc place;
	struct diags d;

	if (!node_count(causes))
		return http_error(r);
	diags_init(&d, c->arena);
	for (size_t i = 0; i < node_count(causes); i++) {
		item = node_item(causes, i);
		place = place_of(rs, item);
		diag_add(&d, place, "%s%s", cause_head(c, r, place),
			 node_text_at(item, "message", ""));
	}
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	return commit_refused(c);
}

/* What identifies an object, all that a delete needs. */
static struct node *name_only(struct arena *a, const struct resource *r)
{
	struct loc nowhere = {0};
	struct node *object = node_new(a, NODE_MAP, nowhere);
	struct node *metadata = node_new(a, NODE_MAP, nowhere);
	const char *version = kind_api_version(a, r->kind, NULL);

	node_set(a, object, "apiVersion", node_new_string(a, version, nowhere));
	node_set(a, object, "kind", node_new_string(a, r->kind->name, nowhere));
	node_set(a, metadata, "name", node_new_string(a, r->name, nowhere));
	if (r->kind->scope == SCOPE_NAMESPACE)
		node_set(a, metadata, "namespace", node_new_string(a, r->namespace, nowhere));
	node_set(a, object, "metadata", metadata);
	return object;
}

static const char *const op_words[] = {
	[COMMIT_APPLY] = "apply",
	[COMMIT_CREATE] = "create",
	[COMMIT_EDIT] = "edit",
	[COMMIT_DELETE] = "delete",
};
static const char *const show_words[] = {
	[COMMIT_SHOW_NOTHING] = "nothing",
	[COMMIT_SHOW_AFTER] = "after",
	[COMMIT_SHOW_BOTH] = "both",
};

static struct node *request_of(struct ctl *c, const struct commit *commit)
{
	const struct resources *rs = commit->rs;
	const bool names = commit->op == COMMIT_DELETE;
	struct arena *a = c->arena;
	struct loc nowhere = {0};
	struct node *request = node_new(a, NODE_MAP, nowhere);
	struct node *objects = node_new(a, NODE_LIST, nowhere);

	for (size_t i = 0; i < rs->count; i++)
		node_append(a, objects, names ? name_only(a, &rs->items[i]) : rs->items[i].root);
	node_set(a, request, "namespace", node_new_string(a, c->namespace, nowhere));
	node_set(a, request, "dryRun", node_new_bool(a, commit->dry != DRY_RUN_NONE, nowhere));
	node_set(a, request, "operation", node_new_string(a, op_words[commit->op], nowhere));
	node_set(a, request, "show", node_new_string(a, show_words[commit->show], nowhere));
	if (commit->prune)
		node_set(a, request, "prune", commit->prune);
	node_set(a, request, "objects", objects);
	return request;
}

int commit_send(struct ctl *c, const struct commit *commit, struct node **answer)
{
	struct reply r;

	if (http_request(c, "POST", APPLY_PATH, request_of(c, commit), &r))
		return 1;
	if (r.code != 200 || !r.body)
		return print_refusal(c, &r, commit->rs);
	*answer = r.body;
	return 0;
}
