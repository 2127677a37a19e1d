/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway create`: as apply, but what exists already is a mistake. */
#include <stdio.h>

#include "ctl/write.h"

#define FORMS (OUTPUT_BIT(OUTPUT_NAME) | OUTPUT_BIT(OUTPUT_JSON) | OUTPUT_BIT(OUTPUT_YAML))

static const struct flag flags[] = {
	WRITE_FLAGS,
	DRY_RUN_FLAG,
	OUTPUT_FLAG("name, yaml, json"),
	{.name = NULL},
};

static bool is_tree(enum output_form form)
{
	return form == OUTPUT_JSON || form == OUTPUT_YAML;
}

static void print_lines(struct ctl *c, const struct resources *rs, enum dry_run dry,
			enum output_form form)
{
	const char *title;

	for (size_t i = 0; i < rs->count; i++) {
		title = ctl_object_title(c->arena, rs->items[i].kind, rs->items[i].name);
		if (form == OUTPUT_NAME)
			puts(title);
		else
			printf("%s created%s\n", title, dry_run_suffix(dry));
	}
}

/* What was stored, or what would be: `answer` NULL. */
static int print_trees(struct ctl *c, const struct resources *rs, const struct node *answer,
		       enum output_form form)
{
	const struct node *results = node_member(answer, "results");
	struct node **trees = NULL, *after;
	size_t count = 0;

	for (size_t i = 0; i < rs->count; i++) {
		after = node_member(node_item(results, i), "after");
		*arena_push(c->arena, trees, count) = after ? after : rs->items[i].root;
	}
	return write_output(c, trees, count, form);
}

static int run(struct ctl *c)
{
	struct resources rs = {0};
	struct commit commit = {.op = COMMIT_CREATE, .rs = &rs};
	struct node *answer = NULL;
	enum output_form form;
	int code = 0;

	if (output_parse(c, FORMS, &form) || dry_run_parse(c, &commit.dry) || write_load(c, &rs))
		return 1;
	commit.show = is_tree(form) ? COMMIT_SHOW_AFTER : COMMIT_SHOW_NOTHING;
	if (commit.dry != DRY_RUN_CLIENT && commit_send(c, &commit, &answer))
		return 1;
	if (is_tree(form))
		code = print_trees(c, &rs, answer, form);
	else
		print_lines(c, &rs, commit.dry, form);
	if (answer)
		commit_print_warnings(c, answer, &rs);
	return code;
}

const struct verb verb_create = {
	.name = "create",
	.usage = "-f FILE|DIR|URL|- [-f ...] [-R] [-l SELECTOR] [--dry-run=none|client|server] "
		 "[-o FORM]",
	.summary = "Create objects from manifests, none of which may exist",
	.details = "As apply, but an object that exists already refuses all of it. What was\n"
		   "created so is not pruned by apply --prune until it is applied.\n"
		   "\n"
		   "Examples:\n"
		   "  spillway create -f web.yaml\n"
		   "  spillway create --dry-run=client -f web.yaml -o yaml",
	.flags = flags,
	.run = run,
};
