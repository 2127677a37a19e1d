/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway diff`: what an apply would change. The daemon runs the whole apply without the change,
 * and says how each object is and would be; the differ compares the two as files.
 */
#include <string.h>

#include "ctl/diff_files.h"
#include "ctl/write.h"

#define FAILURE 2 /* 1 means that there are differences */

static const struct flag flags[] = {
	WRITE_FLAGS,
	PRUNE_FLAGS,
	{.name = "server-side",
	 .type = FLAG_SWITCH,
	 .hidden = true,
	 .help = "Accepted for scripts of kubectl; has no effect"},
	{.name = "force-conflicts",
	 .type = FLAG_SWITCH,
	 .hidden = true,
	 .help = "Accepted for scripts of kubectl; has no effect"},
	{.name = NULL},
};

/* "gateway.envoyproxy.io.v1alpha1.Backend.default.web", as kubectl names the files. */
static const char *file_name(struct arena *a, const struct kind *kind, const struct node *result)
{
	return arena_printf(a, "%s%s%s.%s.%s.%s", kind->group, *kind->group ? "." : "",
			    kind->versions[0], kind->name, node_text_at(result, "namespace", ""),
			    node_text_at(result, "name", ""));
}

static int write_pairs(struct ctl *c, const struct node *list, struct diff_files *files)
{
	const struct node *item;
	const struct kind *kind;

	for (size_t i = 0; i < node_count(list); i++) {
		item = node_item(list, i);
		kind = kind_named(node_text_at(item, "group", ""), node_text_at(item, "kind", ""));
		if (kind && diff_files_add(files, file_name(c->arena, kind, item),
					   node_member(item, "before"), node_member(item, "after")))
			return 1;
	}
	return 0;
}

static int compare(struct ctl *c, const struct node *answer)
{
	struct diff_files files = {.arena = c->arena};
	int code = FAILURE;

	if (diff_files_open(&files))
		return FAILURE;
	if (!write_pairs(c, node_member(answer, "results"), &files) &&
	    !write_pairs(c, node_member(answer, "pruned"), &files))
		code = diff_files_run(&files);
	diff_files_close(&files);
	return code;
}

static int run(struct ctl *c)
{
	struct resources rs = {0};
	struct commit commit = {
		.op = COMMIT_APPLY, .dry = DRY_RUN_SERVER, .show = COMMIT_SHOW_BOTH, .rs = &rs};
	struct node *answer;
	int code;

	if (args_switch(&c->args, "force-conflicts") && !args_switch(&c->args, "server-side")) {
		(void)ctl_error("--force-conflicts only works with --server-side");
		return FAILURE;
	}
	if (write_prune(c, &commit.prune) || write_load(c, &rs) || commit_send(c, &commit, &answer))
		return FAILURE;
	code = compare(c, answer);
	commit_print_warnings(c, answer, &rs);
	return code;
}

const struct verb verb_diff = {
	.name = "diff",
	.usage = "-f FILE|DIR|URL|- [-f ...] [-R] [-l SELECTOR] [--prune [--prune-allowlist "
		 "GROUP/VERSION/KIND]...]",
	.summary = "Show what an apply would change",
	.details =
		"All files are one dry run on the daemon: a mistake anywhere is said, and nothing is\n"
		"compared. Of Secrets it is shown which values differ, not what they are.\n"
		"The differ is the command in SPILLWAY_EXTERNAL_DIFF, else in KUBECTL_EXTERNAL_DIFF,\n"
		"else `diff -u -N`; it gets two directories. Words behind the command's name are its\n"
		"flags: letters, digits, dashes and = only.\n"
		"Exit code 0: no difference, 1: there are some, 2 or more: an error.\n"
		"\n"
		"Examples:\n"
		"  spillway diff -f web.yaml\n"
		"  spillway diff -R -f manifests/ --prune -l app=web\n"
		"  SPILLWAY_EXTERNAL_DIFF='diff -u -N --color=always' spillway diff -f web.yaml",
	.flags = flags,
	.failure = FAILURE,
	.run = run,
};
