/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway delete`: by name or by manifest; one change, like apply. */
#include <stdio.h>
#include <string.h>

#include "ctl/commit.h"
#include "ctl/ctl.h"
#include "ctl/target.h"

static const struct flag flags[] = {
	LOAD_FLAGS,
	DRY_RUN_FLAG,
	{.name = "all",
	 .type = FLAG_SWITCH,
	 .help = "All objects of the kind in the namespace, instead of names"},
	{.name = "ignore-not-found",
	 .type = FLAG_SWITCH,
	 .help = "An object that is not there is no error"},
	{.name = NULL},
};

static bool has(const struct resources *rs, const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < rs->count; i++) {
		if (rs->items[i].kind == kind && strcmp(rs->items[i].name, name) == 0)
			return true;
	}
	return false;
}

static void add(struct ctl *c, struct resources *rs, const struct kind *kind, const char *name)
{
	*arena_push(c->arena, rs->items, rs->count) =
		(struct resource){.kind = kind, .namespace = c->namespace, .name = name};
}

/* The names of all objects of the target's kind. */
static int add_all(struct ctl *c, const struct target *t, struct resources *rs)
{
	struct found_list found = {0};
	struct refusals refused = {0};

	if (target_fetch(c, t, c->namespace, &found, &refused) || refusals_print(&refused))
		return 1;
	for (size_t i = 0; i < found.count; i++)
		add(c, rs, t->kind, node_text_at(found.items[i].object, "metadata.name", ""));
	return 0;
}

static int named(struct ctl *c, struct resources *rs)
{
	bool all = args_switch(&c->args, "all");
	struct targets targets;
	const struct target *t;

	if (targets_parse(c, &targets))
		return 1;
	for (size_t i = 0; i < targets.count; i++) {
		t = &targets.items[i];
		if (all && t->name)
			return ctl_error("name cannot be provided when a selector is specified");
		if (!all && !t->name)
			return ctl_error("resource(s) were provided, but no name was specified");
		if (!t->name && add_all(c, t, rs))
			return 1;
		if (t->name && !has(rs, t->kind, t->name))
			add(c, rs, t->kind, t->name);
	}
	return 0;
}

static int from_files(struct ctl *c, struct resources *rs)
{
	struct diags d;

	if (c->args.word_count)
		return ctl_error("when paths, URLs, or stdin is provided as input, you may not "
				 "specify resource arguments as well");
	diags_init(&d, c->arena);
	if (ctl_load(c, &d, rs))
		return 1;
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	if (d.errors)
		return ctl_error("nothing was changed: one mistake refuses all of it");
	return 0;
}

static void print_not_found(struct ctl *c, const struct resource *r)
{
	fputs("Error from server (NotFound): ", stderr);
	if (r->loc.file)
		fprintf(stderr, "error when deleting \"%s\": ", r->loc.file);
	fprintf(stderr, "%s \"%s\" not found\n", kind_resource(c->arena, r->kind), r->name);
}

static void print_deleted(const struct resource *r, enum dry_run dry)
{
	printf("%s%s%s \"%s\" deleted", r->kind->singular, *r->kind->group ? "." : "",
	       r->kind->group, r->name);
	if (r->kind->scope == SCOPE_NAMESPACE)
		printf(" from %s namespace", r->namespace);
	puts(dry_run_suffix(dry));
}

/* Two passes, as kubectl has it: what was done, then what could not be. The exit code. */
static int print_results(struct ctl *c, const struct resources *rs, const struct node *answer,
			 enum dry_run dry, bool ignore)
{
	const struct node *results = node_member(answer, "results");
	const struct resource *r;
	int code = 0;

	for (size_t i = 0; i < node_count(results); i++) {
		r = commit_resource(rs, node_item(results, i));
		if (r && strcmp(node_text_at(node_item(results, i), "outcome", ""), "deleted") == 0)
			print_deleted(r, dry);
	}
	(void)fflush(stdout);
	for (size_t i = 0; !ignore && i < node_count(results); i++) {
		r = commit_resource(rs, node_item(results, i));
		if (!r ||
		    strcmp(node_text_at(node_item(results, i), "outcome", ""), "notfound") != 0)
			continue;
		print_not_found(c, r);
		code = 1;
	}
	return code;
}

static int run(struct ctl *c)
{
	bool files = args_given(&c->args, "filename");
	bool ignore = args_switch(&c->args, "ignore-not-found");
	struct resources rs = {0};
	struct node *answer;
	enum dry_run dry;
	int code;

	if (dry_run_parse(c, &dry))
		return 1;
	if (files ? from_files(c, &rs) : named(c, &rs))
		return 1;
	if (!rs.count) {
		fputs("No resources found\n", stderr);
		return 0;
	}
	if (commit_send(c, COMMIT_DELETE, dry, &rs, &answer))
		return 1;
	code = print_results(c, &rs, answer, dry, ignore);
	commit_print_warnings(c, answer, &rs);
	return code;
}

const struct verb verb_delete = {
	.name = "delete",
	.usage = "KIND NAME... [--ignore-not-found]\n"
		 "KIND --all\n"
		 "-f FILE|DIR|- [-f ...] [-R] [--ignore-not-found]",
	.summary = "Delete objects by name or by manifest",
	.details = "What is there is deleted in one change; what is not there is reported.\n"
		   "\n"
		   "Examples:\n"
		   "  spillway delete backend web\n"
		   "  spillway delete be/web tcproute/web\n"
		   "  spillway delete -f web.yaml --ignore-not-found",
	.flags = flags,
	.words = WORDS_KIND,
	.run = run,
};
