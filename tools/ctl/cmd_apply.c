/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway apply`: everything that -f names, and what --prune takes away, becomes one request, so
 * that it is all in force afterwards or nothing is. kubectl's --dry-run=client looks at the stored
 * objects itself and leaves out the daemon's checks; so does ours.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/apply_plan.h"
#include "ctl/http.h"
#include "ctl/target.h"

static const char accepted[] = "Accepted for scripts of kubectl; has no effect";

static const struct flag flags[] = {
	WRITE_FLAGS,
	DRY_RUN_FLAG,
	OUTPUT_FLAG("name, yaml, json"),
	PRUNE_FLAGS,
	{.name = "all",
	 .type = FLAG_SWITCH,
	 .help = "With --prune: whatever their labels are, instead of -l"},
	{.name = "server-side",
	 .type = FLAG_SWITCH,
	 .help = "Says serverside-applied; the daemon decides what changes either way"},
	{.name = "force-conflicts", .type = FLAG_SWITCH, .hidden = true, .help = accepted},
	{.name = "overwrite",
	 .type = FLAG_SWITCH,
	 .initial = "true",
	 .hidden = true,
	 .help = accepted},
	{.name = "wait", .type = FLAG_SWITCH, .hidden = true, .help = accepted},
	{.name = "timeout",
	 .type = FLAG_TEXT,
	 .value = "DURATION",
	 .hidden = true,
	 .help = accepted},
	{.name = NULL},
};

static void print_line(const struct apply_plan *p, const struct resource *r, const char *outcome)
{
	const char *title = ctl_object_title(p->c->arena, r->kind, r->name);

	if (p->form == OUTPUT_NAME)
		puts(title);
	else
		printf("%s %s%s\n", title, p->server_side ? "serverside-applied" : outcome,
		       dry_run_suffix(p->dry));
}

static void print_pruned(const struct apply_plan *p, const struct node *answer)
{
	const struct node *list = node_member(answer, "pruned"), *item;
	const struct kind *kind;
	const char *title;

	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		kind = kind_named(node_text_at(item, "group", ""), node_text_at(item, "kind", ""));
		if (!kind)
			continue;
		title = ctl_object_title(p->c->arena, kind, node_text_at(item, "name", ""));
		if (p->form == OUTPUT_NAME)
			puts(title);
		else
			printf("%s pruned%s\n", title, dry_run_suffix(p->dry));
	}
}

static int print_trees(const struct apply_plan *p, const struct node *answer)
{
	const struct node *results = node_member(answer, "results");
	struct node **trees = NULL, *after;
	size_t count = 0;

	for (size_t i = 0; i < node_count(results); i++) {
		after = node_member(node_item(results, i), "after");
		if (after)
			*arena_push(p->c->arena, trees, count) = after;
	}
	return write_output(p->c, trees, count, p->form);
}

static void print_lines(const struct apply_plan *p, const struct node *answer)
{
	const struct node *results = node_member(answer, "results"), *item;
	const struct resource *r;

	for (size_t i = 0; i < node_count(results); i++) {
		item = node_item(results, i);
		r = commit_resource(&p->rs, item);
		if (r)
			print_line(p, r, node_text_at(item, "outcome", "configured"));
	}
	print_pruned(p, answer);
}

static int send_all(const struct apply_plan *p)
{
	const bool tree = p->form == OUTPUT_JSON || p->form == OUTPUT_YAML;
	const struct commit commit = {
		.op = COMMIT_APPLY,
		.dry = p->dry,
		.show = tree ? COMMIT_SHOW_AFTER : COMMIT_SHOW_NOTHING,
		.rs = &p->rs,
		.prune = p->prune,
	};
	struct node *answer;
	int code = 0;

	if (commit_send(p->c, &commit, &answer))
		return 1;
	if (tree)
		code = print_trees(p, answer);
	else
		print_lines(p, answer);
	commit_print_warnings(p->c, answer, &p->rs);
	return code;
}

static int compare_all(const struct apply_plan *p)
{
	struct node **trees = NULL, *answer;
	const char *outcome;
	size_t count = 0;

	for (size_t i = 0; i < p->rs.count; i++) {
		*arena_push(p->c->arena, trees, count) = p->rs.items[i].root;
		if (apply_foresee(p, &p->rs.items[i], &outcome))
			return 1;
		if (p->form != OUTPUT_JSON && p->form != OUTPUT_YAML)
			print_line(p, &p->rs.items[i], outcome);
	}
	if (p->form == OUTPUT_JSON || p->form == OUTPUT_YAML)
		return write_output(p->c, trees, count, p->form);
	if (!p->prune)
		return 0;
	/* Only the daemon knows what was applied before. */
	if (commit_send(p->c,
			&(struct commit){.op = COMMIT_APPLY,
					 .dry = DRY_RUN_SERVER,
					 .rs = &p->rs,
					 .prune = p->prune},
			&answer))
		return 1;
	print_pruned(p, answer);
	return 0;
}

static int run(struct ctl *c)
{
	struct apply_plan p = {.c = c};

	if (apply_plan_read(&p))
		return 1;
	return p.dry == DRY_RUN_CLIENT ? compare_all(&p) : send_all(&p);
}

const struct verb verb_apply = {
	.name = "apply",
	.usage = "-f FILE|DIR|URL|- [-f ...] [-R] [-l SELECTOR] [--dry-run=none|client|server] "
		 "[-o FORM]\n"
		 "-f ... --prune -l SELECTOR|--all [--prune-allowlist GROUP/VERSION/KIND]...",
	.summary = "Create or change objects from manifests",
	.details =
		"All files are read and checked before anything is sent, and everything is sent as\n"
		"one change: a mistake anywhere changes nothing. Every mistake is printed, as\n"
		"FILE:LINE:COLUMN: TEXT. Objects that refer to something missing are stored, with\n"
		"a warning.\n"
		"With --prune the same change deletes what apply made or changed before, has the\n"
		"labels, and is not in the files; in the namespaces that the files' objects are in.\n"
		"What was made by create, expose or the API is never pruned.\n"
		"\n"
		"Examples:\n"
		"  spillway apply -f web.yaml\n"
		"  spillway apply -R -f manifests/\n"
		"  spillway apply --dry-run=server -f web.yaml\n"
		"  spillway apply -f manifests/ --prune -l app=web",
	.flags = flags,
	.run = run,
};
