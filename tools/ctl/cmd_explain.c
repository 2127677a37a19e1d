/* SPDX-License-Identifier: BSD-2-Clause */
/* `spillway explain`: what the fields of a kind mean. From the tables that check manifests. */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/explain.h"

static const struct flag flags[] = {
	{.name = "recursive",
	 .type = FLAG_SWITCH,
	 .help = "All fields below, without descriptions"},
	{.name = "api-version",
	 .type = FLAG_TEXT,
	 .value = "VERSION",
	 .help = "GROUP/VERSION of the kind; else the one that is stored"},
	{.name = NULL},
};

static void print_header(const struct kind *kind, const char *version)
{
	if (*kind->group)
		printf("GROUP:      %s\n", kind->group);
	printf("KIND:       %s\n", kind->name);
	printf("VERSION:    %s\n\n", version);
}

static int unknown_kind(const char *word)
{
	fprintf(stderr, "the server doesn't have a resource type \"%.*s\"\n",
		(int)strcspn(word, "."), word);
	return 1;
}

/* The version that is shown, or NULL, and said so. */
static const char *pick_version(struct ctl *c, const struct kind *kind)
{
	const char *wanted = args_text(&c->args, "api-version");
	const char *slash = wanted ? strchr(wanted, '/') : NULL;

	if (!wanted || !wanted[0])
		return kind->versions[0];
	if (kind_lookup(wanted, kind->name) == kind)
		return slash ? slash + 1 : wanted;
	(void)ctl_error("couldn't find resource for \"%s, Resource=%s\"", wanted, kind->plural);
	return NULL;
}

/* Follows `path`; NULL, and said so, when there is no such field. */
static const struct field *walk(struct ctl *c, const struct field *root, const char *path)
{
	const struct field *f = root;
	const char *name;
	size_t len;

	for (; *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		name = arena_strndup(c->arena, path, len);
		f = explain_children(f);
		f = f ? field_find(f, name) : NULL;
		if (!f) {
			(void)ctl_error("field \"%s\" does not exist", name);
			return NULL;
		}
	}
	return f;
}

static void print_title(struct ctl *c, const struct field *f)
{
	printf("FIELD: %s <%s>\n", f->name, explain_type(c->arena, f));
	if (f->values)
		fputs("ENUM:\n", stdout);
	else
		putchar('\n');
	for (const char *const *v = f->values; v && *v; v++)
		printf("    %s\n", *v);
	putchar('\n');
}

static void print_field(struct ctl *c, const struct field *f)
{
	const struct field *children = explain_children(f);

	if (f->name)
		print_title(c, f);
	fputs("DESCRIPTION:\n", stdout);
	explain_wrapped(stdout, f->text ? f->text : "<empty>");
	if (f->text)
		fputs("    \n", stdout);
	if (f->name)
		explain_rules(stdout, c->arena, f);
	if (children && args_switch(&c->args, "recursive"))
		explain_tree(stdout, c->arena, children);
	else if (children)
		explain_list(stdout, c->arena, children);
	putchar('\n');
}

static int run(struct ctl *c)
{
	const struct kind *kind;
	const struct field *f;
	const char *path, *version;
	struct field root;

	if (!c->args.word_count)
		return ctl_error("You must specify the type of resource to explain. Use "
				 "\"spillway api-resources\" for a complete list of supported "
				 "resources.");
	if (c->args.word_count > 1)
		return ctl_error("We accept only this format: explain RESOURCE");
	kind = explain_kind(c->arena, c->args.words[0], &path);
	if (!kind)
		return unknown_kind(c->args.words[0]);
	version = pick_version(c, kind);
	if (!version)
		return 1;
	print_header(kind, version);
	root = explain_root(kind);
	f = walk(c, &root, path);
	if (!f)
		return 1;
	print_field(c, f);
	return 0;
}

const struct verb verb_explain = {
	.name = "explain",
	.usage = "KIND[.FIELD...] [--recursive] [--api-version VERSION]",
	.summary = "Show what a kind's fields mean",
	.details = "Needs no daemon. Of a single field also its default, limits and rules.\n"
		   "\n"
		   "Examples:\n"
		   "  spillway explain backends --recursive\n"
		   "  spillway explain be.spec.fallback",
	.flags = flags,
	.words = WORDS_FIELD,
	.run = run,
};
