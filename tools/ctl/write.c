/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything is read before anything is sent, so that one run shows every mistake. */
#include "ctl/write.h"

#include <stdio.h>
#include <string.h>

const char write_validate_help[] =
	"Unknown fields are mistakes (strict, true), are dropped with a warning (warn) or silently "
	"(ignore, false)";
const char write_manager_help[] = "Accepted for scripts of kubectl; has no effect";
const char write_allowlist_help[] =
	"With --prune: only these kinds, as GROUP/VERSION/KIND; may be repeated";

enum validate { VALIDATE_STRICT, VALIDATE_WARN, VALIDATE_IGNORE };

static const struct {
	const char *word;
	enum validate how;
} validate_words[] = {
	{"strict", VALIDATE_STRICT}, {"true", VALIDATE_STRICT},	 {"warn", VALIDATE_WARN},
	{"ignore", VALIDATE_IGNORE}, {"false", VALIDATE_IGNORE},
};

static int read_validate(struct ctl *c, enum validate *out)
{
	const char *word = args_text(&c->args, "validate");

	for (size_t i = 0; i < sizeof(validate_words) / sizeof(validate_words[0]); i++) {
		if (strcmp(validate_words[i].word, word) == 0) {
			*out = validate_words[i].how;
			return 0;
		}
	}
	return ctl_error(
		"invalid --validate option \"%s\"; must be one of: strict (or true), warn, "
		"ignore (or false)",
		word);
}

/* An API server's words, with a place. */
static void print_dropped(struct ctl *c, const struct diags *d)
{
	const char *place;

	for (size_t i = 0; i < d->count; i++) {
		place = loc_text(c->arena, d->items[i].loc);
		fprintf(stderr, "%s%sWarning: %s\n", place, place[0] ? ": " : "", d->items[i].text);
	}
	c->warnings += d->count;
}

static void select_objects(const struct node *selector, struct resources *rs)
{
	size_t kept = 0;

	for (size_t i = 0; i < rs->count; i++) {
		if (label_selector_matches(selector, rs->items[i].root))
			rs->items[kept++] = rs->items[i];
	}
	rs->count = kept;
}

/* Mistakes of objects that -l does not select are mistakes too: their labels may be what is wrong. */
int write_load(struct ctl *c, struct resources *out)
{
	struct diags d, dropped;
	enum validate how = VALIDATE_STRICT;
	struct node *selector;

	diags_init(&d, c->arena);
	diags_init(&dropped, c->arena);
	if (read_validate(c, &how) || label_selector_read(c, &selector))
		return 1;
	c->unknown = how == VALIDATE_STRICT ? NULL : &dropped;
	if (ctl_load(c, &d, out))
		return 1;
	if (how == VALIDATE_WARN)
		print_dropped(c, &dropped);
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	if (d.errors)
		return commit_refused(c);
	select_objects(selector, out);
	if (!out->count)
		return ctl_error("no objects passed to %s", c->verb->name);
	return 0;
}

static int read_kind(struct ctl *c, const char *text, struct node *list)
{
	const char *version = strchr(text, '/');
	const char *name = version ? strchr(version + 1, '/') : NULL;
	struct loc nowhere = {0};
	const char *api_version;
	struct node *kind;

	if (!name || strchr(name + 1, '/'))
		return ctl_error("invalid GroupVersionKind format: %s, please follow "
				 "<group/version/kind>",
				 text);
	api_version = arena_strndup(c->arena, text, (size_t)(name - text));
	if (strncmp(text, "core/", 5) == 0)
		api_version = arena_strndup(c->arena, version + 1, (size_t)(name - version - 1));
	if (!kind_lookup(api_version, name + 1))
		return ctl_error("no matches for kind \"%s\" in version \"%s\"", name + 1,
				 api_version);
	kind = node_new(c->arena, NODE_MAP, nowhere);
	node_set(c->arena, kind, "apiVersion", node_new_string(c->arena, api_version, nowhere));
	node_set(c->arena, kind, "kind", node_new_string(c->arena, name + 1, nowhere));
	node_append(c->arena, list, kind);
	return 0;
}

int write_prune(struct ctl *c, struct node **out)
{
	struct loc nowhere = {0};
	struct node *asked = node_new(c->arena, NODE_LIST, nowhere);
	struct node *prune = node_new(c->arena, NODE_MAP, nowhere);
	struct node *selector;
	const char **texts;
	size_t count;

	*out = NULL;
	if (label_selector_read(c, &selector))
		return 1;
	texts = args_texts(&c->args, "prune-allowlist", &count);
	for (size_t i = 0; i < count; i++) {
		if (read_kind(c, texts[i], asked))
			return 1;
	}
	if (!args_switch(&c->args, "prune"))
		return 0;
	if (selector)
		node_set(c->arena, prune, "selector", selector);
	if (count)
		node_set(c->arena, prune, "kinds", asked);
	*out = prune;
	return 0;
}

int write_output(struct ctl *c, struct node **trees, size_t count, enum output_form form)
{
	struct found_list list = {0};

	if (count == 1)
		return output_tree(trees[0], form);
	for (size_t i = 0; i < count; i++)
		*arena_push(c->arena, list.items, list.count) = (struct found){.object = trees[i]};
	return output_list(c, &list, form);
}
