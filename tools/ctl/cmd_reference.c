/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway reference PAGE`: a page of docs/reference/ as it follows from the tables. Hidden: it is
 * there for `make docs`, and for the test that compares what is checked in.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/reference.h"

static const struct flag flags[] = {
	{.name = "pages", .type = FLAG_SWITCH, .help = "The names of all pages, one a line"},
	{.name = NULL},
};

/* Pages that are no kind's. */
static const struct {
	const char *name, *summary;
	void (*print)(struct arena *a, struct strbuf *out);
} pages[] = {
	{"metadata", "what every resource has", reference_metadata},
	{"annotations", "what Spillway understands beyond upstream's fields",
	 reference_annotations},
	{"limits", "upper bounds of everything else", reference_limits},
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

#define INDEX "README"

static void print_index(struct arena *a, struct strbuf *out)
{
	(void)a;
	strbuf_puts(out,
		    "# Reference\n\n"
		    "What the program takes, field by field. [manifests](../manifests.md) says how "
		    "it is read and where it differs from Envoy Gateway.\n\n" REFERENCE_NOTE
		    "| page | |\n|---|---|\n");
	for (size_t i = 0; i < KIND_MAX; i++)
		strbuf_printf(out, "| [%s](%s.md) | %s |\n", kinds[i].name, kinds[i].singular,
			      kinds[i].description);
	for (size_t i = 0; i < PAGES; i++)
		strbuf_printf(out, "| [%s](%s.md) | %s |\n", pages[i].name, pages[i].name,
			      pages[i].summary);
	strbuf_puts(
		out,
		"\nWhere a field acts:\n\n"
		"- `both paths`: in XDP and on the [userspace path](../userspace.md), or in what "
		"both work with, such as checks;\n"
		"- `XDP`, `userspace path`: on one of them; TLS and host names are the latter's;\n"
		"- `layer 7`: on [requests](../http.md), not on connections;\n"
		"- `nowhere`: it is checked and kept, and a condition names it when it says more "
		"than its default;\n"
		"- `nowhere, as upstream`: upstream does nothing with it either;\n"
		"- `metadata`: it names, finds or describes the resource, or is status.\n");
}

static int print_pages(void)
{
	puts(INDEX);
	for (size_t i = 0; i < KIND_MAX; i++)
		puts(kinds[i].singular);
	for (size_t i = 0; i < PAGES; i++)
		puts(pages[i].name);
	return 0;
}

/* False: there is no such page. */
static bool render(struct arena *a, struct strbuf *out, const char *name)
{
	const struct kind *k = kind_find(name);

	if (strcmp(name, INDEX) == 0) {
		print_index(a, out);
		return true;
	}
	for (size_t i = 0; i < PAGES; i++) {
		if (strcmp(name, pages[i].name) == 0) {
			pages[i].print(a, out);
			return true;
		}
	}
	if (k)
		reference_kind(a, out, k);
	return k != NULL;
}

static int run(struct ctl *c)
{
	struct strbuf out = {0};

	if (args_switch(&c->args, "pages"))
		return print_pages();
	if (c->args.word_count != 1)
		return ctl_usage_error(c, "reference takes one page");
	if (!render(c->arena, &out, c->args.words[0]))
		return ctl_error("there is no page \"%s\"", c->args.words[0]);
	fputs(out.text, stdout);
	strbuf_done(&out);
	return 0;
}

const struct verb verb_reference = {
	.name = "reference",
	.usage = "PAGE\n--pages",
	.summary = "Print a page of the reference, in markdown",
	.flags = flags,
	.hidden = true,
	.run = run,
};
