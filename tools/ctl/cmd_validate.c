/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `spillway validate`: what apply would refuse or warn about, without a daemon. It takes the same
 * road: text to resources (manifest/), then resources against each other (model/). Here a warning
 * is a mistake, because nothing but the files given can make it good.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "model/model.h"

static const struct flag flags[] = {
	LOAD_FLAGS,
	{.name = "on-host",
	 .type = FLAG_SWITCH,
	 .help = "Accept loopback endpoints and single-label host names"},
	{.name = NULL},
};

static bool is_at_or_before(struct loc a, struct loc b)
{
	return a.line < b.line || (a.line == b.line && a.column <= b.column);
}

/* The resource in whose text the place is: the last one in the file that begins before it. */
static const struct resource *resource_at(const struct resources *rs, struct loc where)
{
	const struct resource *best = NULL;
	const struct resource *r;

	for (size_t i = 0; i < rs->count; i++) {
		r = &rs->items[i];
		if (!r->loc.file || !where.file || strcmp(r->loc.file, where.file) != 0)
			continue;
		if (is_at_or_before(r->loc, where) && (!best || is_at_or_before(best->loc, r->loc)))
			best = r;
	}
	return best;
}

static void print_mistakes(struct diags *d)
{
	const char *place;

	ctl_sort_diags(d);
	for (size_t i = 0; i < d->count; i++) {
		place = loc_text(d->arena, d->items[i].loc);
		fprintf(stderr, "%s%s%s\n", place, place[0] ? ": " : "", d->items[i].text);
	}
}

static void print_valid(struct ctl *c, const struct resources *rs, const bool *bad)
{
	for (size_t i = 0; i < rs->count; i++) {
		if (!bad[i])
			printf("%s valid\n",
			       ctl_object_title(c->arena, rs->items[i].kind, rs->items[i].name));
	}
}

static int run(struct ctl *c)
{
	struct model_options opts = {.on_host = args_switch(&c->args, "on-host")};
	struct resources rs = {0};
	const struct resource *r;
	struct diags d;
	size_t unread;
	bool *bad;

	diags_init(&d, c->arena);
	if (ctl_load(c, &d, &rs))
		return 1;
	unread = d.count; /* these belong to objects that are not in `rs` */
	(void)ctl_resolve(c, &rs, &opts, &d);
	bad = arena_array(c->arena, rs.count, sizeof(*bad));
	for (size_t i = unread; i < d.count; i++) {
		r = resource_at(&rs, d.items[i].loc);
		if (r)
			bad[r - rs.items] = true;
	}
	print_valid(c, &rs, bad);
	(void)fflush(stdout);
	print_mistakes(&d);
	return d.count ? 1 : 0;
}

const struct verb verb_validate = {
	.name = "validate",
	.usage = "-f FILE|DIR|- [-f ...] [-R] [--on-host]",
	.summary = "Check manifests without a daemon",
	.details =
		"Reads the manifests, resolves references within them, and prints every mistake as\n"
		"FILE:LINE:COLUMN: TEXT. What apply would only warn about is a mistake here.\n"
		"Exit code 1 when there was one.\n"
		"\n"
		"Examples:\n"
		"  spillway validate -f web.yaml\n"
		"  spillway validate -R -f manifests/\n"
		"  generate | spillway validate -f -",
	.flags = flags,
	.run = run,
};
