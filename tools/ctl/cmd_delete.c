/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway delete`: by name, by labels or by manifest; one change, like apply. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commit.h"
#include "ctl/delete_terms.h"
#include "ctl/label_selector.h"
#include "ctl/output.h"
#include "ctl/target.h"

static const char accepted[] = "Accepted for scripts of kubectl; has no effect";

static const struct flag flags[] = {
	LOAD_FLAGS,
	DRY_RUN_FLAG,
	LABEL_SELECTOR_FLAG("Objects of the kind with these labels, instead of names"),
	{.name = "all",
	 .type = FLAG_SWITCH,
	 .help = "All objects of the kind in the namespace, instead of names"},
	{.name = "all-namespaces",
	 .letter = 'A',
	 .type = FLAG_SWITCH,
	 .help = "With --all or -l: in all namespaces"},
	{.name = "ignore-not-found",
	 .type = FLAG_SWITCH,
	 .help = "An object that is not there is no error"},
	OUTPUT_FLAG("name"),
	{.name = "force", .type = FLAG_SWITCH, .hidden = true, .help = accepted},
	{.name = "now", .type = FLAG_SWITCH, .hidden = true, .help = accepted},
	{.name = "grace-period",
	 .type = FLAG_TEXT,
	 .value = "SECONDS",
	 .initial = "-1",
	 .hidden = true,
	 .help = accepted},
	{.name = "cascade",
	 .type = FLAG_TEXT,
	 .value = "HOW",
	 .initial = "background",
	 .bare = "background",
	 .hidden = true,
	 .help = accepted},
	{.name = "wait", .type = FLAG_SWITCH, .initial = "true", .hidden = true, .help = accepted},
	{.name = "timeout",
	 .type = FLAG_TEXT,
	 .value = "DURATION",
	 .hidden = true,
	 .help = accepted},
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

static void add(struct ctl *c, struct resources *rs, const struct kind *kind, const char *namespace,
		const char *name)
{
	*arena_push(c->arena, rs->items, rs->count) =
		(struct resource){.kind = kind, .namespace = namespace, .name = name};
}

/* All objects of the target's kind that are selected. */
static int add_selected(struct ctl *c, const struct target *t, const struct delete_terms *terms,
			struct resources *rs)
{
	const char *namespace = terms->everywhere ? NULL : c->namespace;
	struct found_list found = {0};
	struct refusals refused = {0};
	struct node *o;

	if (target_fetch(c, t, namespace, &found, &refused) || refusals_print(&refused))
		return 1;
	for (size_t i = 0; i < found.count; i++) {
		o = found.items[i].object;
		if (label_selector_matches(terms->selector, o))
			add(c, rs, t->kind, node_text_at(o, "metadata.namespace", ""),
			    node_text_at(o, "metadata.name", ""));
	}
	return 0;
}

static int named(struct ctl *c, const struct delete_terms *terms, struct resources *rs)
{
	const bool many = terms->all || terms->selector;
	struct targets targets;
	const struct target *t;

	if (targets_parse(c, &targets))
		return 1;
	for (size_t i = 0; i < targets.count; i++) {
		t = &targets.items[i];
		if (many && t->name)
			return ctl_error("name cannot be provided when a selector is specified");
		if (terms->everywhere && t->name)
			return ctl_error("a resource cannot be retrieved by name across all "
					 "namespaces");
		if (!many && !t->name)
			return ctl_error("resource(s) were provided, but no name was specified");
		if (!t->name && add_selected(c, t, terms, rs))
			return 1;
		if (t->name && !has(rs, t->kind, t->name))
			add(c, rs, t->kind, c->namespace, t->name);
	}
	return 0;
}

static int from_files(struct ctl *c, const struct delete_terms *terms, struct resources *rs)
{
	size_t kept = 0;
	struct diags d;

	if (c->args.word_count)
		return ctl_error("when paths, URLs, or stdin is provided as input, you may not "
				 "specify resource arguments as well");
	diags_init(&d, c->arena);
	c->names_only = true; /* what is wrong with the rest must not keep it from being deleted */
	if (ctl_load(c, &d, rs))
		return 1;
	ctl_sort_diags(&d);
	diags_print(&d, stderr);
	if (d.errors)
		return commit_refused(c);
	for (size_t i = 0; i < rs->count; i++) {
		if (label_selector_matches(terms->selector, rs->items[i].root))
			rs->items[kept++] = rs->items[i];
	}
	rs->count = kept;
	return 0;
}

static void print_not_found(struct ctl *c, const struct resource *r)
{
	fputs("Error from server (NotFound): ", stderr);
	if (r->loc.file)
		fprintf(stderr, "error when deleting \"%s\": ", r->loc.file);
	fprintf(stderr, "%s \"%s\" not found\n", kind_resource(c->arena, r->kind), r->name);
}

static void print_deleted(struct ctl *c, const struct resource *r, const struct delete_terms *terms)
{
	if (terms->only_names) {
		puts(ctl_object_title(c->arena, r->kind, r->name));
		return;
	}
	printf("%s%s%s \"%s\" %sdeleted", r->kind->singular, *r->kind->group ? "." : "",
	       r->kind->group, r->name, terms->forced ? "force " : "");
	if (r->kind->scope == SCOPE_NAMESPACE)
		printf(" from %s namespace", r->namespace);
	puts(dry_run_suffix(terms->dry));
}

/* Two passes, as kubectl has it: what was done, then what could not be. The exit code. */
static int print_results(struct ctl *c, const struct resources *rs, const struct node *answer,
			 const struct delete_terms *terms)
{
	const struct node *results = node_member(answer, "results");
	const struct resource *r;
	int code = 0;

	for (size_t i = 0; i < node_count(results); i++) {
		r = commit_resource(rs, node_item(results, i));
		if (r && strcmp(node_text_at(node_item(results, i), "outcome", ""), "deleted") == 0)
			print_deleted(c, r, terms);
	}
	(void)fflush(stdout);
	for (size_t i = 0; !terms->ignore && i < node_count(results); i++) {
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
	struct resources rs = {0}, nothing = {0};
	struct commit commit = {.op = COMMIT_DELETE, .rs = &rs};
	struct delete_terms terms;
	struct node *answer;
	int code;

	if (delete_terms_read(c, &terms))
		return 1;
	commit.dry = terms.dry;
	if (args_given(&c->args, "filename") || args_given(&c->args, "kustomize")
		    ? from_files(c, &terms, &rs)
		    : named(c, &terms, &rs))
		return 1;
	if (!rs.count) {
		fputs("No resources found\n", stderr);
		return 0;
	}
	if (commit_send(c, &commit, &answer))
		return 1;
	code = print_results(c, &rs, answer, &terms);
	commit_print_warnings(c, answer, &nothing); /* none is about what is gone */
	return code;
}

const struct verb verb_delete = {
	.name = "delete",
	.usage = "KIND NAME... [--ignore-not-found] [--dry-run=MODE] [-o name]\n"
		 "KIND --all|-l SELECTOR [-A]\n"
		 "-f FILE|DIR|URL|- [-f ...] [-R] [-l SELECTOR] [--ignore-not-found]",
	.summary = "Delete objects by name, by labels or by manifest",
	.details = "What is there is deleted in one change; what is not there is reported.\n"
		   "\n"
		   "Examples:\n"
		   "  spillway delete backend web\n"
		   "  spillway delete be/web tcproute/web\n"
		   "  spillway delete all -l app=web -A --dry-run=server\n"
		   "  spillway delete -f web.yaml --ignore-not-found",
	.flags = flags,
	.words = WORDS_KIND,
	.run = run,
};
